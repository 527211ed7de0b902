/*
 * What ld.so does not find: it is asked itself, by the variables that ldd sets, so that its
 * search (rpath, LD_LIBRARY_PATH, its cache) need not be told again here. It lists and ends;
 * the plugin's constructors do not run.
 */
#include "base/clock.h"
#include "cli/plugins/lint.h"

#include <errno.h>
#include <link.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { MOST_BYTES = 1 << 20, CHUNK_BYTES = 16 << 10, SYMBOLS_TOLD = 20 };

/* The ld.so of this program: what it says of itself, as its first object. */
static int loader_find(struct dl_phdr_info *info, size_t size, void *found)
{
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_INTERP) {
            uintptr_t at = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            *(const char **)found = (const char *)at;
        }
    return 1; /* the program is the first one */
}

static char **environment_make(struct arena *arena)
{
    static const char *const asked[] = { "LD_TRACE_LOADED_OBJECTS=1", "LD_WARN=yes",
                                         "LD_BIND_NOW=yes" };
    enum { ASKED = sizeof asked / sizeof *asked };
    size_t count = 0;

    while (environ[count] != NULL)
        count++;
    char **made = ARENA_ARRAY(arena, char *, count + ASKED + 1);
    for (size_t i = 0; i < count; i++)
        made[i] = environ[i];
    for (size_t i = 0; i < ASKED; i++)
        made[count + i] = arena_text(arena, slice_of(asked[i]));
    return made;
}

static pid_t loader_start(struct arena *arena, const char *loader, char *path, int *fd)
{
    char *arguments[] = { arena_text(arena, slice_of(loader)), path, NULL };
    posix_spawn_file_actions_t actions;
    int ends[2];
    pid_t pid = -1;

    if (pipe(ends) != 0)
        return -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    if (posix_spawn(&pid, loader, &actions, NULL, arguments, environment_make(arena)) != 0)
        pid = -1;
    posix_spawn_file_actions_destroy(&actions);
    (void)close(ends[1]);
    if (pid < 0)
        (void)close(ends[0]);
    *fd = ends[0];
    return pid;
}

/* All that it says until it ends, or its time is over. */
static void loader_hear(int fd, int64_t limit_ms, struct buffer *said)
{
    uint64_t until_ns = clock_monotonic_ns() + (uint64_t)limit_ms * 1000000;

    while (said->size < MOST_BYTES) {
        uint64_t now_ns = clock_monotonic_ns();
        struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
        int left_ms = now_ns < until_ns ? (int)((until_ns - now_ns) / 1000000) + 1 : 0;
        int ready = poll(&poll_fd, 1, left_ms);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return;
        ssize_t got = read(fd, buffer_reserve(said, CHUNK_BYTES), CHUNK_BYTES);
        if (got <= 0)
            return;
        said->size += (size_t)got;
    }
}

static bool next_line(struct slice *text, struct slice *line)
{
    if (text->size == 0)
        return false;
    const char *end = memchr(text->data, '\n', text->size);
    line->data = text->data;
    line->size = end == NULL ? text->size : (size_t)(end - text->data);
    size_t used = line->size + (end != NULL);
    text->data += used;
    text->size -= used;
    while (line->size > 0 && (*line->data == '\t' || *line->data == ' ')) {
        line->data++;
        line->size--;
    }
    return true;
}

/* The line up to `mark`, when it is in it. */
static bool line_until(struct slice line, const char *mark, struct slice *before)
{
    const char *at = memmem(line.data, line.size, mark, strlen(mark));

    *before = (struct slice){ line.data, at == NULL ? 0 : (size_t)(at - line.data) };
    return at != NULL;
}

static bool libraries_tell(struct lint *lint, struct slice said)
{
    struct slice line, name;
    uint32_t before = lint->counts[LINT_ERROR];

    while (next_line(&said, &line)) {
        if (line_until(line, " => not found", &name))
            lint_add(lint, LINT_RULE_LIBRARY, (struct lint_finding){ .symbol = name },
                     "%.*s is needed, and ld.so does not find it", SLICE_ARG(name));
        else if (line_until(line, "' not found (required by ", &name))
            lint_add(lint, LINT_RULE_LIBRARY, (struct lint_finding){ 0 }, "%.*s",
                     SLICE_ARG(line));
    }
    return lint->counts[LINT_ERROR] > before;
}

static void borrowed_tell(void *context, const char *name, const char *library)
{
    struct lint *lint = context;

    lint_add(lint, LINT_RULE_BORROWED, (struct lint_finding){ .symbol = slice_of(name) },
             "none of its libraries has %s; it is there because bide has loaded %s for itself",
             name, library);
}

static bool is_told(const struct lint *lint, struct slice symbol)
{
    for (const struct lint_finding *one = lint->first; one != NULL; one = one->next)
        if (slice_equal(one->symbol, symbol))
            return true;
    return false;
}

static void symbols_tell(struct lint *lint, struct slice said, bool is_loaded)
{
    static const char start[] = "undefined symbol: ";
    struct lint_names names = { .arena = &lint->call->arena };
    struct slice line, name;

    while (next_line(&said, &line) && names.count < SYMBOLS_TOLD) {
        if (!slice_starts(line, start))
            continue;
        line.data += sizeof start - 1;
        line.size -= sizeof start - 1;
        if (!line_until(line, "\t", &name) && !line_until(line, " ", &name))
            name = line;
        lint_name_add(&names, name);
    }
    lint_host_find(&names, borrowed_tell, lint);
    for (uint32_t i = 0; i < names.count && !is_loaded; i++)
        if (!is_told(lint, slice_of(names.items[i])))
            lint_add(lint, LINT_RULE_UNRESOLVED,
                     (struct lint_finding){ .symbol = slice_of(names.items[i]) },
                     "%s is used, and neither the file nor a library of it has it",
                     names.items[i]);
}

/* A refusal by dlopen, which names the first of them alone, is said better by them all. */
static void refusal_drop(struct lint *lint)
{
    struct lint_finding *refused = lint->first;

    if (refused->next == NULL || refused->rule != LINT_RULE_REFUSED)
        return;
    lint->first = refused->next;
    lint->counts[LINT_ERROR]--;
}

void lint_libraries(struct lint *lint, bool is_loaded, int64_t limit_ms)
{
    struct arena *arena = &lint->call->arena;
    const char *loader = NULL;
    struct buffer said = { 0 };
    int fd = -1;

    if (!is_loaded && memmem(lint->inspected.why.data, lint->inspected.why.size,
                             "cannot be loaded", 16) == NULL)
        return; /* it did not come to its libraries, or came past them */
    (void)dl_iterate_phdr(loader_find, &loader);
    char *path = realpath(lint->path, NULL); /* ld.so must not search for it */
    pid_t pid = loader == NULL || path == NULL ? -1 : loader_start(arena, loader, path, &fd);
    free(path);
    if (pid < 0)
        return; /* a program without an ld.so, or no processes: dlopen has had the word */
    loader_hear(fd, limit_ms, &said);
    (void)close(fd);
    (void)kill(pid, SIGKILL); /* not reaped yet, so the id is still its own */
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    struct slice kept = arena_copy(arena, buffer_view(&said));
    buffer_finish(&said);
    /* What a library would have brought is not missing by itself. */
    if (!libraries_tell(lint, kept))
        symbols_tell(lint, kept, is_loaded);
    if (!is_loaded)
        refusal_drop(lint);
}
