/*
 * Queues: list, show, pause and resume, statistics.
 *
 * A queue of a task is kept as "task/<id>" and shown with the bare id and the type "task". A
 * client names a queue by its id, or by type and name; slashes in a name arrive encoded twice.
 * Limits are the catalog's, which is the loop thread's: so pages are read on the pool and
 * written here.
 */
#include "base/clock.h"
#include "base/id.h"
#include "base/name.h"
#include "http/api/filter.h"
#include "http/api/queue_hour.h"
#include "http/api/queue_view.h"
#include "http/api/routes.h"
#include "http/body/pause_body.h"
#include "http/server/reply.h"

#include <inttypes.h>

enum { PER_PAGE = 25 };

#define QUEUE_UNKNOWN "queue-not-found"
#define TASK_PREFIX   "task/"
#define TYPE_SAYS     "type must be \"id\", \"task\" or \"custom\""

/* ---- which one --------------------------------------------------------------------------- */

/* "a%2Fb" is a/b: the segment was decoded once already. */
static struct slice unslash(struct arena *arena, struct slice text)
{
    char *name = arena_alloc(arena, text.size + 1);
    size_t size = 0;

    for (size_t i = 0; i < text.size; i++) {
        bool is_slash = text.size - i > 2 && text.data[i] == '%' && text.data[i + 1] == '2' &&
                        (text.data[i + 2] | 0x20) == 'f';
        name[size++] = is_slash ? '/' : text.data[i];
        i += is_slash ? 2 : 0;
    }
    return (struct slice){ name, size };
}

bool queue_named(struct request *request, struct slice type, struct queue_view *view,
                 struct err *err)
{
    struct slice name = unslash(&request->arena, request->captures[0]);

    if ((type.size == 0 || slice_is(type, "id")) && id_parse("queue", name, &view->id))
        return true;
    if (slice_is(type, "id"))
        return err_set(err, ERR_NOT_FOUND, QUEUE_UNKNOWN);
    if (slice_is(type, "task") && !slice_starts(name, TASK_PREFIX))
        name = arena_format(&request->arena, TASK_PREFIX "%.*s", SLICE_ARG(name));
    else if (type.size > 0 && !slice_is(type, "custom") && !slice_is(type, "task"))
        return err_set(err, ERR_BAD_REQUEST, TYPE_SAYS);
    view->name = name;
    return true;
}

/* ---- how it looks ------------------------------------------------------------------------ */

/* What is not known, or not there, the contract wants as null. */
static void null_write(struct out *out, const char *key)
{
    out_packed(out, key, (struct slice){ 0 });
}

static void limit_write(struct out *out, const char *key, bool is_known, int64_t limit)
{
    if (is_known)
        out_int(out, key, limit);
    else
        null_write(out, key);
}

static void rate_write(struct out *out, const char *key, const struct queue_rate *rate)
{
    char text[QUEUE_RULE_TEXT_SIZE];

    if (rate == NULL)
        return;
    queue_rate_text(rate, text);
    out_word(out, key, text);
}

/* As they are, and what somebody has set instead of which. */
static void rates_write(struct out *out, const struct catalog *catalog,
                        const struct queue *queue)
{
    static const char *const words[2][2] = { { "rate", "rateOverride" },
                                             { "keyRate", "keyRateOverride" } };
    struct queue_rate room;
    struct set_rate set;

    for (int i = 0; i < 2; i++) {
        rate_write(out, words[i][0], catalog_rate_now(catalog, queue, i == 1, &room));
        if (!queue_rate_set(queue, i == 1, &set))
            continue;
        const struct queue_rate *base = catalog_rate(catalog, queue->name, i == 1);
        out_map(out, words[i][1]);
        rate_write(out, "base", base);
        if (base == NULL)
            out_word(out, "base", "none");
        rate_write(out, "override", catalog_rate_now(catalog, queue, i == 1, &room));
        if (set.limit == 0)
            out_word(out, "override", "none");
        out_time(out, "overriddenAt", set.since_ms);
        out_text(out, "overriddenBy", queue->rates_by);
        out_end_map(out);
    }
}

struct queue_limits {
    struct named_limit each[4];
};

/* As they are set. */
static struct queue_limits limits_of(const struct catalog *catalog, const struct queue *queue)
{
    uint32_t limit = catalog_limit_now(catalog, queue, false);
    uint32_t per_key = catalog_limit_now(catalog, queue, true);

