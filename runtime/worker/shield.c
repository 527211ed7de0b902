#include "shield.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#endif

enum { PIDS_MAX = 4, CODE_MAX = 192, IOCTL_OWNER = 0x8901, IOCTL_GROUP = 0x8902 };

#ifdef OUR_ARCH

struct code {
    struct sock_filter steps[CODE_MAX];
    unsigned short count;
};

static void load(struct code *code, size_t offset)
{
    code->steps[code->count++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset);
}

static void leave(struct code *code, uint32_t action)
{
    code->steps[code->count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action);
}

/* Skip so many steps when it is not this number, or when it is. */
static void skip_unless(struct code *code, uint32_t number, uint8_t steps)
{
    code->steps[code->count++] =
        (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, steps);
}

static void leave_if(struct code *code, uint32_t number, uint32_t action)
{
    skip_unless(code, number, 1);
    leave(code, action);
}

/* One system call: whom it names is argument 0; no signal (0) is only a question. */
static void call_check(struct code *code, uint32_t call, unsigned signal, const uint32_t *names,
                       unsigned count)
{
    load(code, offsetof(struct seccomp_data, nr));
    skip_unless(code, call, (uint8_t)(4 + 2 * count));
    load(code, offsetof(struct seccomp_data, args) + signal * sizeof(uint64_t));
    leave_if(code, 0, SECCOMP_RET_ALLOW);
    load(code, offsetof(struct seccomp_data, args));
    for (unsigned i = 0; i < count; i++)
        leave_if(code, names[i], SECCOMP_RET_TRAP);
}

/* The same without a signal; whom it names is argument `who`. */
static void subject_check(struct code *code, uint32_t call, unsigned who, const uint32_t *names,
                          unsigned count)
{
    load(code, offsetof(struct seccomp_data, nr));
    skip_unless(code, call, (uint8_t)(1 + 2 * count));
    load(code, offsetof(struct seccomp_data, args) + who * sizeof(uint64_t));
    for (unsigned i = 0; i < count; i++)
        leave_if(code, names[i], SECCOMP_RET_TRAP);
}

/* Signals by way of a descriptor's owner, which may stand in memory that no filter can read. */
static void owners_check(struct code *code, const uint32_t *names, unsigned count)
{
    const uint32_t refused = SECCOMP_RET_ERRNO | EPERM;

    load(code, offsetof(struct seccomp_data, nr));
    skip_unless(code, SYS_fcntl, (uint8_t)(5 + 2 * count));
    load(code, offsetof(struct seccomp_data, args) + sizeof(uint64_t));
    leave_if(code, F_SETOWN_EX, refused);
    skip_unless(code, F_SETOWN, (uint8_t)(1 + 2 * count));
    load(code, offsetof(struct seccomp_data, args) + 2 * sizeof(uint64_t));
    for (unsigned i = 0; i < count; i++)
        leave_if(code, names[i], SECCOMP_RET_TRAP);
    load(code, offsetof(struct seccomp_data, nr));
    skip_unless(code, SYS_ioctl, 5);
    load(code, offsetof(struct seccomp_data, args) + sizeof(uint64_t));
    leave_if(code, IOCTL_OWNER, refused);
    leave_if(code, IOCTL_GROUP, refused);
    load(code, offsetof(struct seccomp_data, nr));
    leave_if(code, SYS_pidfd_send_signal, SECCOMP_RET_ERRNO | ENOSYS); /* kill() is there */
}

/* A child that is its parent's brother would outlive the segment. The flags of clone3 stand in
 * memory; the C library takes clone where there is none. */
static void clone_check(struct code *code)
{
    load(code, offsetof(struct seccomp_data, nr));
    leave_if(code, SYS_clone3, SECCOMP_RET_ERRNO | ENOSYS);
    skip_unless(code, SYS_clone, 3);
    load(code, offsetof(struct seccomp_data, args));
    code->steps[code->count++] =
        (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_PARENT, 0, 1);
    leave(code, SECCOMP_RET_ERRNO | EPERM);
}

void shield_raise(const pid_t *pids, unsigned count)
{
    uint32_t names[PIDS_MAX + 2] = { 0 };
    struct code code = { 0 };
    pid_t group = count > 0 ? getpgid(pids[0]) : -1;
    unsigned known = 0;

    for (; known < count && known < PIDS_MAX; known++)
        names[known] = (uint32_t)pids[known];
    load(&code, offsetof(struct seccomp_data, arch));
    skip_unless(&code, OUR_ARCH, 0);
    code.steps[code.count - 1].jf = 0; /* set below, when it is known how far the end is */
    call_check(&code, SYS_tgkill, 2, names, known);
    call_check(&code, SYS_tkill, 1, names, known);
    call_check(&code, SYS_rt_sigqueueinfo, 1, names, known);
    subject_check(&code, SYS_ptrace, 1, names, known);
    subject_check(&code, SYS_prlimit64, 0, names, known);
    subject_check(&code, SYS_process_vm_writev, 0, names, known);
    names[known++] = UINT32_MAX; /* everybody */
    if (group > 1)
        names[known++] = (uint32_t)-group;
    call_check(&code, SYS_kill, 1, names, known);
    owners_check(&code, names, known);
    clone_check(&code);
    code.steps[1].jf = (uint8_t)(code.count - 2);
    leave(&code, SECCOMP_RET_ALLOW);
    struct sock_fprog program = { .len = code.count, .filter = code.steps };
    /* SPEC_ALLOW: without it the kernel slows down everything that plugins do. */
    (void)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
                  &program);
}

#else

void shield_raise(const pid_t *pids, unsigned count)
{
    (void)pids;
    (void)count; /* no filter is written for this machine */
}

#endif
