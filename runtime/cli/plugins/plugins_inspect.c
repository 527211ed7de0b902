/*
 * bide plugins inspect: what a .so says of itself, without a server.
 *
 *   this process ── socketpair ── `bide nursery FILE` loads it ──▶ LOADED | REFUSED | dies
 *
 * Plugin code runs in that child only: a constructor that crashes or hangs is an answer, not an
 * accident. The child is killed by its id once it has spoken, or when its time is over.
 */
#include "cli/plugins/plugins_inspect.h"

#include "base/clock.h"
#include "base/globals.h"
#include "cli/client/member.h"
#include "cli/output/text.h"
#include "cli/plugins/nursery_child.h"
#include "codec/json.h"
#include "codec/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int end(struct call *call, struct inspected *inspected, enum inspect_end end,
               const char *format, ...) __attribute__((format(printf, 4, 5)));

static int end(struct call *call, struct inspected *inspected, enum inspect_end how,
               const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    inspected->end = how;
    inspected->why = arena_vformat(&call->arena, format, arguments);
    va_end(arguments);
    return CLI_FAILED;
}

static int end_by_itself(struct call *call, struct inspected *inspected, const char *path,
                         int status)
{
    if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
        return end(call, inspected, INSPECT_CRASHED, "%s crashed while it was loading: %s",
                   path, strsignal(WTERMSIG(status)));
    return end(call, inspected, INSPECT_CRASHED, "%s ended the process that loaded it", path);
}

static void print_fields(struct arena *arena, const struct value *task)
{
    uint32_t count;
    const struct value *fields = member_list(task, "fields", &count);

    for (uint32_t i = 0; i < count; i++) {
        struct slice name = text_safe(arena, member_text(&fields[i], "name"));
        struct slice kind = text_safe(arena, member_text(&fields[i], "kind"));
        printf("  %-11s %.*s  %.*s, %" PRId64 " bytes\n", i == 0 ? "state" : "",
               SLICE_ARG(name), SLICE_ARG(kind), member_int(&fields[i], "size"));
    }
    if (count == 0)
        printf("  %-11s none\n", "state");
}

static void print_retries(const struct value *classes)
{
    for (uint32_t i = 0; classes != NULL && i < classes->count; i++) {
        const struct value *rule = &classes->members[i].value;
        if (member_int(rule, "max_attempts") == 0 && member_int(rule, "min_ms") == 0 &&
            member_int(rule, "max_ms") == 0)
            continue;
        printf("  %-11s after %.*s:", "retry", SLICE_ARG(classes->members[i].key));
        if (member_int(rule, "max_attempts") > 0)
            printf(" %" PRId64 " attempts", member_int(rule, "max_attempts"));
        if (member_int(rule, "min_ms") > 0 || member_int(rule, "max_ms") > 0)
            printf(" from %" PRId64 " to %" PRId64 " ms", member_int(rule, "min_ms"),
                   member_int(rule, "max_ms"));
        printf("\n");
    }
}

