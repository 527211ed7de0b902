#include "cli/client/run_text.h"

#include "cli/client/member.h"
#include "cli/client/wait_text.h"
#include "cli/output/text.h"
#include "codec/json.h"

enum { LABEL_COLUMN = 10 };

static void add_label(struct buffer *out, const char *label)
{
    buffer_format(out, "%-*s ", LABEL_COLUMN, label);
}

static void add_field(struct buffer *out, const char *label, struct slice text)
{
    if (text.size == 0)
        return;
    add_label(out, label);
    text_add_safe(out, text, false);
    buffer_byte(out, '\n');
}

/* Text with its own lines, each indented and safe. */
static void add_indented(struct buffer *out, struct slice text)
{
    while (text.size > 0) {
        const char *end = memchr(text.data, '\n', text.size);
        size_t size = end != NULL ? (size_t)(end - text.data) : text.size;
        buffer_text(out, "  ");
        text_add_safe(out, (struct slice){ text.data, size }, false);
        buffer_byte(out, '\n');
        size += end != NULL;
        text.data += size;
        text.size -= size;
    }
}

static void add_json(struct buffer *out, const char *label, const struct value *value)
{
    struct buffer json = { 0 };

    if (value == NULL)
        return;
    buffer_format(out, "\n%s\n", label);
    json_write_pretty(&json, value);
    add_indented(out, buffer_view(&json));
    buffer_finish(&json);
}

static void add_time(struct buffer *out, struct arena *arena, const struct value *run,
                     const char *label, const char *name, int64_t now_ms)
{
    int64_t at_ms = member_time(run, name);
    if (at_ms == 0)
        return;
    add_field(out, label,
              arena_format(arena, "%.*s  (%.*s)", SLICE_ARG(member_text(run, name)),
                           SLICE_ARG(ago_text(arena, at_ms, now_ms))));
}

/* "token waitpoint_… (9m58s left)" for the first, and how many more there are. */
static struct slice waiting_text(struct arena *arena, const struct value *run, int64_t now_ms)
{
    uint32_t count;
    const struct value *first = member_list(run, "waitingFor", &count);
    struct slice left = SLICE(""), more = SLICE("");

    if (count == 0)
        return SLICE("");
    int64_t due_ms = member_time(first, "timeoutAt");
    if (due_ms != 0 && now_ms != 0)
        left =
            arena_format(arena, " (%.*s left)", SLICE_ARG(span_text(arena, due_ms - now_ms)));
    int64_t total = member_int(run, "waitingForCount");
    if (total > 1)
        more = arena_format(arena, " and %d more", (int)total - 1);
    struct slice id = waited_for(first);
    return arena_format(arena, "%.*s%s%.*s%.*s%.*s", SLICE_ARG(member_text(first, "type")),
                        id.size > 0 ? " " : "", SLICE_ARG(id), SLICE_ARG(left),
                        SLICE_ARG(more));
}

/* What holds it, where its status does not say that already; without counts, which change by
 * themselves, when `is_mark`. */
static struct slice held_text(const struct value *run, bool is_mark)
{
    static const char *const said[] = { "plugin", "wait", "not-before" };
    const struct value *held = value_find(run, "heldBy");

    for (size_t i = 0; held != NULL && i < sizeof said / sizeof *said; i++)
        if (slice_is(member_text(held, "gate"), said[i]))
            return SLICE("");
    return held == NULL ? SLICE("") : member_text(held, is_mark ? "gate" : "text");
}

static int64_t run_age_ms(const struct value *run, int64_t now_ms)
{
    int64_t created_ms = member_time(run, "createdAt");
    int64_t finished_ms = member_time(run, "finishedAt");
    return (finished_ms != 0 ? finished_ms : now_ms) - created_ms;
}

/* now_ms 0: without anything that changes by itself. */
static struct slice status_text(struct arena *arena, const struct value *run, int64_t now_ms)
{
    struct buffer out = { 0 };
    struct slice segment = member_text(run, "segment");
    struct slice parked = member_text(run, "parkedReason");
    struct slice held = held_text(run, now_ms == 0);
    bool done = member_bool(run, "isCompleted");
    struct slice waiting = done ? SLICE("") : waiting_text(arena, run, now_ms);
    int64_t attempt = member_int(run, "attempt"), progress = member_int(run, "progress");

