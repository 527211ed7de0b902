#include "engine/minutes.h"

#include "base/memory.h"
#include "engine/batch.h"

#include <math.h>
#include <stdlib.h>

enum { STALE_MINUTES = 10 /* a queue whose keys have been still for so long is forgotten */ };

/* ---- how long something waits ------------------------------------------------------------ */

uint32_t wait_bucket(int64_t wait_ms)
{
    uint32_t bits = wait_ms <= 0 ? 0 : 64 - (uint32_t)__builtin_clzll((uint64_t)wait_ms);

    return bits < WAIT_BUCKETS ? bits : WAIT_BUCKETS - 1;
}

int64_t wait_quantile(const int64_t waits[WAIT_BUCKETS], double part)
{
    int64_t count = 0, before = 0;
    uint32_t at = 0;

    for (int i = 0; i < WAIT_BUCKETS; i++)
        count += waits[i];
    if (count <= 0)
        return 0;
    int64_t rank = (int64_t)ceil(part * (double)count);
    rank = rank < 1 ? 1 : rank;
    while (at + 1 < WAIT_BUCKETS && before + waits[at] < rank)
        before += waits[at++];
    double least = at == 0 ? 0 : (double)(INT64_C(1) << (at - 1));
    double width = at == WAIT_BUCKETS - 1 || at <= 1 ? 0 : least; /* the last has no end */
    return (int64_t)(least + width * ((double)(rank - before) - 0.5) / (double)waits[at]);
}

/* ---- which keys are busy ----------------------------------------------------------------- */

static uint64_t hash_of(const struct run *run)
{
    return table_hash(run->concurrency_key, 0);
}

static struct busy_queue *busy_of(const struct engine *engine, int64_t queue)
{
    for (uint32_t i = 0; i < engine->busy.count; i++)
        if (engine->busy.queues[i]->queue == queue)
            return engine->busy.queues[i];
    return NULL;
}

static struct busy_key *busy_find(struct busy_queue *queue, uint64_t hash)
{
    for (uint32_t i = 0; i < queue->count; i++)
        if (queue->keys[i].hash == hash)
            return &queue->keys[i];
    return NULL;
}

/* As was known when the batch began. */
static bool is_busy(const struct batch *batch, const struct run *run)
{
    struct busy_queue *queue = busy_of(batch->engine, run->queue);

    if (run->concurrency_key.size == 0)
        return false;
    if (queue == NULL)
        return batch->engine->busy.count < BUSY_QUEUES;
    return queue->count < BUSY_KEYS || busy_find(queue, hash_of(run)) != NULL;
}

static void busy_count(struct busy_queue *queue, uint64_t hash)
{
    struct busy_key *key = busy_find(queue, hash), *least = &queue->keys[0];

    if (key != NULL) {
        key->starts++;
        return;
    }
    if (queue->count < BUSY_KEYS) {
        queue->keys[queue->count++] = (struct busy_key){ hash, 1 };
        return;
    }
    for (uint32_t i = 1; i < BUSY_KEYS; i++)
        if (queue->keys[i].starts < least->starts)
            least = &queue->keys[i];
    if (least->starts > 0) {
        least->starts--;
    } else if (queue->newcomers < BUSY_KEYS) {
        queue->newcomers++;
        *least = (struct busy_key){ hash, 1 };
    }
}

/* NULL: there is no room. */
static struct busy_queue *busy_add(struct busy *busy, int64_t queue, int64_t minute)
{
    struct busy_queue *made = NULL;

    for (uint32_t i = 0; i < busy->count; i++)
        if (busy->queues[i]->minute < minute - STALE_MINUTES)
            made = busy->queues[i];
    if (made == NULL && busy->count == BUSY_QUEUES)
        return NULL;
    if (made == NULL)
        made = busy->queues[busy->count++] = memory_zeroed(1, sizeof *made);
    *made = (struct busy_queue){ .queue = queue, .minute = minute };
    return made;
}

void minutes_keep(struct batch *batch)
{
    int64_t minute = batch->now_ms / MINUTE_MS;

    EACH_RUN(&batch->rows, run)
    {
        if (run->concurrency_key.size == 0 || !node_is_executing(batch, run) ||
            node_was_executing(batch, run))
            continue;
        struct busy_queue *queue = busy_of(batch->engine, run->queue);
        if (queue == NULL)
            queue = busy_add(&batch->engine->busy, run->queue, minute);
        if (queue == NULL)
            continue;
        if (queue->minute != minute)
            for (uint32_t i = 0; i < queue->count; i++)
                queue->keys[i].starts /= 2;
        queue->newcomers = queue->minute == minute ? queue->newcomers : 0;
        queue->minute = minute;
        busy_count(queue, hash_of(run));
    }
}

void busy_finish(struct busy *busy)
{
    for (uint32_t i = 0; i < busy->count; i++)
        free(busy->queues[i]);
}

/* ---- counting ---------------------------------------------------------------------------- */

/* Of the queue, and of the run's key where that is one of the busy ones; else NULL. */
static void minutes_of(struct batch *batch, const struct run *run,
                       struct queue_minute *minutes[2])
{
    int64_t minute = batch->now_ms / MINUTE_MS;

    minutes[0] = rows_minute(&batch->rows, minute, run->queue, (struct slice){ 0 });
    minutes[1] = is_busy(batch, run)
                     ? rows_minute(&batch->rows, minute, run->queue, run->concurrency_key)
                     : NULL;
}

void minutes_start(struct batch *batch, const struct run *run)
{
    uint32_t bucket = wait_bucket(batch->now_ms - run->updated_ms); /* since it was queued */
    struct queue_minute *minutes[2];

    minutes_of(batch, run, minutes);
    for (int i = 0; i < 2 && minutes[i] != NULL; i++) {
        minutes[i]->started++;
        minutes[i]->waits[bucket]++;
    }
}

void minutes_end(struct batch *batch, const struct run *run)
{
    struct queue_minute *minutes[2];

    minutes_of(batch, run, minutes);
    for (int i = 0; i < 2 && minutes[i] != NULL; i++) {
        minutes[i]->completed += run->outcome == OUTCOME_COMPLETED;
        minutes[i]->canceled += run->outcome == OUTCOME_CANCELED;
        minutes[i]->failed +=
            run->outcome != OUTCOME_COMPLETED && run->outcome != OUTCOME_CANCELED;
    }
}
