/*
 * hostile: tasks that attack what runs them. Like those of crash.c they take { times };
 * everything they do is bounded, so that a host that fails to stop them does not take the
 * machine along.
 */
#include <bide/bide.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define EXIT(S)        S(call_exit)
#define SPIN(S)        S(spin_on)
#define SLEEP(S)       S(sleep_on)
#define CLOSE_ALL(S)   S(close_descriptors)
#define GARBAGE(S)     S(write_garbage)
#define KILL_PARENT(S) S(kill_nursery)
#define FORK(S)        S(fork_child)
#define BEHIND(S)      S(leave_behind)
#define CHANGE(S)      S(change_process)
#define CALLS(S)       S(call_all)
#define STOP_PARENT(S) S(stop_nursery)
#define LEAVE_OPEN(S)  S(leave_open)
#define COUNT_ON(S)    S(count_on)
#define LEAK(S)        S(leak_memory)
#define BIG_STATE(S)   S(save_much) S(saved_much)
#define BIG_OUTPUT(S)  S(put_out_much)
#define BIG_META(S)    S(note_much)
#define WRONG_END(S)   S(return_nothing)
#define NOT_LISTED(S)  S(go_nowhere)

#define HOARD(F) F(VALUE, hoard)

BIDE_TASK(exits, BIDE_NO_STATE, EXIT, .id = "exit-3")
BIDE_TASK(spin, BIDE_NO_STATE, SPIN, .id = "spin", .limit_ms = 500)
BIDE_TASK(sleeps, BIDE_NO_STATE, SLEEP, .id = "sleep")
BIDE_TASK(hurried, BIDE_NO_STATE, SLEEP, .id = "hurried", .grace_ms = 200,
          .total_time_ms = BIDE_SECONDS(3))
BIDE_TASK(close_all, BIDE_NO_STATE, CLOSE_ALL, .id = "close-all")
BIDE_TASK(garbage, BIDE_NO_STATE, GARBAGE, .id = "garbage")
BIDE_TASK(kill_parent, BIDE_NO_STATE, KILL_PARENT, .id = "kill-parent")
BIDE_TASK(forks, BIDE_NO_STATE, FORK, .id = "fork-child")
BIDE_TASK(behind, BIDE_NO_STATE, BEHIND, .id = "leave-behind")
BIDE_TASK(changes, BIDE_NO_STATE, CHANGE, .id = "change-process")
BIDE_TASK(calls, BIDE_NO_STATE, CALLS, .id = "call")
BIDE_TASK(stop_parent, BIDE_NO_STATE, STOP_PARENT, .id = "stop-parent")
BIDE_TASK(left_open, BIDE_NO_STATE, LEAVE_OPEN, .id = "leave-open")
BIDE_TASK(counts, BIDE_NO_STATE, COUNT_ON, .id = "count-on")
BIDE_TASK(leak, BIDE_NO_STATE, LEAK, .id = "leak")
BIDE_TASK(big_state, HOARD, BIG_STATE, .id = "huge-state")
BIDE_TASK(big_output, BIDE_NO_STATE, BIG_OUTPUT, .id = "huge-output")
BIDE_TASK(big_meta, BIDE_NO_STATE, BIG_META, .id = "huge-metadata")
BIDE_TASK(wrong_end, BIDE_NO_STATE, WRONG_END, .id = "returns-nothing")
BIDE_TASK(not_listed, BIDE_NO_STATE, NOT_LISTED, .id = "not-listed")

static int64_t number(bide_task *t, const char *key, int64_t otherwise)
{
    return bide_has(t, bide_input(t), key) ? bide_i64(t, bide_input(t), key) : otherwise;
}

static bool is_bad_attempt(bide_task *t)
{
    return bide_info(t)->attempt <= (uint64_t)number(t, "times", INT64_MAX);
}

