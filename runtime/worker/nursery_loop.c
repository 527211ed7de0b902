/*
 * The nursery: loads one build, once, and forks slots from itself.
 *
 *   guard ─▶ close everything ─▶ load ─▶ LOADED | REFUSED ─▶ serve: FORK, KILL, SYMBOLIZE
 *
 * Plugin code runs here only while it is loaded (constructors). Nothing of it may outlive the
 * host: guard.c says who notices what.
 */
#include "base/clock.h"
#include "base/family.h"
#include "base/memory.h"
#include "crash.h"
#include "guard.h"
#include "lookup.h"
#include "plugin/describe.h"
#include "prints.h"
#include "shield.h"
#include "slot_loop.h"
#include "title.h"
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    CONTROL_FD = 3,
    READ_BYTES = 16384,
    FDS_MAX = 32, /* that came, of forks that are not done yet */
    CHILDREN_MAX = 4096,
    ELDERS_MAX = 64,
    SOURCES_MAX = 16,
    PATIENCE_MS = 1000, /* with what a slot has left behind */
};

struct child {
    pid_t pid;
    uint32_t slot;
    int prints; /* what it prints to */
};

struct nursery {
    const char *path;
    struct arena arena; /* what was loaded */
    struct plugin plugin;
    struct worker_limits limits;
    bool is_replay;                       /* a debugger may look at its slots */
    const char *sources[SOURCES_MAX + 1]; /* ends with NULL */
    int64_t memory_bytes;
    int signals;
    sigset_t mask; /* as it was: for slots */
    struct buffer in;
    int fds[FDS_MAX];
    uint32_t fd_count;
    struct child *children;
    uint32_t child_count, child_capacity;
    struct lookups lookups;
    pid_t host, guard;
    int lifeline;             /* at its end when the guard is gone */
    pid_t elders[ELDERS_MAX]; /* what constructors have started: it stays as long as we do */
    uint32_t elder_count;
};

/* ---- frames ----------------------------------------------------------------------------- */

static void frame_send(const struct frame *frame)
{
    struct buffer bytes = { 0 };
    size_t sent = 0;

    frame_write(&bytes, frame);
    while (sent < bytes.size) {
        ssize_t wrote = send(CONTROL_FD, bytes.data + sent, bytes.size - sent, MSG_NOSIGNAL);
        if (wrote < 0 && errno != EINTR)
            _exit(SLOT_EXIT_BROKEN);
        sent += wrote < 0 ? 0 : (size_t)wrote;
    }
    buffer_finish(&bytes);
}

static struct child *child_find(struct nursery *nursery, uint32_t slot)
{
    for (uint32_t i = 0; i < nursery->child_count; i++)
        if (nursery->children[i].slot == slot)
            return &nursery->children[i];
    return NULL;
}

static void child_add(struct nursery *nursery, struct child child)
{
    if (nursery->child_count == nursery->child_capacity) {
        nursery->child_capacity =
            nursery->child_capacity == 0 ? 16 : nursery->child_capacity * 2;
        nursery->children =
            memory_grow(nursery->children, nursery->child_capacity * sizeof *nursery->children);
    }
    nursery->children[nursery->child_count++] = child;
}

static _Noreturn void slot_begin(struct nursery *nursery, int fd, int prints, pid_t parent)
{
    const pid_t shielded[] = { nursery->host, nursery->guard, parent };

    (void)setpgid(0, 0); /* the parent does so too: whoever is first */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(0);                    /* it died before we asked to be told */
    (void)prctl(PR_SET_DUMPABLE, 1); /* for debuggers: it has nothing but its plugin's */
    if (nursery->is_replay)
        (void)prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY); /* gdb is no ancestor of it */
    family_adopt();
    title_set("slot", nursery->plugin.name, nursery->plugin.version);
    (void)close(CONTROL_FD);
    (void)close(nursery->lifeline);
    (void)close(nursery->signals);
    for (uint32_t i = 0; i < nursery->fd_count; i++)
        (void)close(nursery->fds[i]);
    for (uint32_t i = 0; i < nursery->child_count; i++)
        prints_close(nursery->children[i].prints);
    for (int i = 0; i < LOOKUPS_MAX; i++)
        if (nursery->lookups.items[i].pid != 0)
            (void)close(nursery->lookups.items[i].fd);
    (void)sigprocmask(SIG_SETMASK, &nursery->mask, NULL);
    shield_raise(shielded, 3);
    slot_main(fd, prints, &nursery->plugin, &nursery->limits);
}