    return (struct queue_limits){ { { "concurrencyLimit", limit },
                                    { "perKeyLimit", per_key == limit ? UINT32_MAX : per_key },
                                    { "totalLimit", catalog_total_limit(catalog, queue->name) },
                                    { NULL, 0 } } };
}

/* All that queues.yaml says of it, in its words. */
static void settings_write(struct out *out, const struct queue_rules *rules)
{
    char text[QUEUE_RULE_TEXT_SIZE];

    out_map(out, "settings");
    for (int i = 0; i < QUEUE_RULES; i++) {
        queue_rule_text(&queue_rule_table[i], rules, text);
        if (text[0] != '\0' && !queue_rule_table[i].is_alias)
            out_text(out, queue_rule_table[i].key, slice_of(text));
    }
    out_end_map(out);
}

static void limits_write(const struct request *request, struct out *out,
                         const struct queue *queue)
{
    const struct catalog *catalog = request->http->catalog;

    if (catalog == NULL) {
        null_write(out, "concurrencyLimit");
        return;
    }
    struct queue_limits limits = limits_of(catalog, queue);
    for (const struct named_limit *at = limits.each; at->name != NULL; at++)
        if (at->limit != UINT32_MAX)
            out_int(out, at->name, at->limit);
    rates_write(out, catalog, queue);
    settings_write(out, catalog_rules(catalog, queue->name));
    struct catalog_uses uses = catalog_uses(catalog, queue->name);
    if (uses.count > 0)
        out_map(out, "uses");
    for (uint32_t i = 0; i < uses.count; i++)
        out_int(out, catalog->pools[uses.items[i].pool].name.data, uses.items[i].tokens);
    if (uses.count > 0)
        out_end_map(out);
    if (catalog_fair(catalog, queue->name) != NULL) {
        char text[QUEUE_RULE_TEXT_SIZE];
        queue_fair_text(catalog_fair(catalog, queue->name), text);
        out_word(out, "fair", text);
    }
}

static void name_write(struct out *out, const struct queue *queue)
{
    struct slice name = queue->name;
    bool is_task = slice_starts(name, TASK_PREFIX);

    if (is_task)
        name =
            (struct slice){ name.data + strlen(TASK_PREFIX), name.size - strlen(TASK_PREFIX) };
    out_id(out, "id", "queue", queue->id);
    out_text(out, "name", name);
    out_word(out, "type", is_task ? "task" : "custom");
}

static void paused_write(const struct request *request, struct out *out,
                         const struct queue *queue)
{
    const struct queue_view *view = request->view;
    const struct catalog *catalog = request->http->catalog;

    out_bool(out, "paused", queue->paused);
    if (catalog == NULL) {
        pause_write(out, &queue->pause);
    } else {
        /* Without a total, all of it together comes back up to the slots. */
        struct queue_limits limits = limits_of(catalog, queue);
        if (limits.each[2].limit == UINT32_MAX)
            limits.each[2].limit = catalog->slots;
        pause_limits_write(out, &queue->pause, limits.each);
    }
    out_bool(out, "environmentPaused", view->environment != NULL && view->environment->paused);
}

/* The contract wants all five, or none. */
static void concurrency_write(const struct request *request, struct out *out,
                              const struct queue *queue)
{
    const struct catalog *catalog = request->http->catalog;
    bool is_known = catalog != NULL, is_other = queue->override_ms != 0;

    out_map(out, "concurrency");
    limit_write(out, "current", is_known,
                is_known ? catalog_limit_now(catalog, queue, false) : 0);
    limit_write(out, "base", is_known,
                is_known ? catalog_lane_limit(catalog, queue->name, false) : 0);
    limit_write(out, "override", is_other, queue->override_limit);
    if (is_other)
        out_time(out, "overriddenAt", queue->override_ms);
    else
        null_write(out, "overriddenAt");
    if (queue->override_by.size > 0)
        out_text(out, "overriddenBy", queue->override_by);
    else
        null_write(out, "overriddenBy");
    out_end_map(out);
}

static void queue_write(const struct request *request, struct out *out,
                        const struct queue_stats *stats, const struct queue_minute *hour,
                        const char *held)
{
    out_map(out, NULL);
    name_write(out, &stats->queue);
    out_int(out, "running", stats->running);
    out_int(out, "queued", stats->queued);
    out_int(out, "delayed", stats->delayed);
    out_int(out, "waiting", stats->waiting);
    paused_write(request, out, &stats->queue);
    limits_write(request, out, &stats->queue);
    concurrency_write(request, out, &stats->queue);
    queue_limited_write(request, out, &stats->queue, false, held);
    queue_oldest_write(out, stats);
    queue_hour_write(out, hour, stats->queue.created_ms);
    out_end_map(out);
}

