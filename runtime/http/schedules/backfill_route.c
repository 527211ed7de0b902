/* Runs of a schedule for ticks that are past: how many there would be, made, and stopped. */
#include "base/duration.h"
#include "base/id.h"
#include "engine/schedules/backfill.h"
#include "http/api/routes.h"
#include "http/body/members.h"
#include "http/server/reply.h"

static const struct member_rule backfill_members[] = {
    { "from", MEMBER_TAKEN, NULL },  { "to", MEMBER_TAKEN, NULL },
    { "limit", MEMBER_TAKEN, NULL }, { "overlap", MEMBER_TAKEN, NULL },
    { "by", MEMBER_TAKEN, NULL },    { "dryRun", MEMBER_TAKEN, NULL },
    { NULL, MEMBER_TAKEN, NULL },
};

static void backfill_done(struct request *request)
{
    const struct schedule_backfill *ask = &request->command.schedule_backfill;
    struct out out = reply_out(request);

    if (!ask->is_changed && !ask->is_dry)
        reply_header(request, "x-bide-accepted", "false");
    out_map(&out, NULL);
    out_id(&out, "id", "sched", ask->schedule_id);
    if (!ask->stops) {
        out_bool(&out, "dryRun", ask->is_dry);
        out_int(&out, "count", ask->count);
        out_time(&out, "from", ask->from_ms);
        out_time(&out, "to", ask->until_ms);
        out_time(&out, "first", ask->first_ms);
        out_time(&out, "last", ask->last_ms);
    }
    out_end_map(&out);
    reply_send(request, HTTP_OK);
}

static bool date_read(const struct value *body, const char *name, int64_t *at_ms,
                      struct err *err)
{
    const struct value *value = value_find(body, name);

    return (value != NULL && value->kind == VALUE_STRING && time_parse(value->bytes, at_ms)) ||
           err_set(err, ERR_BAD_REQUEST, "%s must be a date like 2027-03-01T00:00:00Z", name);
}

/* One at a time where nothing is said; "allow": as many as there are. */
static bool limit_read(const struct value *body, uint32_t *limit, struct err *err)
{
    const struct value *value = value_find(body, "limit");
    const struct value *overlap = value_find(body, "overlap");
    bool allows =
        overlap != NULL && overlap->kind == VALUE_STRING && slice_is(overlap->bytes, "allow");

    if (overlap != NULL && !allows &&
        (overlap->kind != VALUE_STRING || !slice_is(overlap->bytes, "queue_all")))
        return err_set(err, ERR_RULE,
                       "overlap of a backfill is queue_all (limit at a time) or allow");
    if (allows && value != NULL)
        return err_set(err, ERR_RULE, "limit says how many run at a time, overlap: allow any");
    *limit = allows ? 0 : 1;
    if (value == NULL)
        return true;
    if (value->kind != VALUE_INT || value->integer < 1 || value->integer > BACKFILL_LIMIT_MOST)
        return err_set(err, ERR_BAD_REQUEST, "limit is a whole number from 1 to %d",
                       BACKFILL_LIMIT_MOST);
    *limit = (uint32_t)value->integer;
    return true;
}

static bool ask_read(struct request *request, const struct value *body,
                     struct schedule_backfill *ask, struct err *err)
{
    const struct value *dry = value_find(body, "dryRun");

    if (dry != NULL && dry->kind != VALUE_BOOL)
        return err_set(err, ERR_BAD_REQUEST, "dryRun must be true or false");
    ask->is_dry = dry != NULL && dry->boolean;
    if (!date_read(body, "from", &ask->from_ms, err) ||
        !date_read(body, "to", &ask->until_ms, err) || !limit_read(body, &ask->limit, err) ||
        !body_text(request, body, "by", BY_MAX, &ask->by, err))
        return false;
    ask->by = by_or_key(request, ask->by);
    return true;
}

static struct schedule_backfill *ask_begin(struct request *request)
{
    struct schedule_backfill *ask = &request->command.schedule_backfill;

    request->command.kind = COMMAND_SCHEDULE_BACKFILL;
    ask->environment = request->world->environment->number;
    ask->name = request->captures[0];
    (void)id_parse("sched", ask->name, &ask->id); /* else it is a name */
    return ask;
}

void schedule_backfill(struct request *request)
{
    struct value body;
    struct err err = { 0 };

    if (!request_members(request, backfill_members, &body))
        return;
    if (ask_read(request, &body, ask_begin(request), &err))
        request_submit(request, backfill_done);
    else
        reply_err(request, &err);
}

void schedule_backfill_stop(struct request *request)
{
    ask_begin(request)->stops = true;
    request_submit(request, backfill_done);
}
