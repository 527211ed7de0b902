/* bide schedules backfill: runs for ticks that are past. It says how many before it makes them.
 */
#include "cli/client/client.h"
#include "cli/client/member.h"
#include "cli/output/text.h"
#include "codec/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *backfill_path(struct call *call)
{
    struct buffer path = { 0 };

    buffer_text(&path, "/api/v1/schedules/");
    path_add(&path, call->arguments[0]);
    buffer_text(&path, "/backfill");
    return path_take(&path, &call->arena);
}

static bool body_make(struct call *call, bool is_dry, struct slice *text, struct err *err)
{
    const char *overlap = call_option(call, "overlap"), *by = call_option(call, "by");
    struct value body = value_map();
    struct buffer out = { 0 };
    int64_t limit;

    if (!call_number(call, "limit", 1, 1000, 0, &limit, err))
        return false;
    value_put(&call->arena, &body, "from", value_text(call->arguments[1]));
    value_put(&call->arena, &body, "to", value_text(call->arguments[2]));
    value_put(&call->arena, &body, "dryRun", value_bool(is_dry));
    if (limit != 0)
        value_put(&call->arena, &body, "limit", value_int(limit));
    if (overlap != NULL)
        value_put(&call->arena, &body, "overlap", value_text(overlap));
    if (by == NULL)
        by = getenv("USER");
    if (by != NULL)
        value_put(&call->arena, &body, "by", value_text(by));
    json_write(&out, &body);
    *text = arena_copy(&call->arena, buffer_view(&out));
    buffer_finish(&out);
    return true;
}

/* Somebody is there, and wants it. */
static bool is_wanted(const struct call *call, int64_t count)
{
    char answer[16] = "";

    if (call_option(call, "yes") != NULL)
        return true;
    if (isatty(STDIN_FILENO) == 0) {
        cli_fail(CLI_USAGE, "nothing is made yet; say --yes to make them");
        return false;
    }
    fprintf(stderr, "Make %" PRId64 " run%s? [y/N] ", count, count == 1 ? "" : "s");
    return fgets(answer, sizeof answer, stdin) != NULL &&
           (answer[0] == 'y' || answer[0] == 'Y');
}

static void count_print(struct call *call, const struct reply *reply)
{
    int64_t count = member_int(&reply->value, "count");

    printf("%" PRId64 " tick%s, from %.*s to %.*s\n", count, count == 1 ? "" : "s",
           SLICE_ARG(text_safe(&call->arena, member_text(&reply->value, "first"))),
           SLICE_ARG(text_safe(&call->arena, member_text(&reply->value, "last"))));
}

static int backfill(struct call *call, struct client *client)
{
    bool is_dry = call_option(call, "dry-run") != NULL;
    const char *path = backfill_path(call);
    struct err err = { 0 };
    struct reply reply;
    struct slice body;

    if (!body_make(call, true, &body, &err))
        return cli_fail(CLI_USAGE, "%s", err.text);
    if (!client_do(client, "POST", path, body, &reply))
        return client->failure;
    if (!call->json)
        count_print(call, &reply);
    if (!is_dry && !is_wanted(call, member_int(&reply.value, "count")))
        return CLI_USAGE;
    if (!is_dry && (!body_make(call, false, &body, &err) ||
                    !client_do(client, "POST", path, body, &reply)))
        return client->failure;
    if (call->json)
        printf("%.*s\n", SLICE_ARG(reply.body));
    else if (!is_dry)
        printf("%s\n", reply.is_unused
                           ? "it was under way already"
                           : "it has begun; bide schedules show tells how far it is");
    return reply.is_unused ? CLI_UNCHANGED : CLI_DONE;
}

static int stop(struct call *call, struct client *client)
{
    struct reply reply;

    if (!client_do(client, "DELETE", backfill_path(call), (struct slice){ 0 }, &reply))
        return client->failure;
    if (call->json)
        printf("%.*s\n", SLICE_ARG(reply.body));
    else
        printf("%s\n",
               reply.is_unused ? "none is under way" : "it is stopped; what it made stays");
    return reply.is_unused ? CLI_UNCHANGED : CLI_DONE;
}

static int exec(struct call *call)
{
    bool stops = call_option(call, "stop") != NULL;
    struct client client;
    int code;

    if (call->argument_count != (stops ? 1 : 3))
        return cli_fail(CLI_USAGE, "say SCHEDULE FROM TO, or --stop SCHEDULE");
    if (!client_open(&client, call, &code))
        return code;
    client.subject = call->arguments[0];
    code = stops ? stop(call, &client) : backfill(call, &client);
    client_close(&client);
    return code;
}

static const struct cli_option options[] = {
    { "limit", "N", "of its runs at a time (default: 1)" },
    { "overlap", "WORD",
      "allow: all at a time; queue_all (when not said): as many as --limit" },
    { "dry-run", NULL, "say how many there would be; make none" },
    { "yes", NULL, "make them without asking" },
    { "stop", NULL, "make no more runs of the backfill that is under way" },
    { "by", "NAME", "who does it (default: $USER)" },
    { NULL, NULL, NULL },
};

const struct cli_command schedules_backfill_command = {
    .name = "schedules backfill",
    .arguments = "SCHEDULE [FROM TO]",
    .summary = "Make runs for ticks that are past",
    .help =
        "Ticks from FROM up to TO, which is not among them; at most 10000. It says how many, "
        "and "
        "asks.\n"
        "An instant that had a run, of its tick or of a backfill, in the last 30 days gets no "
        "other.\n"
        "The runs stand behind those that came in the last hour, are marked in their payload "
        "and in\n"
        "what runs show tells, and are counted apart: fires_max, overlap and pause_after do "
        "not "
        "look at\n"
        "them. It goes on after a restart, and while the schedule is paused. One at a time: "
        "another is\n"
        "refused until it is over; the same again changes nothing and exits 3.",
    .options = options,
    .is_client = true,
    .least = 1,
    .most = 3,
    .exec = exec,
};
