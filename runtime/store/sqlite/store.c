/*
 * The SQLite store: one file, one writing connection, WAL.
 *
 *   begin ── load* ── flush ── commit      one transaction a batch; COMMIT syncs the log
 *     └─ first: look after the log
 *
 * When the log is long it is copied into the file, in two steps: a pass of the checkpointer
 * beside the batches (checkpoint.h), then, between two batches, what was added in the meantime;
 * after that the log starts over. It is done before a batch, not behind a commit as SQLite
 * would: the replies of the commit are then already on their way.
 */
#include "base/log.h"
#include "base/memory.h"
#include "migrations.h"
#include "sqlite.h"
#include "store/sqlite/file/checkpoint.h"
#include "store/sqlite/file/database_file.h"
#include "store/sqlite/file/disk_room.h"
#include "store/sqlite/file/reader_gate.h"
#include "store/sqlite/questions/due.h"
#include "store/sqlite/rows/record.h"
#include "store/timers.h"
#include "upgrade.h"

#include <stdio.h>
#include <stdlib.h>

struct sqlite_store {
    struct store store;
    struct connection connection;
    char *path;
    int lock_fd;
    struct checkpointer *checkpointer;
    struct room_keeper room;
    struct gate *gate;
    /* In frames, as CHECKPOINT_FRAMES and CHECKPOINT_MOST, but not above the limit. */
    int first_at, most;
    int frames;             /* in the log after the last commit */
    int checkpoint_at;      /* frames: look after the log then */
    int asked_at;           /* frames when the last pass was asked for */
    int passes;             /* since the log started over */
    struct moment next_due; /* as last asked for; true while no mark of that kind changed */
    bool is_refused;        /* the last checkpoint was */
    bool has_failed;        /* the last batch could not be written */
};

static struct sqlite_store *self(struct store *store)
{
    return (struct sqlite_store *)(void *)store; /* its first member */
}

static int on_commit(void *context, sqlite3 *db, const char *name, int frames)
{
    struct sqlite_store *store = context;

    (void)db, (void)name; /* there is one */
    store->frames = frames;
    if (frames < store->first_at) /* it has started over */
        store->checkpoint_at = store->first_at;
    return SQLITE_OK;
}

/*
 * What it cannot do now, because a reader stands on old pages or the disk is full, it does
 * later.
 */
static void checkpoint(struct sqlite_store *store, int mode)
{
    sqlite3 *db = store->connection.db;

    (void)sqlite3_busy_timeout(db, CHECKPOINT_BUSY_MS); /* there is another time */
    int rc = sqlite3_wal_checkpoint_v2(db, NULL, mode, NULL, NULL);
    (void)sqlite3_busy_timeout(db, BUSY_MS);
    store->checkpoint_at =
        store->frames +
        (store->first_at < CHECKPOINT_AGAIN ? store->first_at : CHECKPOINT_AGAIN);
    store->passes = 0;
    bool refused = rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY;
    if (refused && !store->is_refused) /* once, not at every batch until there is room */
        log_warn("store.checkpoint_failed", "frames=%d reason=\"%s\"", store->frames,
                 sqlite3_errmsg(db));
    store->is_refused = refused;
}

static void look_after_log(struct sqlite_store *store)
{
    if (store->has_failed) {
        /* If the disk is full, a log that is cut makes room. */
        store->has_failed = false;
        room_release(&store->room);
        checkpoint(store, SQLITE_CHECKPOINT_TRUNCATE);
        return;
    }
    if (store->frames < store->checkpoint_at)
        return;
    if (!checkpointer_is_idle(store->checkpointer)) {
        if (store->frames < store->most)
            return;
        checkpointer_wait(store->checkpointer); /* the log must not grow without end */
    }
    if (store->passes > 0 && (store->frames - store->asked_at <= CHECKPOINT_REST ||
                              store->passes >= CHECKPOINT_PASSES)) {
        /* Readers that overlap never leave it by themselves. */
        bool is_long = store->frames >= store->most / 2;
        if (is_long)
            gate_close(store->gate);
        checkpoint(store, SQLITE_CHECKPOINT_PASSIVE);
        if (is_long)
            gate_open(store->gate);
        return;
    }
    store->asked_at = store->frames;
    store->passes++;
    checkpointer_ask(store->checkpointer);
}

