/*
 * Lines: the lanes that a batch looks at. As many as it can start runs of, not as many as there
 * are: those whose turn it is in the rings, then those to which something happened in this
 * batch.
 */
#include "engine/batch.h"

enum {
    SPARE = 2,        /* more than there is room for: some turn out to be empty */
    SUSPECTS = 16,    /* lanes of suspects in a batch */
    SLICE_LEAST = 8,  /* lanes asked for at once, */
    SLICE_EARLY = 128 /* where most of them are out of their rates */
};

/* What is known of a lane in this batch. */
struct tally {
    uint32_t running;
    uint32_t left; /* runs that the database shows as QUEUED and that are not any more */
    struct line *line;
};

static struct tally *tally_get(struct batch *batch, int64_t lane)
{
    struct table *lanes = &batch->admission.lanes;
    struct tally *tally = table_find(lanes, (uint64_t)lane);

    if (tally == NULL) {
        tally = ARENA_NEW(batch->arena, struct tally);
        table_set(lanes, (uint64_t)lane, tally);
    }
    return tally;
}

struct line *line_of(const struct batch *batch, int64_t lane)
{
    const struct tally *tally = table_find(&batch->admission.lanes, (uint64_t)lane);

    return tally == NULL ? NULL : tally->line;
}

/* Runs of each queue and lane. */
static void running_add(struct batch *batch, int64_t queue, int64_t lane, uint32_t count)
{
    uint32_t *running = table_find(&batch->admission.running, (uint64_t)queue);

    if (running == NULL) {
        running = ARENA_NEW(batch->arena, uint32_t);
        table_set(&batch->admission.running, (uint64_t)queue, running);
    }
    *running += count;
    tally_get(batch, lane)->running += count;
}

/* Of its lane, and of its queue. */
static void left_add(struct batch *batch, const struct run *run)
{
    tally_get(batch, run->lane)->left++;
    tally_get(batch, -run->queue)->left++;
}

static void tallies_fill(struct batch *batch)
{
    const struct rows *rows = &batch->rows;

    table_init(&batch->admission.lanes, batch->arena);
    table_init(&batch->admission.running, batch->arena);
    for (uint32_t i = 0; i < rows->running_count; i++)
        running_add(batch, rows->running[i].queue, rows->running[i].lane,
                    rows->running[i].count);
    EACH_RUN(rows, run)
    {
        if (node_is_executing(batch, run) != node_was_executing(batch, run))
            running_add(batch, run->queue, run->lane,
                        node_is_executing(batch, run) ? 1 : UINT32_MAX);
        if (run_loaded(run) != NULL && node_has_ready(batch, run_loaded(run)) &&
            !node_has_ready(batch, run))
            left_add(batch, run);
    }
}

uint32_t lane_running(const struct batch *batch, int64_t lane)
{
    const struct tally *tally = table_find(&batch->admission.lanes, (uint64_t)lane);

    return tally == NULL ? 0 : tally->running;
}

uint32_t lane_left(const struct batch *batch, int64_t lane)
{
    const struct tally *tally = table_find(&batch->admission.lanes, (uint64_t)lane);

    return tally == NULL ? 0 : tally->left;
}

uint32_t queue_running(const struct batch *batch, int64_t queue)
{
    const uint32_t *running = table_find(&batch->admission.running, (uint64_t)queue);

    return running == NULL ? 0 : *running;
}

/* ---- places ------------------------------------------------------------------------------ */

static struct place *place_get(struct batch *batch, int64_t id, uint32_t environment)
{
    struct admission *admission = &batch->admission;
    struct place *place = table_find(&admission->places, (uint64_t)id);

