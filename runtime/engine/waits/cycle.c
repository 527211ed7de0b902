/*
 * Cycles. Whoever would close one by beginning to wait fails instead. They are looked for from
 * that run backwards, along the edges that there are, and most runs have none:
 *
 *   run ◀─ waits for it ─ run ◀─ waits for its batch ─ run ◀─ is held by it ─ run that has
 * ended
 *
 * Nobody is to fail because a run was canceled: a child that waits for the end of its parent,
 * or of who waits for that, does not hold it.
 *
 * Who needs some of what it names waits in vain when too few are left that can come. Who gives
 * up some day is part of none.
 */
#include "engine/waits/cycle.h"

#include "base/id.h"
#include "engine/rows/rows_known.h"
#include "engine/rows/run_batch.h"

enum { LOOK_MAX = 1000 }; /* of a larger crowd the rest is not looked at */

static bool is_stuck(const struct waiters *waiters, int64_t id)
{
    return table_has(&waiters->places, (uint64_t)id) &&
           !waiters->found[(uintptr_t)table_find(&waiters->places, (uint64_t)id)].is_free;
}

/* Can it be over though none of these comes? */
static bool can_end(struct batch *batch, const struct waiters *waiters, const struct wait *wait)
{
    const struct wait_group *group = wait->group;
    uint32_t count = group == NULL ? wait->count : group->count;
    uint32_t *come = ARENA_ARRAY(batch->arena, uint32_t, (size_t)count + 1);

    for (uint32_t i = count; group == NULL && i-- > 0;)
        come[0] += !is_stuck(waiters, wait->ids[i]);
    for (uint32_t i = count; group != NULL && i-- > 0;) { /* a group stands before its parts */
        const struct frame_part *part = &group->parts[i];
        bool is_thing = part->kind == PART_TOKEN || part->kind == PART_RUN;
        come[part->of] += part->kind == PART_GROUP ? come[i + 1] >= part->needed
                                                   : !is_thing || !is_stuck(waiters, part->id);
    }
    return wait->kind == WAIT_FOR_TIME || wait->due_ms != 0 || come[0] >= wait->needed;
}

/* ---- who waits ---------------------------------------------------------------------------
 */

static void waiter_add(struct batch *batch, struct waiters *waiters, int64_t id, uint32_t of)
{
    const struct table *places = &waiters->places;

    if (!table_has(places, (uint64_t)id)) {
        if (waiters->count == LOOK_MAX)
            return;
        ROOM(batch->arena, waiters->found, waiters->count, waiters->capacity);
        table_set(&waiters->places, (uint64_t)id, (void *)(uintptr_t)waiters->count);
        waiters->found[waiters->count++] = (struct waiter){ .id = id, .of = UINT32_MAX };
    }
    ROOM(batch->arena, waiters->links, waiters->link_count, waiters->link_capacity);
    waiters->links[waiters->link_count++] =
        (struct waiter_link){ of, (uint32_t)(uintptr_t)table_find(places, (uint64_t)id) };
}

static bool batch_add(struct batch *batch, struct waiters *waiters, int64_t id, uint32_t of)
{
    struct run_batch *made;

    if (!rows_run_batch(&batch->rows, id, &made))
        return false;
    if (made != NULL && made->finished_ms == 0)
        waiter_add(batch, waiters, id, of);
    return true;
}

/* At the end of an edge from what is at that place: a run, or the item of a batch. */
static bool linked_add(struct batch *batch, struct waiters *waiters, int64_t id, uint32_t of)
{
    struct batch_item *item;
    const struct wait *wait;
    struct run *run;

    if (!rows_run(&batch->rows, id, 0, &run))
        return false;
    if (run == NULL)
        return rows_item(&batch->rows, id, &item) &&
               (item == NULL || batch_add(batch, waiters, item->batch, of));
    wait = run->status == RUN_WAITING ? run_wait(batch, run) : NULL;
    if (run->status == RUN_DONE || (wait != NULL && wait->due_ms == 0))
        waiter_add(batch, waiters, id, of);
    return true;
}

