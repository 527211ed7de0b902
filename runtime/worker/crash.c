/*
 * Everything here runs in a process whose memory may be broken: in the handler no allocation,
 * no lock, no stdio. The frame is written into memory that was there before, on a stack of its
 * own, since the usual one may be what has run out.
 */
#include "crash.h"

#include "codec/frame.h"

#include <execinfo.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <ucontext.h>
#include <unistd.h>

enum { STACK_BYTES = 256 << 10, FRAME_ROOM = 1024, SEEN_MAX = FRAME_MAX_STACK + 16 };

static const int fatal[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGXCPU };

static int report_fd = -1;
static pid_t report_pid;
static char report_room[FRAME_ROOM];

static uint64_t context_pc(const ucontext_t *context)
{
#if defined(__x86_64__)
    return (uint64_t)context->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return context->uc_mcontext.pc;
#else
    (void)context;
    return 0;
#endif
}

/* Where a call through a bad pointer came from: the caller has just pushed it, or put it into
 * lr. */
static uint64_t context_caller(const ucontext_t *context)
{
#if defined(__x86_64__)
    uint64_t caller;
    const void *top = (const void *)(uintptr_t)context->uc_mcontext.gregs[REG_RSP];

    memcpy(&caller, top, sizeof caller);
    return caller;
#elif defined(__aarch64__)
    return context->uc_mcontext.regs[30];
#else
    (void)context;
    return 0;
#endif
}

/* The stack from where the signal struck: what lies above it is this handler. */
static void stack_fill(struct frame_crash *crash, const ucontext_t *context, bool jumped)
{
    void *seen[SEEN_MAX];
    int count = backtrace(seen, SEEN_MAX), at = 0;
    uint64_t pc = context_pc(context);

    while (at < count && (uint64_t)(uintptr_t)seen[at] != pc)
        at++;
    crash->stack[crash->depth++] = pc;
    if (at + 1 >= count && jumped)
        crash->stack[crash->depth++] = context_caller(context);
    for (at++; at < count && crash->depth < FRAME_MAX_STACK; at++)
        crash->stack[crash->depth++] = (uint64_t)(uintptr_t)seen[at];
}

static void report_send(const struct frame *frame)
{
    struct buffer bytes = { .data = report_room, .capacity = sizeof report_room };

    frame_write(&bytes, frame); /* fits: the stack is bounded, so it does not grow */
    ssize_t sent = send(report_fd, bytes.data, bytes.size, MSG_NOSIGNAL);
    (void)sent; /* nobody left to tell */
}

static void on_fatal(int number, siginfo_t *info, void *context)
{
    struct frame frame = { .kind = FRAME_CRASH };
    uint64_t address = (uint64_t)(uintptr_t)info->si_addr;
    bool has_address = number != SIGABRT && number != SIGXCPU && info->si_code > 0;
    sigset_t set;

    frame.crash.signal = (uint32_t)number;
    frame.crash.address = has_address ? address : 0;
    if (getpid() == report_pid) { /* a process that the plugin forked dies for itself */
        stack_fill(&frame.crash, context, has_address && address == context_pc(context));
        report_send(&frame);
    }
    /* The handler was reset when it was entered: the second time it is fatal. */
    (void)sigemptyset(&set);
    (void)sigaddset(&set, number);
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
    (void)raise(number);
}

void crash_prepare(void)
{
    void *seen[4];

    (void)backtrace(seen, 4); /* loads the unwinder, which allocates */
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
        (void)signal(fatal[i], SIG_DFL);
}

void crash_arm(int fd)
{
    struct sigaction action = { .sa_sigaction = on_fatal,
                                .sa_flags = SA_SIGINFO | SA_ONSTACK | (int)SA_RESETHAND };
    stack_t stack = { .ss_size = STACK_BYTES };

    report_fd = fd;
    report_pid = getpid();
    stack.ss_sp = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack.ss_sp == MAP_FAILED || sigaltstack(&stack, NULL) != 0)
        action.sa_flags &= ~SA_ONSTACK; /* all but stack overflows can still be told */
    (void)sigfillset(&action.sa_mask);
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
        (void)sigaction(fatal[i], &action, NULL); /* fails for wrong numbers only */
}
