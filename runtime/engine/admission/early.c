/*
 * Lanes that are out of their rate, however many: some are remembered, each with its alarm, of
 * the others the time alone at which the first of them may start something. Then the lanes of
 * the queue are gone through, by rising id, some in each batch, and those that are still early
 * are passed by for the price of their rate's row. Sweeps rest several times as long as they
 * take: what is forgotten may start that much late.
 */
#include "engine/batch.h"

enum {
    EARLY_QUEUE = 4096,  /* remembered of a queue, */
    EARLY_ALL = 65536,   /* while there are no more than so many of all, */
    EARLY_LEAST = 64,    /* else */
    REST_TIMES = 4,      /* as long as the sweep took, */
    REST_MOST_MS = 60000 /* but no longer */
};

static uint32_t early_most(const struct rings *rings)
{
    if (rings->early_most > 0)
        return rings->early_most;
    return rings->early_count <= EARLY_ALL ? EARLY_QUEUE : EARLY_LEAST;
}

/* When its sweep is to begin. While one is under way nobody knows yet. */
static void sweep_set(struct rings *rings, struct queue_hint *queue)
{
    if (queue->is_sweeping)
        return;
    alarm_set(&rings->alarms, &queue->sweep,
              queue->forgotten_ms == 0                     ? 0
              : queue->forgotten_ms < queue->rest_until_ms ? queue->rest_until_ms
                                                           : queue->forgotten_ms);
}

static void forget(struct rings *rings, struct lane_hint *lane)
{
    struct queue_hint *queue = lane->queue;

    if (queue->forgotten_ms == 0 || lane->alarm.at_ms < queue->forgotten_ms)
        queue->forgotten_ms = lane->alarm.at_ms;
    rings_lane_drop(rings, lane);
    sweep_set(rings, queue);
}

/* Of it and another one the later goes. */
void early_bound(struct rings *rings, struct lane_hint *lane)
{
    struct queue_hint *queue = lane->queue;

    if (queue->early_count <= early_most(rings))
        return;
    struct lane_hint *other = container_of(queue->shut.next, struct lane_hint, link);
    if (other->state == LANE_EARLY && other->alarm.at_ms > lane->alarm.at_ms) {
        forget(rings, other);
        return;
    }
    list_remove(&other->link);
    list_push(&queue->shut, &other->link); /* another one is asked the next time */
    forget(rings, lane);
}

void sweep_begin(struct rings *rings, struct queue_hint *queue, int64_t now_ms)
{
    alarm_set(&rings->alarms, &queue->sweep, 0);
    queue->forgotten_ms = 0;
    queue->is_sweeping = queue->is_partial = true;
    queue->is_swept = false;
    queue->sweep_ms = now_ms;
}

static void sweep_end(struct rings *rings, struct queue_hint *queue, int64_t now_ms)
{
    if (!queue->is_sweeping)
        return;
    int64_t rest_ms = rings->early_most > 0 ? 0 : (now_ms - queue->sweep_ms) * REST_TIMES;
    queue->rest_until_ms = now_ms + (rest_ms < REST_MOST_MS ? rest_ms : REST_MOST_MS);
    queue->is_sweeping = false;
    sweep_set(rings, queue);
}

/* ---- in a batch -------------------------------------------------------------------------- */

static bool slice_pass(struct batch *batch, struct place *place)
{
    const struct ids *ids = &place->slice->ids;
    bool loaded = place_load(batch, place);
    struct queue_rate room;

    if (!loaded || place->queue == NULL || place->early_ms != NULL ||
        (catalog_rate_now(batch->catalog, place->queue, true, &room) == NULL &&
         place->queue->pushed_ms <= batch->steady_ms))
        return loaded;
    int64_t *early_ms = ARENA_ARRAY(batch->arena, int64_t, ids->count + 1);
    for (uint32_t i = 0; i < ids->count; i++) {
        struct meter meter;
        loaded &= meter_load(batch, &meter, ids->items[i], place->queue);
        early_ms[i] = meter.opens_ms;
    }
    place->early_ms = loaded ? early_ms : NULL;
    return loaded;
}

bool slices_pass(struct batch *batch)
{
    bool loaded = true;

    for (struct place *place = batch->admission.first_place; place != NULL; place = place->next)
        if (place->slice != NULL && place->hint != NULL &&
            (place->hint->early_count > 0 || queue_has_forgotten(place->hint)))
            loaded &= slice_pass(batch, place);
    return loaded;
}

/* Those of the slice that were not looked at are known from now on, too. */
void slice_keep(struct batch *batch, struct queue_hint *queue, const struct place *place)
{
    struct rings *rings = &batch->engine->rings;
    const struct lanes *slice = place->slice;

    for (uint32_t i = 0; i < slice->ids.count; i++) {
        int64_t lane = slice->ids.items[i];
        bool is_early = place->early_ms != NULL && place->early_ms[i] != 0;
        struct lane_hint *known = rings_lane(rings, lane);
        if (is_early && known == NULL && line_of(batch, lane) == NULL)
            rings_lane_wait(rings, rings_lane_add(rings, queue, lane), place->early_ms[i],
                            false);
        else if (is_early && known != NULL && known->state == LANE_EARLY &&
                 known->alarm.at_ms > place->early_ms[i] && !known->alarm.is_saving)
            rings_lane_wait(rings, known, place->early_ms[i], false); /* by another rate */
        else if (!is_early && i >= place->slice_at && !rings_queue_has_room(queue, 0))
            return; /* it is for the next slice */
        else if (!is_early && i >= place->slice_at)
            (void)rings_lane_add(rings, queue, lane);
        queue->after = lane;
    }
    if (slice->ids.count >= slice->limit)
        return;
    queue->after = INT64_MAX;
    sweep_end(rings, queue, batch->steady_ms);
}
