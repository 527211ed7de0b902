/*
 * Replaying a run: a new run of the same task with the payload of an old one, checked against
 * the schema as it is now.
 *
 *   the old row (reader) ─▶ what the body says instead ─▶ COMMAND_TRIGGER ─▶ 200
 *
 * Kept: payload, metadata, tags, queue, concurrency key, test flag. Not kept: idempotency key,
 * delay, ttl, priority, attempts and time limit, which belong to that one call; the body may
 * say them anew. With fromSavePoint it begins where the old one saved last, or at one of those
 * before that are kept: with that segment and state, and what the wait before it has brought.
 */
#include "base/id.h"
#include "codec/pack.h"
#include "engine/waits/save_points.h"
#include "http/api/routes.h"
#include "http/api/trigger_route.h"
#include "http/body/trigger_members.h"
#include "http/body/trigger_options.h"
#include "http/server/reply.h"

struct replay {
    int64_t id;
    struct value body;
    struct run *run;
    struct slice queue;
};

static bool says(const struct value *body, const char *name)
{
    const struct value *value = value_find(body, name);

    return value != NULL && value->kind != VALUE_NULL;
}

static bool replay_work(struct request *request, struct pool_reader *reader, struct err *err)
{
    struct replay *replay = request->view;
    bool is_from = says(&replay->body, "fromSavePoint");
    struct slice queue;

    if (!reader->reader->ops->run(
            reader->reader, &request->arena, request->world->environment->number, replay->id,
            PART_INPUT | (is_from ? PART_STATE | PART_MAIL | PART_STATES : 0), &replay->run,
            err))
        return false;
    if (replay->run == NULL)
        return err_set(err, ERR_NOT_FOUND, "Run not found");
    if (!read_pool_queue_name(reader, replay->run->queue, &queue, err))
        return false;
    replay->queue = arena_copy(&request->arena, queue); /* the reader's otherwise */
    return true;
}

/* What the body does not say is the old run's. */
static void options_keep(const struct replay *replay, const struct value *body,
                         struct trigger *trigger)
{
    const struct run *run = replay->run;

    if (trigger->queue.size == 0)
        trigger->queue = replay->queue;
    if (!says(body, "concurrencyKey"))
        trigger->concurrency_key = run->concurrency_key;
    if (!says(body, "tags"))
        trigger->tags = run->tags;
    if (!says(body, "metadata"))
        trigger->metadata = run->metadata;
    if (!says(body, "test"))
        trigger->is_test = run->is_test;
}

/* The body's payload, or the one that the old run had. */
static bool payload_take(struct request *request, const struct value *body,
                         struct value *payload, struct err *err)
{
    const struct replay *replay = request->view;
    const struct value *given = value_find(body, "payload");
    struct trigger *trigger = &request->command.trigger;
    struct slice stored = replay->run->input;

    *payload = (struct value){ .kind = VALUE_NULL };
    if (given == NULL)
        return stored.size == 0 || pack_read(&request->http->scratch, stored, payload, err);
    if (!trigger_body_payload(request, given, value_find(body, "payloadType"), payload, err))
        return false;
    if (trigger->items == 0)
        return true;
    trigger->items = payload->kind == VALUE_LIST ? payload->count : 0;
    return trigger->items > 0 ||
           err_set(err, ERR_RULE,
                   "payload: the run that is repeated has collected its payload from many "
                   "triggers, so it must be a list of one or more");
}

/* Those that are there, for somebody who asked for another. */
static struct slice numbers_text(struct arena *arena, const struct save_points *points)
{
    struct buffer text = { 0 };

    for (uint32_t i = 0; i < points->count; i++)
        buffer_format(&text, "%s%lld", i == 0 ? "" : ", ", (long long)points->items[i].number);
    struct slice kept = arena_copy(arena, buffer_view(&text));
    buffer_finish(&text);
    return kept;
}

static bool no_save_point(const struct run *run, struct err *err)
{
    char id[ID_TEXT_SIZE];

    return err_set(err, ERR_RULE, "fromSavePoint: %s has no save point that is kept: %s",
                   id_format("run", run->id, id),
                   run_has_failed(run) || run->keeps > 0
                       ? "it had not saved a state before it ended"
                       : "only runs that have failed keep it, and those of a task with "
                         "keep_states above 1");
}

/* The new run begins where the old one had saved: true is the last one, else its number. */
static bool save_point_take(struct request *request, const struct value *body,
                            struct trigger *trigger, struct err *err)
{
    const struct replay *replay = request->view;
    const struct value *from = value_find(body, "fromSavePoint");
    const struct run *run = replay->run;
    char id[ID_TEXT_SIZE];

    if (!says(body, "fromSavePoint") || (from->kind == VALUE_BOOL && !from->boolean))
        return true;
    if (from->kind != VALUE_BOOL && from->kind != VALUE_INT)
        return err_set(err, ERR_BAD_REQUEST,
                       "fromSavePoint must be true, false, or the number of a save point");
    if (run->status != RUN_DONE)
        return err_set(err, ERR_RULE, "fromSavePoint: %s has not ended; it goes on by itself",
                       id_format("run", run->id, id));
    struct save_points points = save_points_read(&request->arena, run);
    if (points.count == 0)
        return no_save_point(run, err);
    const struct save_point *point = &points.items[points.count - 1];
    while (from->kind == VALUE_INT && point->number != from->integer) {
        if (point == points.items)
            return err_set(err, ERR_RULE,
                           "fromSavePoint: save point %lld of %s is not kept; those that are: "
                           "%.*s",
                           (long long)from->integer, id_format("run", run->id, id),
                           SLICE_ARG(numbers_text(&request->arena, &points)));
        point--;
    }
    trigger->goes_on = save_point_run(&request->arena, run, point);
    return true;
}

static bool options_read(struct request *request, const struct value *body, struct err *err)
{
    struct trigger_options_from from = { &request->arena, &request->http->config->limits };
    struct unheard unheard = { .arena = &request->arena };
    struct trigger *trigger = &request->command.trigger;

    if (!replay_members_check(body, &unheard, err) ||
        !save_point_take(request, body, trigger, err) ||
        !trigger_options_read(&from, body, trigger, err) ||
        !trigger_headers(request, trigger, err) || !trigger_unheard(request, &unheard, err))
        return false;
    options_keep(request->view, body, trigger);
    return true;
}

static void replay_read(struct request *request)
{
    const struct replay *replay = request->view;
    struct trigger *trigger = &request->command.trigger;
    const struct value *body = &replay->body;
    struct value payload;
    struct err err = { 0 };

    if (!trigger_may_begin(request))
        return;
    request->command.kind = COMMAND_TRIGGER;
    trigger->environment = request->world->environment->number;
    trigger->task = replay->run->task;
    trigger->replayed = replay->id;
    trigger->items = replay->run->collected;
    if (options_read(request, body, &err) && payload_take(request, body, &payload, &err))
        trigger_submit(request,
                       value_find(body, "payload") != NULL || replay->run->input.size > 0,
                       &payload);
    else
        reply_err(request, &err);
}

void run_replay(struct request *request)
{
    struct replay *replay = ARENA_NEW(&request->arena, struct replay);

    request->view = replay;
    if (request_id(request, "run", "Run not found", &replay->id) &&
        request_json_in(request, &request->arena, &replay->body))
        request_read(request, replay_work, replay_read);
}
