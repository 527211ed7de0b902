/* A SQLite store in a directory of its own, and batches on it without an engine. */
#ifndef SQLITE_FIXTURE_H
#define SQLITE_FIXTURE_H

#include "base/id.h"
#include "codec/pack.h"
#include "engine/rows/rows.h"
#include "store/reader.h"
#include "store/store.h"

#include <criterion/criterion.h>

struct fixture {
    char directory[64], path[96];
    struct store *store;
    struct arena arena; /* of the batch */
    struct rows rows;
    struct id_source ids;
    int64_t now_ms;
    uint32_t environment; /* "prod" */
    int64_t queue;        /* "task/pay" of it */
    struct err err;
};

/* An empty directory, removed with all in it by finish. */
void fixture_init(struct fixture *fixture);
void fixture_finish(struct fixture *fixture);

void fixture_open(struct fixture *fixture);
void fixture_close(struct fixture *fixture);
/* Open, with the environment and the queue. */
void fixture_start(struct fixture *fixture);

/* A batch: begin, then make, load and change rows, then commit or rollback. */
void fixture_begin(struct fixture *fixture);
void fixture_load(struct fixture *fixture);
void fixture_commit(struct fixture *fixture);
/* True when it was written; else rolled back, with fixture->err set. */
bool fixture_try(struct fixture *fixture);
void fixture_rollback(struct fixture *fixture);

/* A new row with the usual things set. */
struct run *fixture_run(struct fixture *fixture, uint32_t status);
struct waitpoint *fixture_token(struct fixture *fixture);
int64_t fixture_queue(struct fixture *fixture, uint32_t environment, const char *name);

/* Loaded now, in the batch under way; NULL when absent. */
struct run *fixture_find(struct fixture *fixture, int64_t id, uint32_t parts);
struct waitpoint *fixture_find_token(struct fixture *fixture, int64_t id);
/* The same with a batch of its own, which ends with the next begin. */
struct run *fixture_show(struct fixture *fixture, int64_t id, uint32_t parts);

/* Packed list of the texts, the last of them NULL. */
struct slice fixture_tags(struct fixture *fixture, const char *first, ...);

/* One number by SQL, on a connection of its own. */
int64_t fixture_sql(struct fixture *fixture, const char *sql);

#define BACK_FROM_PAUSE(table)                        \
    "ALTER TABLE " table " DROP COLUMN frozen;"       \
    "ALTER TABLE " table " DROP COLUMN refuses;"      \
    "ALTER TABLE " table " DROP COLUMN due_is_span;"  \
    "ALTER TABLE " table " DROP COLUMN due_ms;"       \
    "ALTER TABLE " table " DROP COLUMN until_ms;"     \
    "ALTER TABLE " table " DROP COLUMN frozen_ms;"    \
    "ALTER TABLE " table " DROP COLUMN frozen_at_ms;" \
    "ALTER TABLE " table " DROP COLUMN ramp_from_ms;" \
    "ALTER TABLE " table " DROP COLUMN ramp_ms;"      \
    "DROP TABLE " table "_due; DROP TABLE " table "_span;"

/* SQL that makes a file one of version 17. */
#define BACK_TO_17 "DROP TABLE build;"
/* The same of version 16. */
#define BACK_TO_16 BACK_TO_17 "DROP TABLE run_states;"
/* The same of version 15. */
#define BACK_TO_15                                        \
    BACK_TO_16                                            \
    "DROP TABLE bulk_action; DROP TABLE bulk_action_due;" \
    "DROP TABLE bulk_action_span; DROP TABLE run_bulk;"   \
    "DROP TABLE run_schedule; ALTER TABLE schedule DROP COLUMN backfill;"
/* The same of version 14. */
#define BACK_TO_14                                                                     \
    BACK_TO_15                                                                         \
    "ALTER TABLE queue DROP COLUMN rates;"                                             \
    "ALTER TABLE queue DROP COLUMN rates_by; ALTER TABLE queue DROP COLUMN unstarted;" \
    "DROP TABLE schedule; DROP TABLE schedule_due;"
/* The same of version 13. */
#define BACK_TO_13                                                   \
    BACK_TO_14                                                       \
    "DROP TABLE batch; DROP TABLE batch_due; DROP TABLE batch_span;" \
    "DROP TABLE batch_item; DROP TABLE run_mail;"
/* The same of version 12; or 8, for those that make an older one. */
#define BACK_TO_12                                                                    \
    BACK_TO_13                                                                        \
    "ALTER TABLE lane DROP COLUMN last;"                                              \
    "ALTER TABLE lane DROP COLUMN delayed; ALTER TABLE lane DROP COLUMN queued;"      \
    "ALTER TABLE lane DROP COLUMN parked; ALTER TABLE lane DROP COLUMN running;"      \
    "ALTER TABLE lane DROP COLUMN waiting; DROP TABLE queue_minute; DROP TABLE rate;" \
    "ALTER TABLE queue DROP COLUMN pushed_ms;"                                        \
    "ALTER TABLE queue DROP COLUMN paused_by;"                                        \
    "ALTER TABLE queue DROP COLUMN paused_why;" BACK_FROM_PAUSE("queue")              \
        BACK_FROM_PAUSE("environment")
#define BACK_TO_8                                     \
    BACK_TO_12                                        \
    "ALTER TABLE environment DROP COLUMN paused;"     \
    "ALTER TABLE environment DROP COLUMN paused_ms;"  \
    "ALTER TABLE environment DROP COLUMN paused_by;"  \
    "ALTER TABLE environment DROP COLUMN paused_why;" \
    "ALTER TABLE queue DROP COLUMN override_limit;"   \
    "ALTER TABLE queue DROP COLUMN override_ms;"      \
    "ALTER TABLE queue DROP COLUMN override_by;"      \
    "DROP TABLE node; DROP TABLE limit_grant; DROP TABLE kept;"

#define CHECK(fixture, call) cr_assert((call), "%s: %s", #call, (fixture)->err.text)

#endif
