/*
 * The bench: a real engine over the memory store, one batch at a time, with a clock that stands
 * still until a test moves it. Each test is a process of its own, so there is one bench.
 */
#ifndef BENCH_H
#define BENCH_H

#include "engine/engine.h"
#include "schedule/zones.h"
#include "store/memory/memory_store.h"

#include <criterion/criterion.h>

#define SECONDS(n) (INT64_C(1000) * (n))
#define MINUTES(n) SECONDS(60 * (n))
#define DAYS(n)    MINUTES(1440 * (n))

enum {
    DEV = 1,
    PROD = 2,
    TASKS_MAX = 8,
    QUEUES_MAX = 4,
    COMMANDS_MAX = 4000,
    EVENTS_MAX = 200
};

struct bench {
    int64_t now_ms;
    int64_t lag_ms; /* by how much that clock was set back */
    bool look_for_due;
    struct store *store;
    struct engine *engine;
    struct catalog *catalog; /* that it has */
    struct id_source ids;
    /* What the next bench_catalog offers; changed by a test as it likes. */
    struct catalog_task tasks[TASKS_MAX];
    uint32_t task_count;
    struct catalog_queue queues[QUEUES_MAX];
    uint32_t queue_count, queue_limit, slots, early_lanes;
    struct catalog_pool pools[2];  /* tokens 0: it is not there */
    struct config_burst bursts[2]; /* of DEV and PROD */
    uint32_t shares[2];            /* of DEV and PROD; 0: no slots are kept for anybody */
    struct catalog_schedule schedules[2]; /* name empty: it is not there */
    struct zones *zones;                  /* set by whoever wants any */
    struct config_limits limits;
    struct config_retention retention;
    struct catalog_retention *task_retentions, *queue_retentions;
    uint32_t retention_count; /* of each */
    const struct config_retention *environment_retentions;
    /* What came out. */
    uint32_t batches, assignments;
    uint32_t starts;                 /* all of them */
    int64_t wake_ms;                 /* of the last batch */
    struct event events[EVENTS_MAX]; /* of the last commit() */
    uint32_t event_count;
    struct err err; /* of the last commit() that failed */
};

extern struct bench bench;

/* For TestSuite: tasks "t" (segments start, next, last; 3 attempts, no pause between them) and
 * "u" (its double), no named queues, 100 slots, limits that nobody reaches by chance. */
void bench_open(void);
void bench_close(void);

/* A new catalog from the fields above. */
void bench_catalog(void);
/* The same by a command of one's own; false: the store failed. */
bool bench_catalog_commit(struct command *command);
struct catalog_task *bench_task(const char *id); /* one more in bench.tasks */
const struct schema_file *bench_schema(const char *yaml);
/* As after a kill -9: all that is not in the store is gone, recovery is done, the catalog comes
 * back; with `loaded` false it has not come yet. */
void bench_restart(bool loaded);
void advance(int64_t ms);

/* Commands are gathered by add and decided by commit, in as many batches as the engine asks
 * for. They and their replies can be looked at until the next add. */
struct command *add(enum command_kind kind);
bool commit(void);
/* One batch of the first `count` commands. */
bool bench_batch(uint32_t count, bool *again);
/* Room that lives as long as the bench. */
struct arena *bench_arena(void);

/* ---- one step each, committed; what they cannot do fails the test -------------------------
 */

struct command *add_trigger(const char *task);
int64_t trigger(const char *task);
/* Of "t", in that queue, with that concurrency key. */
struct command *add_keyed(const char *queue, const char *key);
int64_t keyed(const char *queue, const char *key);
/* The same as trigger, and it has been given to a slot. */
int64_t start(const char *task);
struct command *cancel(int64_t run);
void pause(const char *queue, bool paused);

/* The frame that the run was started with last. */
const struct frame_segment *segment(int64_t run);

struct command *add_token(int64_t run, uint32_t call); /* from a segment; run 0: over HTTP */
int64_t make_token(int64_t run, uint32_t call, int64_t due_ms);
struct command *add_child(int64_t run, uint32_t call, const char *task);
int64_t make_child(int64_t run, uint32_t call, const char *task);
struct command *complete(int64_t token, const char *packed);
struct command *time_out(int64_t token);

/* Ends of the segment that `run` is in. */
struct command *add_end(int64_t run, enum verdict verdict);
void end_done(int64_t run);
void end_fail(int64_t run, bool retryable);
struct command *add_wait(int64_t run, enum wait_kind kind, const int64_t *ids, uint32_t count);
void wait_time(int64_t run, int64_t due_ms);
void wait_for(int64_t run, enum wait_kind kind, const int64_t *ids, uint32_t count,
              uint32_t needed, int64_t due_ms);
struct command *lose(int64_t run, enum loss loss);
struct command *release(int64_t run);

/* ---- what is stored -----------------------------------------------------------------------
 */

const struct run *run_of(int64_t run);
const struct waitpoint *token_of(int64_t token);
const char *error_name(int64_t run); /* "" when there is none */
const char *error_message(int64_t run);
const char *last_move(int64_t run); /* the text of the timeline's last entry */
bool has_event(int64_t run, enum run_status status);

/* As the pump does: it sleeps until somebody wants it. */
static inline void sleep_until(int64_t at_ms)
{
    int64_t now_ms = bench.now_ms + bench.lag_ms;

    while (bench.wake_ms != 0 && bench.wake_ms <= at_ms) {
        cr_assert_gt(bench.wake_ms, now_ms);
        advance(bench.wake_ms - now_ms);
        now_ms = bench.now_ms + bench.lag_ms;
    }
    bench.now_ms = at_ms - bench.lag_ms;
}

#endif