static bide_next finish(bide_task *t)
{
    bide_out_i64(t, "attempt", bide_info(t)->attempt);
    return bide_done(t);
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bide_next call_exit(bide_task *t)
{
    if (is_bad_attempt(t))
        _exit(3);
    return finish(t);
}

/* { ms }: a minute at most. */
static bide_next spin_on(bide_task *t)
{
    int64_t end = now_ms() + number(t, "ms", 60000);
    while (is_bad_attempt(t) && now_ms() < end)
        ;
    return finish(t);
}

/* { ms }: looks neither left nor right. */
static bide_next sleep_on(bide_task *t)
{
    int64_t ms = number(t, "ms", 60000);
    struct timespec rest = { ms / 1000, ms % 1000 * 1000000 };
    while (is_bad_attempt(t) && nanosleep(&rest, &rest) != 0 && errno == EINTR)
        ;
    return finish(t);
}

static bide_next close_descriptors(bide_task *t)
{
    for (int fd = 0; is_bad_attempt(t) && fd < 256; fd++)
        close(fd);
    return finish(t);
}

static bide_next write_garbage(bide_task *t)
{
    char noise[4096];
    struct stat status;

    memset(noise, 0xab, sizeof noise);
    for (int fd = 0; is_bad_attempt(t) && fd < 256; fd++)
        if (fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode) &&
            write(fd, noise, sizeof noise) < 0)
            continue;
    return finish(t);
}

/* { path }: does it only while there is no such file, and makes it first. The death of its
 * parent takes the slot along; the pause lets that happen before the answer. */
static bide_next kill_nursery(bide_task *t)
{
    struct timespec rest = { 5, 0 };
    const char *path = bide_str(t, bide_input(t), "path");
    int fd = path[0] == 0 ? -1 : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd >= 0)
        close(fd);
    if (is_bad_attempt(t) && (path[0] == 0 || fd >= 0)) {
        kill(getppid(), SIGKILL);
        nanosleep(&rest, NULL);
    }
    return finish(t);
}

/* The child keeps the slot's descriptors for half a minute. */
static bide_next fork_child(bide_task *t)
{
    pid_t child = fork();
    if (child == 0) {
        sleep(30);
        _exit(0);
    }
    bide_out_i64(t, "child", child);
    return finish(t);
}

/* { path, count, daemons, ms }: so many processes that say so in a file and sleep for a minute;
 * as daemons they leave session and parent. The segment ends after `ms`. */
static bide_next leave_behind(bide_task *t)
{
    const char *path = bide_str(t, bide_input(t), "path");
    int64_t ms = number(t, "ms", 0);
    bool daemons = number(t, "daemons", 0) != 0;

    for (int64_t i = number(t, "count", 10); i > 0; i--) {
        if (fork() != 0)
            continue;
        if (daemons && (setsid() < 0 || fork() != 0))
            _exit(0);
        char line[32];
        int size = snprintf(line, sizeof line, "%d\n", (int)getpid());
        int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        signal(SIGTERM, SIG_IGN);
        if (fd < 0 || write(fd, line, (size_t)size) != size)
            _exit(1);
        sleep(60);
        _exit(0);
    }
    struct timespec rest = { ms / 1000, ms % 1000 * 1000000 };
    while (nanosleep(&rest, &rest) != 0 && errno == EINTR)
        ;
    return finish(t);
}

static bide_next stop_nursery(bide_task *t)
{
    if (is_bad_attempt(t))
        kill(getppid(), SIGSTOP);
    return finish(t);
}

/* { call }: one of those that reach other processes; its errno. */
static bide_next call_all(bide_task *t)
{
    const char *call = bide_str(t, bide_input(t), "call");
    struct f_owner_ex owner = { F_OWNER_PID, getppid() };
    pid_t parent = getppid();
    long result = 0;

    errno = 0;
    if (strcmp(call, "tkill") == 0)
        result = syscall(SYS_tkill, parent, SIGCONT);
    else if (strcmp(call, "tgkill") == 0)
        result = syscall(SYS_tgkill, parent, parent, SIGCONT);
    else if (strcmp(call, "setown") == 0)
        result = fcntl(STDOUT_FILENO, F_SETOWN, parent);
    else if (strcmp(call, "setown_ex") == 0)
        result = fcntl(STDOUT_FILENO, F_SETOWN_EX, &owner);
    else if (strcmp(call, "prlimit") == 0)
        result = syscall(SYS_prlimit64, parent, RLIMIT_CPU, NULL, NULL);
    else if (strcmp(call, "ptrace") == 0)
        result = syscall(SYS_ptrace, PTRACE_SEIZE, parent, NULL, NULL);
    else if (strcmp(call, "clone") == 0)
        result = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);
    else if (strcmp(call, "clone3") == 0)
        result = syscall(SYS_clone3, NULL, 0);
    if (strcmp(call, "clone") == 0 && result == 0)
        _exit(0);
    bide_out_i64(t, "errno", result < 0 ? errno : 0);
    return bide_done(t);
}

