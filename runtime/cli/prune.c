/* bide prune: walks over what has ended in steps, as the server's own pruner does, and sums up
 * what each step says. */
#include "base/clock.h"
#include "base/duration.h"
#include "cli/client/client.h"
#include "cli/client/member.h"
#include "cli/output/grid.h"
#include "cli/output/screen.h"
#include "codec/json.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const kinds[] = { "runs", "tokens", "logs", "batches" };

enum { KINDS = sizeof kinds / sizeof kinds[0], WALK_PAUSE_MS = 50 };

struct total {
    int64_t count, oldest_ms, newest_ms; /* 0: none */
};

static void totals_add(struct total *totals, const struct value *step)
{
    for (int i = 0; i < KINDS; i++) {
        const struct value *kind = value_find(step, kinds[i]);
        int64_t oldest_ms = member_time(kind, "oldest"),
                newest_ms = member_time(kind, "newest");
        totals[i].count += member_int(kind, "count");
        if (oldest_ms != 0 && (totals[i].oldest_ms == 0 || oldest_ms < totals[i].oldest_ms))
            totals[i].oldest_ms = oldest_ms;
        if (newest_ms > totals[i].newest_ms)
            totals[i].newest_ms = newest_ms;
    }
}

/* What was removed before a step failed is removed. */
static int walk(struct call *call, bool is_dry, struct total *totals)
{
    struct slice next = { 0 };
    struct arena step = { 0 };
    struct client client;
    struct reply reply;
    int code;

    if (!client_open(&client, call, &code))
        return code;
    client.arena = &step;
    do {
        struct buffer body = { 0 };
        buffer_format(&body, "{\"dryRun\":%s", is_dry ? "true" : "false");
        if (next.size > 0)
            buffer_format(&body, ",\"after\":\"%.*s\"", SLICE_ARG(next));
        buffer_byte(&body, '}');
        bool done = client_do(&client, "POST", "/api/v1/prune", buffer_view(&body), &reply);
        buffer_finish(&body);
        if (!done) {
            code = CLI_FAILED; /* the request is ours: nobody has used it wrongly */
            break;
        }
        totals_add(totals, &reply.value);
        next = arena_copy(&call->arena, member_text(&reply.value, "next"));
        arena_reset(&step);
        if (slice_starts(next, "walk_"))
            client_pause(WALK_PAUSE_MS); /* the server looks at what all runs wait for */
    } while (next.size > 0);
    client_close(&client);
    arena_finish(&step);
    return code;
}

static void date_put(struct arena *arena, struct value *map, const char *name, int64_t at_ms)
{
    char text[TIME_TEXT_SIZE];

    if (at_ms != 0)
        value_put(
            arena, map, name,
            (struct value){ .kind = VALUE_STRING,
                            .bytes = arena_copy(arena, slice_of(time_format(at_ms, text))) });
}

static void print_json(struct call *call, bool is_dry, const struct total *totals)
{
    struct value all = value_map();
    struct buffer out = { 0 };

    value_put(&call->arena, &all, "dryRun", value_bool(is_dry));
    for (int i = 0; i < KINDS; i++) {
        struct value kind = value_map();
        value_put(&call->arena, &kind, "count", value_int(totals[i].count));
        date_put(&call->arena, &kind, "oldest", totals[i].oldest_ms);
        date_put(&call->arena, &kind, "newest", totals[i].newest_ms);
        value_put(&call->arena, &all, kinds[i], kind);
    }
    json_write(&out, &all);
    buffer_byte(&out, '\n');
    screen_print(stdout, &out);
}

static void print_grid(struct call *call, bool is_dry, const struct total *totals)
{
    const struct grid_title titles[] = { { "KIND", GRID_PLAIN },
                                         { is_dry ? "OLD" : "REMOVED", GRID_NUMBER },
                                         { "OLDEST ENDED", GRID_PLAIN },
                                         { "NEWEST ENDED", GRID_PLAIN },
                                         { NULL, GRID_PLAIN } };
    int64_t now_ms = clock_now_ms();
    struct grid grid;

    grid_init(&grid, &call->arena, titles);
    for (int i = 0; i < KINDS; i++) {
        grid_row(&grid);
        grid_cell(&grid, 0, slice_of(kinds[i]));
        grid_format(&grid, 1, "%" PRId64, totals[i].count);
        grid_cell(&grid, 2, ago_text(&call->arena, totals[i].oldest_ms, now_ms));
        grid_cell(&grid, 3, ago_text(&call->arena, totals[i].newest_ms, now_ms));
    }
    grid_print(&grid);
}

static int exec(struct call *call)
{
    bool is_dry = call_option(call, "dry-run") != NULL;
    struct total totals[KINDS] = { 0 };
    int code = walk(call, is_dry, totals);

    if (code != CLI_DONE)
        return code;
    if (call->json)
        print_json(call, is_dry, totals);
    else
        print_grid(call, is_dry, totals);
    return code;
}

static const struct cli_option options[] = {
    { "dry-run", NULL, "say what would go; remove nothing" },
    { NULL, NULL, NULL },
};

const struct cli_command prune_command = {
    .name = "prune",
    .summary = "Remove now what is kept no longer",
    .help =
        "The server does so by itself, bit by bit; how long what has ended is kept is said by "
        "retention\n"
        "in its configuration. Runs, tokens, logs and batches of one environment are looked "
        "at; "
        "whatever is\n"
        "queued, waits or runs stays, and so does what somebody may still ask for. The server "
        "first\n"
        "looks through all runs, which takes a while when there are many. In the 7 days after "
        "an\n"
        "upgrade that changed the format of the database nothing is removed, and this fails;\n"
        "--dry-run tells what would be.",
    .options = options,
    .is_client = true,
    .exec = exec,
};
