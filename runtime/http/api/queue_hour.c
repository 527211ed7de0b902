#include "http/api/queue_hour.h"

#include "base/clock.h"
#include "engine/admission/rates.h"

enum { HOUR_MINUTES = 60 };

bool queue_hour_read(struct request *request, struct pool_reader *reader, int64_t queue,
                     bool has_keys, struct queue_hour *hour, struct err *err)
{
    int64_t now = clock_now_ms() / MINUTE_MS;

    return reader->reader->ops->hour(reader->reader, &request->arena, queue,
                                     now - HOUR_MINUTES + 1, now, has_keys, hour, err);
}

void queue_hour_write(struct out *out, const struct queue_minute *hour, int64_t created_ms)
{
    static const struct queue_minute none;
    int64_t now_ms = clock_now_ms();
    int64_t since_ms = (now_ms / MINUTE_MS - HOUR_MINUTES + 1) * MINUTE_MS;

    if (hour == NULL)
        hour = &none;
    since_ms = created_ms > since_ms ? created_ms : since_ms;
    double minutes = (double)(now_ms - since_ms) / MINUTE_MS;
    minutes = minutes < 1 ? 1 : minutes;
    int64_t ended = hour->completed + hour->failed + hour->canceled;
    out_map(out, "lastHour");
    out_int(out, "started", hour->started);
    out_int(out, "completed", hour->completed);
    out_int(out, "failed", hour->failed);
    out_int(out, "canceled", hour->canceled);
    out_double(out, "startedPerMinute", (double)hour->started / minutes);
    out_double(out, "endedPerMinute", (double)ended / minutes);
    out_int(out, "waitP50Ms", wait_quantile(hour->waits, 0.5));
    out_int(out, "waitP95Ms", wait_quantile(hour->waits, 0.95));
    out_end_map(out);
}

/* By the rate of the scope, or pushed back: `word`. */
static bool scope_held_read(struct request *request, struct pool_reader *reader,
                            const struct queue *queue, int64_t scope, const char *word,
                            const char **held, struct err *err)
{
    const struct catalog *catalog = request->read.catalog;
    const struct queue_rules *rules = catalog_rules(catalog, queue->name);
    bool of_lane = scope > 0;
    int64_t now_ms = clock_steady_ms();
    struct queue_rate room;
    const struct queue_rate *rate =
        scope == queue->id ? NULL : catalog_rate_now(catalog, queue, of_lane, &room);
    struct row *row = NULL;

    if (rate == NULL && (!of_lane || queue->pushed_ms <= now_ms))
        return true;
    if (!reader->reader->ops->row(reader->reader, &request->arena, ROW_RATE, scope, &row, err))
        return false;
    const struct rate *known = (const struct rate *)row;
    const struct queue_amount *usual = of_lane ? &rules->key_rate_cost : &rules->rate_cost;
    if (of_lane && rate_is_pushed(known, now_ms))
        *held = "pushedBack";
    else if (rate != NULL &&
             rate_opens_ms(rate, known, rate_cost(rate, usual, NULL, of_lane), now_ms) != 0)
        *held = word;
    return true;
}

bool queue_held_read(struct request *request, struct pool_reader *reader,
                     const struct queue *queue, const char **held, struct err *err)
{
    *held = NULL;
    return request->read.catalog == NULL ||
           (scope_held_read(request, reader, queue, queue->id, "", held, err) &&
            scope_held_read(request, reader, queue, -queue->id, "rate", held, err));
}

bool queue_keys_held_read(struct request *request, struct pool_reader *reader,
                          const struct queue *queue, const struct queue_hour *hour,
                          const char *held[KEYS_MOST], struct err *err)
{
    for (uint32_t i = 0; i < hour->count; i++) {
        held[i] = NULL;
        if (request->read.catalog != NULL && hour->keys[i].lane != 0 &&
            !scope_held_read(request, reader, queue, hour->keys[i].lane, "keyRate", &held[i],
                             err))
            return false;
    }
    return true;
}

static void lower(uint32_t limit, const char *word, uint32_t *least, const char **by)
{
    if (limit >= *least)
        return;
    *least = limit;
    *by = word;
}

void queue_limited_write(const struct request *request, struct out *out,
                         const struct queue *queue, bool has_key, const char *held)
{
    const struct catalog *catalog = request->http->catalog;
    const struct queue_view *view = request->view;
    int64_t now_ms = clock_steady_ms();

    if (catalog == NULL)
        return;
    uint32_t set = catalog_limit_now(catalog, queue, has_key);
    uint32_t total = catalog_total_limit(catalog, queue->name);
    const struct queue_rules *rules = catalog_rules(catalog, queue->name);
    struct config_burst environment =
        catalog_environment_limit(catalog, request->world->environment->number);
    uint32_t least = set;
    const char *by = has_key && rules->per_key > 0 ? "perKey"
                     : queue->override_ms != 0     ? "override"
                                                   : "concurrency";
    lower(total, "total", &least, &by);
    lower(environment.base, "environment", &least, &by);
    lower(catalog->slots, "slots", &least, &by);
    lower(pause_limit(&queue->pause, set, now_ms), "ramp", &least, &by);
    lower(pause_limit(&queue->pause, total == UINT32_MAX ? catalog->slots : total, now_ms),
          "ramp", &least, &by);
    struct catalog_uses uses = catalog_uses(catalog, queue->name);
    for (uint32_t i = 0; i < uses.count; i++)
        lower(catalog->pools[uses.items[i].pool].tokens / uses.items[i].tokens, "pool", &least,
              &by);
    if (held != NULL)
        by = held; /* whatever the number is, nothing starts just now */
    if (view->environment != NULL && view->environment->paused)
        lower(0, "environmentPaused", &least, &by);
    if (queue->paused)
        lower(0, "paused", &least, &by);
    out_int(out, "effectiveLimit", least);
    out_word(out, "limitedBy", by);
}

void queue_oldest_write(struct out *out, const struct queue_stats *stats)
{
    int64_t age_ms = clock_now_ms() - stats->oldest_queued_ms;

    out_time(out, "oldestQueuedAt", stats->oldest_queued_ms);
    if (stats->oldest_queued_ms != 0)
        out_int(out, "oldestQueuedAgeMs", age_ms < 0 ? 0 : age_ms);
}

void queue_keys_write(const struct request *request, struct out *out, const struct queue *queue,
                      const struct queue_hour *hour)
{
    const struct queue_view *view = request->view;

    out_list(out, "keys");
    for (uint32_t i = 0; i < hour->count; i++) {
        const struct key_stats *key = &hour->keys[i];
        out_map(out, NULL);
        out_text(out, "key", key->key);
        out_int(out, "running", key->now.running);
        out_int(out, "queued", key->now.queued);
        out_int(out, "delayed", key->now.delayed);
        out_int(out, "waiting", key->now.waiting);
        out_int(out, "parked", key->now.parked);
        queue_oldest_write(out, &key->now);
        queue_limited_write(request, out, queue, true,
                            view->keys_held[i] != NULL ? view->keys_held[i] : view->held[0]);
        queue_hour_write(out, key->hour, queue->created_ms);
        out_end_map(out);
    }
    out_end_list(out);
}
