#include "rings.h"

#include "base/memory.h"

#include <stdlib.h>

enum { LANES_KEPT = 64 /* open ones of a queue */, LANES_FAIR = 4096 /* of a fair one */ };

/* ---- lanes ------------------------------------------------------------------------------- */

struct lane_hint *rings_lane(const struct rings *rings, int64_t id)
{
    return (struct lane_hint *)(void *)id_map_find(&rings->lanes, id); /* its first member */
}

static uint32_t kept_most(const struct queue_hint *queue)
{
    return queue->fair != NULL ? LANES_FAIR : LANES_KEPT;
}

bool rings_queue_has_room(const struct queue_hint *queue, uint32_t spare)
{
    return queue->open_count < kept_most(queue) + spare;
}

/* Where it waits for its turn; its link is free. */
static void open_push(struct queue_hint *queue, struct lane_hint *lane)
{
    if (queue->fair == NULL) {
        list_push(&queue->fresh, &lane->link);
        return;
    }
    if (lane->tenant == NULL)
        fair_lane_join(queue->fair, lane, FAIR_UNKNOWN, FAIR_NOW);
    fair_lane_open(queue->fair, lane);
}

/* Out of wherever it is. */
static void lane_unlink(struct lane_hint *lane)
{
    if (lane->tenant != NULL && lane->state == LANE_OPEN)
        fair_lane_shut(lane->queue->fair, lane);
    else
        list_remove(&lane->link);
}

void rings_lane_of(struct lane_hint *lane, int64_t tenant, int64_t floor, int64_t more)
{
    struct fair *fair = lane->queue->fair;

    fair_lane_join(fair, lane, tenant, floor);
    lane->tag += more;
    if (lane->state == LANE_OPEN)
        fair_lane_open(fair, lane);
    else if (list_is_empty(&lane->link))
        list_push(&lane->queue->shut, &lane->link);
}

static void lanes_each(struct list *lanes, struct queue_hint *queue)
{
    LIST_EACH(lanes, link, after)
    {
        struct lane_hint *lane = container_of(link, struct lane_hint, link);
        list_remove(link);
        open_push(queue, lane);
    }
}

void rings_queue_fair(struct queue_hint *queue, bool is_fair)
{
    struct fair *fair = queue->fair;

    if (is_fair == (fair != NULL))
        return;
    if (is_fair) {
        queue->fair = fair_create();
        lanes_each(&queue->fresh, queue);
        lanes_each(&queue->served, queue);
        LIST_EACH(&queue->shut, link, after)
        {
            struct lane_hint *lane = container_of(link, struct lane_hint, link);
            fair_lane_join(queue->fair, lane, FAIR_UNKNOWN, FAIR_NOW);
        }
        return;
    }
    queue->fair = NULL;
    struct list shut;
    list_init(&shut);
    while (!list_is_empty(&queue->shut)) {
        struct lane_hint *lane = container_of(queue->shut.next, struct lane_hint, link);
        fair_lane_leave(fair, lane);
        list_push(&shut, &lane->link);
    }
    while (!list_is_empty(&shut))
        list_push(&queue->shut, list_shift(&shut));
    while (!list_is_empty(&fair->active)) {
        struct tenant_hint *tenant = container_of(fair->active.next, struct tenant_hint, link);
        struct lane_hint *lane = container_of(tenant->lanes.next, struct lane_hint, link);
        fair_lane_leave(fair, lane);
        list_push(&queue->fresh, &lane->link);
    }
    fair_destroy(fair);
}

static void state_set(struct rings *rings, struct lane_hint *lane, enum lane_state state)
{
    struct queue_hint *queue = lane->queue;
    uint32_t early = (uint32_t)(state == LANE_EARLY) - (uint32_t)(lane->state == LANE_EARLY);

    queue->open_count += (uint32_t)(state == LANE_OPEN) - (uint32_t)(lane->state == LANE_OPEN);
    queue->early_count += early;
    rings->early_count += early;
    lane->state = state;
}

