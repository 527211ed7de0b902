#include "cli/bench/bench_sqlite.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/memory.h"
#include "store/sqlite/file/database_file.h"
#include "store/sqlite/migrations.h"
#include "store/sqlite/rows/record.h"
#include "store/sqlite/sqlite.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PAYLOAD_BYTES = 200, STATE_BYTES = 100, MOVE_BYTES = 5, PATH_BYTES = 4096 };

struct trial {
    struct connection connection;
    struct arena arena; /* of a commit */
    struct changes changes;
    struct id_source ids;
    struct run *runs, *runs_were; /* `per_commit` of each: as they are, as they are stored */
    struct waitpoint *tokens, *tokens_were;
    uint32_t count;
    struct queue queue, queue_was;
    char bytes[PAYLOAD_BYTES];
};

typedef bool trial_step(struct trial *trial, uint32_t i, struct err *err);

static struct slice bytes(const struct trial *trial, size_t size)
{
    return (struct slice){ trial->bytes, size };
}

/* A big field of a run that is set; an empty one is deleted. */
static void part_set(struct run *run, enum run_part part, struct slice *at, struct slice data)
{
    *at = data;
    run->row.dirty_parts |= part;
}

/* What every move of a run changes. */
static bool run_step(struct trial *trial, uint32_t i, uint32_t status, struct err *err)
{
    struct run *run = &trial->runs[i];

    run->seq++;
    run->timeline = bytes(trial, run->timeline.size + MOVE_BYTES);
    run->status = status;
    run->updated_ms = clock_now_ms();
    return changes_row(&trial->changes, ROW_RUN, &run->row, err);
}

static bool edge_step(struct trial *trial, uint32_t i, bool is_deleted, struct err *err)
{
    struct edge *edge = ARENA_NEW(&trial->arena, struct edge);

    edge->waitpoint_id = trial->tokens[i].id;
    edge->run_id = trial->runs[i].id;
    edge->row.is_deleted = is_deleted;
    edge->row.loaded = is_deleted ? &edge->row : NULL;
    return changes_row(&trial->changes, ROW_EDGE, &edge->row, err);
}

static bool step_trigger(struct trial *trial, uint32_t i, struct err *err)
{
    struct run *run = &trial->runs[i];
    int64_t now_ms = clock_now_ms();

    *run = (struct run){ .id = id_next(&trial->ids, now_ms),
                         .environment = 1,
                         .queue = trial->queue.id,
                         .lane = trial->queue.id,
                         .rank_ms = now_ms,
                         .created_ms = now_ms,
                         .max_attempts = 3,
                         .task = SLICE("approve-refund") };
    run->root_id = run->id;
    part_set(run, PART_INPUT, &run->input, bytes(trial, PAYLOAD_BYTES));
    return run_step(trial, i, RUN_QUEUED, err);
}

static bool step_wait(struct trial *trial, uint32_t i, struct err *err)
{
    struct run *run = &trial->runs[i];
    struct waitpoint *token = &trial->tokens[i];
    int64_t now_ms = clock_now_ms();

    *token = (struct waitpoint){ .id = id_next(&trial->ids, now_ms),
                                 .environment = 1,
                                 .created_ms = now_ms,
                                 .run_id = run->id,
                                 .task = run->task };
    run->segment = SLICE("decided");
    run->version = SLICE("1.0.0");
    run->build = SLICE("0123456789abcdef");
    run->remaining = 1;
    run->wait = bytes(trial, 15);
    part_set(run, PART_STATE, &run->state, bytes(trial, STATE_BYTES));
    return run_step(trial, i, RUN_WAITING, err) &&
           changes_row(&trial->changes, ROW_WAITPOINT, &token->row, err) &&
           edge_step(trial, i, false, err);
}

static bool step_complete(struct trial *trial, uint32_t i, struct err *err)
{
    struct waitpoint *token = &trial->tokens[i];

    token->status = WAITPOINT_COMPLETED;
    token->completed_ms = clock_now_ms();
    token->result = bytes(trial, 20);
    trial->runs[i].remaining = 0;
    return changes_row(&trial->changes, ROW_WAITPOINT, &token->row, err) &&
           edge_step(trial, i, true, err) && run_step(trial, i, RUN_RUNNING, err);
}

static bool step_done(struct trial *trial, uint32_t i, struct err *err)
{
    struct run *run = &trial->runs[i];
    bool has_state = run->remaining == 0 && run->wait.size > 0;

    run->outcome = OUTCOME_COMPLETED;
    run->finished_ms = clock_now_ms();
    run->wait = (struct slice){ NULL, 0 };
    part_set(run, PART_OUTPUT, &run->output, bytes(trial, 20));
    if (has_state)
        part_set(run, PART_STATE, &run->state, bytes(trial, 0));
    return run_step(trial, i, RUN_DONE, err);
}

