/*
 * Watching: the server's long poll answers when the run is done or the time asked for is over,
 * so the status line is redrawn at that pace and the end is seen at once.
 */
#include "base/clock.h"
#include "cli/member.h"
#include "cli/runview.h"
#include "cli/screen.h"
#include "codec/json.h"

#include <stdio.h>

#define LIVE_WAIT  "200ms" /* a terminal: the elapsed time moves */
#define PLAIN_WAIT "1s"    /* a pipe: only changes are printed */

static void print_output(const struct client *client, const struct reply *reply)
{
    struct buffer out = { 0 };
    const struct value *output = value_find(&reply->value, "output");

    if (client->call->json)
        buffer_slice(&out, reply->body);
    else if (output != NULL && screen_width() > 0)
        json_write_pretty(&out, output);
    else if (output != NULL)
        json_write(&out, output);
    if (out.size > 0)
        buffer_byte(&out, '\n');
    screen_print(stdout, &out);
}

static int report(const struct client *client, const struct reply *reply)
{
    struct buffer out = { 0 };
    bool success = member_bool(&reply->value, "isSuccess");

    if (success || client->call->json)
        print_output(client, reply);
    if (!success)
        run_error_add(&out, &reply->value);
    screen_print(stderr, &out);
    return success ? CLI_DONE : CLI_FAILED;
}

static void draw(struct screen_line *line, const char *run_id, const struct value *run,
                 struct arena *arena)
{
    struct slice text = run_status_line(arena, run, clock_now_ms());
    screen_line_draw(line, arena_format(arena, "%s  %.*s", run_id, SLICE_ARG(text)),
                     run_status_mark(arena, run));
}

int run_watch(struct client *client, const char *run_id)
{
    struct arena *outer = client->arena, round = { 0 };
    struct screen_line line;
    struct buffer path = { 0 };
    int code = CLI_FAILED;

    screen_line_init(&line);
    buffer_text(&path, "/api/v3/runs/");
    path_add(&path, run_id);
    buffer_format(&path, "?wait=%s", line.live ? LIVE_WAIT : PLAIN_WAIT);
    const char *url = path_take(&path, outer);

    client->arena = &round;
    for (bool done = false; !done; arena_reset(&round)) {
        struct reply reply;
        if (!client_do(client, "GET", url, (struct slice){ 0 }, &reply))
            break;
        draw(&line, run_id, &reply.value, &round);
        done = member_bool(&reply.value, "isCompleted");
        if (done) {
            screen_line_end(&line);
            code = report(client, &reply);
        }
    }
    screen_line_end(&line);
    arena_finish(&round);
    client->arena = outer;
    return code;
}