static void slot_fork(struct nursery *nursery, const struct frame_fork *asked)
{
    struct frame frame = { .kind = FRAME_FORKED, .forked = { .slot = asked->slot } };
    pid_t self = getpid(), pid = -1;
    int fd = -1, prints = prints_open();

    if (nursery->fd_count > 0) {
        fd = nursery->fds[0];
        memmove(nursery->fds, nursery->fds + 1, --nursery->fd_count * sizeof *nursery->fds);
    }
    errno = fd < 0 ? EBADF : EAGAIN;
    if (fd >= 0 && nursery->child_count < CHILDREN_MAX)
        pid = fork();
    if (pid == 0)
        slot_begin(nursery, fd, prints, self);
    frame.forked.pid = pid < 0 ? -errno : pid;
    if (pid > 0) {
        (void)setpgid(pid, pid); /* the child does so too: whoever is first */
        child_add(nursery, (struct child){ pid, asked->slot, prints });
    } else {
        prints_close(prints);
    }
    if (fd >= 0)
        (void)close(fd); /* the slot has it */
    frame_send(&frame);
}

static void slot_kill(struct nursery *nursery, const struct frame_kill *asked)
{
    const struct child *child = child_find(nursery, asked->slot);

    if (child == NULL)
        return; /* it has exited: the host will read so */
    if (asked->signal == SIGKILL)
        (void)kill(-child->pid, SIGKILL);
    (void)kill(child->pid, (int)asked->signal); /* not reaped yet, so the id is its own */
}

static void symbols_send(uint32_t slot, struct slice lines)
{
    struct frame frame = { .kind = FRAME_SYMBOLS, .symbols = { .slot = slot, .text = lines } };

    if (!utf8_is_valid(lines))
        frame.symbols.text = (struct slice){ 0 }; /* names from a broken file */
    frame_send(&frame);
}

static void frame_take(struct nursery *nursery, const struct frame *frame)
{
    if (frame->kind == FRAME_FORK)
        slot_fork(nursery, &frame->fork);
    else if (frame->kind == FRAME_KILL)
        slot_kill(nursery, &frame->kill);
    else if (frame->kind == FRAME_SYMBOLIZE &&
             !lookup_begin(&nursery->lookups, nursery->path, nursery->sources,
                           &frame->symbolize))
        symbols_send(frame->symbolize.slot, (struct slice){ 0 });
}

static void frames_take(struct nursery *nursery)
{
    struct arena arena = { 0 };
    struct frame frame;
    size_t used = 0;

    while (nursery->in.size > 0) {
        if (!frame_read(&arena, buffer_view(&nursery->in), READ_BYTES, &frame, &used, NULL))
            _exit(SLOT_EXIT_BROKEN);
        if (used == 0)
            break;
        frame_take(nursery, &frame);
        buffer_consume(&nursery->in, used);
    }
    arena_finish(&arena);
}

static void fds_take(struct nursery *nursery, struct msghdr *message)
{
    for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head != NULL;
         head = CMSG_NXTHDR(message, head)) {
        int fd;
        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
            continue;
        memcpy(&fd, CMSG_DATA(head), sizeof fd); /* one rides with each frame */
        if (nursery->fd_count < FDS_MAX)
            nursery->fds[nursery->fd_count++] = fd;
        else
            (void)close(fd);
    }
}

/* The host is gone, or lets us go. */
static _Noreturn void nursery_end(void)
{
    (void)family_end(NULL, NULL, PATIENCE_MS); /* the guard has patience, too */
    _exit(0);
}

static void control_read(struct nursery *nursery)
{
    char room[CMSG_SPACE(sizeof(int))];
    struct iovec part = { buffer_reserve(&nursery->in, READ_BYTES), READ_BYTES };
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room
    };
    ssize_t got = recvmsg(CONTROL_FD, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (got <= 0)
        nursery_end();
    fds_take(nursery, &message);
    nursery->in.size += (size_t)got;
    frames_take(nursery);
}

/* ---- children --------------------------------------------------------------------------- */

