/*
 * The store of the simulation: sorted arrays of rows. A transaction remembers what is to be
 * flushed; a commit applies it, a rollback forgets it, so that a crash between any two steps
 * leaves exactly what was committed. Plain on purpose: it is what the real stores are measured
 * against.
 */
#include "store/memory/memory_store.h"

#include "base/id.h"
#include "base/memory.h"
#include "store/memory/memory_rows.h"

#include <stdlib.h>

/* ---- the contract ------------------------------------------------------------------------ */

bool memory_fails(struct memory_store *memory, struct err *err)
{
    if (memory->fail_in == 0 || --memory->fail_in > 0)
        return false;
    return !err_set(err, ERR_STORE, "the simulated store failed");
}

void memory_id_add(struct arena *arena, struct ids *ids, int64_t id)
{
    if (ids->count == ids->capacity) {
        int64_t *old = ids->items;
        ids->capacity = ids->capacity == 0 ? 16 : ids->capacity * 2;
        ids->items = ARENA_ARRAY(arena, int64_t, ids->capacity);
        if (ids->count > 0)
            memcpy(ids->items, old, ids->count * sizeof *old);
    }
    ids->items[ids->count++] = id;
}

static bool memory_begin(struct store *store, struct err *err)
{
    memory_of(store)->flushed = NULL;
    return !memory_fails(memory_of(store), err);
}

static struct run *run_find(struct memory_store *memory, int64_t id)
{
    struct held *held = rack_find(&memory->runs, &(struct held){ .run.id = id });

    return held == NULL ? NULL : &held->run;
}

/* A copy that the batch may change; the big parts only where asked for. */
static struct run run_lend(struct rows *rows, const struct run *run, uint32_t parts)
{
    struct run lent = *run;

    lent.parts = parts;
    if ((parts & PART_INPUT) == 0)
        lent.input = (struct slice){ 0 };
    if ((parts & PART_STATE) == 0)
        lent.state = (struct slice){ 0 };
    if ((parts & PART_OUTPUT) == 0)
        lent.output = (struct slice){ 0 };
    held_run_own(rows->arena, &lent);
    return lent;
}

static void load_runs(struct memory_store *memory, struct rows *rows)
{
    const struct wants *wants = &rows->wants;

    for (uint32_t i = 0; i < wants->run_count; i++) {
        struct run *run = run_find(memory, wants->runs[i].id);
        if (run != NULL) {
            struct run lent = run_lend(rows, run, wants->runs[i].parts);
            rows_put_run(rows, &lent);
        }
    }
    for (uint32_t i = 0; i < wants->child_count; i++) {
        const struct children_want *want = &wants->children[i];
        uint32_t looks = 0;
        for (uint32_t k = 0; k < memory->runs.count && looks < want->limit; k++) {
            const struct run *run = &memory->runs.items[k]->run;
            if (run->parent_id != want->parent_id || run->id <= want->after)
                continue;
            rows_put_child(rows, run->parent_id, run->id, run->status < RUN_DONE);
            looks++;
        }
    }
}

static void load_waits(struct memory_store *memory, struct rows *rows)
{
    const struct wants *wants = &rows->wants;

    for (uint32_t i = 0; i < wants->waitpoints.count; i++) {
        struct held wanted = { .waitpoint.id = wants->waitpoints.items[i] };
        struct held *held = rack_find(&memory->waitpoints, &wanted);
        if (held != NULL) {
            struct waitpoint lent = held->waitpoint;
            held_waitpoint_own(rows->arena, &lent);
            rows_put_waitpoint(rows, &lent);
        }
    }
    for (uint32_t i = 0; i < wants->tokens.count; i++)
        for (uint32_t k = 0; k < memory->waitpoints.count; k++) {
            const struct waitpoint *token = &memory->waitpoints.items[k]->waitpoint;
            if (token->run_id == wants->tokens.items[i] && token->status == WAITPOINT_PENDING &&
                token->is_shared == 0)
                rows_put_token(rows, token->run_id, token->id);
        }
    for (uint32_t i = 0; i < wants->edge_count; i++) {
        const struct edges_want *want = &wants->edges[i];
        struct held wanted = { .edge.waitpoint_id = want->waitpoint_id,
                               .edge.run_id = INT64_MIN };
        bool found;
        uint32_t first = rack_at(&memory->edges, &wanted, &found);
        for (uint32_t k = first; k < memory->edges.count && k - first < want->limit; k++) {
            const struct edge *edge = &memory->edges.items[k]->edge;
            if (edge->waitpoint_id != want->waitpoint_id)
                break;
            rows_put_edge(rows, edge->waitpoint_id, edge->run_id);
        }
    }
}

