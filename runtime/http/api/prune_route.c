/*
 * What is old, in the key's environment: how much there is of it, and away with it.
 *
 *   {"dryRun": true} ─▶ COMMAND_PRUNE: some rows ─▶ counts, and "next" to go on "after"
 *
 * The first "next" is a "walk_…" as long as the server has to look at what all runs wait for.
 *
 * Who asks walks in steps like the pruner's, so that others come in between; a walk that is not
 * gone on with leaves nothing behind.
 */
#include "base/clock.h"
#include "base/duration.h"
#include "http/api/routes.h"
#include "http/body/members.h"
#include "http/server/reply.h"

static const struct member_rule prune_members[] = {
    { "dryRun", MEMBER_TAKEN, NULL },
    { "after", MEMBER_TAKEN, NULL },
    { "dry", MEMBER_ELSEWHERE, "is called \"dryRun\" here" },
    { "dry_run", MEMBER_ELSEWHERE, "is called \"dryRun\" here" },
    { "next", MEMBER_ELSEWHERE, "of a reply is \"after\" in the next request" },
    { "olderThan", MEMBER_ELSEWHERE, "is what \"retention\" of the configuration says" },
    { NULL, MEMBER_TAKEN, NULL },
};

/* It removes: a word that was meant to hold it back must not pass. */
static bool words_check(struct request *request, const struct value *body, struct err *err)
{
    struct unheard unheard = { .arena = &request->arena };

    return members_check(prune_members, "", body, &unheard, err) &&
           (unheard.count == 0 || err_set(err, ERR_BAD_REQUEST, "%s", unheard_text(&unheard)));
}

/* In this order. */
static const struct step {
    enum row_kind kind;
    const char *prefix;
} steps[] = { { ROW_RUN, "run" },
              { ROW_WAITPOINT, "waitpoint" },
              { ROW_BATCH, "batch" },
              { ROW_BATCH_ITEM, "item" },
              { ROW_BULK_ACTION, "bulk" } };

enum { STEPS = sizeof steps / sizeof steps[0] };

static bool after_read(const struct value *after, struct prune *prune, struct err *err)
{
    prune->kind = ROW_RUN;
    if (after == NULL || after->kind == VALUE_NULL)
        return true;
    if (after->kind == VALUE_STRING && id_parse("run", after->bytes, &prune->after))
        return true;
    if (after->kind == VALUE_STRING && id_parse("walk", after->bytes, &prune->asked_ms)) {
        prune->asked_ms = id_time_ms(prune->asked_ms);
        return true;
    }
    for (int i = 1; i < STEPS; i++) {
        prune->kind = steps[i].kind;
        if (after->kind == VALUE_STRING &&
            id_parse(steps[i].prefix, after->bytes, &prune->after))
            return true;
    }
    return err_set(err, ERR_BAD_REQUEST,
                   "after must be the \"next\" of a reply, which begins with run_, waitpoint_, "
                   "batch_, item_, bulk_ or walk_");
}

static bool dry_read(const struct value *dry, struct prune *prune, struct err *err)
{
    if (dry != NULL && dry->kind != VALUE_BOOL)
        return err_set(err, ERR_BAD_REQUEST, "dryRun must be true or false");
    prune->is_dry = dry != NULL && dry->boolean;
    return true;
}

static bool hold_check(struct http *http, const struct prune *prune, struct err *err)
{
    struct pump_stats stats;
    char at[TIME_TEXT_SIZE];

    pump_stats(http->options.pump, &stats);
    return prune->is_dry || clock_now_ms() >= stats.pruned_from_ms ||
           err_set(
               err, ERR_RULE,
               "the database was brought to a new format, and nothing is removed before "
               "%s, so that the copy from before can take its place; \"dryRun\" (bide prune "
               "--dry-run) tells what would be",
               time_format(stats.pruned_from_ms, at));
}

static void kind_write(struct out *out, const char *name, const struct pruned_kind *kind)
{
    out_map(out, name);
    out_int(out, "count", kind->count);
    out_time(out, "oldest", kind->oldest_ms);
    out_time(out, "newest", kind->newest_ms);
    out_end_map(out);
}

static void next_write(struct out *out, const struct prune *prune)
{
    int at = 0;

    while (steps[at].kind != prune->kind)
        at++;
    if (!prune->is_end)
        out_id(out, "next", steps[at].prefix, prune->last);
    else if (at + 1 < STEPS)
        out_id(out, "next", steps[at + 1].prefix, 0);
}

/* Early answers belong to no environment. */
static void prune_done(struct request *request)
{
    const struct prune *prune = &request->command.prune;
    struct out out = reply_out(request);

    out_map(&out, NULL);
    out_bool(&out, "dryRun", prune->is_dry);
    kind_write(&out, "runs", &prune->pruned.runs);
    kind_write(&out, "tokens", &prune->pruned.tokens);
    kind_write(&out, "logs", &prune->pruned.logs);
    kind_write(&out, "batches", &prune->pruned.batches);
    if (prune->is_waiting)
        out_id(&out, "next", "walk", id_floor(prune->asked_ms));
    else
        next_write(&out, prune);
    out_end_map(&out);
    reply_send(request, HTTP_OK);
}

void prune_old(struct request *request)
{
    struct prune *prune = &request->command.prune;
    struct err err = { 0 };
    struct value body;

    if (!request_json(request, &body))
        return;
    prune->environment = request->world->environment->number;
    prune->looks = PRUNE_LOOKS;
    prune->most = PRUNE_MOST;
    request->command.kind = COMMAND_PRUNE;
    if (words_check(request, &body, &err) &&
        dry_read(value_find(&body, "dryRun"), prune, &err) &&
        after_read(value_find(&body, "after"), prune, &err) &&
        hold_check(request->http, prune, &err))
        request_submit(request, prune_done);
    else
        reply_err(request, &err);
}