static bool run(struct sqlite_store *store, enum sql which, struct err *err)
{
    struct query query;

    return query_start(&query, &store->connection, which, err) && query_run(&query, err);
}

/* Pages that rows were removed from are written before the file grows. */
static void free_pages_look(struct sqlite_store *store)
{
    int64_t pages = 0, page_bytes = 0;

    if (room_is_due(&store->room) &&
        connection_number(&store->connection, "PRAGMA freelist_count", &pages, NULL) &&
        connection_number(&store->connection, "PRAGMA page_size", &page_bytes, NULL))
        atomic_store(&store->room.page_bytes, pages * page_bytes);
}

static bool store_begin(struct store *store, struct err *err)
{
    struct sqlite_store *sqlite = self(store);

    free_pages_look(sqlite);
    room_look(&sqlite->room);
    look_after_log(sqlite);
    names_trim(&sqlite->connection.names);
    return run(sqlite, SQL_BEGIN, err);
}

static bool store_load(struct store *store, struct rows *rows, struct err *err)
{
    return sqlite_load(&self(store)->connection, rows, err);
}

static bool store_flush(struct store *store, struct rows *rows, struct err *err)
{
    struct sqlite_store *sqlite = self(store);

    sqlite->has_failed = !sqlite_flush(&sqlite->connection, rows, err);
    return !sqlite->has_failed;
}

static bool store_commit(struct store *store, struct err *err)
{
    struct sqlite_store *sqlite = self(store);

    sqlite->has_failed = !run(sqlite, SQL_COMMIT, err);
    if (sqlite->has_failed)
        return false;
    names_committed(&sqlite->connection.names);
    return true;
}

/* The version is what it was; the first page is written all the same. */
static bool store_touch(struct store *store, struct err *err)
{
    struct sqlite_store *sqlite = self(store);
    char text[48];

    (void)snprintf(text, sizeof text, "PRAGMA user_version = %d", schema_version()); /* fits */
    sqlite->has_failed = !connection_exec(&sqlite->connection, "write", text, err);
    return !sqlite->has_failed;
}

/* One process has the file, so its own clocks will do. */
static void store_now(struct store *store, struct moment *now)
{
    (void)store;
    *now = moment_now();
}

static void store_room(struct store *store, struct room *room)
{
    room_tell(&self(store)->room, room);
}

static void store_rollback(struct store *store)
{
    struct sqlite_store *sqlite = self(store);

    /* SQLite may have rolled back by itself, and a rollback that fails leaves nothing to do. */
    if (!sqlite3_get_autocommit(sqlite->connection.db))
        (void)run(sqlite, SQL_ROLLBACK, NULL);
    names_rolled_back(&sqlite->connection.names);
    sqlite->connection.given_until = 0;
    sqlite->connection.is_due_changed = true; /* it may have been asked for in between */
}

/* ---- questions --------------------------------------------------------------------------- */

static bool store_due(struct store *store, const struct moment *now, uint32_t limit,
                      struct arena *arena, struct row_refs *due, struct err *err)
{
    return sqlite_due(&self(store)->connection, now, limit, arena, due, err);
}

static bool store_next_due(struct store *store, struct moment *next, struct err *err)
{
    struct sqlite_store *sqlite = self(store);

    if (sqlite->connection.is_due_changed) {
        if (!sqlite_next_due(&sqlite->connection, &sqlite->next_due, err))
            return false;
        sqlite->connection.is_due_changed = false;
    }
    *next = sqlite->next_due;
    return true;
}

static bool store_mend_due(struct store *store, const struct moment *now, uint32_t limit,
                           struct arena *arena, struct row_refs *lost, struct err *err)
{
    return sqlite_mend_due(&self(store)->connection, now, limit, arena, lost, err);
}

static bool store_running(struct store *store, struct arena *arena, struct ids *runs,
                          struct err *err)
{
    struct query query;

    *runs = (struct ids){ 0 };
    return query_start(&query, &self(store)->connection, SQL_RUNNING, err) &&
           ids_take(&query, arena, runs, err);
}