/* What was written is what is stored. */
static void rows_stored(struct trial *trial)
{
    for (uint32_t i = 0; i < trial->count; i++) {
        trial->runs_were[i] = trial->runs[i];
        trial->runs[i].row = (struct row){ .loaded = &trial->runs_were[i].row };
        trial->tokens_were[i] = trial->tokens[i];
        trial->tokens[i].row = (struct row){ .loaded = &trial->tokens_were[i].row };
    }
    trial->queue_was = trial->queue;
    trial->queue.row.loaded = &trial->queue_was.row;
}

static trial_step *const ingest[] = { step_trigger, NULL };
static trial_step *const echo[] = { step_trigger, step_done, NULL };
static trial_step *const wait_cycle[] = { step_trigger, step_wait, step_complete, step_done,
                                          NULL };
static trial_step *const *const steps[] = { ingest, echo, wait_cycle };

static bool trial_commit(struct trial *trial, trial_step *step, struct err *err)
{
    struct connection *connection = &trial->connection;
    struct query query;

    if (!query_start(&query, connection, SQL_BEGIN, err) || !query_run(&query, err))
        return false;
    arena_reset(&trial->arena);
    changes_init(&trial->changes, connection, &trial->arena);
    bool done = true;
    for (uint32_t i = 0; done && i < trial->count; i++)
        done = step(trial, i, err);
    done = done && changes_row(&trial->changes, ROW_QUEUE, &trial->queue.row, err) &&
           changes_write(&trial->changes, err);
    changes_finish(&trial->changes);
    if (!done)
        return false;
    rows_stored(trial);
    return query_start(&query, connection, SQL_COMMIT, err) && query_run(&query, err);
}

static bool trial_run(struct trial *trial, trial_step *const *of, uint32_t time_ms,
                      double *per_second, struct err *err)
{
    uint64_t start_ns = clock_monotonic_ns(), now_ns, count = 0;

    do {
        for (uint32_t i = 0; of[i] != NULL; i++)
            if (!trial_commit(trial, of[i], err))
                return false;
        count += trial->count;
        now_ns = clock_monotonic_ns();
    } while (now_ns - start_ns < time_ms * UINT64_C(1000000));
    *per_second = (double)count * 1e9 / (double)(now_ns - start_ns);
    return true;
}

static bool trial_open(struct trial *trial, const char *path, struct err *err)
{
    id_source_init(&trial->ids, 1);
    trial->queue = (struct queue){ .id = id_next(&trial->ids, clock_now_ms()),
                                   .environment = 1,
                                   .name = SLICE("task/approve-refund") };
    return file_create(path, err) &&
           connection_open(&trial->connection, path, SQLITE_OPEN_READWRITE, WRITER_CACHE_KIB,
                           err);
}

bool bench_sqlite_limit(const char *directory, enum sqlite_limit limit, uint32_t per_commit,
                        uint32_t time_ms, double *per_second, struct err *err)
{
    struct trial *trial = memory_zeroed(1, sizeof *trial);
    char path[PATH_BYTES], log[PATH_BYTES + 8], index[PATH_BYTES + 8];
    bool done = false;

    (void)snprintf(path, sizeof path, "%s/limit-%ld.db", directory, (long)getpid());
    (void)snprintf(log, sizeof log, "%s-wal", path);
    (void)snprintf(index, sizeof index, "%s-shm", path);
    trial->count = per_commit;
    trial->runs = memory_zeroed(per_commit * 2, sizeof *trial->runs);
    trial->runs_were = trial->runs + per_commit;
    trial->tokens = memory_zeroed(per_commit * 2, sizeof *trial->tokens);
    trial->tokens_were = trial->tokens + per_commit;
    if (trial_open(trial, path, err)) {
        (void)sqlite3_wal_autocheckpoint(trial->connection.db, CHECKPOINT_FRAMES);
        done = connection_exec(&trial->connection, path, WRITER_PRAGMAS, err) &&
               trial_run(trial, steps[limit], time_ms, per_second, err);
        connection_close(&trial->connection);
    }
    (void)unlink(path); /* absent when it could not be made */
    (void)unlink(log);  /* and these only there after a failure */
    (void)unlink(index);
    arena_finish(&trial->arena);
    free(trial->tokens);
    free(trial->runs);
    free(trial);
    return done;
}
