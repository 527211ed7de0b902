/*
 * The store: the contract between the engine and a database. Bulk by design: a batch loads in a
 * few rounds, flushes once, commits once. One thread (the store thread) uses a struct store;
 * readers are for any number of others.
 */
#ifndef STORE_H
#define STORE_H

#include "base/err.h"
#include "engine/engine.h"
#include "engine/rows/rows.h"

struct store;
struct reader;

/* Of the disk. */
struct room {
    int64_t free_bytes, low_bytes; /* below the second, nothing new is taken */
    bool is_low;
    int64_t file_bytes; /* low for another reason: no file may be larger; 0: it is not that */
};

/*
 * Every function returns false with err (ERR_STORE) when the database refuses; the transaction
 * is then rolled back by the caller and nothing of it happened.
 */
struct store_ops {
    const char *name;
    /* What time it is, for all nodes that share the store. Any thread. */
    void (*now)(struct store *store, struct moment *now);
    bool (*begin)(struct store *store, struct err *err);
    /* Answer rows->wants with rows_put_*; the caller calls rows_loaded. */
    bool (*load)(struct store *store, struct rows *rows, struct err *err);
    /* A row is due by its due_ms alone, whatever its status: 0 is never, all else is a moment,
     * the negative ones too. Spans go by the steady clock, dates by the wall clock. Kind by
     * kind, dates and then spans, the earliest first, at most `limit` of each clock and kind;
     * of equal ones in no order. Allocates in `arena`. Inside a transaction. */
    bool (*due)(struct store *store, const struct moment *now, uint32_t limit,
                struct arena *arena, struct row_refs *due, struct err *err);
    /* The earliest due_ms of all that go by a clock, 0 when there is none: what due() gives
     * once that time has come, and nothing before. Inside or outside a transaction. */
    bool (*next_due)(struct store *store, struct moment *next, struct err *err);
    /*
     * Of what due() gives, forget that it is: rows that are not there, that cannot be read, or
     * that say another time. Those are `lost`. Inside a transaction. The rows stay as they are.
     */
    bool (*mend_due)(struct store *store, const struct moment *now, uint32_t limit,
                     struct arena *arena, struct row_refs *lost, struct err *err);
    /* Write what is new, dirty or deleted, the log lines too. */
    bool (*flush)(struct store *store, struct rows *rows, struct err *err);
    bool (*commit)(struct store *store, struct err *err);
    /* Write something that changes nothing: can a change be written? Inside a transaction. */
    bool (*touch)(struct store *store, struct err *err);
    /* Any thread. */
    void (*room)(struct store *store, struct room *room);
    void (*rollback)(struct store *store);
    /* Ids of all RUNNING runs, and of all queues with QUEUED runs: asked once, at start. */
    bool (*running)(struct store *store, struct arena *arena, struct ids *runs,
                    struct err *err);
    bool (*backlog)(struct store *store, struct arena *arena, struct ids *queues,
                    struct err *err);
    /* PARKED runs of a task with ids above `after`, oldest first, at most `limit`. */
    bool (*parked)(struct store *store, struct slice task, int64_t after, uint32_t limit,
                   struct arena *arena, struct ids *runs, struct err *err);
    /* Ids above `after` of all rows of a kind, the lowest first, at most `limit`. */
    bool (*walk)(struct store *store, enum row_kind kind, int64_t after, uint32_t limit,
                 struct arena *arena, struct ids *ids, struct err *err);
    /* A migration has just been: nothing old goes before this date; 0: there was none. Asked
     * once, at start. */
    bool (*kept_until)(struct store *store, int64_t *wall_ms, struct err *err);
    /* The number of an environment, given out on first use; outside a transaction. */
    bool (*environment)(struct store *store, const char *name, uint32_t *number,
                        struct err *err);
    /* Delete keys that expired, by the steady clock, and minutes (engine/rows/minute.h) before
     * that one, at most `limit` of each. Inside a transaction. */
    bool (*sweep)(struct store *store, int64_t steady_ms, int64_t minute, uint32_t limit,
                  struct err *err);
    /* At least the largest id of any run, waitpoint or queue, and of the blocks of ids that
     * runs were given: a clock that was set back must not give them out again. Asked once, at
     * start. */
    bool (*last_id)(struct store *store, int64_t *id, struct err *err);
    /* Safe to call from any thread; NULL for a store without readers. */
    struct reader *(*reader_open)(struct store *store, struct err *err);
    void (*close)(struct store *store);
};

struct store {
    const struct store_ops *ops;
};

/* `path` is the database file, made when absent. Errors: STORE with a sentence: a newer
 * version's file, no database, a damaged header, another process's lock; the file is not
 * touched then. */
bool store_sqlite_open(const char *path, struct store **store, struct err *err);

/* The same with limits: how much of the disk is kept for what was accepted (0: nothing), and
 * how long the log may get before readers are held for a moment so that it can start over.
 * copies_older: a file of an older format is copied before it is brought to this one, to
 * `path`.format-N; where that fails it is not opened, and not touched. */
struct store_limits {
    int64_t low_water_bytes, log_bytes;
    bool copies_older;
};
bool store_sqlite_open_with(const char *path, const struct store_limits *limits,
                            struct store **store, struct err *err);

/* Make the file as small as what is in it, while no server has it. Errors: STORE; the file is
 * as it was then. */
struct compaction {
    int64_t before_bytes, after_bytes;
};
bool store_sqlite_compact(const char *path, struct compaction *compaction, struct err *err);

/* In memory, for the simulation: commits are kept, all else is forgotten at a rollback. */
struct store *store_memory_create(void);

#endif
