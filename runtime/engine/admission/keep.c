/* What a batch has found out about lanes and queues, known to the next. After the commit. */
#include "engine/batch.h"

/* Has it, or may it have, something that waits? */
static bool line_is_left(struct batch *batch, const struct line *line)
{
    struct ready *ready;

    if (line->at < line->count || line->suspects > 0)
        return true;
    if (!line->in_backlog)
        return false;
    return !line->asked ||
           !rows_ready(&batch->rows, line->place->id, line->lane, line->asked_limit, &ready) ||
           ready->count >= line->asked_limit;
}

static void line_keep(struct batch *batch, struct queue_hint *queue, const struct line *line)
{
    struct rings *rings = &batch->engine->rings;
    struct lane_hint *lane = rings_lane(rings, line->lane);
    bool has_suspects = line->at == line->count && line->suspects > 0;

    bool is_left = line_is_left(batch, line);
    if (is_left && lane == NULL && !rings_queue_has_room(queue, LINES_MAX)) {
        queue->is_partial |= line->lane <= queue->after;
        return;
    }
    if (lane == NULL && (is_left || line->owes > 0))
        lane = rings_lane_add(rings, queue, line->lane);
    if (lane != NULL)
        tenants_keep_lane(line, lane);
    if (!is_left) {
        if (lane != NULL)
            rings_lane_drop(rings, lane);
        return;
    }
    /* More of them than were known may have hidden others: more are loaded then. So may those
     * that are known, where what was loaded behind them has started. */
    bool is_hidden =
        line->horizon != NULL && (line->suspects > lane->suspects || line->has_started);
    lane->suspects = line->suspects;
    if (line->gate == GATE_LANE)
        rings_lane_shut(rings, lane, LANE_FULL);
    else if (line->meter.opens_ms != 0)
        rings_lane_wait(rings, lane, line->meter.opens_ms, line->meter.is_saving);
    else if (has_suspects && !is_hidden)
        rings_lane_shut(rings, lane, LANE_SUSPECT);
    else if (line->has_started)
        rings_lane_serve(rings, lane);
    else
        rings_lane_open(rings, lane);
}

static void place_keep(struct batch *batch, const struct place *place)
{
    struct rings *rings = &batch->engine->rings;
    struct queue_hint *queue = rings_queue(rings, place->id);
    bool is_full = false;

    bool is_paused = place->queue != NULL && place->queue->paused;
    bool is_alone = node_is_alone(&batch->engine->node);
    if (place->is_loaded && (place->queue == NULL || (is_paused && is_alone))) {
        if (queue != NULL) /* it is found again when it is resumed, or at a start */
            rings_queue_drop(rings, queue);
        return;
    }
    queue =
        rings_queue_add(rings, place->id, place->queue == NULL ? 0 : place->queue->environment);
    if (place->is_loaded)
        tenants_keep(place, queue);
    if (place->is_new)
        rings_queue_forget(rings, queue);
    if (place->slice != NULL)
        slice_keep(batch, queue, place);
    for (const struct line *line = place->first; line != NULL; line = line->next) {
        is_full |= line->gate == GATE_TOTAL;
        line_keep(batch, queue, line);
    }
    queue->is_full = is_full || is_paused ||
                     place->is_barred; /* as all are, it is looked at after a resume */
    queue->is_held = is_paused || (place->queue != NULL &&
                                   pause_is_ramping(&place->queue->pause) && !is_alone);
    if (place->is_loaded)
        rings_queue_wait(rings, queue, place->meter.opens_ms, place->meter.is_saving);
    pools_keep_place(batch, place, queue);
    rings_settle(rings, queue, place->spent);
}

static void stops_keep(struct batch *batch)
{
    struct rings *rings = &batch->engine->rings;

    EACH_RUN(&batch->rows, run)
    {
        if (!node_was_executing(batch, run) || node_is_executing(batch, run))
            continue;
        batch->admission.has_stopped = true;
        struct queue_hint *queue = rings_queue(rings, run->queue);
        struct lane_hint *lane = rings_lane(rings, run->lane);
        if (lane != NULL && lane->state == LANE_FULL)
            rings_lane_open(rings, lane);
        if (queue == NULL)
            continue;
        if (queue->fair != NULL)
            fair_correct(queue->fair, run->lane, lane, tenant_id(run->tenant),
                         run->busy_us - run_loaded(run)->busy_us);
        queue->is_full = false;
        rings_settle(rings, queue, 0);
    }
    if (batch->admission.is_resumed || batch->is_relimit)
        rings_open_all(rings);
    else if (batch->admission.has_stopped)
        rings_open_environments(rings);
}

/* What was queued in this batch and not looked at. */
static void queued_keep(struct batch *batch)
{
    struct rings *rings = &batch->engine->rings;

    EACH_RUN(&batch->rows, run)
    {
        if (!node_has_ready(batch, run) || line_of(batch, run->lane) != NULL)
            continue;
        struct queue_hint *queue = rings_queue_add(rings, run->queue, run->environment);
        struct lane_hint *lane = rings_lane(rings, run->lane);
        if (lane != NULL && lane->state == LANE_SUSPECT)
            rings_lane_open(rings, lane); /* it has something else now */
        else if (lane == NULL && rings_queue_has_room(queue, 0))
            lane = rings_lane_add(rings, queue, run->lane); /* known from now on */
        else if (lane == NULL)
            queue->is_partial |= run->lane <= queue->after;
        if (lane != NULL)
            tenants_claim(lane, run);
        rings_settle(rings, queue, 0);
    }
}

/* Runs that have gone without a start: one of them may have been saved up for. */
static void gone_keep(struct batch *batch)
{
    EACH_RUN(&batch->rows, run)
    {
        const struct run *was = run_loaded(run);
        if (was != NULL && node_has_ready(batch, was) && !node_has_ready(batch, run) &&
            !run_is_executing(run))
            rings_spend(&batch->engine->rings, run->queue, run->lane);
    }
}

/* An environment without a slot is not looked at before a run stops; nor is one that has slots
 * for short tasks alone, when those whose turn it was are not. */
static void environments_keep(struct batch *batch)
{
    for (const struct environment_hint *at = batch->engine->rings.environments; at != NULL;
         at = at->next) {
        const struct share *share =
            at->environment == 0 ? NULL : share_get(batch, at->environment);
        if (share == NULL ||
            (share_room(batch, share, true) > 0 &&
             (!share->has_looked || share->has_started || share_room(batch, share, false) > 0)))
            continue;
        if (!at->is_full)
            pools_keep_full(&batch->engine->rings, at->environment);
        rings_close_environment(&batch->engine->rings, at->environment);
    }
}

void admission_keep(struct batch *batch)
{
    struct admission *admission = &batch->admission;

    if (batch->is_poll)
        rings_open_held(&batch->engine->rings);
    stops_keep(batch);
    for (uint32_t i = 0; i < admission->resumed.count; i++) {
        struct queue_hint *queue =
            rings_queue_add(&batch->engine->rings, admission->resumed.items[i], 0);
        rings_queue_forget(&batch->engine->rings, queue);
        rings_settle(&batch->engine->rings, queue, 0);
    }
    pools_keep_events(batch);
    for (const struct place *place = admission->first_place; place != NULL; place = place->next)
        place_keep(batch, place);
    queued_keep(batch);
    gone_keep(batch);
    pools_keep(batch);
    if (admission->is_picked)
        environments_keep(batch);
}