struct lane_hint *rings_lane_add(struct rings *rings, struct queue_hint *queue, int64_t id)
{
    struct lane_hint *lane = rings_lane(rings, id);

    if (lane != NULL)
        return lane;
    lane = memory_zeroed(1, sizeof *lane);
    id_map_add(&rings->lanes, &lane->node, id);
    lane->queue = queue;
    lane->weight = 1;
    list_init(&lane->suspect_link);
    list_init(&lane->link);
    open_push(queue, lane);
    queue->open_count++;
    return lane;
}

void rings_lane_drop(struct rings *rings, struct lane_hint *lane)
{
    alarm_set(&rings->alarms, &lane->alarm, 0);
    if (lane->tenant != NULL)
        fair_lane_rest(lane->queue->fair, lane);
    state_set(rings, lane, LANE_FULL); /* it counts as nothing */
    list_remove(&lane->link);
    list_remove(&lane->suspect_link);
    id_map_remove(&rings->lanes, &lane->node);
    free(lane);
}

void rings_lane_shut(struct rings *rings, struct lane_hint *lane, enum lane_state state)
{
    lane_unlink(lane);
    state_set(rings, lane, state);
    alarm_set(&rings->alarms, &lane->alarm, 0);
    list_push(&lane->queue->shut, &lane->link);
    list_remove(&lane->suspect_link);
    if (state == LANE_SUSPECT)
        list_push(&rings->suspects, &lane->suspect_link);
}

void rings_lane_wait(struct rings *rings, struct lane_hint *lane, int64_t until_ms,
                     bool is_saving)
{
    rings_lane_shut(rings, lane, LANE_EARLY);
    alarm_set(&rings->alarms, &lane->alarm, until_ms);
    lane->alarm.is_saving = is_saving;
    early_bound(rings, lane);
}

void rings_lane_open(struct rings *rings, struct lane_hint *lane)
{
    if (lane->state == LANE_OPEN)
        return;
    alarm_set(&rings->alarms, &lane->alarm, 0);
    state_set(rings, lane, LANE_OPEN);
    list_remove(&lane->suspect_link);
    list_remove(&lane->link);
    open_push(lane->queue, lane);
}

void rings_lane_serve(struct rings *rings, struct lane_hint *lane)
{
    struct queue_hint *queue = lane->queue;

    rings_lane_open(rings, lane);
    if (queue->open_count > kept_most(queue)) {
        queue->is_partial |= lane->node.id <= queue->after;
        rings_lane_drop(rings, lane);
        return;
    }
    if (queue->fair != NULL)
        return; /* its tag says when it is its turn again */
    list_remove(&lane->link);
    list_push(&queue->served, &lane->link);
}

/* ---- queues ------------------------------------------------------------------------------ */

struct queue_hint *rings_queue(const struct rings *rings, int64_t id)
{
    return (struct queue_hint *)(void *)id_map_find(&rings->queues, id); /* its first member */
}

static struct environment_hint *environment_get(struct rings *rings, uint32_t environment)
{
    struct environment_hint **at = &rings->environments;

    while (*at != NULL && (*at)->environment != environment)
        at = &(*at)->next;
    if (*at == NULL) {
        *at = memory_zeroed(1, sizeof **at);
        (*at)->environment = environment;
        list_init(&(*at)->queues);
    }
    return *at;
}

static void ring_join(struct rings *rings, struct queue_hint *queue)
{
    struct environment_hint *environment = environment_get(rings, queue->environment);

    list_push(&environment->queues, &queue->link);
    environment->queue_count++;
}

static void ring_leave(struct rings *rings, struct queue_hint *queue)
{
    if (list_is_empty(&queue->link))
        return;
    list_remove(&queue->link);
    environment_get(rings, queue->environment)->queue_count--;
}

struct queue_hint *rings_queue_add(struct rings *rings, int64_t id, uint32_t environment)
{
    struct queue_hint *queue = rings_queue(rings, id);