static void exit_report(const struct child *child, int status, const struct rusage *usage)
{
    struct frame frame = {
        .kind = FRAME_EXITED,
        .exited = { .slot = child->slot,
                    .status = status,
                    .cpu_us =
                        (uint64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000u +
                        (uint64_t)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec),
                    .max_rss_bytes = (uint64_t)usage->ru_maxrss * 1024 }
    };

    struct arena arena = { 0 };
    struct buffer rest = { 0 };
    frame.exited.left_out = prints_rest(child->prints, &rest);
    frame.exited.prints = text_clean(&arena, buffer_view(&rest), rest.size);
    frame_send(&frame);
    buffer_finish(&rest);
    arena_finish(&arena);
    prints_close(child->prints);
}

static bool is_known(void *context, pid_t pid)
{
    const struct nursery *nursery = context;

    for (uint32_t i = 0; i < nursery->child_count; i++)
        if (nursery->children[i].pid == pid)
            return true;
    for (uint32_t i = 0; i < nursery->elder_count; i++)
        if (nursery->elders[i] == pid)
            return true;
    for (int i = 0; i < LOOKUPS_MAX; i++)
        if (nursery->lookups.items[i].pid == pid)
            return true;
    return false;
}

static void children_reap(struct nursery *nursery)
{
    for (;;) {
        siginfo_t info = { 0 };
        struct rusage usage;
        int status;
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
            return;
        /* What it has left behind goes with it, while its id still names its group. */
        for (uint32_t i = 0; i < nursery->child_count; i++)
            if (nursery->children[i].pid == info.si_pid)
                (void)kill(-info.si_pid, SIGKILL);
        if (wait4(info.si_pid, &status, WNOHANG, &usage) != info.si_pid)
            return;
        for (uint32_t i = 0; i < nursery->child_count; i++) {
            struct child child = nursery->children[i];
            if (child.pid != info.si_pid)
                continue;
            nursery->children[i] = nursery->children[--nursery->child_count];
            /* What it has left behind has come to us; the host hears of its end after that. */
            (void)family_end(is_known, nursery, PATIENCE_MS);
            exit_report(&child, status, &usage);
            break;
        }
    }
}

static void signals_read(struct nursery *nursery)
{
    struct signalfd_siginfo info[16];

    while (read(nursery->signals, info, sizeof info) > 0)
        ; /* all the same: some child ended */
    children_reap(nursery);
}

static void lookups_read(struct nursery *nursery)
{
    uint64_t now_ns = clock_monotonic_ns();

    for (int i = 0; i < LOOKUPS_MAX; i++) {
        struct lookup *lookup = &nursery->lookups.items[i];
        if (lookup->pid == 0 || !lookup_read(lookup, now_ns))
            continue;
        symbols_send(lookup->slot, buffer_view(&lookup->lines));
        lookup_finish(lookup);
    }
}

static _Noreturn void nursery_serve(struct nursery *nursery)
{
    for (;;) {
        struct pollfd polls[3 + LOOKUPS_MAX] = { { .fd = CONTROL_FD, .events = POLLIN },
                                                 { .fd = nursery->signals, .events = POLLIN },
                                                 { .fd = nursery->lifeline } };
        nfds_t count = 3;
        for (int i = 0; i < LOOKUPS_MAX; i++)
            if (nursery->lookups.items[i].pid != 0)
                polls[count++] =
                    (struct pollfd){ .fd = nursery->lookups.items[i].fd, .events = POLLIN };
        if (poll(polls, count, count > 3 ? 100 : -1) < 0 && errno != EINTR)
            _exit(SLOT_EXIT_BROKEN);
        if (polls[2].revents != 0)
            nursery_end();
        if (polls[1].revents != 0)
            signals_read(nursery);
        if (polls[0].revents != 0)
            control_read(nursery);
        if (count > 3)
            lookups_read(nursery);
    }
}

/* ---- the beginning ---------------------------------------------------------------------- */

static void descriptors_close(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null >= 0) {
        (void)dup2(null, STDIN_FILENO);
        (void)dup2(null, STDOUT_FILENO);
    }
    (void)close_range(CONTROL_FD + 1, ~0u, 0); /* also closes `null` */
    (void)fcntl(CONTROL_FD, F_SETFD, FD_CLOEXEC);
}

