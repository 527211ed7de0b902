/* Another limit of a queue than the configured one, and back. */
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
    if (view->is_percent && catalog == NULL) {
        err_set(&err, ERR_STOPPING, "the server has just started, and knows no limits yet");
        reply_err(request, &err);
        return;
    }
    limit->limit =
        (uint32_t)(view->is_percent
                       ? view->limit * catalog_lane_limit(catalog, limit->name, false) / 100
                       : view->limit);
    limit->by = view->by;
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
    if (given->kind != VALUE_INT || given->integer < 0 || given->integer > most)
        return err_set(err, ERR_BAD_REQUEST, "%s must be a whole number from 0 to %" PRId64,
                       view->is_percent ? "percent" : "concurrencyLimit", most);
    view->limit = given->integer;
    return body_text(request, body, "by", BY_MAX, &view->by, err);
}

static void limit_set(struct request *request, const struct member_rule *members, bool is_reset)
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
        (!is_reset && !override_read(request, &body, view, &err)) ||
        !queue_named(request, type, view, &err))
        reply_err(request, &err);
    else if (view->name.size > 0)
        limit_submit(request);
    else
        request_read(request, queue_read, limit_submit);
}

void queue_limit_override(struct request *request)
{
    limit_set(request, override_members, false);
}

void queue_limit_reset(struct request *request)
{
    limit_set(request, reset_members, true);
}
