#include "http/body/pause_body.h"

#include "base/clock.h"
#include "base/duration.h"
#include "base/log.h"
#include "http/body/trigger_options.h"
#include "http/server/reply.h"

#define RAMP_MAX_MS (INT64_C(24) * 3600 * 1000)

const struct member_rule pause_members[] = {
    { "action", MEMBER_TAKEN, NULL },
    { "type", MEMBER_TAKEN, NULL },
    { "reason", MEMBER_TAKEN, NULL },
    { "by", MEMBER_TAKEN, NULL },
    { "until", MEMBER_TAKEN, NULL },
    { "ttl", MEMBER_TAKEN, NULL },
    { "accept", MEMBER_TAKEN, NULL },
    { "ramp", MEMBER_TAKEN, NULL },
    { "paused", MEMBER_ELSEWHERE, "is no member here: \"action\" is \"pause\" or \"resume\"" },
    { "message", MEMBER_ELSEWHERE, "is called \"reason\" here" },
    { "user", MEMBER_ELSEWHERE, "is called \"by\" here" },
    { NULL, MEMBER_TAKEN, NULL },
};

static const struct value *given(const struct value *body, const char *name)
{
    const struct value *value = value_find(body, name);

    return value == NULL || value->kind == VALUE_NULL ? NULL : value;
}

static bool until_read(const struct value *body, struct pause_order *order, struct err *err)
{
    const struct value *until = given(body, "until");

    if (until == NULL)
        return true;
    if (until->kind != VALUE_STRING ||
        !when_read(until->bytes, &order->until_date_ms, &order->until_span_ms))
        return err_set(err, ERR_BAD_REQUEST,
                       "until must be a duration like \"2h\" or a date like "
                       "\"2026-01-02T03:04:05Z\"");
    return (order->until_span_ms > 0 || order->until_date_ms > clock_now_ms()) ||
           err_set(err, ERR_BAD_REQUEST, "until has passed already: %.*s",
                   SLICE_ARG(until->bytes));
}

static bool ttl_read(const struct value *body, struct pause_order *order, struct err *err)
{
    const struct value *ttl = given(body, "ttl");

    if (ttl == NULL)
        return true;
    bool is_frozen = ttl->kind == VALUE_STRING && slice_is(ttl->bytes, "frozen");
    if (!is_frozen && (ttl->kind != VALUE_STRING || !slice_is(ttl->bytes, "runs")))
        return err_set(err, ERR_BAD_REQUEST,
                       "ttl must be \"runs\" or \"frozen\": does the ttl of queued runs go on "
                       "counting?");
    order->freezes = is_frozen ? PAUSE_YES : PAUSE_NO;
    return true;
}

static bool accept_read(const struct value *body, struct pause_order *order, struct err *err)
{
    const struct value *accept = given(body, "accept");

    if (accept == NULL)
        return true;
    if (accept->kind != VALUE_BOOL)
        return err_set(err, ERR_BAD_REQUEST,
                       "accept must be true or false: are new runs taken meanwhile?");
    order->refuses = accept->boolean ? PAUSE_NO : PAUSE_YES;
    return true;
}

static bool ramp_read(const struct value *body, struct pause_order *order, struct err *err)
{
    const struct value *ramp = given(body, "ramp");

    if (ramp == NULL)
        return true;
    if (ramp->kind == VALUE_STRING && duration_parse(ramp->bytes, &order->ramp_ms) &&
        order->ramp_ms <= RAMP_MAX_MS)
        return true;
    return err_set(err, ERR_BAD_REQUEST,
                   "ramp must be a duration like \"60s\", at most 24h: the limit grows from 1 "
                   "to all of it meanwhile");
}

/* What belongs to a pause does not go with its end. */
static bool resume_check(const struct value *body, const struct pause_order *order,
                         struct err *err)
{
    static const char *const names[] = { "until", "ttl", "accept" };

