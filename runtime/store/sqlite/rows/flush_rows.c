/*
 * Flushing: what the engine made, changed or deleted, written. Rows of a kind go in by rising
 * id: new ids are the highest of all, and a B-tree that only ever gets the highest key fills
 * its pages.
 *
 * Queues, and lanes with a key, carry the number of their live runs by status, for statistics
 * alone; dispatch asks the rows. The numbers are changed in the transaction that moves the
 * runs, by what the batch moved.
 */
#include "base/id.h"
#include "store/sqlite/rows/record.h"
#include "store/sqlite/sqlite.h"

#include <stdlib.h>

/* ---- counts ------------------------------------------------------------------------------ */

struct tally {
    int64_t id; /* of a queue, or of a lane with a key */
    int64_t change[RUN_DONE];
    struct tally *next;
};

struct tallies {
    struct table by_id;
    struct tally *first;
};

static void tally_add(struct tallies *tallies, int64_t id, uint32_t status, int64_t change)
{
    if (status >= RUN_DONE)
        return; /* done, or RUN_STATUS_COUNT: new */
    struct tally *tally = table_find(&tallies->by_id, (uint64_t)id);
    if (tally == NULL) {
        tally = ARENA_NEW(tallies->by_id.arena, struct tally);
        tally->id = id;
        tally->next = tallies->first;
        tallies->first = tally;
        table_set(&tallies->by_id, (uint64_t)id, tally);
    }
    tally->change[status] += change;
}

static bool tally_write(struct connection *connection, enum sql which,
                        const struct tally *tally, struct err *err)
{
    struct query query;
    int64_t changed = 0;

    for (int status = 0; status < RUN_DONE; status++)
        changed |= tally->change[status];
    if (changed == 0)
        return true;
    if (!query_start(&query, connection, which, err))
        return false;
    bind_int(&query, tally->id);
    for (int status = 0; status < RUN_DONE; status++)
        bind_int(&query, tally->change[status]);
    return query_run(&query, err);
}

static void tally_run(struct tallies *queues, struct tallies *lanes, const struct run *run,
                      int64_t change)
{
    uint32_t status = run->is_out ? RUN_RUNNING : run->status;

    tally_add(queues, run->queue, status, change);
    if (run->lane != run->queue)
        tally_add(lanes, run->lane, status, change);
}

static void tally_runs(struct tallies *queues, struct tallies *lanes, const struct rows *rows)
{
    EACH_RUN(rows, run)
    {
        if (!row_is_changed(ROW_RUN, &run->row))
            continue;
        if (run_loaded(run) != NULL)
            tally_run(queues, lanes, run_loaded(run), -1);
        if (!run->row.is_deleted)
            tally_run(queues, lanes, run, 1);
    }
}

/* ---- rows -------------------------------------------------------------------------------- */

static int order(const void *a, const void *b, void *kind)
{
    return row_order(*(enum row_kind *)kind, *(const struct row *const *)a,
                     *(const struct row *const *)b);
}

/* The changed ones, sorted. They were put at the head of their list, so that backwards they are
 * nearly in order. */
static const struct row **collect(const struct rows *rows, enum row_kind kind, uint32_t *count)
{
    uint32_t all = 0;

    for (const struct row *row = rows->list[kind]; row != NULL; row = row->next)
        all++;
    const struct row **end = ARENA_ARRAY(rows->arena, const struct row *, all + 1) + all;
    const struct row **sorted = end;
    for (const struct row *row = rows->list[kind]; row != NULL; row = row->next)
        if (row_is_changed(kind, row))
            *--sorted = row;
    *count = (uint32_t)(end - sorted);
    for (uint32_t i = 1; i < *count; i++)
        if (row_order(kind, sorted[i - 1], sorted[i]) > 0) {
            qsort_r(sorted, *count, sizeof *sorted, order, &kind);
            break;
        }
    return sorted;
}

static bool flush_kinds(struct changes *changes, const struct rows *rows, struct err *err)
{
    for (enum row_kind kind = 0; kind < ROW_KINDS; kind++) {
        uint32_t count;
        const struct row **sorted = collect(rows, kind, &count);
        for (uint32_t i = 0; i < count; i++)
            if (!changes_row(changes, kind, sorted[i], err))
                return false;
    }
    return changes_write(changes, err);
}

/* What a run has said and does not keep. */
static bool flush_log_drops(struct connection *connection, const struct rows *rows,
                            struct err *err)
{
    struct query query;

    EACH_ROW(rows, ROW_LOG_LINE, log_line, line)
    {
        if (line->drops == 0)
            continue;
        if (!query_start(&query, connection, SQL_LOG_DROP, err))
            return false;
        bind_int(&query, line->run_id);
        bind_int(&query, line->keeps);
        bind_int(&query, line->drops);
        if (!query_run(&query, err))
            return false;
    }
    return true;
}

static bool flush_counts(struct connection *connection, const struct rows *rows,
                         struct err *err)
{
    struct tallies queues = { .first = NULL }, lanes = { .first = NULL };

    table_init(&queues.by_id, rows->arena);
    table_init(&lanes.by_id, rows->arena);
    tally_runs(&queues, &lanes, rows);
    for (const struct tally *tally = queues.first; tally != NULL; tally = tally->next)
        if (!tally_write(connection, SQL_QUEUE_COUNT, tally, err))
            return false;
    for (const struct tally *tally = lanes.first; tally != NULL; tally = tally->next)
        if (!tally_write(connection, SQL_LANE_COUNT, tally, err))
            return false;
    return true;
}

/* A run's block of ids, or a batch's, is in its row, where nobody can look for the largest. So
 * it is written that they are given out, ahead of them, about once a second. */
static bool flush_given(struct connection *connection, const struct rows *rows, struct err *err)
{
    enum { AHEAD_MS = 1000 };
    struct query query;
    int64_t last = 0;

    EACH_RUN(rows, run)
    if (run->id_block + ID_BLOCK > last &&
        (run_loaded(run) == NULL || run_loaded(run)->id_block != run->id_block))
        last = run->id_block + ID_BLOCK;
    EACH_ROW(rows, ROW_BATCH, run_batch, made)
    if (made->row.loaded == NULL && made->first_id + made->room > last)
        last = made->first_id + made->room;
    if (last == 0 || last <= connection->given_until)
        return true;
    connection->given_until = id_floor(id_time_ms(last) + AHEAD_MS);
    if (!query_start(&query, connection, SQL_GIVEN_WRITE, err))
        return false;
    bind_int(&query, connection->given_until);
    return query_run(&query, err);
}

bool sqlite_flush(struct connection *connection, struct rows *rows, struct err *err)
{
    struct changes changes;

    changes_init(&changes, connection, rows->arena);
    bool done = flush_kinds(&changes, rows, err);
    changes_finish(&changes);
    return done && flush_log_drops(connection, rows, err) &&
           flush_counts(connection, rows, err) && flush_given(connection, rows, err);
}
