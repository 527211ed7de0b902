/*
 * Flushing: what the engine made, changed or deleted, written. Rows of a kind go in by rising
 * id: new ids are the highest of all, and a B-tree that only ever gets the highest key fills
 * its pages.
 *
 * Queues carry the number of their live runs by status, for statistics alone; dispatch asks the
 * rows. The numbers are changed in the transaction that moves the runs, by what the batch
 * moved.
 */
#include "base/id.h"
#include "record.h"
#include "sqlite.h"

#include <stdlib.h>

struct list_of {
    const void **items;
    uint32_t count;
};

/* Runs and waitpoints both start with their id. */
static int64_t id_of(const void *row)
{
    int64_t id;

    memcpy(&id, row, sizeof id);
    return id;
}

static int by_id(const void *a, const void *b)
{
    int64_t left = id_of(*(const void *const *)a), right = id_of(*(const void *const *)b);

    return (left > right) - (left < right);
}

static int by_edge(const void *a, const void *b)
{
    const struct edge *left = *(const struct edge *const *)a;
    const struct edge *right = *(const struct edge *const *)b;

    if (left->waitpoint_id != right->waitpoint_id)
        return left->waitpoint_id > right->waitpoint_id ? 1 : -1;
    return (left->run_id > right->run_id) - (left->run_id < right->run_id);
}

/* The rows were put at the head of their list, so backwards they are nearly in order. */
static void sort(struct list_of *list, int (*compare)(const void *, const void *))
{
    for (uint32_t i = 0; i < list->count / 2; i++) {
        const void *other = list->items[list->count - 1 - i];
        list->items[list->count - 1 - i] = list->items[i];
        list->items[i] = other;
    }
    for (uint32_t i = 1; i < list->count; i++)
        if (compare(&list->items[i - 1], &list->items[i]) > 0) {
            qsort(list->items, list->count, sizeof *list->items, compare);
            return;
        }
}

/* Every row of the linked list for which `wanted` holds, sorted. */
#define COLLECT(rows, type, first, link, wanted, compare, list)                                \
    do {                                                                                       \
        uint32_t count_ = 0;                                                                   \
        for (const type *row = (first); row != NULL; row = row->link)                          \
            count_ += (wanted) ? 1 : 0;                                                        \
        *(list) = (struct list_of){ ARENA_ARRAY((rows)->arena, const void *, count_ + 1), 0 }; \
        for (const type *row = (first); row != NULL; row = row->link)                          \
            if (wanted)                                                                        \
                (list)->items[(list)->count++] = row;                                          \
        sort((list), (compare));                                                               \
    } while (0)

/* ---- counts ------------------------------------------------------------------------------ */

struct tally {
    int64_t queue;
    int64_t change[RUN_DONE];
    struct tally *next;
};

/* How many live runs a lane with a key has won or lost. */
struct lane_tally {
    int64_t lane, change;
    struct lane_tally *next;
};

struct tallies {
    struct table by_queue, by_lane;
    struct tally *first;
    struct lane_tally *first_lane;
};

static void lane_tally_add(struct tallies *tallies, const struct run *run)
{
    bool was = run->loaded_status < RUN_DONE || run->loaded_is_out;
    bool is = run->status < RUN_DONE || run->is_out;

    if (run->lane == run->queue || was == is)
        return;
    struct lane_tally *tally = table_find(&tallies->by_lane, (uint64_t)run->lane);
    if (tally == NULL) {
        tally = ARENA_NEW(tallies->by_lane.arena, struct lane_tally);
        *tally = (struct lane_tally){ .lane = run->lane, .next = tallies->first_lane };
        tallies->first_lane = tally;
        table_set(&tallies->by_lane, (uint64_t)run->lane, tally);
    }
    tally->change += is ? 1 : -1;
}

static void tally_add(struct tallies *tallies, int64_t queue, uint32_t status, int64_t change)
{
    if (status >= RUN_DONE)
        return; /* done, or RUN_STATUS_COUNT: new */
    struct tally *tally = table_find(&tallies->by_queue, (uint64_t)queue);
    if (tally == NULL) {
        tally = ARENA_NEW(tallies->by_queue.arena, struct tally);
        tally->queue = queue;
        tally->next = tallies->first;
        tallies->first = tally;
        table_set(&tallies->by_queue, (uint64_t)queue, tally);
    }
    tally->change[status] += change;
}

static bool tally_write(struct connection *connection, const struct tally *tally,
                        struct err *err)
{
    struct query query;
    int64_t changed = 0;

    for (int status = 0; status < RUN_DONE; status++)
        changed |= tally->change[status];
    if (changed == 0)
        return true;
    if (!query_start(&query, connection, SQL_QUEUE_COUNT, err))
        return false;
    bind_int(&query, tally->queue);
    for (int status = 0; status < RUN_DONE; status++)
        bind_int(&query, tally->change[status]);
    return query_run(&query, err);
}

/* ---- kinds of rows ----------------------------------------------------------------------- */

static bool flush_parts(struct changes *changes, const struct run *run, struct err *err)
{
    static const enum run_part parts[] = { PART_INPUT, PART_STATE, PART_OUTPUT };
    const struct slice data[] = { run->input, run->state, run->output };

    for (int i = 0; i < PART_COUNT; i++) {
        bool is_absent = run->is_new && data[i].size == 0;
        if ((run->dirty_parts & parts[i]) != 0 && !is_absent &&
            !changes_part(changes, run->id, parts[i], data[i], err))
            return false;
    }
    return true;
}