static void load_queues(struct memory_store *memory, struct rows *rows)
{
    const struct wants *wants = &rows->wants;

    for (uint32_t k = 0; k < memory->queues.count; k++) {
        struct queue lent = memory->queues.items[k]->queue;
        bool wanted = false;
        for (uint32_t i = 0; i < wants->queues.count; i++)
            wanted |= wants->queues.items[i] == lent.id;
        for (uint32_t i = 0; i < wants->queue_name_count; i++)
            wanted |= wants->queue_names[i].environment == lent.environment &&
                      slice_equal(wants->queue_names[i].name, lent.name);
        if (!wanted)
            continue;
        lent.name = arena_copy(rows->arena, lent.name);
        rows_put_queue(rows, &lent);
    }
    for (uint32_t i = 0; i < wants->idle_count; i++)
        memory_load_idle(memory, rows, &wants->idle[i]);
    for (uint32_t i = 0; i < wants->key_count; i++) {
        struct held wanted = { 0 };
        memcpy(wanted.key.hash, wants->keys[i], sizeof wanted.key.hash);
        struct held *held = rack_find(&memory->keys, &wanted);
        if (held != NULL)
            rows_put_key(rows, &held->key);
    }
}

static int rank_order(const void *a, const void *b)
{
    const struct run *x = *(const struct run *const *)a, *y = *(const struct run *const *)b;

    return x->rank_ms != y->rank_ms ? rack_order_of(x->rank_ms, y->rank_ms)
                                    : rack_order_of(x->id, y->id);
}

static void load_ready(struct memory_store *memory, struct rows *rows)
{
    const struct run **found = memory_get(memory->runs.count * sizeof *found);

    for (uint32_t i = 0; i < rows->wants.ready_count; i++) {
        const struct ready_want *want = &rows->wants.ready[i];
        uint32_t count = 0;
        for (uint32_t k = 0; k < memory->runs.count; k++) {
            const struct run *run = &memory->runs.items[k]->run;
            if (run->status == RUN_QUEUED && run->queue == want->queue &&
                run->lane == want->lane)
                found[count++] = run;
        }
        if (count > 1)
            qsort(found, count, sizeof *found, rank_order);
        for (uint32_t k = 0; k < count && k < want->limit; k++) {
            struct run lent = run_lend(rows, found[k], 0);
            rows_put_ready(rows, want->lane, &lent);
        }
    }
    free(found);
    for (uint32_t k = 0; rows->wants.running && k < memory->runs.count; k++) {
        const struct run *run = &memory->runs.items[k]->run;
        struct running running = { run->queue, run->lane, run->environment, 1 };
        if (run_is_executing(run))
            rows_put_running(rows, &running);
    }
}

static bool memory_load(struct store *store, struct rows *rows, struct err *err)
{
    struct memory_store *memory = memory_of(store);

    if (memory_fails(memory, err))
        return false;
    load_runs(memory, rows);
    load_waits(memory, rows);
    load_queues(memory, rows);
    load_ready(memory, rows);
    memory_load_lanes(memory, rows);
    return true;
}

static bool memory_flush(struct store *store, struct rows *rows, struct err *err)
{
    if (memory_fails(memory_of(store), err))
        return false;
    memory_of(store)->flushed = rows;
    return true;
}

/* Only what is marked is written, so that a forgotten mark shows up here as in a real database.
 */
static void commit_run(struct memory_store *memory, const struct run *run)
{
    struct held *held = held_create();
    const struct run *old = run_find(memory, run->id);
    struct run row = *run;

    if (!run->is_dirty && old != NULL)
        row = *old;
    row.input = (run->dirty_parts & PART_INPUT) != 0 ? run->input
                : old != NULL                        ? old->input
                                                     : (struct slice){ 0 };
    row.state = (run->dirty_parts & PART_STATE) != 0 ? run->state
                : old != NULL                        ? old->state
                                                     : (struct slice){ 0 };
    row.output = (run->dirty_parts & PART_OUTPUT) != 0 ? run->output
                 : old != NULL                         ? old->output
                                                       : (struct slice){ 0 };
    held->run = row;
    held_run_own(&held->arena, &held->run);
    rack_put(&memory->runs, held);
}