    buffer_slice(&out, member_text(run, "status"));
    if (segment.size > 0 && !done)
        buffer_format(&out, " in %.*s", SLICE_ARG(segment));
    if (parked.size > 0)
        buffer_format(&out, " · %.*s", SLICE_ARG(text_safe(arena, parked)));
    if (held.size > 0)
        buffer_format(&out, " · %.*s", SLICE_ARG(text_safe(arena, held)));
    if (waiting.size > 0)
        buffer_format(&out, " · for %.*s", SLICE_ARG(waiting));
    if (attempt > 1)
        buffer_format(&out, " · attempt %d", (int)attempt);
    if (progress > 0 && !done)
        buffer_format(&out, " · %d %%", (int)progress);
    if (now_ms != 0)
        buffer_format(&out, " · %.*s", SLICE_ARG(span_text(arena, run_age_ms(run, now_ms))));
    struct slice text = arena_copy(arena, buffer_view(&out));
    buffer_finish(&out);
    return text;
}

struct slice run_status_line(struct arena *arena, const struct value *run, int64_t now_ms)
{
    return status_text(arena, run, now_ms);
}

struct slice run_status_mark(struct arena *arena, const struct value *run)
{
    return status_text(arena, run, 0);
}

void run_error_add(struct buffer *out, const struct value *run)
{
    const struct value *error = value_find(run, "error");
    struct slice name = member_text(error, "name"), stack = member_text(error, "stackTrace");

    if (error == NULL)
        return;
    add_label(out, "error");
    text_add_safe(out, name, false);
    if (name.size > 0)
        buffer_text(out, ": ");
    text_add_safe(out, member_text(error, "message"), false);
    buffer_byte(out, '\n');
    /* One that ended before it started was in none. */
    if (member_text(error, "segment").size > 0 && member_int(error, "attempt") > 0)
        buffer_format(out, "  in segment %.*s, attempt %d\n",
                      SLICE_ARG(member_text(error, "segment")),
                      (int)member_int(error, "attempt"));
    add_indented(out, stack);
}

/* What could not be undone. */
static void add_undo_errors(struct buffer *out, struct arena *arena, const struct value *run)
{
    uint32_t count;
    const struct value *errors = member_list(run, "undoErrors", &count);

    for (uint32_t i = 0; i < count; i++)
        add_field(out, i == 0 ? "not undone" : "",
                  arena_format(arena, "%.*s: %.*s: %.*s",
                               SLICE_ARG(member_text(&errors[i], "segment")),
                               SLICE_ARG(member_text(&errors[i], "name")),
                               SLICE_ARG(member_text(&errors[i], "message"))));
}

/* Of a run that did not get through at once. */
static void add_attempts(struct buffer *out, const struct value *run)
{
    uint32_t count;
    const struct value *attempts = member_list(run, "attempts", &count);

    if (count > 1)
        buffer_format(out, "\nattempts (at most %d from one save point)\n",
                      (int)member_int(run, "maxAttempts"));
    for (uint32_t i = 0; count > 1 && i < count; i++) {
        const struct value *error = value_find(&attempts[i], "error");
        buffer_format(out, "  %d  ", (int)member_int(&attempts[i], "number"));
        text_add_safe(out, member_text(&attempts[i], "startedAt"), false);
        buffer_text(out, "  ");
        text_add_safe(out, member_text(&attempts[i], "status"), false);
        if (error != NULL) {
            buffer_text(out, "  ");
            text_add_safe(out, member_text(error, "name"), false);
            buffer_text(out, ": ");
            text_add_safe(out, member_text(error, "message"), false);
            buffer_text(out, " (in ");
            text_add_safe(out, member_text(error, "segment"), false);
            buffer_byte(out, ')');
        }
        buffer_byte(out, '\n');
    }
}

/* One move: when, into which status, and why where that is said. */
static void add_move(struct buffer *out, const struct value *move)
{
    buffer_text(out, "  ");
    text_add_safe(out, member_text(move, "at"), false);
    buffer_text(out, "  ");
    text_add_safe(out, member_text(move, "status"), false);
    if (member_text(move, "text").size > 0)
        buffer_text(out, "  ");
    text_add_safe(out, member_text(move, "text"), false);
    buffer_byte(out, '\n');
}