static void print_rules(struct arena *arena, const struct value *task)
{
    int64_t exhausted = member_int(task, "on_exhausted");
    struct slice hooks = text_safe(arena, names_text(arena, value_find(task, "called")));
    int64_t attempts = member_int(task, "max_attempts"),
            limit_ms = member_int(task, "limit_ms");

    if (attempts > 0)
        printf("  %-11s %" PRId64 ", again from the %.*s\n", "attempts", attempts,
               SLICE_ARG(member_text(task, "retry_from")));
    if (limit_ms > 0)
        printf("  %-11s %" PRId64 " ms a segment\n", "time limit", limit_ms);
    if (member_int(task, "cpu_ms") > 0)
        printf("  %-11s %" PRId64 " ms a segment\n", "CPU limit", member_int(task, "cpu_ms"));
    if (member_int(task, "max_attempts_total") > 0)
        printf("  %-11s %" PRId64 " attempts of a run\n", "in all",
               member_int(task, "max_attempts_total"));
    if (exhausted == 2 || exhausted == 3) /* enum bide_exhausted */
        printf("  %-11s %s\n", "used up",
               exhausted == 2 ? "the run is paused" : "the run is a dead letter");
    print_retries(value_find(task, "retry"));
    if (hooks.size > 0)
        printf("  %-11s %.*s\n", "hooks", SLICE_ARG(hooks));
    if (member_int(task, "abort_attempts") > 0)
        printf("  %-11s %" PRId64 " tries of each compensation, on_failure and on_cancel\n",
               "undoing", member_int(task, "abort_attempts"));
    if (member_int(task, "keep_states") > 1)
        printf("  %-11s the last %" PRId64 " save points\n", "keeps",
               member_int(task, "keep_states"));
    if (member_int(task, "total_time_ms") > 0)
        printf("  %-11s %" PRId64 " ms a run\n", "total time",
               member_int(task, "total_time_ms"));
    if (member_int(task, "grace_ms") > 0)
        printf("  %-11s %" PRId64 " ms when a run is canceled\n", "grace",
               member_int(task, "grace_ms"));
}

static void print_task(struct arena *arena, const struct value *task)
{
    struct slice schema = member_text(task, "input_schema"), queue = member_text(task, "queue");
    struct slice id = text_safe(arena, member_text(task, "id"));
    struct slice segments = names_text(arena, value_find(task, "segments"));

    printf("\ntask %.*s\n", SLICE_ARG(id));
    printf("  %-11s schemas/%.*s.yaml\n", "schema",
           SLICE_ARG(schema.size > 0 ? text_safe(arena, schema) : id));
    printf("  %-11s %.*s\n", "segments", SLICE_ARG(text_safe(arena, segments)));
    if (queue.size > 0)
        printf("  %-11s %.*s\n", "queue", SLICE_ARG(text_safe(arena, queue)));
    print_rules(arena, task);
    print_fields(arena, task);
}

static void print_description(struct arena *arena, const struct value *about, const char *build)
{
    uint32_t count;
    const struct value *tasks = member_list(about, "tasks", &count);

    printf("plugin   %.*s\n", SLICE_ARG(text_safe(arena, member_text(about, "plugin"))));
    printf("version  %.*s\n", SLICE_ARG(text_safe(arena, member_text(about, "version"))));
    printf("abi      %" PRId64 ".%" PRId64 "\n", member_int(about, "abi_major"),
           member_int(about, "abi_minor"));
    printf("build    %.16s\n", build);
    for (uint32_t i = 0; i < count; i++)
        print_task(arena, &tasks[i]);
}

struct slice plugins_globals(struct arena *arena, const char *path)
{
    struct buffer names = { 0 };
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd >= 0 && globals_find(fd, &names) == 0)
        names.size = 0;
    if (fd >= 0)
        (void)close(fd); /* was only read */
    struct slice text = arena_copy(arena, buffer_view(&names));
    buffer_finish(&names);
    return text;
}

static int understand(struct call *call, const char *path, const struct frame *frame,
                      struct inspected *inspected)
{
    uint8_t digest[SHA256_SIZE];
    struct err err = { 0 };

    if (frame->kind == FRAME_REFUSED && slice_starts(frame->refused.reason, "/"))
        return end(call, inspected, INSPECT_REFUSED, "refused: %.*s",
                   SLICE_ARG(frame->refused.reason));
    if (frame->kind == FRAME_REFUSED)
        return end(call, inspected, INSPECT_REFUSED, "%s is refused: %.*s", path,
                   SLICE_ARG(frame->refused.reason));
    if (frame->kind != FRAME_LOADED ||
        /* The frame goes with the nursery. */
        !pack_read(&call->arena, arena_copy(&call->arena, frame->loaded.description),
                   &inspected->about, &err))
        return end(call, inspected, INSPECT_NONSENSE,
                   "%s: the process that loaded it talks nonsense", path);
    if (!crypto_sha256_file(path, digest, &err))
        return end(call, inspected, INSPECT_UNREAD, "%s", err.text);
    crypto_hex(digest, sizeof digest, inspected->sha256);
    return CLI_DONE;
}

