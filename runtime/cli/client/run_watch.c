/*
 * Watching: the server's long poll answers when the run is done or the time asked for is over,
 * so the status line is redrawn at that pace and the end is seen at once.
 */
#include "base/clock.h"
#include "cli/client/member.h"
#include "cli/client/run_text.h"
#include "cli/output/screen.h"
#include "codec/json.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum { AWAY_MOST_MS = 60000, AWAY_PAUSE_MS = 300 };

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

/* Servers are restarted; runs go on, so does who watches them. */
static bool is_away(bool answered, const struct reply *reply)
{
    return !answered || reply->status == 503 || reply->status == 429;
}

/* False when it has been away for too long. */
static bool wait_for_server(struct screen_line *line, const char *run_id, struct arena *arena,
                            uint64_t *since_ns)
{
    uint64_t now_ns = clock_monotonic_ns();

    if (*since_ns == 0)
        *since_ns = now_ns;
    uint64_t away_ms = (now_ns - *since_ns) / 1000000;
    if (away_ms > AWAY_MOST_MS)
        return false;
    struct slice text = arena_format(arena, "%s  the server does not answer · %.*s", run_id,
                                     SLICE_ARG(span_text(arena, (int64_t)away_ms)));
    screen_line_draw(line, text, SLICE("away"));
    client_pause(AWAY_PAUSE_MS);
    return true;
}

/* One look. True when there is nothing more to see; *code is the exit code then. */
static bool look(struct client *client, const char *url, const char *run_id,
                 struct screen_line *line, uint64_t *away_ns, int *code)
{
    struct reply reply;
    struct err err = { 0 };
    bool answered = client_send(client, "GET", url, (struct slice){ 0 }, &reply, &err);

    *code = CLI_FAILED;
    if (is_away(answered, &reply) && wait_for_server(line, run_id, client->arena, away_ns))
        return false;
    *away_ns = 0;
    if (answered && reply.status == 200 && reply.is_json) {
        draw(line, run_id, &reply.value, client->arena);
        if (!member_bool(&reply.value, "isCompleted"))
            return false;
        screen_line_end(line);
        *code = report(client, &reply);
        return true;
    }
    screen_line_end(line);
    if (answered)
        *code = client_complain(client, &reply);
    else
        cli_fail(CLI_FAILED, "%s", err.text);
    return true;
}

/* ---- Ctrl-C ends the watching, not the run ----------------------------------------------- */

static char farewell[400];

static void on_interrupt(int number)
{
    ssize_t written = write(STDERR_FILENO, farewell, strlen(farewell));

    (void)written;       /* nowhere left to report it */
    (void)raise(number); /* by now it ends the program, as whoever started it expects */
}

/* With what was said of the server on this command line. */
static void farewell_prepare(const struct client *client, const char *run_id)
{
    static const char *const options[] = { "url", "data", "env" };
    struct buffer out = { 0 };

    buffer_format(&out, "\nbide: %s goes on; to look at it again: bide runs watch %s", run_id,
                  run_id);
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        const char *value = call_option(client->call, options[i]);
        if (value != NULL)
            buffer_format(&out, " --%s '%s'", options[i], value);
    }
    (void)snprintf(farewell, sizeof farewell, "%.*s\n", SLICE_ARG(buffer_view(&out)));
    buffer_finish(&out);
    (void)sigaction(SIGINT,
                    &(struct sigaction){ .sa_handler = on_interrupt,
                                         .sa_flags = (int)SA_RESETHAND | SA_NODEFER },
                    NULL); /* cannot fail */
}

int run_watch(struct client *client, const char *run_id)
{
    struct arena *outer = client->arena, round = { 0 };
    struct screen_line line;
    struct buffer path = { 0 };
    uint64_t away_ns = 0;
    int code;

    client->subject = run_id;
    farewell_prepare(client, run_id);
    screen_line_init(&line);
    buffer_text(&path, "/api/v3/runs/");
    path_add(&path, run_id);
    buffer_format(&path, "?wait=%s", line.live ? LIVE_WAIT : PLAIN_WAIT);
    const char *url = path_take(&path, outer);

    client->arena = &round;
    while (!look(client, url, run_id, &line, &away_ns, &code))
        arena_reset(&round);
    arena_finish(&round);
    client->arena = outer;
    (void)signal(SIGINT, SIG_DFL); /* cannot fail */
    return code;
}
