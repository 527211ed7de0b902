/*
 * Runs whose attempts are used up go on: one, or all of a queue or task.
 *
 *   all: the newest of them (reader) ─▶ "dryRun": 200 ─▶ or COMMAND_REDRIVE ─▶ 200
 *
 * Who wants all calls again while "more" is true.
 */
#include "base/name.h"
#include "http/api/routes.h"
#include "http/api/run_view.h"
#include "http/body/members.h"
#include "http/server/reply.h"

enum { REDRIVE_MOST = 100, REDRIVE_USUAL = 25 };

static const struct member_rule one_members[] = {
    { "from", MEMBER_TAKEN, NULL },
    { "by", MEMBER_TAKEN, NULL },
    { "payload", MEMBER_ELSEWHERE, "is kept as it is; a replay takes another one" },
    { NULL, MEMBER_TAKEN, NULL },
};

static const struct member_rule all_members[] = {
    { "from", MEMBER_TAKEN, NULL },
    { "by", MEMBER_TAKEN, NULL },
    { "queue", MEMBER_TAKEN, NULL },
    { "taskIdentifier", MEMBER_TAKEN, NULL },
    { "limit", MEMBER_TAKEN, NULL },
    { "dryRun", MEMBER_TAKEN, NULL },
    { "dry_run", MEMBER_ELSEWHERE, "is called \"dryRun\" here" },
    { "task", MEMBER_ELSEWHERE, "is called \"taskIdentifier\" here" },
    { NULL, MEMBER_TAKEN, NULL },
};

/* What is asked of all. */
struct wish {
    struct slice queue, task;
    bool is_dry;
    struct run_filter filter;
    struct run_page page;
};

static bool from_read(struct request *request, const struct value *body, struct err *err)
{
    const struct value *from = value_find(body, "from");
    struct redrive *redrive = &request->command.redrive;

    request->command.kind = COMMAND_REDRIVE;
    redrive->environment = request->world->environment->number;
    if (from != NULL && from->kind != VALUE_NULL &&
        (from->kind != VALUE_STRING ||
         (!slice_is(from->bytes, "start") && !slice_is(from->bytes, "save_point"))))
        return err_set(err, ERR_BAD_REQUEST, "from must be \"save_point\" or \"start\"");
    redrive->from_start =
        from != NULL && from->kind == VALUE_STRING && slice_is(from->bytes, "start");
    if (!body_text(request, body, "by", BY_MAX, &redrive->by, err))
        return false;
    redrive->by = by_or_key(request, redrive->by);
    return true;
}

/* ---- one --------------------------------------------------------------------------------- */

static void one_done(struct request *request)
{
    const struct redrive_item *item = request->command.redrive.items;
    struct out out = reply_out(request);

    out_map(&out, NULL);
    out_id(&out, "id", "run", item->run_id);
    if (item->run_id != item->id)
        out_id(&out, "redriveOf", "run", item->id);
    out_end_map(&out);
    reply_send(request, HTTP_OK);
}

void run_redrive(struct request *request)
{
    struct redrive *redrive = &request->command.redrive;
    struct redrive_item *item = ARENA_NEW(&request->arena, struct redrive_item);
    struct err err = { 0 };
    struct value body;

    if (!request_id(request, "run", RUN_UNKNOWN, &item->id) ||
        !request_members(request, one_members, &body))
        return;
    if (!from_read(request, &body, &err)) {
        reply_err(request, &err);
        return;
    }
    redrive->items = item;
    redrive->count = 1;
    request_submit(request, one_done);
}

/* ---- all --------------------------------------------------------------------------------- */

static bool name_read(struct request *request, const struct value *body, const char *name,
                      enum name_kind kind, struct slice *text, struct err *err)
{
    return body_text(request, body, name, BY_MAX * 2, text, err) &&
           (text->size == 0 || name_check(kind, *text, err));
}

