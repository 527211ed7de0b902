/* bide runs why: what holds a run. */
#include "base/clock.h"
#include "cli/client/client.h"
#include "cli/client/member.h"
#include "cli/client/wait_text.h"
#include "cli/output/screen.h"
#include "cli/output/text.h"

#include <inttypes.h>

static void add_line(struct buffer *out, const char *label, struct slice text)
{
    if (text.size == 0)
        return;
    buffer_format(out, "%-10s ", label);
    text_add_safe(out, text, false);
    buffer_byte(out, '\n');
}

static struct slice when_text(struct arena *arena, const struct value *map, const char *name,
                              int64_t now_ms)
{
    int64_t at_ms = member_time(map, name);

    return at_ms == 0 ? SLICE("")
                      : arena_format(arena, "%.*s (%.*s)", SLICE_ARG(member_text(map, name)),
                                     SLICE_ARG(ago_text(arena, at_ms, now_ms)));
}

static void add_holders(struct buffer *out, struct arena *arena, const struct value *why,
                        int64_t now_ms)
{
    uint32_t count;
    const struct value *holders = member_list(why, "holders", &count);

    for (uint32_t i = 0; i < count; i++)
        add_line(out, i == 0 ? "running" : "",
                 arena_format(arena, "%.*s  %.*s  since %.*s",
                              SLICE_ARG(member_text(&holders[i], "id")),
                              SLICE_ARG(member_text(&holders[i], "taskIdentifier")),
                              SLICE_ARG(when_text(arena, &holders[i], "since", now_ms))));
    int64_t more = member_int(why, "holderCount") - count;
    if (more > 0)
        add_line(out, count == 0 ? "running" : "",
                 count == 0 ? arena_format(arena, "%" PRId64, more)
                            : arena_format(arena, "and %" PRId64 " more", more));
}

static void add_reminders(struct buffer *out, struct arena *arena, const struct value *why,
                          int64_t now_ms)
{
    struct slice next = when_text(arena, why, "remindsAt", now_ms);

    if (value_find(why, "reminders") != NULL)
        add_line(out, "reminders",
                 arena_format(arena, "%" PRId64 " of %" PRId64 " given%s%.*s",
                              member_int(why, "reminded"), member_int(why, "reminders"),
                              next.size > 0 ? ", the next " : "", SLICE_ARG(next)));
}

static void add_estimate(struct buffer *out, struct arena *arena, const struct value *why)
{
    const struct value *estimate = value_find(why, "estimate");

    if (estimate != NULL && value_find(estimate, "startsInMs") == NULL)
        add_line(out, "estimate", member_text(estimate, "basis"));
    else if (estimate != NULL)
        add_line(out, "estimate",
                 arena_format(arena, "in about %.*s: %.*s",
                              SLICE_ARG(span_text(arena, member_int(estimate, "startsInMs"))),
                              SLICE_ARG(member_text(estimate, "basis"))));
}

static void why_print(struct buffer *out, struct arena *arena, const struct value *why)
{
    const struct value *held = value_find(why, "heldBy"), *missing = value_find(why, "missing");
    static const char *const kinds[] = { "task", "segment", "state" };
    int64_t now_ms = clock_now_ms();

    add_line(out, "run",
             arena_format(arena, "%.*s  %.*s", SLICE_ARG(member_text(why, "id")),
                          SLICE_ARG(member_text(why, "taskIdentifier"))));
    add_line(out, "status",
             arena_format(arena, "%.*s since %.*s", SLICE_ARG(member_text(why, "status")),
                          SLICE_ARG(when_text(arena, why, "since", now_ms))));
    add_line(out, "why", member_text(why, "text"));
    if (held != NULL)
        add_line(out, "gate", member_text(held, "gate"));
    if (held != NULL)
        add_line(out, "until", when_text(arena, held, "until", now_ms));
    add_line(out, "paused", when_text(arena, held, "pausedAt", now_ms));
    for (size_t i = 0; missing != NULL && i < sizeof kinds / sizeof *kinds; i++)
        if (value_find(missing, kinds[i]) != NULL)
            add_line(out, "missing",
                     arena_format(arena, "%s %.*s", kinds[i],
                                  SLICE_ARG(member_text(missing, kinds[i]))));
    add_line(out, "until", when_text(arena, why, "until", now_ms));
    add_line(out, "segment", member_text(why, "segment"));
    add_line(out, "times out", when_text(arena, why, "timesOutAt", now_ms));
    waits_add(out, arena, why, "waitsFor", "until", now_ms);
    add_line(out, "  next", member_text(why, "next"));
    add_reminders(out, arena, why, now_ms);
    add_holders(out, arena, why, now_ms);
    add_estimate(out, arena, why);
}

static void print(struct arena *arena, const struct value *reply)
{
    struct buffer out = { 0 };

    why_print(&out, arena, reply);
    screen_print(stdout, &out);
}

static int exec_why(struct call *call)
{
    const char *run = call->arguments[0];

    return client_show(call, run, path_of_run(&call->arena, "v1", run, "/why"), print);
}

const struct cli_command runs_why_command = {
    .name = "runs why",
    .arguments = "RUN",
    .summary = "Say why a run does not run",
    .help =
        "The gate that holds it and who has the places; what it waits for, until when and how "
        "to "
        "answer;\n"
        "what is missing; of a queued one, about when it starts and what that rests on; of one "
        "that has\n"
        "failed, why. The parts of a group stand below it, further in. A token that is "
        "completed "
        "without\n"
        "--payload, and without a schema, gets null.",
    .is_client = true,
    .least = 1,
    .most = 1,
    .exec = exec_why,
};
