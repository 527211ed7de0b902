/* Tenants: of a queue that is fair, which lanes a batch looks at and whose run is next. */
#include "engine/batch.h"

static struct tenant_turn *turn_add(struct batch *batch, struct place *place, int64_t id,
                                    struct tenant_hint *hint)
{
    struct tenant_turn *turn = ARENA_NEW(batch->arena, struct tenant_turn);
    const struct fair *fair = place->hint == NULL ? NULL : place->hint->fair;

    turn->id = id;
    turn->hint = hint;
    turn->from = fair == NULL ? 0 : fair_tag(fair, NULL);
    turn->tag = turn->look = hint == NULL ? turn->from : fair_tag(fair, hint);
    turn->weight = hint == NULL ? 1 : hint->weight;
    turn->floor = hint == NULL ? 0 : hint->floor;
    turn->lane_at = hint == NULL ? NULL : hint->lanes.next;
    turn->next = place->tenants;
    place->tenants = turn;
    return turn;
}

static struct tenant_turn *turn_find(const struct place *place, int64_t id)
{
    struct tenant_turn *turn = place->tenants;

    while (turn != NULL && turn->id != id)
        turn = turn->next;
    return turn;
}

/* ---- which lanes ------------------------------------------------------------------------- */

/* Who may have one of the lanes that there is room for. */
static void turns_begin(struct batch *batch, struct place *place)
{
    uint32_t count = 0;

    place->floor = place->hint->fair->floor;
    LIST_EACH(&place->hint->fair->active, link, after)
    {
        struct tenant_hint *hint = container_of(link, struct tenant_hint, link);
        if (count++ == batch->admission.line_most)
            return;
        (void)turn_add(batch, place, hint->node.id, hint); /* it is in the list */
    }
}

int64_t tenants_lane(struct batch *batch, struct place *place)
{
    struct tenant_turn *best = NULL;

    if (place->tenants == NULL)
        turns_begin(batch, place);
    for (struct tenant_turn *turn = place->tenants; turn != NULL; turn = turn->next)
        if (turn->lane_at != &turn->hint->lanes && (best == NULL || turn->look < best->look))
            best = turn;
    if (best == NULL)
        return 0;
    int64_t lane = container_of(best->lane_at, struct lane_hint, link)->node.id;
    best->lane_at = best->lane_at->next;
    best->look += FAIR_START / best->weight;
    return lane;
}

/* ---- whose run --------------------------------------------------------------------------- */

static struct tenant_turn *turn_of(struct batch *batch, struct place *place,
                                   const struct run *run)
{
    int64_t id = tenant_id(run->tenant);
    struct tenant_turn *turn = turn_find(place, id);
    struct fair *fair = place->hint == NULL ? NULL : place->hint->fair;

    if (turn == NULL)
        turn = turn_add(batch, place, id, fair == NULL ? NULL : fair_tenant(fair, id));
    turn->weight = queue_weight(place->fair, WEIGHT_TENANT, run->tenant);
    return turn;
}

/* Of its first run, which is there. */
static void line_tenant(struct batch *batch, struct line *line)
{
    const struct run *run = line->runs[line->at];
    const struct lane_hint *hint = rings_lane(&batch->engine->rings, line->lane);
    struct tenant_turn *turn = turn_of(batch, line->place, run);

    if (line->tenant == turn)
        return;
    bool is_known = line->tenant == NULL && hint != NULL && hint->tenant != NULL &&
                    hint->tenant == turn->hint;
    line->floor = turn->floor;
    if (is_known)
        line->tag = hint->tag;
    else
        line->tag = turn->hint == NULL ? turn->floor
                                       : fair_lane_tag(line->place->hint->fair, line->lane,
                                                       turn->hint, turn->floor);
    line->owes = 0;
    line->tenant = turn;
}

static bool is_before(const struct line *a, const struct line *b)
{
    const struct run *x = a->runs[a->at], *y = b->runs[b->at];

    if (a->tenant->tag != b->tenant->tag)
        return a->tenant->tag < b->tenant->tag;
    if (a->tenant == b->tenant && a->tag != b->tag)
        return a->tag < b->tag;
    return x->rank_ms != y->rank_ms ? x->rank_ms < y->rank_ms : x->id < y->id;
}

static void charge(struct batch *batch, struct line *line, const struct run *run)
{
    struct place *place = line->place;
    struct tenant_turn *turn = turn_of(batch, place, run); /* of others behind it, maybe */

    place->floor = turn->tag > place->floor ? turn->tag : place->floor;
    int64_t cost = FAIR_START / turn->weight;
    turn->tag += cost;
    turn->owes += cost;
    turn->floor = line->tag > turn->floor ? line->tag : turn->floor;
    line->weight = queue_weight(place->fair, WEIGHT_KEY, run->concurrency_key);
    cost = FAIR_START / line->weight;
    line->tag += cost;
    line->owes += cost;
}

struct run *tenants_pick(struct batch *batch, struct place *place)
{
    for (;;) {
        struct line *best = NULL;
        for (struct line *line = place->first; line != NULL; line = line->next) {
            if (line->gate != GATE_NONE || line->at == line->count)
                continue;
            line_tenant(batch, line);
            if (best == NULL || is_before(line, best))
                best = line;
        }
        struct run *run = best == NULL ? NULL : line_pick(batch, best);
        if (run != NULL)
            charge(batch, best, run);
        if (run != NULL || best == NULL)
            return run;
    }
}

/* ---- after the commit -------------------------------------------------------------------- */

void tenants_keep(const struct place *place, struct queue_hint *queue)
{
    rings_queue_fair(queue, place->fair != NULL);
    if (place->fair == NULL)
        return;
    for (const struct tenant_turn *turn = place->tenants; turn != NULL; turn = turn->next) {
        int64_t owes = turn->id == FAIR_UNKNOWN ? turn->look - turn->tag : turn->owes;
        if (owes > 0)
            fair_charge(queue->fair, turn->id, turn->from, owes, turn->floor, turn->weight);
    }
    fair_floor(queue->fair, place->floor);
}

void tenants_claim(struct lane_hint *lane, const struct run *run)
{
    if (lane->tenant != NULL && lane->tenant->node.id == FAIR_UNKNOWN)
        rings_lane_of(lane, tenant_id(run->tenant), FAIR_NOW, 0);
}

void tenants_keep_lane(const struct line *line, struct lane_hint *lane)
{
    if (line->weight > 0)
        lane->weight = line->weight;
    if (line->tenant != NULL)
        rings_lane_of(lane, line->tenant->id, line->floor, line->owes);
    else if (line->at < line->count) /* nothing could start: nobody has asked whose it is */
        tenants_claim(lane, line->runs[line->at]);
}