static bool waiters_of(struct batch *batch, struct waiters *waiters, uint32_t place)
{
    int64_t id = waiters->found[place].id;
    struct edges *edges;
    struct run *run;

    bool loaded = rows_edges(&batch->rows, id, LOOK_MAX, &edges);
    loaded &= rows_run(&batch->rows, id, 0, &run); /* none: a batch */
    if (!loaded)
        return false;
    for (const struct edge *edge = edges->first; edge != NULL; edge = edge->next)
        if (!edge->row.is_deleted)
            loaded &= linked_add(batch, waiters, edge->run_id, place);
    if (run != NULL && run->batch != 0)
        loaded &= batch_add(batch, waiters, run->batch, place);
    return loaded;
}

/* A batch, and a run that has ended, wait for each that they are linked to. */
static bool is_free_now(struct batch *batch, const struct waiters *waiters, uint32_t place)
{
    const struct run *run = rows_run_here(&batch->rows, waiters->found[place].id);
    bool is = true;

    if (run != NULL && run->status == RUN_WAITING)
        return can_end(batch, waiters, run_wait(batch, run));
    for (uint32_t i = 0; is && i < waiters->link_count; i++)
        is = waiters->links[i].to != place || waiters->found[waiters->links[i].from].is_free;
    return is;
}

/* As long as one can go on, others may be able to; who is left waits for one that is left. */
static void waiters_free(struct batch *batch, struct waiters *waiters)
{
    struct waiter *found = waiters->found;
    bool more = true;

    while (more) {
        more = false;
        for (uint32_t i = 1; i < waiters->count; i++)
            if (!found[i].is_free && is_free_now(batch, waiters, i))
                more = found[i].is_free = true;
    }
    for (more = true; more;) {
        more = false;
        for (uint32_t i = 0; i < waiters->link_count; i++) {
            struct waiter_link link = waiters->links[i];
            if (found[link.to].is_free || found[link.to].of != UINT32_MAX || link.to == 0 ||
                found[link.from].is_free || found[link.from].of == UINT32_MAX)
                continue;
            found[link.to].of = link.from;
            more = true;
        }
    }
    for (uint32_t i = 1; i < waiters->count; i++)
        found[i].is_free |= found[i].of == UINT32_MAX; /* they waited for each other before */
}

/* `without_holds`: runs that have ended can go on. */
static bool find(struct batch *batch, int64_t run_id, bool without_holds,
                 struct waiters *waiters)
{
    bool loaded = true;

    *waiters = (struct waiters){ 0 };
    table_init(&waiters->places, batch->arena);
    ROOM(batch->arena, waiters->found, waiters->count, waiters->capacity);
    table_set(&waiters->places, (uint64_t)run_id, NULL);
    waiters->found[waiters->count++] = (struct waiter){ .id = run_id };
    for (uint32_t i = 0; i < waiters->count; i++)
        loaded &= waiters_of(batch, waiters, i);
    for (uint32_t i = 1; loaded && i < waiters->count; i++) {
        const struct run *run = rows_run_here(&batch->rows, waiters->found[i].id);
        waiters->found[i].is_free = without_holds && run != NULL && run->status == RUN_DONE;
    }
    if (loaded)
        waiters_free(batch, waiters);
    return loaded;
}

bool waiters_find(struct batch *batch, int64_t run_id, struct waiters *waiters)
{
    return find(batch, run_id, false, waiters);
}

/* 0: it is none of them. */
static uint32_t place_of(const struct waiters *waiters, int64_t id)
{
    uint32_t place = (uint32_t)(uintptr_t)table_find(&waiters->places, (uint64_t)id);

    return place == 0 || waiters->found[place].is_free ? 0 : place;
}

bool waiters_have(const struct waiters *waiters, int64_t id)
{
    return place_of(waiters, id) != 0;
}

/* ---- what it would wait for -------------------------------------------------------------- */

/* Most things wait for nothing; what is not loaded may. */
static bool may_wait(struct batch *batch, bool is_token, int64_t id)
{
    struct waitpoint *token;
    struct run *run;

    if (is_token)
        return !rows_waitpoint(&batch->rows, id, &token) ||
               (token != NULL && token->kind == WAITPOINT_BATCH);
    return !rows_run(&batch->rows, id, 0, &run) ||
           (run != NULL && (run->status == RUN_WAITING || run->status == RUN_DONE) &&
            !run_is_over(run));
}

