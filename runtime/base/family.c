/*
 * A killed process's children come to whoever adopts, so each pass kills one generation more
 * than it saw. The kernel's lists of children are asked for: scanning /proc would cost a file
 * for every process of the machine.
 */
#include "family.h"

#include "clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CHILDREN_MAX = 256, LIST_BYTES = 4096, DEPTH_MAX = 16, PAUSE_NS = 200000 };

struct children {
    pid_t pids[CHILDREN_MAX]; /* more are seen in the next pass */
    uint32_t count;
};

void family_adopt(void)
{
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1); /* an old kernel: then they leave */
}

bool family_is_there(void)
{
    siginfo_t info = { 0 };

    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 ||
           errno != ECHILD;
}

/* Numbers with a space behind each. */
static void list_read(const char *text, struct children *children)
{
    char *end;

    for (long pid; children->count < CHILDREN_MAX && (pid = strtol(text, &end, 10)) > 0;
         text = end)
        children->pids[children->count++] = (pid_t)pid;
}

/* Each thread has children of its own. */
static void children_find(pid_t pid, struct children *children)
{
    char path[64], text[LIST_BYTES];

    children->count = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *threads = opendir(path);
    if (threads == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(threads)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof path, "/proc/%d/task/%.10s/children", (int)pid,
                       entry->d_name);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
        if (fd >= 0)
            (void)close(fd); /* was only read */
        text[got < 0 ? 0 : got] = '\0';
        list_read(text, children);
    }
    (void)closedir(threads); /* was only read */
}

/* The list first: once the parent is dead, its children are somewhere else. */
static void tree_kill(pid_t pid, int depth)
{
    struct children children;

    children_find(pid, &children);
    (void)kill(pid, SIGKILL);
    for (uint32_t i = 0; i < children.count && depth < DEPTH_MAX; i++)
        tree_kill(children.pids[i], depth + 1);
}

bool family_kill(family_keeps *keeps, void *context)
{
    struct children children;
    bool is_done = true;

    children_find(getpid(), &children);
    for (uint32_t i = 0; i < children.count; i++) {
        pid_t child = children.pids[i];
        if (keeps != NULL && keeps(context, child))
            continue;
        tree_kill(child, 0);
        (void)waitpid(child, NULL, WNOHANG | __WALL); /* or in the next pass */
        is_done = false;
    }
    return is_done;
}

bool family_end(family_keeps *keeps, void *context, int64_t patience_ms)
{
    uint64_t until_ns = clock_monotonic_ns() + (uint64_t)patience_ms * 1000000;
    const struct timespec pause = { .tv_nsec = PAUSE_NS };

    while (family_is_there() && !family_kill(keeps, context)) {
        if (clock_monotonic_ns() > until_ns)
            return false;
        (void)nanosleep(&pause, NULL); /* cut short is fine */
    }
    return true;
}
