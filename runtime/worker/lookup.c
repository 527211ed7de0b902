#include "lookup.h"

#include "base/clock.h"
#include "symbols.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { LINES_MAX_BYTES = 16 << 10 };

static _Noreturn void lookup_child(int fd, const char *plugin_path, const char *const *sources,
                                   const struct frame_symbolize *asked)
{
    struct buffer lines = { 0 };
    size_t sent = 0;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)prctl(PR_SET_DUMPABLE, 1); /* else its own /proc files are not for it */
    symbols_find(plugin_path, sources, asked->stack, asked->depth, &lines);
    while (sent < lines.size) {
        ssize_t wrote = write(fd, lines.data + sent, lines.size - sent);
        if (wrote <= 0)
            break;
        sent += (size_t)wrote;
    }
    _exit(0);
}

bool lookup_begin(struct lookups *lookups, const char *plugin_path, const char *const *sources,
                  const struct frame_symbolize *asked)
{
    struct lookup *lookup = lookups->items;
    int ends[2];

    while (lookup < lookups->items + LOOKUPS_MAX && lookup->pid != 0)
        lookup++;
    if (lookup == lookups->items + LOOKUPS_MAX || pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return false;
    pid_t pid = fork();
    if (pid == 0) {
        (void)fcntl(ends[1], F_SETFL, 0);
        lookup_child(ends[1], plugin_path, sources, asked);
    }
    (void)close(ends[1]);
    if (pid < 0) {
        (void)close(ends[0]);
        return false;
    }
    *lookup = (struct lookup){ .pid = pid,
                               .fd = ends[0],
                               .slot = asked->slot,
                               .due_ns = clock_monotonic_ns() + (uint64_t)LOOKUP_MS * 1000000 };
    return true;
}

bool lookup_read(struct lookup *lookup, uint64_t now_ns)
{
    ssize_t got;

    do {
        char *room = buffer_reserve(&lookup->lines, 4096);
        got = read(lookup->fd, room, 4096);
        if (got > 0)
            lookup->lines.size += (size_t)got;
    } while ((got > 0 || (got < 0 && errno == EINTR)) && lookup->lines.size < LINES_MAX_BYTES);
    if (got < 0 && errno == EAGAIN && now_ns < lookup->due_ns)
        return false;
    (void)kill(lookup->pid, SIGKILL); /* not reaped yet, so the id is still its own */
    return true;
}

void lookup_finish(struct lookup *lookup)
{
    (void)close(lookup->fd); /* was only read */
    buffer_finish(&lookup->lines);
    *lookup = (struct lookup){ 0 };
}