static bool limit_read(const struct value *body, uint32_t *limit, struct err *err)
{
    const struct value *said = value_find(body, "limit");

    *limit = REDRIVE_USUAL;
    if (said == NULL || said->kind == VALUE_NULL)
        return true;
    if (said->kind != VALUE_INT || said->integer < 1 || said->integer > REDRIVE_MOST)
        return err_set(err, ERR_BAD_REQUEST, "limit must be a whole number from 1 to %d",
                       REDRIVE_MOST);
    *limit = (uint32_t)said->integer;
    return true;
}

static bool wish_read(struct request *request, const struct value *body, struct wish *wish,
                      struct err *err)
{
    const struct value *dry = value_find(body, "dryRun");
    struct run_filter *filter = &wish->filter;

    *filter = (struct run_filter){ .environment = request->world->environment->number,
                                   .is_test = -1,
                                   .statuses = { { RUN_DELAYED, OUTCOME_GIVEN_UP },
                                                 { RUN_DONE, OUTCOME_GIVEN_UP } },
                                   .status_count = 2 };
    if (!from_read(request, body, err) ||
        !name_read(request, body, "queue", NAME_QUEUE, &wish->queue, err) ||
        !name_read(request, body, "taskIdentifier", NAME_ASKED, &wish->task, err) ||
        !limit_read(body, &filter->limit, err))
        return false;
    if (dry != NULL && dry->kind != VALUE_BOOL)
        return err_set(err, ERR_BAD_REQUEST, "dryRun must be true or false");
    if (wish->queue.size == 0 && wish->task.size == 0)
        return err_set(err, ERR_BAD_REQUEST, "say a queue, a taskIdentifier, or both");
    wish->is_dry = dry != NULL && dry->boolean;
    if (wish->queue.size > 0)
        filter->queues = (struct slices){ &wish->queue, 1 };
    if (wish->task.size > 0)
        filter->tasks = (struct slices){ &wish->task, 1 };
    return true;
}

static void all_reply(struct request *request)
{
    const struct wish *wish = request->view;
    const struct redrive *redrive = &request->command.redrive;
    struct out out = reply_out(request);
    uint32_t count = 0;

    out_map(&out, NULL);
    out_bool(&out, "dryRun", wish->is_dry);
    out_list(&out, "runs");
    for (uint32_t i = 0; i < redrive->count; i++) {
        const struct redrive_item *item = &redrive->items[i];
        out_map(&out, NULL);
        out_id(&out, "id", "run", item->id);
        if (item->run_id != 0)
            out_id(&out, "goesOnAs", "run", item->run_id);
        if (item->err.code != ERR_OK)
            out_text(&out, "error", slice_of(item->err.text));
        out_end_map(&out);
        count += wish->is_dry || item->run_id != 0;
    }
    out_end_list(&out);
    out_int(&out, "count", count);
    out_bool(&out, "more", wish->page.has_next);
    out_end_map(&out);
    reply_send(request, HTTP_OK);
}

static bool all_work(struct request *request, struct pool_reader *reader, struct err *err)
{
    struct wish *wish = request->view;

    return reader->reader->ops->runs(reader->reader, &request->arena, &wish->filter,
                                     &wish->page, err);
}

static void all_found(struct request *request)
{
    const struct wish *wish = request->view;
    struct redrive *redrive = &request->command.redrive;

    redrive->items =
        ARENA_ARRAY(&request->arena, struct redrive_item, (size_t)wish->page.count + 1);
    for (uint32_t i = 0; i < wish->page.count; i++)
        redrive->items[redrive->count++] =
            (struct redrive_item){ .id = wish->page.rows[i]->id };
    if (wish->is_dry || redrive->count == 0)
        all_reply(request);
    else
        request_submit(request, all_reply);
}

void runs_redrive(struct request *request)
{
    struct wish *wish = ARENA_NEW(&request->arena, struct wish);
    struct err err = { 0 };
    struct value body;

    request->view = wish;
    if (!request_members(request, all_members, &body))
        return;
    if (wish_read(request, &body, wish, &err))
        request_read(request, all_work, all_found);
    else
        reply_err(request, &err);
}