static bool flush_runs(struct changes *changes, struct rows *rows, struct tallies *tallies,
                       struct err *err)
{
    struct list_of list;

    COLLECT(rows, struct run, rows->run_list, next, row->is_dirty || row->dirty_parts != 0,
            by_id, &list);
    for (uint32_t i = 0; i < list.count; i++) {
        const struct run *run = list.items[i];
        if (!flush_parts(changes, run, err))
            return false;
        if (!run->is_dirty)
            continue;
        if (!changes_run(changes, run, err))
            return false;
        tally_add(tallies, run->loaded_queue,
                  run->loaded_is_out ? RUN_RUNNING : run->loaded_status, -1);
        tally_add(tallies, run->queue, run->is_out ? RUN_RUNNING : run->status, 1);
        lane_tally_add(tallies, run);
    }
    return true;
}

static bool flush_waitpoints(struct changes *changes, struct rows *rows, struct err *err)
{
    struct list_of list;

    COLLECT(rows, struct waitpoint, rows->waitpoint_list, next, row->is_dirty, by_id, &list);
    for (uint32_t i = 0; i < list.count; i++)
        if (!changes_waitpoint(changes, list.items[i], err))
            return false;
    return true;
}

static bool flush_edges(struct changes *changes, struct rows *rows, struct err *err)
{
    struct list_of list;

    /*
     * Made and taken away again in one batch usually means that the database never knew it, but
     * not when it was taken away before that as well: so it is deleted in any case.
     */
    COLLECT(rows, struct edge, rows->edge_list, next_of_batch, true, by_edge, &list);
    for (uint32_t i = 0; i < list.count; i++) {
        const struct edge *edge = list.items[i];
        if (!changes_edge(changes, edge->waitpoint_id, edge->run_id, edge->is_deleted, err))
            return false;
    }
    return true;
}

static bool flush_keys(struct changes *changes, struct rows *rows, struct err *err)
{
    for (const struct key *key = rows->key_list; key != NULL; key = key->next)
        if ((key->is_dirty || key->is_deleted) && !changes_key(changes, key, err))
            return false;
    return true;
}

static bool flush_queues(struct connection *connection, struct rows *rows,
                         const struct tallies *tallies, struct err *err)
{
    for (const struct queue *queue = rows->queue_list; queue != NULL; queue = queue->next)
        if (queue->is_dirty && !queue_write(connection, queue, err))
            return false;
    for (const struct tally *tally = tallies->first; tally != NULL; tally = tally->next)
        if (!tally_write(connection, tally, err))
            return false;
    return true;
}

static bool flush_lanes(struct connection *connection, struct rows *rows,
                        const struct tallies *tallies, struct err *err)
{
    struct query query;

    for (const struct lane *lane = rows->lanes.list; lane != NULL; lane = lane->next)
        if (lane->is_new != lane->is_deleted && !lane_write(connection, lane, err))
            return false;
    for (const struct lane_tally *tally = tallies->first_lane; tally != NULL;
         tally = tally->next) {
        if (tally->change == 0)
            continue;
        if (!query_start(&query, connection, SQL_LANE_COUNT, err))
            return false;
        bind_int(&query, tally->lane);
        bind_int(&query, tally->change);
        if (!query_run(&query, err))
            return false;
    }
    return true;
}

static bool flush_log(struct connection *connection, struct rows *rows, struct err *err)
{
    for (const struct log_line *line = rows->log_first; line != NULL; line = line->next)
        if (!log_line_write(connection, line, err))
            return false;
    return true;
}

/* A run's block of ids is in its row, where nobody can look for the largest. So it is written
 * that they are given out, ahead of them, about once a second. */
static bool flush_given(struct connection *connection, const struct rows *rows, struct err *err)
{
    enum { AHEAD_MS = 1000 };
    struct query query;
    int64_t last = 0;

    for (const struct run *run = rows->run_list; run != NULL; run = run->next)
        if (run->is_dirty && run->id_block > last)
            last = run->id_block;
    if (last == 0 || last + ID_BLOCK <= connection->given_until)
        return true;
    connection->given_until = id_floor(id_time_ms(last) + AHEAD_MS);
    if (!query_start(&query, connection, SQL_GIVEN_WRITE, err))
        return false;
    bind_int(&query, connection->given_until);
    return query_run(&query, err);
}

bool sqlite_flush(struct connection *connection, struct rows *rows, struct err *err)
{
    struct tallies tallies = { .first = NULL, .first_lane = NULL };
    struct changes changes;

    table_init(&tallies.by_queue, rows->arena);
    table_init(&tallies.by_lane, rows->arena);
    changes_init(&changes, connection, rows->arena);
    bool done = flush_runs(&changes, rows, &tallies, err) &&
                flush_waitpoints(&changes, rows, err) && flush_edges(&changes, rows, err) &&
                flush_keys(&changes, rows, err) && changes_write(&changes, err);
    changes_finish(&changes);
    return done && flush_queues(connection, rows, &tallies, err) &&
           flush_lanes(connection, rows, &tallies, err) && flush_log(connection, rows, err) &&
           flush_given(connection, rows, err);
}