static void limits_set(int64_t memory_bytes)
{
    struct rlimit none = { 0, 0 };

    (void)setrlimit(RLIMIT_CORE, &none);
#if !defined(__SANITIZE_ADDRESS__) /* which reserves terabytes of addresses */
    struct rlimit memory = { (rlim_t)memory_bytes, (rlim_t)memory_bytes };
    if (memory_bytes > 0)
        (void)setrlimit(RLIMIT_AS, &memory);
#else
    (void)memory_bytes;
#endif
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static int64_t argument(int argc, char **argv, int index)
{
    return index < argc ? strtoll(argv[index], NULL, 10) : 0;
}

static uint32_t argument_u32(int argc, char **argv, int index)
{
    int64_t number = argument(argc, argv, index);

    return number < 0 || number > UINT32_MAX ? 0 : (uint32_t)number;
}

static void arguments_take(struct nursery *nursery, int argc, char **argv)
{
    nursery->path = memory_text(argv[1]); /* the arguments' room becomes the title's */
    nursery->memory_bytes = argument(argc, argv, 2);
    nursery->limits = (struct worker_limits){
        .state_bytes = argument(argc, argv, 3),
        .output_bytes = argument(argc, argv, 4),
        .metadata_bytes = argument(argc, argv, 5),
        .payload_bytes = argument(argc, argv, 6),
        .log_lines = argument_u32(argc, argv, 7),
        .log_line_bytes = argument_u32(argc, argv, 8),
        .waits = argument_u32(argc, argv, 9),
        .calls = argument_u32(argc, argv, 10),
        .wear = { .segments = argument(argc, argv, 12),
                  .descriptors = argument(argc, argv, 13),
                  .threads = argument(argc, argv, 14),
                  .memory_bytes = argument(argc, argv, 15) },
        .origin = argc > 11 && argv[11][0] != '\0' ? memory_text(argv[11]) : NULL
    };
    nursery->is_replay = argument(argc, argv, 16) != 0;
    for (int i = 0; i < SOURCES_MAX && 17 + i < argc; i++)
        nursery->sources[i] = memory_text(argv[17 + i]);
}

static bool elder_add(void *context, pid_t pid)
{
    struct nursery *nursery = context;

    if (nursery->elder_count < ELDERS_MAX)
        nursery->elders[nursery->elder_count++] = pid;
    return true;
}

/* The plugin is loaded, no code of it runs here any more: from now on we hear of the guard's
 * end, and what comes to us is our slots'. */
static void family_settle(struct nursery *nursery)
{
    family_adopt();
    (void)family_kill(elder_add, nursery); /* kills nobody: it only counts them */
    (void)prctl(PR_SET_PDEATHSIG, 0);
    if (getppid() != nursery->guard)
        nursery_end();
    title_set("nursery", nursery->plugin.name, nursery->plugin.version);
}

static bool plugin_open(struct nursery *nursery)
{
    struct frame frame = { .kind = FRAME_LOADED };
    struct buffer about = { 0 };
    struct err err = { 0 };

    bool is_good = plugin_load(&nursery->arena, nursery->path, &nursery->plugin, &err);
    if (is_good) {
        plugin_describe(&nursery->plugin, &about);
        frame.loaded.description = buffer_view(&about);
    } else {
        frame.kind = FRAME_REFUSED;
        frame.refused.reason = text_clean(&nursery->arena, slice_of(err.text), sizeof err.text);
    }
    frame_send(&frame);
    buffer_finish(&about);
    return is_good;
}

int nursery_main(int argc, char **argv)
{
    struct nursery nursery = { 0 };
    sigset_t children;

    if (argc < 2 || fcntl(CONTROL_FD, F_GETFD) < 0) {
        fprintf(stderr, "bide nursery is started by bide serve, not by hand\n");
        return 2;
    }
    descriptors_close();
    nursery.host = getppid();
    nursery.guard = getpid();
    nursery.lifeline = guard_begin(CONTROL_FD);
    arguments_take(&nursery, argc, argv);
    title_init(argc, argv);
    limits_set(nursery.memory_bytes);
    crash_prepare();
    if (!plugin_open(&nursery))
        _exit(1);
    family_settle(&nursery);
    (void)sigemptyset(&children);
    (void)sigaddset(&children, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &children, &nursery.mask);
    (void)sigdelset(&nursery.mask, SIGCHLD);
    (void)signal(SIGCHLD, SIG_DFL); /* a constructor may have had ideas */
    nursery.signals = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
    if (nursery.signals < 0)
        _exit(SLOT_EXIT_BROKEN);
    nursery_serve(&nursery);
}
