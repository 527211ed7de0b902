/* bide runs wait: acting on what a run waits for. */
#include "base/suggest.h"
#include "cli/client/act_words.h"
#include "cli/client/client.h"

#include <stdio.h>
#include <string.h>

static const struct act {
    const char *name;
    bool has_when, has_part, has_payload;
} acts[] = {
    { "complete", false, true, true },
    { "timeout", false, false, false },
    { "skip", false, false, false },
    { "move", true, true, false },
};

enum { ACTS = sizeof acts / sizeof acts[0] };

static const struct act *act_find(const char *name)
{
    for (size_t i = 0; i < ACTS; i++)
        if (strcmp(acts[i].name, name) == 0)
            return &acts[i];
    return NULL;
}

static int no_act(const char *name)
{
    struct suggestion suggestion;

    suggestion_init(&suggestion, slice_of(name));
    for (size_t i = 0; i < ACTS; i++)
        suggestion_offer(&suggestion, slice_of(acts[i].name));
    if (suggestion.best.size > 0)
        return cli_fail(CLI_USAGE, "a wait has no \"%s\"; did you mean \"%.*s\"?", name,
                        SLICE_ARG(suggestion.best));
    return cli_fail(CLI_USAGE, "a wait has no \"%s\": complete, timeout, skip or move it",
                    name);
}

/* What does not go with it; NULL: all does. */
static const char *misplaced(const struct call *call, const struct act *act)
{
    if (!act->has_part && call_option(call, "part") != NULL)
        return "--part goes with complete and move: the whole wait is meant";
    if (!act->has_payload && call_option(call, "payload") != NULL)
        return "--payload goes with complete";
    if (act->has_when != (call->argument_count == 3))
        return act->has_when ? "move needs a time: `bide runs wait RUN move 10m`"
                             : "only move takes a time";
    return NULL;
}

static int exec(struct call *call)
{
    const char *run = call->arguments[0];
    const struct act *act = act_find(call->arguments[1]);
    struct buffer path = { 0 };
    struct err err = { 0 };
    struct client client;
    struct reply reply;
    struct slice body;
    int code;

    if (act == NULL)
        return no_act(call->arguments[1]);
    if (misplaced(call, act) != NULL)
        return cli_fail(CLI_USAGE, "%s", misplaced(call, act));
    if (!act_body(call, act->has_payload, act->has_when ? call->arguments[2] : NULL, &body,
                  &err))
        return cli_fail(CLI_USAGE, "%s", err.text);
    if (!client_open(&client, call, &code))
        return code;
    buffer_text(&path, "/api/v1/runs/");
    path_add(&path, run);
    buffer_format(&path, "/wait/%s", act->name);
    client.subject = run;
    if (!client_do(&client, "POST", path_take(&path, &call->arena), body, &reply))
        code = client.failure;
    else if (call->json)
        printf("%.*s\n", SLICE_ARG(reply.body));
    else if (!reply.is_unused)
        printf("%s\n", run);
    if (code == CLI_DONE && reply.is_unused)
        code = cli_fail(CLI_UNCHANGED, "%s: that was over already; nothing was changed", run);
    client_close(&client);
    return code;
}

static const struct cli_option options[] = {
    { "part", "NAME", "with complete and move: one of the things it waits for, by name or id" },
    { "payload", "JSON", "with complete: what the run gets: JSON, @FILE, or - for stdin" },
    ACT_OPTIONS,
    { NULL, NULL, NULL },
};

const struct cli_command runs_wait_command = {
    .name = "runs wait",
    .arguments = "RUN ACT [WHEN]",
    .summary = "Act on what a run waits for",
    .help = "ACT is one of: complete, a token or a time, by --part where there are several; "
            "timeout, the\n"
            "wait gives up now; skip, it is over now as if all had come; move, it gives up, or "
            "its time\n"
            "comes, at WHEN: a duration from now (10m), a date, or never. Who did it and why "
            "stands in the\n"
            "run's timeline. A run that does not wait is refused.",
    .options = options,
    .is_client = true,
    .least = 2,
    .most = 3,
    .exec = exec,
};
