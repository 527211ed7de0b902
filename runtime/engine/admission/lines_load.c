/* What the lanes of a batch are asked before their runs are loaded, and as many of those as may
 * start. */
#include "engine/batch.h"

/* One that comes back from a pause, and has no limit in all, grows up to all slots. */
uint32_t queue_total_now(const struct batch *batch, const struct queue *queue)
{
    uint32_t total = catalog_queue_most(batch->catalog, queue);

    if (pause_is_ramping(&queue->pause) && total == UINT32_MAX)
        total = batch->catalog->slots * nodes_count(batch);
    return pause_limit(&queue->pause, total, batch->steady_ms);
}

/* It saves up for the run that is its next, unless that has gone. */
static void place_save(struct batch *batch, struct place *place)
{
    struct meter *meter = &place->meter;

    if (meter->rule == NULL || place->hint == NULL || !place->hint->alarm.is_saving ||
        place->hint->alarm.at_ms <= meter->opens_ms ||
        place->hint->alarm.at_ms <= batch->steady_ms || lane_left(batch, -place->id) > 0)
        return;
    meter->opens_ms = place->hint->alarm.at_ms;
    meter->is_saving = true;
}

bool place_load(struct batch *batch, struct place *place)
{
    if (place->is_loaded)
        return true;
    if (!rows_queue(&batch->rows, place->id, &place->queue))
        return false;
    if (place->queue != NULL) {
        const struct environment *environment;
        if (!environment_now(batch, place->queue->environment, &environment))
            return false;
        place->share = share_get(batch, place->queue->environment);
        place->is_barred = environment->paused && place->share->environment == 0;
        place->fair = catalog_fair(batch->catalog, place->queue->name);
        place->total = place->whole = queue_total_now(batch, place->queue);
        place->uses = catalog_uses(batch->catalog, place->queue->name);
        if (place->uses.count > 0 && !pools_load(batch))
            return false;
        if (!meter_load(batch, &place->meter, -place->id, place->queue))
            return false;
        place_save(batch, place);
    }
    place->is_loaded = true;
    return true;
}

/* As many as can start, if all its neighbours have some as well. */
static void line_ask(struct batch *batch, struct line *line, uint32_t capacity)
{
    const struct lane_hint *hint = rings_lane(&batch->engine->rings, line->lane);
    uint32_t room = line->limit - line->running;
    uint32_t lines = line->place->share->lines;

    if (lines > 1)
        capacity = capacity / lines + 2;
    line->asked_limit = meter_most(batch, &line->meter, room < capacity ? room : capacity);
    line->asked_limit = meter_most(batch, &line->place->meter, line->asked_limit);
    line->asked_limit = pools_most(batch, line->place, line->asked_limit);
    line->asked_limit += lane_left(batch, line->lane);
    line->asked_limit += hint == NULL ? 0 : hint->suspects; /* that are passed by */
    line->asked = true;
}

/* With other nodes its limits are what this one has of them, or can take. */
static bool line_look(struct batch *batch, struct line *line, uint32_t capacity)
{
    struct place *place = line->place;
    bool loaded = meter_load(batch, &line->meter, line->lane, place->queue);

    line->whole =
        queue_limit_now(batch->catalog, place->queue, line->has_key, batch->steady_ms);
    line->limit = line->whole;
    if (node_is_alone(&batch->engine->node) || place->queue->paused || place->is_barred ||
        place->share->is_paused)
        return loaded;
    loaded &=
        grant_look(batch, -place->id, place->whole, place->running, capacity, &place->total);
    loaded &= grant_look(batch, line->lane, line->whole, line->running, capacity, &line->limit);
    loaded &= pools_look(batch, place);
    return loaded;
}

/* Ask the gates that are the same for all its runs and, where the database may hold more, load
 * its first runs. */
static bool line_load(struct batch *batch, struct line *line)
{
    struct place *place = line->place;
    struct ready *ready;

    if (!place_load(batch, place))
        return false;
    if (place->queue == NULL) {
        line->gate = GATE_PAUSED; /* there is nothing in it */
        return true;
    }
    uint32_t capacity = share_room(batch, place->share, true);
    if (!line_look(batch, line, capacity))
        return false;
    struct gate_facts facts = { .is_environment_paused =
                                    place->share->is_paused || place->is_barred,
                                .is_paused = place->queue->paused,
                                .queue_running = place->running,
                                .total = place->total,
                                .lane_running = line->running,
                                .lane_limit = line->limit,
                                .is_pushed_back =
                                    rate_is_pushed(line->meter.row, batch->steady_ms),
                                .is_out_of_rate = line_is_early(line),
                                .environment_running = place->share->running,
                                .environment_limit = place->share->limit,
                                .room = capacity };
    line->gate = gate_of(&facts);
    if (line->gate != GATE_NONE || !line->in_backlog)
        return true;
    if (!line->asked)
        line_ask(batch, line, capacity);
    if (!rows_ready(&batch->rows, place->id, line->lane, line->asked_limit, &ready))
        return false;
    if (ready->count > 0 && ready->count >= line->asked_limit)
        line->horizon = ready->runs[ready->count - 1];
    return true;
}

bool lines_load(struct batch *batch)
{
    bool loaded = true;

    for (struct place *place = batch->admission.first_place; place != NULL;
         place = place->next) {
        loaded &= place_load(batch, place);
        for (struct line *line = place->first; line != NULL; line = line->next)
            loaded &= line_load(batch, line);
    }
    return loaded;
}