    if (place != NULL)
        return place;
    place = ARENA_NEW(batch->arena, struct place);
    *place =
        (struct place){ .id = id, .hint = rings_queue(&batch->engine->rings, id), .stride = 1 };
    if (place->hint != NULL) {
        place->fresh_at = place->hint->fresh.next;
        place->served_at = place->hint->served.next;
        environment = environment == 0 ? place->hint->environment : environment;
    }
    place->share = environment == 0 ? NULL : share_get(batch, environment);
    place->end = &place->first;
    const uint32_t *running = table_find(&admission->running, (uint64_t)id);
    place->running = running == NULL ? 0 : *running;
    *admission->place_end = place;
    admission->place_end = &place->next;
    table_set(&admission->places, (uint64_t)id, place);
    return place;
}

static uint32_t budget_of(struct batch *batch, const struct share *share)
{
    if (share == NULL)
        return batch->admission.line_most; /* its environment is not known yet */
    uint32_t room = share_room(batch, share, true);
    uint32_t most = batch->admission.line_most;
    return room == 0 ? 0 : room + SPARE < most ? room + SPARE : most;
}

static void place_choose(struct batch *batch, struct place *place)
{
    const struct queue_hint *hint = place->hint;
    uint32_t limit = budget_of(batch, place->share);

    place->is_chosen = true;
    if (place->is_new ||
        (hint != NULL && list_is_empty(&hint->fresh) && hint->after != INT64_MAX))
        (void)rows_lanes(&batch->rows, place->id, place->is_new ? -1 : hint->after,
                         hint != NULL && hint->early_count >= SLICE_EARLY ? SLICE_EARLY
                         : limit < SLICE_LEAST                            ? SLICE_LEAST
                                                                          : limit,
                         &place->slice); /* a want is enough */
}

/* The queues at the head of the environment's ring, at most so many. */
static void environment_choose(struct batch *batch, const struct environment_hint *environment,
                               uint32_t most)
{
    struct share *share =
        environment->environment == 0 ? NULL : share_get(batch, environment->environment);
    uint32_t budget = budget_of(batch, share), count = 0;

    if (share != NULL)
        share->has_looked |= budget > 0 && !list_is_empty(&environment->queues);
    LIST_EACH(&environment->queues, link, after)
    {
        if (count >= budget || count >= most)
            return;
        const struct queue_hint *hint = container_of(link, struct queue_hint, link);
        struct place *place = place_get(batch, hint->node.id, hint->environment);
        uint32_t known = hint->open_count == 0 ? 1 : hint->open_count;
        place->stride = rings_turn(environment, hint);
        place_choose(batch, place);
        count += place->stride < known ? place->stride : known;
    }
}

/* It lacks tokens of a pool, of which some may have come back. */
static void waiting_choose(struct batch *batch, const struct queue_hint *waiting)
{
    place_choose(batch, place_get(batch, waiting->node.id, waiting->environment));
}

/* A queue at its total, of which a run has stopped; or one that was resumed. */
static void events_choose(struct batch *batch)
{
    for (uint32_t i = 0; i < batch->admission.resumed.count; i++) {
        struct place *place = place_get(batch, batch->admission.resumed.items[i], 0);
        place->is_new = true;
        place_choose(batch, place);
    }
    EACH_RUN(&batch->rows, run)
    {
        if (!node_was_executing(batch, run) || node_is_executing(batch, run))
            continue;
        const struct queue_hint *hint = rings_queue(&batch->engine->rings, run->queue);
        if (hint != NULL && hint->is_full)
            place_choose(batch, place_get(batch, run->queue, run->environment));
        pools_choose(batch, run->queue, waiting_choose);
    }
    if (batch->is_poll)
        pools_choose_all(batch, waiting_choose);
}

static void places_choose(struct batch *batch)
{
    const struct rings *rings = &batch->engine->rings;

    table_init(&batch->admission.places, batch->arena);
    batch->admission.place_end = &batch->admission.first_place;
    for (const struct environment_hint *at = rings->environments; at != NULL; at = at->next)
        if (!at->is_full || batch->is_poll || batch->admission.has_stopped ||
            batch->admission.is_resumed)
            environment_choose(batch, at, batch->admission.line_most);
    events_choose(batch);
}