    if (queue == NULL) {
        queue = memory_zeroed(1, sizeof *queue);
        id_map_add(&rings->queues, &queue->node, id);
        queue->after = INT64_MAX;
        queue->alarm.kind = ALARM_QUEUE;
        queue->sweep.kind = ALARM_SWEEP;
        list_init(&queue->link);
        list_init(&queue->fresh);
        list_init(&queue->served);
        list_init(&queue->shut);
    }
    if (environment != 0 && environment != queue->environment) {
        ring_leave(rings, queue);
        queue->environment = environment;
    }
    return queue;
}

void rings_queue_forget(struct rings *rings, struct queue_hint *queue)
{
    queue->after = -1;
    queue->is_swept = true;
    queue->is_partial = queue->is_full = false;
    LIST_EACH(&queue->shut, link, after)
    {
        struct lane_hint *lane = container_of(link, struct lane_hint, link);
        if (lane->state == LANE_FULL)
            rings_lane_open(rings, lane);
    }
}

void rings_queue_wait(struct rings *rings, struct queue_hint *queue, int64_t until_ms,
                      bool is_saving)
{
    alarm_set(&rings->alarms, &queue->alarm, until_ms);
    queue->alarm.is_saving = is_saving;
}

static void lanes_drop(struct rings *rings, struct list *lanes)
{
    while (!list_is_empty(lanes))
        rings_lane_drop(rings, container_of(lanes->next, struct lane_hint, link));
}

void rings_queue_drop(struct rings *rings, struct queue_hint *queue)
{
    rings_queue_fair(queue, false);
    lanes_drop(rings, &queue->fresh);
    lanes_drop(rings, &queue->served);
    lanes_drop(rings, &queue->shut);
    ring_leave(rings, queue);
    pools_leave(rings, queue);
    alarm_set(&rings->alarms, &queue->alarm, 0);
    alarm_set(&rings->alarms, &queue->sweep, 0);
    id_map_remove(&rings->queues, &queue->node);
    free(queue);
}

static bool has_open(const struct queue_hint *queue)
{
    return queue->open_count > 0 || queue->after != INT64_MAX || queue->is_partial;
}

/* A pass: the lanes that are known, then the others, from the database. */
static void turn(struct queue_hint *queue)
{
    if (!list_is_empty(&queue->fresh) || queue->after != INT64_MAX)
        return;
    if (!queue->is_partial || queue->is_swept) {
        queue->is_swept = false;
        while (!list_is_empty(&queue->served)) {
            struct list *link = list_shift(&queue->served);
            list_push(&queue->fresh, link);
        }
    }
    if (list_is_empty(&queue->fresh) && queue->is_partial) {
        queue->after = -1;
        queue->is_partial = false;
        queue->is_swept = true;
    }
}

uint32_t rings_turn(const struct environment_hint *environment, const struct queue_hint *queue)
{
    if (environment->queue_count <= QUEUES_MANY)
        return 1;
    return queue->spent < TURN_LONG ? TURN_LONG - queue->spent : 1;
}

void rings_settle(struct rings *rings, struct queue_hint *queue, uint32_t spent)
{
    bool is_served =
        spent > 0 && spent >= rings_turn(environment_get(rings, queue->environment), queue);
    bool is_linked = !list_is_empty(&queue->link), is_open = has_open(queue);

    turn(queue);
    if (!is_open && list_is_empty(&queue->shut) && !queue_has_forgotten(queue)) {
        rings_queue_drop(rings, queue);
        return;
    }
    is_open = is_open && !queue->is_full && !queue->pools.is_shut && queue->alarm.place == 0;
    queue->spent = is_served ? 0 : queue->spent + spent;
    if (is_linked && (is_served || !is_open))
        ring_leave(rings, queue);
    if (is_open && (is_served || !is_linked))
        ring_join(rings, queue);
}

/* ---- all of them ------------------------------------------------------------------------- */

void rings_init(struct rings *rings)
{
    list_init(&rings->suspects);
}

