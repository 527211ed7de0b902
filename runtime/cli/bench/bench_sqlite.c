#include "cli/bench/bench_sqlite.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/memory.h"
#include "store/sqlite/file.h"
#include "store/sqlite/record.h"
#include "store/sqlite/schema.h"
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
    struct run *runs; /* `per_commit` of each */
    struct waitpoint *tokens;
    uint32_t count;
    struct queue queue;
    char bytes[PAYLOAD_BYTES];
};

typedef bool trial_step(struct trial *trial, uint32_t i, struct err *err);

static struct slice bytes(const struct trial *trial, size_t size)
{
    return (struct slice){ trial->bytes, size };
}

/* What every move of a run changes. */
static bool run_step(struct trial *trial, struct run *run, uint32_t status, struct err *err)
{
    run->seq++;
    run->timeline = bytes(trial, run->timeline.size + MOVE_BYTES);
    run->is_new = false;
    run->loaded_status = run->status;
    run->status = status;
    run->updated_ms = clock_now_ms();
    return changes_run(&trial->changes, run, err);
}

static bool step_trigger(struct trial *trial, uint32_t i, struct err *err)
{
    struct run *run = &trial->runs[i];
    int64_t now_ms = clock_now_ms();

    *run = (struct run){ .id = id_next(&trial->ids, now_ms),
                         .environment = 1,
                         .status = RUN_QUEUED,
                         .seq = 1,
                         .queue = trial->queue.id,
                         .lane = trial->queue.id,
                         .rank_ms = now_ms,
                         .created_ms = now_ms,
                         .updated_ms = now_ms,
                         .max_attempts = 3,
                         .task = SLICE("approve-refund"),
                         .timeline = bytes(trial, MOVE_BYTES) };
    run->root_id = run->id;
    run->is_new = true;
    run->loaded_queue = run->loaded_lane = run->queue;
    run->loaded_rank_ms = run->rank_ms;
    return changes_run(&trial->changes, run, err) &&
           changes_part(&trial->changes, run->id, PART_INPUT, bytes(trial, PAYLOAD_BYTES), err);
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
                                 .task = run->task,
                                 .is_new = true };
    run->segment = SLICE("decided");
    run->version = SLICE("1.0.0");
    run->build = SLICE("0123456789abcdef");
    run->remaining = 1;
    run->wait = bytes(trial, 15);
    return run_step(trial, run, RUN_WAITING, err) &&
           changes_part(&trial->changes, run->id, PART_STATE, bytes(trial, STATE_BYTES), err) &&
           changes_waitpoint(&trial->changes, token, err) &&
           changes_edge(&trial->changes, token->id, run->id, false, err);
}

static bool step_complete(struct trial *trial, uint32_t i, struct err *err)
{
    struct waitpoint *token = &trial->tokens[i];

    token->is_new = false;
    token->status = WAITPOINT_COMPLETED;
    token->completed_ms = clock_now_ms();
    token->result = bytes(trial, 20);
    trial->runs[i].remaining = 0;
    return changes_waitpoint(&trial->changes, token, err) &&
           changes_edge(&trial->changes, token->id, trial->runs[i].id, true, err) &&
           run_step(trial, &trial->runs[i], RUN_RUNNING, err);
}

static bool step_done(struct trial *trial, uint32_t i, struct err *err)
{
    struct run *run = &trial->runs[i];
    bool has_state = run->remaining == 0 && run->wait.size > 0;

    run->outcome = OUTCOME_COMPLETED;
    run->finished_ms = clock_now_ms();
    run->wait = (struct slice){ NULL, 0 };
    return run_step(trial, run, RUN_DONE, err) &&
           changes_part(&trial->changes, run->id, PART_OUTPUT, bytes(trial, 20), err) &&
           (!has_state ||
            changes_part(&trial->changes, run->id, PART_STATE, bytes(trial, 0), err));
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
    done = done && changes_write(&trial->changes, err) &&
           queue_write(connection, &trial->queue, err);
    changes_finish(&trial->changes);
    if (!done)
        return false;
    trial->queue.is_new = false;
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
                                   .name = SLICE("task/approve-refund"),
                                   .is_new = true };
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
    trial->runs = memory_zeroed(per_commit, sizeof *trial->runs);
    trial->tokens = memory_zeroed(per_commit, sizeof *trial->tokens);
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