    for (size_t i = 0; !order->paused && i < sizeof names / sizeof names[0]; i++)
        if (given(body, names[i]) != NULL)
            return err_set(err, ERR_BAD_REQUEST, "%s goes with \"action\": \"pause\"",
                           names[i]);
    return !order->paused || order->ramp_ms == 0 || given(body, "until") != NULL ||
           err_set(err, ERR_BAD_REQUEST,
                   "ramp goes with \"action\": \"resume\", or with until: it is how a pause "
                   "ends");
}

bool pause_order_read(struct request *request, const struct value *body,
                      struct pause_order *order, struct err *err)
{
    const struct value *action = value_find(body, "action");
    const char *name = request->world->environment->name;

    if (action == NULL || action->kind != VALUE_STRING ||
        (!slice_is(action->bytes, "pause") && !slice_is(action->bytes, "resume")))
        return err_set(err, ERR_BAD_REQUEST, "action must be \"pause\" or \"resume\"");
    order->environment = request->world->environment->number;
    order->paused = slice_is(action->bytes, "pause");
    if (!body_text(request, body, "reason", REASON_MAX, &order->why, err) ||
        !body_text(request, body, "by", BY_MAX, &order->by, err) ||
        !until_read(body, order, err) || !ttl_read(body, order, err) ||
        !accept_read(body, order, err) || !ramp_read(body, order, err) ||
        !resume_check(body, order, err))
        return false;
    order->by = order->by.size == 0 ? by_or_key(request, order->by)
                                    : arena_format(&request->arena, "%.*s, with the key of %s",
                                                   SLICE_ARG(order->by), name);
    return true;
}

void pause_order_tell(struct request *request, const struct pause_order *order,
                      const char *kind, struct slice name)
{
    char event[40], until[TIME_TEXT_SIZE];
    int64_t until_ms = order->until_span_ms > 0
                           ? time_after(clock_now_ms(), order->until_span_ms)
                           : order->until_date_ms;

    (void)snprintf(event, sizeof event, "%s.%s", kind, order->paused ? "paused" : "resumed");
    if (order->is_changed)
        log_info(event, "%s=%.*s by=\"%.*s\" reason=\"%.*s\"%s%s%s%s", kind, SLICE_ARG(name),
                 SLICE_ARG(order->by), SLICE_ARG(order->why), until_ms != 0 ? " until=" : "",
                 until_ms != 0 ? time_format(until_ms, until) : "",
                 order->freezes == PAUSE_YES ? " ttl=frozen" : "",
                 order->refuses == PAUSE_YES ? " accept=false" : "");
    reply_header(request, "x-bide-accepted", order->is_changed ? "true" : "false");
}

void pause_write(struct out *out, const struct pause *pause)
{
    static const struct named_limit none[] = { { NULL, 0 } };

    pause_limits_write(out, pause, none);
}

void pause_limits_write(struct out *out, const struct pause *pause,
                        const struct named_limit *limits)
{
    if (pause_is_ramping(pause)) {
        out_map(out, "ramp");
        out_time(out, "from", due_date(pause->ramp_from_ms, true));
        out_time(out, "until", due_date(time_after(pause->ramp_from_ms, pause->ramp_ms), true));
        for (; limits->name != NULL; limits++)
            if (limits->limit != UINT32_MAX)
                out_int(out, limits->name,
                        pause_limit(pause, limits->limit, clock_steady_ms()));
        out_end_map(out);
    }
    if (!pause->paused)
        return;
    out_time(out, "pausedAt", pause->paused_ms);
    if (pause->paused_by.size > 0)
        out_text(out, "pausedBy", pause->paused_by);
    if (pause->paused_why.size > 0)
        out_text(out, "pausedReason", pause->paused_why);
    out_time(out, "pausedUntil", pause->until_ms);
    out_word(out, "ttl", pause->frozen ? "frozen" : "runs");
    out_bool(out, "accept", !pause->refuses);
}