static void statistics_write(const struct request *request, struct out *out,
                             const struct queue_stats *stats, const struct queue_hour *hour)
{
    const struct queue *queue = &stats->queue;
    int64_t done = queue->completed + queue->failed + queue->canceled;
    int64_t started = queue_ended_started(queue);

    out_map(out, NULL);
    name_write(out, queue);
    paused_write(request, out, queue);
    limits_write(request, out, queue);
    out_int(out, "running", stats->running);
    out_int(out, "queued", stats->queued);
    out_int(out, "delayed", stats->delayed);
    out_int(out, "waiting", stats->waiting);
    out_int(out, "parked", stats->parked);
    out_int(out, "completed", queue->completed);
    out_int(out, "failed", queue->failed);
    out_int(out, "canceled", queue->canceled);
    out_int(out, "done", done);
    out_int(out, "neverStarted", queue->unstarted);
    out_double(out, "averageWaitMs",
               started == 0 ? 0 : (double)queue->wait_ms / (double)started);
    out_double(out, "averageBusyMs",
               started == 0 ? 0 : (double)queue->busy_us / 1000 / (double)started);
    out_time(out, "createdAt", queue->created_ms);
    queue_limited_write(request, out, queue, false,
                        ((const struct queue_view *)request->view)->held[0]);
    queue_oldest_write(out, stats);
    queue_hour_write(out, &hour->all, queue->created_ms);
    queue_keys_write(request, out, queue, hour);
    out_end_map(out);
}

/* ---- list -------------------------------------------------------------------------------- */

static bool environment_read(struct request *request, struct pool_reader *reader,
                             struct err *err)
{
    struct queue_view *view = request->view;

    return reader_environment(reader->reader, &request->arena,
                              request->world->environment->number, &view->environment, err);
}

static bool list_work(struct request *request, struct pool_reader *reader, struct err *err)
{
    struct queue_view *view = request->view;
    int64_t offset = (view->page - 1) * view->per_page;

    if (!environment_read(request, reader, err) ||
        !reader->reader->ops->queues(reader->reader, &request->arena,
                                     request->world->environment->number, (uint32_t)offset,
                                     (uint32_t)view->per_page, &view->rows, err))
        return false;
    struct queue_hour *hour = ARENA_NEW(&request->arena, struct queue_hour);
    view->hours = ARENA_ARRAY(&request->arena, struct queue_minute, view->rows.count + 1);
    view->held = ARENA_ARRAY(&request->arena, const char *, view->rows.count + 1);
    for (uint32_t i = 0; i < view->rows.count; i++) {
        if (!queue_hour_read(request, reader, view->rows.rows[i].queue.id, false, hour, err))
            return false;
        view->hours[i] = hour->all;
        if (!queue_held_read(request, reader, &view->rows.rows[i].queue, &view->held[i], err))
            return false;
    }
    return true;
}

static void list_done(struct request *request)
{
    const struct queue_view *view = request->view;
    struct out out = reply_out(request);

    out_map(&out, NULL);
    out_list(&out, "data");
    for (uint32_t i = 0; i < view->rows.count; i++)
        queue_write(request, &out, &view->rows.rows[i], &view->hours[i], view->held[i]);
    out_end_list(&out);
    pages_write(&out, view->page, view->per_page, view->rows.total);
    out_end_map(&out);
    reply_send(request, HTTP_OK);
}

void queue_list(struct request *request)
{
    struct queue_view *view = ARENA_NEW(&request->arena, struct queue_view);

    *view = (struct queue_view){ 0 };
    request->view = view;
    if (pages_read(request, PER_PAGE, &view->page, &view->per_page))
        request_read(request, list_work, list_done);
}

/* ---- one --------------------------------------------------------------------------------- */

/* A task's own queue may be meant. Its name is one. */
static bool queue_unknown(struct request *request, struct pool_reader *reader,
                          struct slice name, struct err *err)
{
    struct slice other = arena_format(&request->arena, TASK_PREFIX "%.*s", SLICE_ARG(name));
    struct queue_stats *found = NULL;