bool wait_cycle_load(struct batch *batch, const struct run *run, const struct frame_end *end)
{
    bool is_token = end->wait_kind == WAIT_FOR_TOKEN, may = false;
    struct waiters waiters;

    if (end->due_ms != 0 || end->span_ms != 0)
        return true;
    for (uint32_t i = 0; i < end->id_count; i++)
        may |= may_wait(batch, is_token, end->ids[i]);
    for (uint32_t i = 0; i < end->part_count; i++)
        may |= (end->parts[i].kind == PART_RUN || end->parts[i].kind == PART_TOKEN) &&
               may_wait(batch, end->parts[i].kind == PART_TOKEN, end->parts[i].id);
    return !may || waiters_find(batch, run->id, &waiters);
}

static bool any_may_wait(struct batch *batch, const struct wait *wait)
{
    bool may = false;

    for (uint32_t i = 0; i < wait->count; i++)
        may |= may_wait(batch, wait_is_token(wait, i), wait->ids[i]);
    return may;
}

bool wait_cycle_load_again(struct batch *batch, const struct run *run, const struct wait *wait)
{
    struct waiters waiters;

    return !any_may_wait(batch, wait) || waiters_find(batch, run->id, &waiters);
}

static bool is_batch(const struct batch *batch, int64_t id)
{
    return rows_run_batch_here(&batch->rows, id) != NULL;
}

static struct slice cycle_tell(struct batch *batch, const struct waiters *waiters,
                               const struct wait *wait)
{
    const struct waiter *found = waiters->found;
    uint32_t place = 0;
    char name[ID_TEXT_SIZE];
    struct slice told =
        arena_format(batch->arena, "%s waits for ", id_format("run", found[0].id, name));

    for (uint32_t i = 0; place == 0 && i < wait->count; i++)
        place = place_of(waiters, wait->ids[i]);
    for (; place != 0; place = found[place].of)
        told = arena_format(batch->arena, "%.*s%s, which waits for ", SLICE_ARG(told),
                            id_format(is_batch(batch, found[place].id) ? "batch" : "run",
                                      found[place].id, name));
    return arena_format(batch->arena, "%.*s%s: none of them could go on", SLICE_ARG(told),
                        id_format("run", found[0].id, name));
}

/* One that has ended, and is held by the next on the way, is let go. */
static bool hold_break(struct batch *batch, const struct waiters *waiters, uint32_t place)
{
    const struct waiter *found = waiters->found;

    for (; place != 0 && !found[place].is_free; place = found[place].of) {
        struct run *held = rows_run_here(&batch->rows, found[place].id);
        if (held != NULL && held->status == RUN_DONE) {
            child_let_go(batch, rows_run_here(&batch->rows, found[found[place].of].id), held);
            return true;
        }
    }
    return false;
}

/* One that is on the way from what it waits for, if there is one. */
static void holds_break(struct batch *batch, const struct waiters *waiters,
                        const struct wait *wait)
{
    for (uint32_t i = 0; i < wait->count; i++)
        if (hold_break(batch, waiters, place_of(waiters, wait->ids[i])))
            return;
    for (uint32_t place = 1; place < waiters->count; place++)
        if (hold_break(batch, waiters, place))
            return;
}

struct slice wait_cycle(struct batch *batch, const struct run *run, const struct wait *wait)
{
    struct waiters waiters;

    while (any_may_wait(batch, wait)) {
        (void)find(batch, run->id, false, &waiters); /* all of them are loaded */
        if (can_end(batch, &waiters, wait))
            return (struct slice){ 0 };
        (void)find(batch, run->id, true, &waiters);
        if (!can_end(batch, &waiters, wait))
            return cycle_tell(batch, &waiters, wait);
        (void)find(batch, run->id, false, &waiters);
        holds_break(batch, &waiters, wait);
    }
    return (struct slice){ 0 };
}