static void commit_edge(struct memory_store *memory, const struct edge *edge)
{
    struct held *held = held_create();

    held->edge = *edge;
    if (edge->is_deleted) {
        rack_drop(&memory->edges, held);
        held_destroy(held);
    } else {
        rack_put(&memory->edges, held);
    }
}

static void commit_others(struct memory_store *memory, const struct rows *rows)
{
    for (const struct waitpoint *row = rows->waitpoint_list; row != NULL; row = row->next)
        if (row->is_dirty) {
            struct held *held = held_create();
            held->waitpoint = *row;
            held_waitpoint_own(&held->arena, &held->waitpoint);
            rack_put(&memory->waitpoints, held);
        }
    for (const struct queue *row = rows->queue_list; row != NULL; row = row->next)
        if (row->is_dirty) {
            struct held *held = held_create();
            held->queue = *row;
            held->queue.name = arena_copy(&held->arena, row->name);
            rack_put(&memory->queues, held);
        }
    memory_commit_lanes(memory, rows);
    for (const struct key *row = rows->key_list; row != NULL; row = row->next)
        if (row->is_dirty) {
            struct held *held = held_create();
            held->key = *row;
            if (row->is_deleted) {
                rack_drop(&memory->keys, held);
                held_destroy(held);
            } else {
                rack_put(&memory->keys, held);
            }
        }
}

static bool memory_commit(struct store *store, struct err *err)
{
    struct memory_store *memory = memory_of(store);
    const struct rows *rows = memory->flushed;

    if (memory_fails(memory, err))
        return false;
    memory->flushed = NULL;
    if (rows == NULL)
        return true;
    for (const struct run *run = rows->run_list; run != NULL; run = run->next)
        if (run->is_dirty || run->dirty_parts != 0)
            commit_run(memory, run);
    for (const struct edge *edge = rows->edge_list; edge != NULL; edge = edge->next_of_batch)
        commit_edge(memory, edge);
    commit_others(memory, rows);
    return true;
}

static void memory_rollback(struct store *store)
{
    memory_of(store)->flushed = NULL;
}

static bool memory_running(struct store *store, struct arena *arena, struct ids *runs,
                           struct err *err)
{
    struct memory_store *memory = memory_of(store);

    (void)err; /* looking at memory cannot fail */
    for (uint32_t i = 0; i < memory->runs.count; i++)
        if (run_is_executing(&memory->runs.items[i]->run))
            memory_id_add(arena, runs, memory->runs.items[i]->run.id);
    return true;
}

static bool memory_backlog(struct store *store, struct arena *arena, struct ids *queues,
                           struct err *err)
{
    struct memory_store *memory = memory_of(store);

    (void)err; /* looking at memory cannot fail */
    for (uint32_t k = 0; k < memory->queues.count; k++)
        for (uint32_t i = 0; i < memory->runs.count; i++) {
            const struct run *run = &memory->runs.items[i]->run;
            if (run->status == RUN_QUEUED && run->queue == memory->queues.items[k]->queue.id) {
                memory_id_add(arena, queues, run->queue);
                break;
            }
        }
    return true;
}

static bool memory_parked(struct store *store, struct slice task, int64_t after, uint32_t limit,
                          struct arena *arena, struct ids *runs, struct err *err)
{
    struct memory_store *memory = memory_of(store);

    if (memory_fails(memory, err))
        return false;
    for (uint32_t i = 0; i < memory->runs.count && runs->count < limit; i++) {
        const struct run *run = &memory->runs.items[i]->run;
        if (run->status == RUN_PARKED && run->id > after && slice_equal(run->task, task))
            memory_id_add(arena, runs, run->id);
    }
    return true;
}

static bool memory_environment(struct store *store, const char *name, uint32_t *number,
                               struct err *err)
{
    struct memory_store *memory = memory_of(store);

    for (*number = 1; *number <= memory->environment_count; (*number)++)
        if (strcmp(memory->environments[*number - 1], name) == 0)
            return true;
    if (memory->environment_count == ENVIRONMENTS_MAX)
        return err_set(err, ERR_STORE, "at most %d environments", ENVIRONMENTS_MAX);
    memory->environments[memory->environment_count++] = memory_text(name);
    return true;
}

