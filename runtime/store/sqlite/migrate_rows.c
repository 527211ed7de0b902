/* Rows that are older than what stands beside them: marked and counted, once. */
#include "engine/rows/labels.h"
#include "migrations.h"
#include "store/sqlite/rows/pack_row.h"
#include "store/sqlite/rows/record.h"

#include <stdio.h>

enum { TASK_NUMBER = 51 }; /* of that field of a run */

struct filling {
    sqlite3_stmt *rows, *mark, *environment;
    struct arena arena;
};

static bool mark(struct filling *filling, enum row_kind kind, const struct row *row,
                 uint32_t environment, int64_t id)
{
    const struct row_index *index = row_kinds[kind].indexes;
    int64_t *labels;
    bool done = true;

    while (index->tags == NULL)
        index++;
    arena_reset(&filling->arena);
    uint32_t count = labels_of(&filling->arena, index, row, environment, &labels);
    for (uint32_t i = 0; done && i < count; i++) {
        (void)sqlite3_reset(filling->mark); /* it has ended */
        done = sqlite3_bind_int64(filling->mark, 1, labels[i]) == SQLITE_OK &&
               sqlite3_bind_int64(filling->mark, 2, id) == SQLITE_OK &&
               sqlite3_step(filling->mark) == SQLITE_DONE;
    }
    return done;
}

/* The task's word says it. */
static uint32_t environment_of(struct filling *filling, int64_t task)
{
    (void)sqlite3_reset(filling->environment); /* it has ended */
    if (sqlite3_bind_int64(filling->environment, 1, task) != SQLITE_OK ||
        sqlite3_step(filling->environment) != SQLITE_ROW)
        return 0;
    return (uint32_t)sqlite3_column_int64(filling->environment, 0);
}

static bool run_fill(struct filling *filling, int64_t id, struct slice data)
{
    struct row_words words;
    struct run run = { .id = id };

    /* A damaged row is told of when it is read. */
    return !row_unpack(ROW_RUN, data, &run.row, &words) ||
           (run.tags.size == 0 && run.metadata.size == 0) ||
           mark(filling, ROW_RUN, &run.row,
                environment_of(filling, words.numbers[row_kinds[ROW_RUN].at[TASK_NUMBER] - 1]),
                id);
}

static bool waitpoint_fill(struct filling *filling, int64_t id, struct slice data)
{
    struct row_words words;
    struct waitpoint waitpoint = { .id = id };

    return !row_unpack(ROW_WAITPOINT, data, &waitpoint.row, &words) ||
           waitpoint.tags.size == 0 ||
           mark(filling, ROW_WAITPOINT, &waitpoint.row, waitpoint.environment, id);
}

static bool fill(sqlite3 *db, const char *rows, const char *insert,
                 bool (*one)(struct filling *filling, int64_t id, struct slice data))
{
    static const char environment[] = "SELECT environment FROM name WHERE id = ?1";
    struct filling filling = { 0 };
    int rc = SQLITE_DONE;

    bool done =
        sqlite3_prepare_v2(db, rows, -1, &filling.rows, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, insert, -1, &filling.mark, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, environment, -1, &filling.environment, NULL) == SQLITE_OK;
    while (done && (rc = sqlite3_step(filling.rows)) == SQLITE_ROW) {
        struct slice data = { sqlite3_column_blob(filling.rows, 1),
                              (size_t)sqlite3_column_bytes(filling.rows, 1) };
        done = one(&filling, sqlite3_column_int64(filling.rows, 0), data);
    }
    done = done && rc == SQLITE_DONE;
    /* What failed is the connection's error already. */
    (void)sqlite3_finalize(filling.rows);
    (void)sqlite3_finalize(filling.mark);
    (void)sqlite3_finalize(filling.environment);
    arena_finish(&filling.arena);
    return done;
}

bool schema_fill_labels(sqlite3 *db)
{
    return fill(db, "SELECT id, data FROM run",
                "INSERT OR IGNORE INTO run_tag (tag, run_id) VALUES (?1, ?2)", run_fill) &&
           fill(db, "SELECT id, data FROM waitpoint",
                "INSERT OR IGNORE INTO waitpoint_tag (tag, waitpoint_id) VALUES (?1, ?2)",
                waitpoint_fill);
}

static bool lane_count(struct filling *filling, int64_t id, struct slice data)
{
    struct row_words words;
    struct run run = { .id = id };

    (void)sqlite3_reset(filling->mark); /* it has ended */
    return !row_unpack(ROW_RUN, data, &run.row, &words) || run.lane == run.queue ||
           (sqlite3_bind_int64(filling->mark, 1, run.lane) == SQLITE_OK &&
            sqlite3_bind_int64(filling->mark, 2, run.status == RUN_DELAYED) == SQLITE_OK &&
            sqlite3_bind_int64(filling->mark, 3, run.status == RUN_PARKED) == SQLITE_OK &&
            sqlite3_bind_int64(filling->mark, 4, run.status == RUN_WAITING) == SQLITE_OK &&
            sqlite3_step(filling->mark) == SQLITE_DONE);
}

/* Those that are queued or running are found by queue and lane. */
bool schema_count_lanes(sqlite3 *db)
{
    char rows[200];

    (void)snprintf(rows, sizeof rows, /* it fits */
                   "SELECT id, data FROM run WHERE id IN (SELECT run_id FROM run_place"
                   " WHERE place IN (%d, %d) UNION ALL SELECT run_id FROM run_parked)",
                   RUN_DELAYED, RUN_WAITING);
    return fill(db, rows,
                "UPDATE lane SET delayed = delayed + ?2, parked = parked + ?3,"
                " waiting = waiting + ?4 WHERE id = ?1",
                lane_count);
}