int plugins_inspect(struct call *call, const char *given, int64_t limit_ms, bool is_verbose,
                    struct inspected *inspected)
{
    char memory[] = "0";
    struct nursery_child nursery;
    struct frame frame;
    struct err err = { 0 };
    int code = CLI_FAILED, status;

    *inspected = (struct inspected){ 0 };
    char *path = realpath(given, NULL); /* the nursery must not search for it */
    if (path == NULL)
        return end(call, inspected, INSPECT_UNREAD, "%s: %s", given, strerror(errno));
    bool is_begun =
        nursery_child_start(&nursery, (char *[]){ path, memory, NULL }, !is_verbose, &err);
    free(path);
    if (!is_begun) {
        nursery_child_stop(&nursery, &status);
        return end(call, inspected, INSPECT_UNREAD, "%s", err.text);
    }
    enum heard heard = stream_hear(&nursery.control, &call->arena,
                                   clock_monotonic_ns() + (uint64_t)limit_ms * 1000000, &frame);
    if (heard == HEARD_FRAME)
        code = understand(call, given, &frame, inspected);
    if (heard == HEARD_END)
        (void)shutdown(nursery.control.fd, SHUT_RDWR); /* it hung up: let it end by itself */
    nursery_child_stop(&nursery, &status);
    if (heard == HEARD_END)
        return end_by_itself(call, inspected, given, status);
    if (heard == HEARD_NOTHING)
        return end(call, inspected, INSPECT_HUNG, "%s did not finish loading in %" PRId64 " ms",
                   given, limit_ms);
    if (heard == HEARD_GARBAGE)
        return end(call, inspected, INSPECT_NONSENSE,
                   "%s: the process that loaded it talks nonsense", given);
    return code;
}

static int exec(struct call *call)
{
    struct inspected inspected;
    struct buffer out = { 0 };
    struct err err = { 0 };
    int64_t limit_ms;

    if (!call_duration(call, "timeout", INSPECT_TIME_MS, &limit_ms, &err))
        return cli_fail(CLI_USAGE, "%s", err.text);
    int code = plugins_inspect(call, call->arguments[0], limit_ms,
                               call_option(call, "verbose") != NULL, &inspected);
    if (code != CLI_DONE)
        return cli_fail(code, "%.*s", SLICE_ARG(inspected.why));
    struct slice globals = plugins_globals(&call->arena, call->arguments[0]);
    if (!call->json) {
        print_description(&call->arena, &inspected.about, inspected.sha256);
        if (globals.size > 0)
            printf(
                "\nwarning  variables that outlive a run, and are the next run's in the same "
                "slot: %.*s\n",
                SLICE_ARG(text_safe(&call->arena, globals)));
        return CLI_DONE;
    }
    value_put(&call->arena, &inspected.about, "sha256", value_text(inspected.sha256));
    value_put(&call->arena, &inspected.about, "globals", value_string(globals));
    json_write(&out, &inspected.about);
    printf("%.*s\n", SLICE_ARG(buffer_view(&out)));
    buffer_finish(&out);
    return CLI_DONE;
}

static const struct cli_option options[] = {
    { "timeout", "DURATION", "how long it may take to load (default: 5s)" },
    { "verbose", NULL, "let through what the plugin prints while it loads" },
    { NULL, NULL, NULL },
};

const struct cli_command plugins_inspect_command = {
    .name = "plugins inspect",
    .arguments = "FILE",
    .summary = "Show what a plugin's .so declares, or why it would be refused",
    .help = "Needs no server. The plugin is loaded in a process of its own.",
    .options = options,
    .least = 1,
    .most = 1,
    .exec = exec,
};