static bool memory_sweep(struct store *store, int64_t now_ms, uint32_t limit, struct err *err)
{
    struct memory_store *memory = memory_of(store);

    (void)err; /* looking at memory cannot fail */
    for (uint32_t i = memory->keys.count; i > 0 && limit > 0; i--) {
        const struct key *key = &memory->keys.items[i - 1]->key;
        if (key->expires_ms == 0 || key->expires_ms > now_ms)
            continue;
        rack_drop(&memory->keys, memory->keys.items[i - 1]);
        limit--;
    }
    return true;
}

static bool memory_last_id(struct store *store, int64_t *id, struct err *err)
{
    struct memory_store *memory = memory_of(store);

    (void)err; /* looking at memory cannot fail */
    *id = 0;
    for (uint32_t i = 0; i < memory->runs.count; i++) {
        const struct run *run = &memory->runs.items[i]->run;
        int64_t given = run->id_block == 0 ? 0 : run->id_block + ID_BLOCK - 1;
        *id = run->id > *id ? run->id : *id;
        *id = given > *id ? given : *id;
    }
    for (uint32_t i = 0; i < memory->waitpoints.count; i++)
        if (memory->waitpoints.items[i]->waitpoint.id > *id)
            *id = memory->waitpoints.items[i]->waitpoint.id;
    for (uint32_t i = 0; i < memory->queues.count; i++)
        if (memory->queues.items[i]->queue.id > *id)
            *id = memory->queues.items[i]->queue.id;
    if (memory->lanes.count > 0 && memory->lanes.items[memory->lanes.count - 1]->lane.id > *id)
        *id = memory->lanes.items[memory->lanes.count - 1]->lane.id;
    return true;
}

static void memory_close(struct store *store)
{
    struct memory_store *memory = memory_of(store);

    rack_finish(&memory->runs);
    rack_finish(&memory->waitpoints);
    rack_finish(&memory->queues);
    rack_finish(&memory->lanes);
    rack_finish(&memory->keys);
    rack_finish(&memory->edges);
    for (uint32_t i = 0; i < memory->environment_count; i++)
        free(memory->environments[i]);
    free(memory);
}

static const struct store_ops memory_ops = {
    .name = "memory",
    .begin = memory_begin,
    .load = memory_load,
    .due = memory_due,
    .next_due = memory_next_due,
    .mend_due = memory_mend_due,
    .flush = memory_flush,
    .commit = memory_commit,
    .touch = memory_touch,
    .room = memory_room,
    .rollback = memory_rollback,
    .running = memory_running,
    .backlog = memory_backlog,
    .parked = memory_parked,
    .environment = memory_environment,
    .sweep = memory_sweep,
    .last_id = memory_last_id,
    .close = memory_close,
};

struct store *store_memory_create(void)
{
    struct memory_store *memory = memory_zeroed(1, sizeof *memory);

    memory->store.ops = &memory_ops;
    memory->runs.order = rack_run_order;
    memory->waitpoints.order = rack_waitpoint_order;
    memory->queues.order = rack_queue_order;
    memory->lanes.order = rack_lane_order;
    memory->keys.order = rack_key_order;
    memory->edges.order = rack_edge_order;
    return &memory->store;
}

void store_memory_fail(struct store *store, int calls)
{
    memory_of(store)->fail_in = calls;
}

uint32_t store_memory_runs(struct store *store)
{
    return memory_of(store)->runs.count;
}

const struct run *store_memory_run(struct store *store, uint32_t index)
{
    return &memory_of(store)->runs.items[index]->run;
}

const struct run *store_memory_find(struct store *store, int64_t id)
{
    return run_find(memory_of(store), id);
}

const struct waitpoint *store_memory_token(struct store *store, int64_t id)
{
    struct held wanted = { .waitpoint.id = id };
    struct held *held = rack_find(&memory_of(store)->waitpoints, &wanted);

    return held == NULL ? NULL : &held->waitpoint;
}

uint32_t store_memory_waitpoints(struct store *store)
{
    return memory_of(store)->waitpoints.count;
}

const struct waitpoint *store_memory_waitpoint(struct store *store, uint32_t index)
{
    return &memory_of(store)->waitpoints.items[index]->waitpoint;
}

bool store_memory_has_edge(struct store *store, int64_t waitpoint_id, int64_t run_id)
{
    struct held wanted = { .edge.waitpoint_id = waitpoint_id, .edge.run_id = run_id };

    return rack_find(&memory_of(store)->edges, &wanted) != NULL;
}

uint32_t store_memory_edges(struct store *store)
{
    return memory_of(store)->edges.count;
}
