/* Another limit or rate of a queue than the configured one, and back. */
#include "http/api/queue_view.h"
#include "http/api/routes.h"
#include "http/body/members.h"
#include "http/server/reply.h"

#include <inttypes.h>

enum { OVERRIDE_MAX = 100000, OVERRIDE_PERCENT_MAX = 1000 };

static void limit_done(struct request *request)
{
    struct queue_view *view = request->view;

    view->name = (struct slice){ 0 };
    view->id = request->command.queue_limit.queue_id;
    request_read(request, queue_read, queue_reply);
}

static void limit_submit(struct request *request)
{
    struct queue_view *view = request->view;
    struct queue_limit *limit = &request->command.queue_limit;
    const struct catalog *catalog = request->http->catalog;
    struct err err = { 0 };

    limit->name = view->row == NULL ? view->name : view->row->queue.name;
    memcpy(limit->sets, view->sets, sizeof limit->sets);
    memcpy(limit->rates, view->rates, sizeof limit->rates);
    if (view->is_percent && catalog == NULL) {
        err_set(&err, ERR_STOPPING, "the server has just started, and knows no limits yet");
        reply_err(request, &err);
        return;
    }
    limit->limit = (uint32_t)view->limit;
    if (view->is_percent) {
        int64_t part = view->limit * catalog_lane_limit(catalog, limit->name, false) / 100;
        limit->limit = part < 1 ? 1 : (uint32_t)part; /* a part of a queue still moves */
    }
    limit->by = by_or_key(request, view->by);
    limit->environment = request->world->environment->number;
    request->command.kind = COMMAND_QUEUE_LIMIT;
    request_submit(request, limit_done);
}

static const struct member_rule override_members[] = {
    { "type", MEMBER_TAKEN, NULL },
    { "concurrencyLimit", MEMBER_TAKEN, NULL },
    { "percent", MEMBER_TAKEN, NULL },
    { "by", MEMBER_TAKEN, NULL },
    { "limit", MEMBER_ELSEWHERE, "is called \"concurrencyLimit\" here" },
    { NULL, MEMBER_TAKEN, NULL },
};

static const struct member_rule reset_members[] = {
    { "type", MEMBER_TAKEN, NULL },
    { NULL, MEMBER_TAKEN, NULL },
};

static bool override_read(struct request *request, const struct value *body,
                          struct queue_view *view, struct err *err)
{
    const struct value *limit = value_find(body, "concurrencyLimit");
    const struct value *percent = value_find(body, "percent");
    const struct value *given = limit != NULL ? limit : percent;

    if ((limit == NULL) == (percent == NULL))
        return err_set(
            err, ERR_BAD_REQUEST,
            "give one of concurrencyLimit and percent: a number of runs, or a part of "
            "the configured one");
    view->is_percent = percent != NULL;
    int64_t most = view->is_percent ? OVERRIDE_PERCENT_MAX : OVERRIDE_MAX;
    if (given->kind != VALUE_INT || given->integer < view->is_percent || given->integer > most)
        return err_set(err, ERR_BAD_REQUEST, "%s must be a whole number from %d to %" PRId64,
                       view->is_percent ? "percent" : "concurrencyLimit", view->is_percent,
                       most);
    view->limit = given->integer;
    return body_text(request, body, "by", BY_MAX, &view->by, err);
}

/* ---- rates ------------------------------------------------------------------------------- */

static const char *const rate_words[2] = { "rate", "keyRate" };

static const struct member_rule rate_members[] = {
    { "type", MEMBER_TAKEN, NULL },    { "rate", MEMBER_TAKEN, NULL },
    { "keyRate", MEMBER_TAKEN, NULL }, { "by", MEMBER_TAKEN, NULL },
    { NULL, MEMBER_TAKEN, NULL },
};

static bool rate_override_read(struct request *request, const struct value *body,
                               struct queue_view *view, struct err *err)
{
    for (int i = 0; i < 2; i++) {
        const struct value *value = value_find(body, rate_words[i]);
        view->sets[i] = value != NULL;
        if (value == NULL || (value->kind == VALUE_STRING && slice_is(value->bytes, "none")))
            continue;
        const char *wrong = value->kind == VALUE_STRING
                                ? queue_rate_parse(value->bytes, &view->rates[i])
                                : "must be a string like \"100/1m, burst 10\", or \"none\"";
        if (wrong != NULL)
            return err_set(err, ERR_BAD_REQUEST, "%s %s", rate_words[i], wrong);
    }
    if (!view->sets[0] && !view->sets[1])
        return err_set(err, ERR_BAD_REQUEST,
                       "give rate or keyRate, or both, like \"100/1m, burst 10\", or \"none\"");
    return body_text(request, body, "by", BY_MAX, &view->by, err);
}

/* Of those that are true; of both, where neither is named. */
static bool rate_reset_read(struct request *request, const struct value *body,
                            struct queue_view *view, struct err *err)
{
    (void)request;
    for (int i = 0; i < 2; i++) {
        const struct value *value = value_find(body, rate_words[i]);
        if (value != NULL && value->kind != VALUE_BOOL)
            return err_set(err, ERR_BAD_REQUEST, "%s must be true or false", rate_words[i]);
        view->sets[i] = value != NULL && value->boolean;
    }
    if (!view->sets[0] && !view->sets[1])
        view->sets[0] = view->sets[1] = true;
    return true;
}

/* ---- both -------------------------------------------------------------------------------- */

typedef bool limit_reader(struct request *request, const struct value *body,
                          struct queue_view *view, struct err *err);

static void limit_set(struct request *request, const struct member_rule *members, bool is_reset,
                      limit_reader *read)
{
    struct queue_view *view = ARENA_NEW(&request->arena, struct queue_view);
    struct slice type = { 0 };
    struct err err = { 0 };
    struct value body;

    request->view = view;
    if (!request_members(request, members, &body))
        return;
    request->command.queue_limit.is_reset = is_reset;
    if (!queue_type_read(&body, &type, &err) ||
        (read != NULL && !read(request, &body, view, &err)) ||
        !queue_named(request, type, view, &err))
        reply_err(request, &err);
    else if (view->name.size > 0)
        limit_submit(request);
    else
        request_read(request, queue_read, limit_submit);
}

void queue_limit_override(struct request *request)
{
    limit_set(request, override_members, false, override_read);
}

void queue_limit_reset(struct request *request)
{
    limit_set(request, reset_members, true, NULL);
}

void queue_rate_override(struct request *request)
{
    limit_set(request, rate_members, false, rate_override_read);
}

void queue_rate_reset(struct request *request)
{
    limit_set(request, rate_members, true, rate_reset_read);
}
