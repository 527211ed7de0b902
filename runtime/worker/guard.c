/*
 *   host ─ guard ─ nursery ─ slots ─ whatever segments start
 *
 * Each end of a process on this line is noticed by one that is left: the guard sees the host's
 * socket closed and its child end, the nursery sees the guard's pipe closed, and the host gets
 * (and kills) the children of a dead guard. A parent-death signal to the nursery alone would
 * leave what its slots have started to init. While a plugin is being loaded the nursery hears
 * nothing, so only then it dies with the guard, by the kernel's hand.
 */
#include "guard.h"

#include "base/family.h"
#include "channel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 2000 };

/* As its nursery did, so that the host reads in our exit status what became of it. */
static _Noreturn void end_as(int status)
{
    sigset_t set;

    (void)family_end(NULL, NULL, PATIENCE_MS);
    if (!WIFSIGNALED(status))
        _exit(WEXITSTATUS(status));
    (void)signal(WTERMSIG(status), SIG_DFL);
    (void)sigfillset(&set);
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
    (void)raise(WTERMSIG(status));
    _exit(SLOT_EXIT_BROKEN); /* a signal that does not end a process */
}

static _Noreturn void guard_serve(int control, int signals, pid_t nursery)
{
    struct pollfd polls[] = { { .fd = control }, { .fd = signals, .events = POLLIN } };

    for (;;) {
        struct signalfd_siginfo info;
        bool is_told = false;
        int status;
        if (poll(polls, 2, -1) < 0 && errno != EINTR)
            end_as(SLOT_EXIT_BROKEN << 8);
        while (read(signals, &info, sizeof info) > 0)
            is_told |= info.ssi_signo == SIGTERM;
        for (pid_t ended; (ended = waitpid(-1, &status, WNOHANG | __WALL)) > 0;)
            if (ended == nursery)
                end_as(status);
        if (is_told)
            end_as(SIGKILL);
        if ((polls[0].revents & (POLLHUP | POLLERR)) != 0)
            end_as(0); /* the host is gone, or lets us go */
    }
}

/* When memory runs out, the system is to take a slot rather than the host. */
static void oom_prefer(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    ssize_t written = write(fd, "500", 3);
    (void)written; /* not allowed to: then not */
    (void)close(fd);
}

/* What runs in slots is of the same user: it may not write here. Slots open theirs again. */
static void memory_close(void)
{
    (void)prctl(PR_SET_DUMPABLE, 0); /* cannot fail */
}

int guard_begin(int control)
{
    sigset_t set, before;
    int lifeline[2];
    pid_t self = getpid();

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGCHLD);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT); /* Ctrl-C is for the host, which lets us go */
    (void)sigaddset(&set, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &set, &before);
    (void)signal(SIGCHLD, SIG_DFL); /* whatever we were started with */
    if (pipe2(lifeline, O_CLOEXEC) != 0)
        _exit(SLOT_EXIT_BROKEN);
    family_adopt();
    pid_t nursery = fork();
    if (nursery == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != self)
            _exit(0); /* it died before we asked to be told */
        (void)close(lifeline[1]);
        oom_prefer();
        memory_close();
        (void)sigprocmask(SIG_SETMASK, &before, NULL);
        return lifeline[0];
    }
    int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (nursery < 0 || signals < 0)
        _exit(SLOT_EXIT_BROKEN);
    (void)close(lifeline[0]);
    (void)prctl(PR_SET_NAME, "bide-guard");
    memory_close();
    guard_serve(control, signals, nursery);
}