/* ---- lanes ------------------------------------------------------------------------------- */

static void line_add(struct batch *batch, struct place *place, int64_t lane, bool in_backlog)
{
    struct tally *tally = tally_get(batch, lane);

    if (tally->line != NULL || batch->admission.line_count == batch->admission.line_most) {
        if (tally->line != NULL)
            tally->line->in_backlog |= in_backlog;
        return;
    }
    struct line *line = ARENA_NEW(batch->arena, struct line);
    *line = (struct line){ .lane = lane,
                           .place = place,
                           .running = tally->running,
                           .has_key = lane != place->id,
                           .in_backlog = in_backlog };
    tally->line = line;
    *place->end = line;
    place->end = &line->next;
    batch->admission.line_count++;
    if (place->share != NULL)
        place->share->lines++;
}

/* The next open lane of its ring, 0 when there is none. */
static int64_t place_next(struct batch *batch, struct place *place)
{
    const struct rings *rings = &batch->engine->rings;
    struct queue_hint *hint = place->hint;
    struct list **at = NULL;

    if (hint != NULL && hint->fair != NULL) {
        int64_t lane = tenants_lane(batch, place);
        if (lane != 0)
            return lane;
    } else if (hint != NULL && place->fresh_at != &hint->fresh) {
        at = &place->fresh_at;
    }
    while (at == NULL && place->slice != NULL && place->slice_at < place->slice->ids.count) {
        int64_t lane = place->slice->ids.items[place->slice_at++];
        if (place->early_ms != NULL && place->early_ms[place->slice_at - 1] != 0)
            continue;
        if (place->is_new || rings_lane(rings, lane) == NULL)
            return lane;
    }
    if (at == NULL && hint != NULL && place->served_at != &hint->served &&
        (place->slice == NULL ? hint->after == INT64_MAX
                              : place->slice->ids.count < place->slice->limit))
        at = &place->served_at;
    if (at == NULL)
        return 0;
    int64_t lane = container_of(*at, struct lane_hint, link)->node.id;
    *at = (*at)->next;
    return lane;
}

static bool turn_take(struct batch *batch, struct place *place, uint32_t most)
{
    uint32_t taken = 0;

    while (taken < place->stride && batch->admission.line_count < batch->admission.line_most) {
        uint32_t lines = place->share == NULL ? 0 : place->share->lines;
        int64_t lane = lines < most && lines < budget_of(batch, place->share)
                           ? place_next(batch, place)
                           : 0;
        if (lane == 0)
            break;
        line_add(batch, place, lane, true);
        taken++;
    }
    return taken > 0;
}

/* Lanes of each queue for a turn, then others of each, as many as there is room for; of each
 * environment at most `most`. */
static void rings_take(struct batch *batch, uint32_t most)
{
    bool more = true;

    while (more) {
        more = false;
        for (struct place *place = batch->admission.first_place; place != NULL;
             place = place->next)
            if (place->is_chosen)
                more |= turn_take(batch, place, most);
    }
}

/* What is not known of the queue may be this lane. */
static bool may_hold_more(const struct batch *batch, const struct place *place, int64_t lane)
{
    const struct queue_hint *hint = place->hint;

    return place->is_new || rings_lane(&batch->engine->rings, lane) != NULL ||
           (hint != NULL &&
            (hint->is_partial || lane > hint->after || queue_has_forgotten(hint)));
}