/* From queue to queue through the index, however many runs each of them has. */
static bool store_backlog(struct store *store, struct arena *arena, struct ids *queues,
                          struct err *err)
{
    struct query query;
    int64_t last = -1;
    uint32_t count;

    *queues = (struct ids){ 0 };
    do {
        count = queues->count;
        if (!query_start(&query, &self(store)->connection, SQL_BACKLOG, err))
            return false;
        bind_int(&query, last);
        if (!ids_take(&query, arena, queues, err))
            return false;
        if (queues->count > count)
            last = queues->items[count];
    } while (queues->count > count);
    return true;
}

static bool store_last_id(struct store *store, int64_t *id, struct err *err)
{
    struct connection *connection = &self(store)->connection;
    char question[128];

    if (!connection_number(connection, "SELECT last_id FROM given", id, err))
        return false;
    for (enum row_kind kind = 0; kind < ROW_KINDS; kind++) {
        const struct row_field *key = &row_kinds[kind].fields[0];
        int64_t last = 0;
        if (key->type != FIELD_ID)
            continue;
        (void)snprintf(question, sizeof question, "SELECT coalesce(max(%s), 0) FROM %s",
                       key->name, row_kinds[kind].name);
        if (!connection_number(connection, question, &last, err))
            return false;
        *id = last > *id ? last : *id;
    }
    return true;
}

static int by_number(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

    return (left > right) - (left < right);
}

/* The task has a name in each environment. */
static bool store_parked(struct store *store, struct slice task, int64_t after, uint32_t limit,
                         struct arena *arena, struct ids *runs, struct err *err)
{
    struct connection *connection = &self(store)->connection;
    struct ids names = { 0 };
    struct query query;

    *runs = (struct ids){ 0 };
    if (!query_start(&query, connection, SQL_NAMES_OF_TEXT, err))
        return false;
    bind_text(&query, task);
    bind_int(&query, 0);
    bind_int(&query, UINT32_MAX);
    if (!ids_take(&query, arena, &names, err))
        return false;
    for (uint32_t i = 0; i < names.count; i++) {
        if (!query_start(&query, connection, SQL_PARKED, err))
            return false;
        bind_int(&query, names.items[i]);
        bind_int(&query, after);
        bind_int(&query, limit);
        if (!ids_take(&query, arena, runs, err))
            return false;
    }
    if (names.count > 1 && runs->count > 1)
        qsort(runs->items, runs->count, sizeof *runs->items, by_number);
    if (runs->count > limit)
        runs->count = limit;
    return true;
}

static bool store_walk(struct store *store, enum row_kind kind, int64_t after, uint32_t limit,
                       struct arena *arena, struct ids *ids, struct err *err)
{
    struct query query;

    if (!query_start(&query, &self(store)->connection, kind_sql(kind, KIND_WALK), err))
        return false;
    bind_int(&query, after);
    bind_int(&query, limit);
    return ids_take(&query, arena, ids, err);
}

static bool store_kept_until(struct store *store, int64_t *wall_ms, struct err *err)
{
    return connection_number(&self(store)->connection, "SELECT until_ms FROM kept", wall_ms,
                             err);
}

static bool store_environment(struct store *store, const char *name, uint32_t *number,
                              struct err *err)
{
    struct connection *connection = &self(store)->connection;
    struct query query;
    int64_t found = 0;

    if (!query_start(&query, connection, SQL_ENVIRONMENT, err))
        return false;
    bind_text(&query, slice_of(name));
    if (!query_number(&query, &found, err))
        return false;
    if (found == 0) {
        if (!query_start(&query, connection, SQL_ENVIRONMENT_INSERT, err))
            return false;
        bind_text(&query, slice_of(name));
        if (!query_run(&query, err))
            return false;
        found = sqlite3_last_insert_rowid(connection->db);
    }
    *number = (uint32_t)found;
    return true;
}

static bool sweep(struct connection *connection, enum sql which, int64_t before, uint32_t limit,
                  struct err *err)
{
    struct query query;

    if (!query_start(&query, connection, which, err))
        return false;
    bind_int(&query, before);
    bind_int(&query, limit);
    return query_run(&query, err);
}

