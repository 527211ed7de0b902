/*
 * Readers: what the API shows. Each call sees one snapshot of committed rows, those between
 * begin and end the same one. A reader is used by one thread at a time; rows are allocated in
 * the caller's arena.
 */
#ifndef READER_H
#define READER_H

#include "base/arena.h"
#include "base/err.h"
#include "engine/rows/build_row.h"
#include "engine/rows/bulk_action.h"
#include "engine/rows/minute.h"
#include "engine/rows/row.h"
#include "engine/rows/run_filter.h"
#include "engine/rows/schedule.h"

/*
 * A call looks at a bounded number of rows. When few of them match, a page may be short, or
 * empty, and still have a next one: the cursors say where to go on, which need not be a row of
 * this page.
 */
struct run_page {
    struct run **rows;
    uint32_t count;
    bool has_next, has_previous;
    int64_t next_after, previous_before; /* 0 without has_next, has_previous */
};

struct token_filter {
    uint32_t environment;
    uint32_t limit;
    int64_t after, before;
    uint32_t statuses; /* bit set of 1 << enum waitpoint_status; 0: any */
    struct slices tags;
    struct slice key_text;
    int64_t from_ms, to_ms;
};

struct token_page {
    struct waitpoint **rows;
    uint32_t count;
    bool has_next, has_previous;
    int64_t next_after, previous_before;
};

struct bulk_filter {
    uint32_t environment, limit;
    int64_t after, before; /* as those of runs */
};

struct bulk_page {
    struct bulk_action **rows;
    uint32_t count;
    bool has_next, has_previous;
    int64_t next_after, previous_before;
};

struct queue_stats {
    struct queue queue;
    int64_t running, queued, delayed, waiting, parked;
    int64_t oldest_queued_ms; /* created_ms of the longest waiting QUEUED run; 0: none */
};

struct queue_page {
    struct queue_stats *rows;
    uint32_t count, total;
};

/* A key of a queue. */
struct key_stats {
    struct slice key;
    int64_t lane;              /* 0: it has gone */
    struct queue_stats now;    /* of its lane: `queue` is empty */
    struct queue_minute *hour; /* NULL: nothing of it is counted */
};

enum { KEYS_MOST = 100 };

/* What has started and ended in some minutes, added up: of the queue, and of those keys of
 * which most has, with some behind them that only have live runs. */
struct queue_hour {
    struct queue_minute all;
    struct key_stats keys[KEYS_MOST];
    uint32_t count;
};

/* Of all environments. */
struct running_page {
    struct running *rows;
    uint32_t count;
};

struct totals {
    int64_t live[RUN_STATUS_COUNT];      /* runs by status, DONE left 0 */
    int64_t completed, failed, canceled; /* sums over the queues */
    int64_t tokens_pending;
};

/* Ordered by name. */
struct schedule_page {
    struct schedule **rows;
    uint32_t count;
    int64_t total; /* of all, not of this page */
};

struct reader;

struct reader_ops {
    void (*close)(struct reader *reader);
    bool (*begin)(struct reader *reader, struct err *err);
    void (*end)(struct reader *reader);
    /* All of these: false with ERR_STORE; environment 0 is any. *row is NULL when absent. */
    bool (*run)(struct reader *reader, struct arena *arena, uint32_t environment, int64_t id,
                uint32_t parts, struct run **row, struct err *err);
    bool (*runs)(struct reader *reader, struct arena *arena, const struct run_filter *filter,
                 struct run_page *page, struct err *err);
    bool (*children)(struct reader *reader, struct arena *arena, int64_t parent_id,
                     uint32_t limit, struct run_page *page, struct err *err);
    bool (*token)(struct reader *reader, struct arena *arena, uint32_t environment, int64_t id,
                  struct waitpoint **row, struct err *err);
    bool (*tokens)(struct reader *reader, struct arena *arena,
                   const struct token_filter *filter, struct token_page *page, struct err *err);
    bool (*bulk_actions)(struct reader *reader, struct arena *arena,
                         const struct bulk_filter *filter, struct bulk_page *page,
                         struct err *err);
    /* Ordered by name; count is of all, not of this page. */
    bool (*queues)(struct reader *reader, struct arena *arena, uint32_t environment,
                   uint32_t offset, uint32_t limit, struct queue_page *page, struct err *err);
    /* name, or id when name is empty. */
    bool (*queue)(struct reader *reader, struct arena *arena, uint32_t environment,
                  struct slice name, int64_t id, struct queue_stats **row, struct err *err);
    /* Of a kind whose key is a number; *row is NULL when there is none. Without big parts. */
    bool (*row)(struct reader *reader, struct arena *arena, enum row_kind kind, int64_t key,
                struct row **row, struct err *err);
    /* Of an environment; `name`: the one of that name alone. */
    bool (*schedules)(struct reader *reader, struct arena *arena, uint32_t environment,
                      struct slice name, uint32_t offset, uint32_t limit,
                      struct schedule_page *page, struct err *err);
    /* Kept ones, all of them, the newest content first. */
    bool (*builds)(struct reader *reader, struct arena *arena, struct build_row ***rows,
                   uint32_t *count, struct err *err);
    /* In the minutes from `since` to `until`; its keys only with `has_keys`. */
    bool (*hour)(struct reader *reader, struct arena *arena, int64_t queue, int64_t since,
                 int64_t until, bool has_keys, struct queue_hour *hour, struct err *err);
    /* What counts against limits and slots, by lane. */
    bool (*running)(struct reader *reader, struct arena *arena, struct running_page *page,
                    struct err *err);
    /* How many QUEUED runs of its lane come before this one, counted up to `most`. */
    bool (*before)(struct reader *reader, const struct run *run, uint32_t most, int64_t *count,
                   struct err *err);
    /* How many QUEUED runs of the other lanes of `queue` stand before this one by rank, of each
     * lane at most `turns`, together counted up to `most`. */
    bool (*others)(struct reader *reader, struct arena *arena, const struct run *run,
                   int64_t queue, uint32_t turns, uint32_t most, int64_t *count,
                   struct err *err);
    bool (*logs)(struct reader *reader, struct arena *arena, int64_t run_id, uint32_t limit,
                 struct log_line **lines, struct err *err);
    /* Live runs by status of one environment, and totals; for /metrics. */
    bool (*totals)(struct reader *reader, uint32_t environment, struct totals *totals,
                   struct err *err);
};

struct reader {
    const struct reader_ops *ops;
};

static inline bool reader_environment(struct reader *reader, struct arena *arena,
                                      uint32_t number, struct environment **environment,
                                      struct err *err)
{
    struct row *row = NULL;
    bool done = reader->ops->row(reader, arena, ROW_ENVIRONMENT, number, &row, err);

    *environment = (struct environment *)row;
    return done;
}

#endif