/* Lanes that were held by a limit of which other nodes had the rest: it may be theirs now. */
static void hungry_take(struct batch *batch)
{
    const struct node_self *self = &batch->engine->node;
    const struct rings *rings = &batch->engine->rings;

    for (uint32_t i = 0; batch->is_poll && i < self->grant_count; i++) {
        const struct grant_hint *grant = &self->grants[i];
        const struct queue_hint *queue =
            grant->is_hungry && grant->scope < 0 ? rings_queue(rings, -grant->scope) : NULL;
        const struct lane_hint *lane = grant->is_hungry && grant->scope > 0
                                           ? rings_lane(rings, grant->scope)
                                           : NULL; /* no environment's */
        if (lane != NULL)
            line_add(batch, place_get(batch, lane->queue->node.id, lane->queue->environment),
                     lane->node.id, true);
        if (queue != NULL)
            LIST_EACH(&queue->fresh, link, after)
        line_add(batch, place_get(batch, queue->node.id, queue->environment),
                 container_of(link, struct lane_hint, link)->node.id, true);
        if (queue != NULL)
            LIST_EACH(&queue->served, link, after)
        line_add(batch, place_get(batch, queue->node.id, queue->environment),
                 container_of(link, struct lane_hint, link)->node.id, true);
    }
}

/* Those to which something happened: a run has stopped, or is queued. */
static void events_take(struct batch *batch)
{
    const struct rings *rings = &batch->engine->rings;
    bool is_stirred = batch->count > 0 || batch->due.count > 0 || batch->unparked.count > 0;
    uint32_t suspects = 0;

    EACH_RUN(&batch->rows, run)
    {
        const struct lane_hint *hint = rings_lane(rings, run->lane);
        bool is_reopened = hint != NULL && hint->state == LANE_FULL &&
                           node_was_executing(batch, run) && !node_is_executing(batch, run);
        if (!node_may_start(batch, run) && !is_reopened)
            continue;
        struct place *place = place_get(batch, run->queue, run->environment);
        line_add(batch, place, run->lane, may_hold_more(batch, place, run->lane));
    }
    hungry_take(batch);
    if (!is_stirred)
        return;
    LIST_EACH(&rings->suspects, link, after)
    {
        const struct lane_hint *hint = container_of(link, struct lane_hint, suspect_link);
        if (suspects++ == SUSPECTS)
            return;
        line_add(batch, place_get(batch, hint->queue->node.id, hint->queue->environment),
                 hint->node.id, true);
    }
}

bool admission_has_work(struct batch *batch)
{
    const struct rings *rings = &batch->engine->rings;
    bool has_queued = batch->admission.resumed.count > 0 || batch->admission.is_resumed ||
                      batch->is_poll || batch->engine->node.has_fetched;

    EACH_RUN(&batch->rows, run)
    {
        has_queued |= node_has_ready(batch, run);
        batch->admission.has_stopped |=
            node_was_executing(batch, run) && !node_is_executing(batch, run);
        if (run->id == batch->admission.suspect && !run_is_executing(run))
            batch->admission.suspect = 0; /* the suspect that was out is through */
    }
    return has_queued || rings_are_open(rings) ||
           (rings->queues.count > 0 &&
            (batch->admission.has_stopped || !list_is_empty(&rings->suspects)));
}

bool lines_choose(struct batch *batch)
{
    struct admission *admission = &batch->admission;

    if (!admission->is_begun) {
        admission->line_most = batch->catalog->lanes > 0 ? batch->catalog->lanes : LINES_MAX;
        shares_begin(batch);
        tallies_fill(batch);
        admission->is_begun = true;
    }
    if (batch->is_poll && !admission->is_reviewed) {
        if (!grants_review(batch))
            return false;
        admission->is_reviewed = true;
    }
    if (!admission->is_chosen) {
        if (!shares_look(batch))
            return false;
        places_choose(batch);
        admission->is_chosen = true;
        if (rows_wanted(&batch->rows))
            return false; /* slices of lanes */
    }
    if (!slices_pass(batch))
        return false;
    if (!admission->has_lines) {
        rings_take(batch, admission->line_most / admission->share_count + 1);
        rings_take(batch, admission->line_most);
        events_take(batch);
        admission->has_lines = true;
    }
    return true;
}