static void queues_each(struct rings *rings,
                        void (*visit)(struct rings *rings, struct queue_hint *queue))
{
    for (uint32_t i = 0; i < rings->queues.capacity; i++)
        for (struct id_node *node = rings->queues.buckets[i], *next; node != NULL;
             node = next) {
            next = node->next;
            visit(rings, (struct queue_hint *)(void *)node); /* its first member */
        }
}

void rings_finish(struct rings *rings)
{
    queues_each(rings, rings_queue_drop);
    pools_finish(rings);
    id_map_finish(&rings->queues);
    id_map_finish(&rings->lanes);
    free(rings->alarms.items);
    while (rings->environments != NULL) {
        struct environment_hint *next = rings->environments->next;
        free(rings->environments);
        rings->environments = next;
    }
}

void rings_open_environments(struct rings *rings)
{
    for (struct environment_hint *at = rings->environments; at != NULL; at = at->next)
        at->is_full = false;
}

void rings_close_environment(struct rings *rings, uint32_t environment)
{
    environment_get(rings, environment)->is_full = true;
}

bool rings_environment_waits(const struct rings *rings, uint32_t environment)
{
    for (const struct environment_hint *at = rings->environments; at != NULL; at = at->next)
        if (at->environment == environment)
            return !list_is_empty(&at->queues);
    return false;
}

static void queue_open(struct rings *rings, struct queue_hint *queue)
{
    LIST_EACH(&queue->shut, link, after)
    rings_lane_open(rings, container_of(link, struct lane_hint, link));
    queue->is_full = queue->pools.is_shut = false;
    if (queue->sweep.place != 0)
        alarm_set(&rings->alarms, &queue->sweep, 1); /* long ago */
    rings_queue_wait(rings, queue, 0, false);
    rings_settle(rings, queue, 0);
}

static void held_open(struct rings *rings, struct queue_hint *queue)
{
    if (!queue->is_held)
        return;
    queue->is_held = false;
    queue_open(rings, queue);
}

void rings_open_held(struct rings *rings)
{
    rings_open_environments(rings);
    queues_each(rings, held_open);
}

void rings_ring(struct rings *rings, int64_t now_ms)
{
    struct alarm *alarm;

    while ((alarm = alarms_first(&rings->alarms)) != NULL && alarm->at_ms <= now_ms) {
        struct lane_hint *lane = container_of(alarm, struct lane_hint, alarm);
        struct queue_hint *queue =
            alarm->kind == ALARM_QUEUE   ? container_of(alarm, struct queue_hint, alarm)
            : alarm->kind == ALARM_SWEEP ? container_of(alarm, struct queue_hint, sweep)
                                         : lane->queue;
        if (alarm->kind == ALARM_QUEUE)
            rings_queue_wait(rings, queue, 0, false);
        else if (alarm->kind == ALARM_SWEEP)
            sweep_begin(rings, queue, now_ms);
        else
            rings_lane_open(rings, lane);
        rings_settle(rings, queue, 0);
    }
}

void rings_spend(struct rings *rings, int64_t queue_id, int64_t lane_id)
{
    struct queue_hint *queue = rings_queue(rings, queue_id);
    struct lane_hint *lane = rings_lane(rings, lane_id);

    if (lane != NULL && lane->state == LANE_EARLY && lane->alarm.is_saving)
        rings_lane_open(rings, lane);
    if (queue == NULL)
        return;
    if (queue->alarm.is_saving)
        rings_queue_wait(rings, queue, 0, false);
    rings_settle(rings, queue, 0);
}

int64_t rings_next_ms(const struct rings *rings)
{
    const struct alarm *first = alarms_first(&rings->alarms);

    return first == NULL ? 0 : first->at_ms;
}

void rings_open_all(struct rings *rings)
{
    rings_open_environments(rings);
    queues_each(rings, queue_open);
}

bool rings_are_open(const struct rings *rings)
{
    for (const struct environment_hint *at = rings->environments; at != NULL; at = at->next)
        if (!at->is_full && !list_is_empty(&at->queues))
            return true;
    return false;
}