static void add_timeline(struct buffer *out, const struct value *run)
{
    uint32_t count;
    const struct value *moves = member_list(run, "timeline", &count);

    if (count > 0)
        buffer_text(out, "\ntimeline\n");
    for (uint32_t i = 0; i < count; i++)
        add_move(out, &moves[i]);
}

/* "lane: 3 of 3 running in queue mail" */
static struct slice held_line(struct arena *arena, const struct value *run)
{
    const struct value *held = value_find(run, "heldBy");

    return held == NULL
               ? SLICE("")
               : arena_format(arena, "%.*s: %.*s", SLICE_ARG(member_text(held, "gate")),
                              SLICE_ARG(member_text(held, "text")));
}

/* "run_… send-mail COMPLETED" */
static void add_relative(struct buffer *out, struct arena *arena, const char *label,
                         const struct value *run)
{
    if (run != NULL)
        add_field(out, label,
                  arena_format(arena, "%.*s  %.*s  %.*s", SLICE_ARG(member_text(run, "id")),
                               SLICE_ARG(member_text(run, "taskIdentifier")),
                               SLICE_ARG(member_text(run, "status"))));
}

static void add_relatives(struct buffer *out, struct arena *arena, const struct value *run)
{
    const struct value *related = value_find(run, "relatedRuns");
    const struct value *parent = value_find(related, "parent");
    const struct value *root = value_find(related, "root");
    uint32_t count;
    const struct value *children = member_list(related, "children", &count);

    add_relative(out, arena, "parent", parent);
    if (root != NULL && parent != NULL &&
        !slice_equal(member_text(root, "id"), member_text(parent, "id")))
        add_relative(out, arena, "root", root);
    for (uint32_t i = 0; i < count; i++)
        add_relative(out, arena, i == 0 ? "children" : "", &children[i]);
}

/* The hash of the file that its payload was checked against, and what it goes on under. */
static void add_schema(struct buffer *out, struct arena *arena, const struct value *run)
{
    struct slice schema = member_text(run, "schema"), now = member_text(run, "schemaNow");

    add_field(out, "schema",
              now.size == 0 ? schema
                            : arena_format(arena, "%.*s%snow %.*s", SLICE_ARG(schema),
                                           schema.size > 0 ? ", " : "", SLICE_ARG(now)));
}

void run_print(struct buffer *out, struct arena *arena, const struct value *run, int64_t now_ms)
{
    double priority = member_number(run, "priority");

    add_field(out, "run", member_text(run, "id"));
    add_field(out, "task", member_text(run, "taskIdentifier"));
    add_field(out, "version", member_text(run, "version"));
    add_field(out, "build", member_text(run, "build"));
    add_schema(out, arena, run);
    add_field(out, "status", run_status_line(arena, run, now_ms));
    add_field(out, "ending", member_text(value_find(run, "ending"), "text"));
    add_field(out, "held by", held_line(arena, run));
    add_field(out, "to undo", names_text(arena, value_find(run, "compensations")));
    waits_add(out, arena, run, "waitingFor", "timeoutAt", now_ms);
    add_relatives(out, arena, run);
    add_field(out, "queue", member_text(run, "queue"));
    add_field(out, "concurrency", member_text(run, "concurrencyKey"));
    if (priority != 0)
        add_field(out, "priority", arena_format(arena, "%g s", priority));
    add_field(out, "tags", names_text(arena, value_find(run, "tags")));
    add_field(out, "key", member_text(run, "idempotencyKey"));
    add_time(out, arena, run, "created", "createdAt", now_ms);
    add_time(out, arena, run, "delayed to", "delayedUntil", now_ms);
    add_time(out, arena, run, "started", "startedAt", now_ms);
    add_time(out, arena, run, "times out", "timesOutAt", now_ms);
    add_time(out, arena, run, "finished", "finishedAt", now_ms);
    run_error_add(out, run);
    add_undo_errors(out, arena, run);
    add_json(out, "payload", value_find(run, "payload"));
    add_json(out, "state", value_find(run, "state"));
    add_json(out, "metadata", value_find(run, "metadata"));
    add_json(out, "output", value_find(run, "output"));
    add_attempts(out, run);
    add_timeline(out, run);
}