static bool store_sweep(struct store *store, int64_t now_ms, int64_t minute, uint32_t limit,
                        struct err *err)
{
    struct connection *connection = &self(store)->connection;

    return sweep(connection, SQL_KEY_SWEEP, now_ms, limit, err) &&
           sweep(connection, SQL_MINUTE_SWEEP, minute, limit, err);
}

/* ---- open and close ---------------------------------------------------------------------- */

static struct reader *store_reader_open(struct store *store, struct err *err)
{
    return sqlite_reader_open(self(store)->path, self(store)->gate, err);
}

static void store_close(struct store *store)
{
    struct sqlite_store *sqlite = self(store);

    checkpointer_destroy(sqlite->checkpointer);
    connection_close(&sqlite->connection); /* the last connection takes the log with it */
    room_close(&sqlite->room);
    gate_drop(sqlite->gate);
    file_unlock(sqlite->lock_fd);
    free(sqlite->path);
    free(sqlite);
}

static const struct store_ops ops = {
    .name = "sqlite",
    .begin = store_begin,
    .load = store_load,
    .due = store_due,
    .next_due = store_next_due,
    .mend_due = store_mend_due,
    .flush = store_flush,
    .commit = store_commit,
    .touch = store_touch,
    .room = store_room,
    .now = store_now,
    .rollback = store_rollback,
    .running = store_running,
    .backlog = store_backlog,
    .parked = store_parked,
    .walk = store_walk,
    .kept_until = store_kept_until,
    .environment = store_environment,
    .sweep = store_sweep,
    .last_id = store_last_id,
    .reader_open = store_reader_open,
    .close = store_close,
};

static bool open_writer(struct sqlite_store *store, bool copies_older, struct err *err)
{
    bool is_new;
    int keeps_log = 0;

    if (!file_check(store->path, &is_new, err) || (is_new && !file_create(store->path, err)) ||
        !file_private(store->path, err) ||
        !connection_open_writer(&store->connection, store->path, WRITER_CACHE_KIB, err))
        return false;
    (void)sqlite3_db_config(store->connection.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
                            &keeps_log); /* never fails for a known option */
    if (!sqlite_upgrade(&store->connection, store->path, copies_older, err))
        goto close;
    store->checkpointer = checkpointer_create(store->path, err);
    if (store->checkpointer == NULL)
        goto close;
    file_ready_log(store->path,
                   (int64_t)(LOG_READY_FRAMES < store->most ? LOG_READY_FRAMES : store->most) *
                       LOG_FRAME_BYTES);
    store->connection.is_due_changed = true; /* nobody has asked yet */
    (void)sqlite3_wal_hook(store->connection.db, on_commit,
                           store); /* returns the hook before */
    return true;

close:
    connection_close(&store->connection);
    return false;
}

bool store_sqlite_open(const char *path, struct store **store, struct err *err)
{
    return store_sqlite_open_with(path, &(struct store_limits){ .log_bytes = LOG_BYTES_USUAL },
                                  store, err);
}

bool store_sqlite_open_with(const char *path, const struct store_limits *limits,
                            struct store **store, struct err *err)
{
    struct sqlite_store *sqlite = memory_zeroed(1, sizeof *sqlite);

    *sqlite =
        (struct sqlite_store){ .store.ops = &ops, .path = memory_text(path), .lock_fd = -1 };
    int64_t frames = limits->log_bytes / LOG_FRAME_BYTES * 3 / 4;
    sqlite->most = frames < CHECKPOINT_MOST ? (int)frames : CHECKPOINT_MOST;
    sqlite->checkpoint_at = sqlite->first_at =
        sqlite->most / 4 < CHECKPOINT_FRAMES ? sqlite->most / 4 : CHECKPOINT_FRAMES;
    sqlite->gate = gate_create();
    if (file_lock(path, &sqlite->lock_fd, err) &&
        open_writer(sqlite, limits->copies_older, err)) {
        room_open(&sqlite->room, path, limits->low_water_bytes);
        *store = &sqlite->store;
        return true;
    }
    gate_drop(sqlite->gate);
    file_unlock(sqlite->lock_fd);
    free(sqlite->path);
    free(sqlite);
    return false;
}