    if (!reader->reader->ops->queue(reader->reader, &request->arena,
                                    request->world->environment->number, other, 0, &found, err))
        return false;
    return err_set(err, ERR_NOT_FOUND, QUEUE_UNKNOWN "%s%.*s%s",
                   found == NULL ? "" : "; did you mean ",
                   (int)(found == NULL ? 0 : other.size), other.data,
                   found == NULL ? "" : ", the queue of the task?");
}

bool queue_read(struct request *request, struct pool_reader *reader, struct err *err)
{
    struct queue_view *view = request->view;

    if (!environment_read(request, reader, err) ||
        !reader->reader->ops->queue(reader->reader, &request->arena,
                                    request->world->environment->number, view->name, view->id,
                                    &view->row, err))
        return false;
    if (view->row != NULL && (view->row->queue.removed || view->row->queue.name.size == 0))
        view->row = NULL;
    if (view->row == NULL && view->name.size == 0)
        err_set(err, ERR_NOT_FOUND, QUEUE_UNKNOWN);
    else if (view->row == NULL && name_check(NAME_QUEUE, view->name, err))
        return queue_unknown(request, reader, view->name, err);
    view->hour = ARENA_NEW(&request->arena, struct queue_hour);
    view->held = ARENA_NEW(&request->arena, const char *);
    return view->row != NULL &&
           queue_held_read(request, reader, &view->row->queue, view->held, err) &&
           queue_hour_read(request, reader, view->row->queue.id, view->has_keys, view->hour,
                           err) &&
           (!view->has_keys || queue_keys_held_read(request, reader, &view->row->queue,
                                                    view->hour, view->keys_held, err));
}

void queue_reply(struct request *request)
{
    const struct queue_view *view = request->view;
    struct out out = reply_out(request);

    queue_write(request, &out, view->row, &view->hour->all, view->held[0]);
    reply_send(request, HTTP_OK);
}

static void statistics_done(struct request *request)
{
    const struct queue_view *view = request->view;
    struct out out = reply_out(request);

    statistics_write(request, &out, view->row, view->hour);
    reply_send(request, HTTP_OK);
}

static void read_one(struct request *request, bool has_keys,
                     void (*done)(struct request *request))
{
    struct queue_view *view = ARENA_NEW(&request->arena, struct queue_view);
    struct slice type = { 0 };
    struct err err = { 0 };

    view->has_keys = has_keys;
    request->view = view;
    if (!request_params(request, (const char *const[]){ "type", NULL }))
        return;
    (void)params_find(request->params, "type", &type); /* optional */
    if (queue_named(request, type, view, &err))
        request_read(request, queue_read, done);
    else
        reply_err(request, &err);
}

void queue_show(struct request *request)
{
    read_one(request, false, queue_reply);
}

void queue_statistics(struct request *request)
{
    read_one(request, true, statistics_done);
}

/* ---- pause and resume -------------------------------------------------------------------- */

static void pause_done(struct request *request)
{
    struct queue_view *view = request->view;
    const struct pause_order *order = &request->command.queue_pause;

    pause_order_tell(request, order, "queue", order->name);
    view->name = (struct slice){ 0 };
    view->id = order->queue_id;
    request_read(request, queue_read, queue_reply);
}

/* The engine knows queues by name. */
static void pause_submit(struct request *request)
{
    struct queue_view *view = request->view;
    struct pause_order *order = &request->command.queue_pause;

    *order = view->order;
    order->name = view->row == NULL ? view->name : view->row->queue.name;
    request->command.kind = COMMAND_QUEUE_PAUSE;
    request_submit(request, pause_done);
}

bool queue_type_read(const struct value *body, struct slice *type, struct err *err)
{
    const struct value *kind = value_find(body, "type");

    if (kind == NULL || kind->kind == VALUE_NULL)
        return true;
    if (kind->kind != VALUE_STRING || kind->bytes.size == 0)
        return err_set(err, ERR_BAD_REQUEST, TYPE_SAYS);
    *type = kind->bytes;
    return true;
}

void queue_pause(struct request *request)
{
    struct queue_view *view = ARENA_NEW(&request->arena, struct queue_view);
    struct slice type = { 0 };
    struct err err = { 0 };
    struct value body;

    request->view = view;
    if (!request_members(request, pause_members, &body))
        return;
    if (!pause_order_read(request, &body, &view->order, &err) ||
        !queue_type_read(&body, &type, &err) || !queue_named(request, type, view, &err))
        reply_err(request, &err);
    else if (view->name.size > 0)
        pause_submit(request);
    else
        request_read(request, queue_read, pause_submit);
}