/* Says what it finds, then sets all of it otherwise. */
static bide_next change_process(bide_task *t)
{
    char folder[400] = "";
    struct itimerval left = { 0 };
    struct rlimit files = { 0 };
    sigset_t signals;
    mode_t mask = umask(0);

    getitimer(ITIMER_REAL, &left);
    getrlimit(RLIMIT_NOFILE, &files);
    sigprocmask(SIG_SETMASK, NULL, &signals);
    bide_out_i64(t, "slot", getpid());
    bide_out_i64(t, "mask", mask);
    bide_out_str(t, "folder", getcwd(folder, sizeof folder));
    bide_out_i64(t, "timer", left.it_value.tv_sec);
    bide_out_i64(t, "files", (int64_t)files.rlim_cur);
    bide_out_i64(t, "blocked", sigismember(&signals, SIGUSR1));
    alarm(100);
    files.rlim_cur /= 2;
    setrlimit(RLIMIT_NOFILE, &files);
    sigaddset(&signals, SIGUSR1);
    sigprocmask(SIG_SETMASK, &signals, NULL);
    if (chdir("/proc") != 0)
        return bide_fail(t, "no_folder", "there is no /proc");
    return bide_done(t);
}

static void *sleep_long(void *nothing)
{
    sleep(60);
    return nothing;
}

/* { descriptors, threads, mib }: leaves so many in its slot, and says which process that is. */
static bide_next leave_open(bide_task *t)
{
    pthread_t thread;

    for (int64_t i = number(t, "descriptors", 0); i > 0; i--)
        if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0)
            break;
    for (int64_t i = number(t, "threads", 0); i > 0; i--)
        pthread_create(&thread, NULL, sleep_long, NULL);
    for (int64_t i = number(t, "mib", 0); i > 0; i--) {
        char *memory = malloc(1 << 20);
        if (memory == NULL)
            abort();
        memset(memory, 1, 1 << 20);
    }
    bide_out_i64(t, "slot", getpid());
    return bide_done(t);
}

static int64_t calls_so_far;

/* A global that goes on from run to run, as long as they meet in one slot. */
static bide_next count_on(bide_task *t)
{
    bide_out_i64(t, "calls", ++calls_so_far);
    return bide_done(t);
}

/* { mib }: takes and touches so much, then says how much it got. */
static bide_next leak_memory(bide_task *t)
{
    int64_t mib = number(t, "mib", 512);
    int64_t got = 0;

    while (got < mib) {
        char *memory = malloc(1 << 20);
        if (memory == NULL)
            abort();
        memset(memory, 1, 1 << 20);
        got++;
    }
    bide_out_i64(t, "mib", got);
    return finish(t);
}

/* { mib } of text, in pieces of one. */
static bide_list *much(bide_task *t)
{
    int64_t mib = number(t, "mib", 64);
    char *text = malloc(1 << 20);
    bide_list *list = bide_list_new(t);

    if (text == NULL)
        abort();
    memset(text, 'x', 1 << 20);
    bide_value *piece = bide_of_text(t, text, 1 << 20);
    for (int64_t i = 0; i < mib; i++)
        bide_add(t, list, piece);
    free(text);
    return list;
}

static bide_next save_much(bide_task *t)
{
    struct big_state *s = bide_state(t);
    s->hoard = much(t);
    return bide_wait_for(t, 0, saved_much);
}

static bide_next saved_much(bide_task *t)
{
    struct big_state *s = bide_state(t);
    bide_out_i64(t, "pieces", bide_count(t, s->hoard));
    return bide_done(t);
}

static bide_next put_out_much(bide_task *t)
{
    bide_out_value(t, "much", much(t));
    return bide_done(t);
}

static bide_next note_much(bide_task *t)
{
    bide_meta_set(t, "much", much(t));
    return bide_done(t);
}

/* A value that no call made. */
static bide_next return_nothing(bide_task *t)
{
    bide_next next = { 12345 };
    (void)t;
    return next;
}

static bide_next nobodys(bide_task *t)
{
    return bide_done(t);
}

static bide_next go_nowhere(bide_task *t)
{
    return bide_wait_for(t, 0, nobodys);
}

BIDE_PLUGIN("hostile", "1.0.0", exits_task, spin_task, sleeps_task, hurried_task,
            close_all_task, garbage_task, kill_parent_task, calls_task, changes_task,
            forks_task, behind_task, stop_parent_task, left_open_task, counts_task, leak_task,
            big_state_task, big_output_task, big_meta_task, wrong_end_task, not_listed_task)
