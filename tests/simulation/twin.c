#include "twin.h"

#include "base/memory.h"
#include "engine/rows/rows_known.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct twin {
    struct store store;
    struct store *sqlite, *memory;
    char directory[64];
    unsigned lives; /* each has a file of its own */
    int fail_in;
    void *context;
    void (*flaw)(void *context, const char *text);
};

static struct twin *self(struct store *store)
{
    return (struct twin *)(void *)store; /* its first member */
}

static void flaw(struct twin *twin, const char *what, int64_t id)
{
    char text[700];

    (void)snprintf(text, sizeof text, "sqlite and memory differ: %s %lld", what,
                   (long long)id); /* cut is fine */
    twin->flaw(twin->context, text);
}

static bool fails(struct twin *twin, struct err *err)
{
    if (twin->fail_in == 0 || --twin->fail_in > 0)
        return false;
    return !err_set(err, ERR_STORE, "the simulated store failed");
}

/* ---- comparing --------------------------------------------------------------------------- */

static bool refs_same(const struct row_refs *a, const struct row_refs *b)
{
    bool same = a->count == b->count;

    for (uint32_t i = 0; same && i < a->count; i++)
        same = a->items[i].kind == b->items[i].kind && a->items[i].id == b->items[i].id;
    return same;
}

static void ready_compare(struct twin *twin, struct rows *rows, struct rows *others)
{
    for (uint32_t i = 0; i < others->wants.ready_count; i++) {
        uint64_t lane = (uint64_t)others->wants.ready[i].lane;
        const struct ready *ready = known_get(rows, &rows->ready, lane)->row;
        const struct ready *other = known_get(others, &others->ready, lane)->row;
        uint32_t count = ready == NULL ? 0 : ready->count;
        bool same = count == (other == NULL ? 0 : other->count);
        for (uint32_t k = 0; same && k < count; k++)
            same = ready->runs[k]->id == other->runs[k]->id;
        if (!same)
            flaw(twin, "the ready runs of lane", (int64_t)lane);
    }
}

/* Lanes of a queue that have something, and those without a live run. */
static void lanes_compare(struct twin *twin, struct rows *rows, struct rows *others)
{
    const struct idle_lanes *idle = &rows->lanes.idle, *idle_too = &others->lanes.idle;

    for (uint32_t i = 0; i < others->lanes.queue_count; i++) {
        uint64_t queue = (uint64_t)others->lanes.queues[i].queue;
        const struct lanes *lanes = known_get(rows, &rows->lanes.of_queues, queue)->row;
        const struct lanes *other = known_get(others, &others->lanes.of_queues, queue)->row;
        if ((other != NULL && !ids_same(&lanes->ids, &other->ids)) ||
            (other == NULL && lanes->ids.count > 0))
            flaw(twin, "the lanes of queue", (int64_t)queue);
    }
    if (!idle_too->is_wanted)
        return;
    bool same = idle->count == idle_too->count;
    for (uint32_t k = 0; same && k < idle->count; k++)
        same = idle->items[k]->id == idle_too->items[k]->id;
    if (!same)
        flaw(twin, "lanes that nobody is in,", idle->count);
}

/* The unused queues of an environment, and how many it has. */
static void idle_compare(struct twin *twin, struct rows *rows, struct rows *others)
{
    for (uint32_t i = 0; i < others->wants.idle_count; i++) {
        uint32_t environment = others->wants.idle[i].environment;
        const struct idle *idle = known_get(rows, &rows->idle, environment)->row;
        const struct idle *other = known_get(others, &others->idle, environment)->row;
        uint32_t count = idle == NULL ? 0 : idle->count;
        bool same = count == (other == NULL ? 0 : other->count) &&
                    (idle == NULL ? 0 : idle->live) == (other == NULL ? 0 : other->live);
        for (uint32_t k = 0; same && k < count; k++)
            same = idle->queues[k]->id == other->queues[k]->id;
        if (!same)
            flaw(twin, "the unused queues of environment", environment);
    }
}

/* What was loaded just now; a row that the engine has changed meanwhile says nothing. */
static void rows_compare(struct twin *twin, struct rows *rows, struct rows *others)
{
    const struct row_field *field;
    char what[100];

    for (enum row_kind kind = 0; kind < ROW_KINDS; kind++)
        for (const struct row *other = others->list[kind]; other != NULL; other = other->next) {
            const struct row_field *id = &row_kinds[kind].fields[0];
            struct row_key key = { row_number(other, id), row_slice(other, id) };
            const struct row *row = known_of(rows, &rows->by_key[kind], key)->row;
            if (row != NULL &&
                (row_is_changed(kind, row) || row_same(kind, row, other, &field)))
                continue;
            (void)snprintf(what, sizeof what, "%s of %s", row == NULL ? "all" : field->name,
                           row_kinds[kind].name); /* it fits */
            flaw(twin, what, key.id);
        }
    ready_compare(twin, rows, others);
    lanes_compare(twin, rows, others);
    crowds_compare(twin->context, twin->flaw, rows, others);
    idle_compare(twin, rows, others);
    selects_compare(twin->context, twin->flaw, rows, others);
}

/* ---- the contract ------------------------------------------------------------------------ */

static bool twin_begin(struct store *store, struct err *err)
{
    struct twin *twin = self(store);

    return !fails(twin, err) && twin->memory->ops->begin(twin->memory, err) &&
           twin->sqlite->ops->begin(twin->sqlite, err);
}

static void lanes_want(struct lane_rows *to, const struct lane_rows *from)
{
    to->queues = from->queues;
    to->queue_count = from->queue_count;
    crowds_want(to, from);
    to->idle.is_wanted = from->idle.is_wanted;
    to->idle.after = from->idle.after;
    to->idle.limit = from->idle.limit;
}

static bool twin_load(struct store *store, struct rows *rows, struct err *err)
{
    struct twin *twin = self(store);
    struct arena arena = { 0 };
    struct rows others;

    if (fails(twin, err) || !twin->sqlite->ops->load(twin->sqlite, rows, err))
        return false;
    rows_init(&others, &arena);
    others.wants = rows->wants;
    lanes_want(&others.lanes, &rows->lanes);
    bool loaded = twin->memory->ops->load(twin->memory, &others, err);
    if (loaded)
        rows_compare(twin, rows, &others);
    arena_finish(&arena);
    return loaded;
}

static bool twin_due(struct store *store, const struct moment *now, uint32_t limit,
                     struct arena *arena, struct row_refs *due, struct err *err)
{
    struct twin *twin = self(store);
    struct row_refs other;

    if (fails(twin, err) ||
        !twin->sqlite->ops->due(twin->sqlite, now, limit, arena, due, err) ||
        !twin->memory->ops->due(twin->memory, now, limit, arena, &other, err))
        return false;
    if (!refs_same(due, &other))
        flaw(twin, "what is due at", now->wall_ms);
    return true;
}

static bool twin_next_due(struct store *store, struct moment *next, struct err *err)
{
    struct twin *twin = self(store);
    struct moment other;

    if (!twin->sqlite->ops->next_due(twin->sqlite, next, err) ||
        !twin->memory->ops->next_due(twin->memory, &other, err))
        return false;
    if (next->wall_ms != other.wall_ms || next->steady_ms != other.steady_ms)
        flaw(twin, "what is due next,", next->wall_ms);
    return true;
}

static bool twin_mend_due(struct store *store, const struct moment *now, uint32_t limit,
                          struct arena *arena, struct row_refs *lost, struct err *err)
{
    struct twin *twin = self(store);

    if (!twin->sqlite->ops->mend_due(twin->sqlite, now, limit, arena, lost, err))
        return false;
    if (lost->count > 0)
        flaw(twin, "a mark without its row, or the other way about;", lost->count);
    return true;
}

static bool twin_flush(struct store *store, struct rows *rows, struct err *err)
{
    struct twin *twin = self(store);

    return !fails(twin, err) && twin->sqlite->ops->flush(twin->sqlite, rows, err) &&
           twin->memory->ops->flush(twin->memory, rows, err);
}

static bool twin_commit(struct store *store, struct err *err)
{
    struct twin *twin = self(store);

    return !fails(twin, err) && twin->sqlite->ops->commit(twin->sqlite, err) &&
           twin->memory->ops->commit(twin->memory, err);
}

static bool twin_touch(struct store *store, struct err *err)
{
    struct twin *twin = self(store);

    return !fails(twin, err) && twin->sqlite->ops->touch(twin->sqlite, err) &&
           twin->memory->ops->touch(twin->memory, err);
}

/* The disk is never full here, for what is refused then would be a flaw of the machine's. */
static void twin_room(struct store *store, struct room *room)
{
    struct twin *twin = self(store);

    twin->memory->ops->room(twin->memory, room);
}

/* The world has its own. */
static void twin_now(struct store *store, struct moment *now)
{
    self(store)->memory->ops->now(self(store)->memory, now);
}

static void twin_rollback(struct store *store)
{
    struct twin *twin = self(store);

    twin->sqlite->ops->rollback(twin->sqlite);
    twin->memory->ops->rollback(twin->memory);
}

static bool twin_running(struct store *store, struct arena *arena, struct ids *runs,
                         struct err *err)
{
    struct twin *twin = self(store);
    struct ids others = { 0 };

    if (!twin->sqlite->ops->running(twin->sqlite, arena, runs, err) ||
        !twin->memory->ops->running(twin->memory, arena, &others, err))
        return false;
    if (runs->count != others.count)
        flaw(twin, "how many runs are running:", runs->count);
    return true;
}

static bool twin_backlog(struct store *store, struct arena *arena, struct ids *queues,
                         struct err *err)
{
    struct twin *twin = self(store);
    struct ids others = { 0 };

    if (!twin->sqlite->ops->backlog(twin->sqlite, arena, queues, err) ||
        !twin->memory->ops->backlog(twin->memory, arena, &others, err))
        return false;
    if (!ids_same(queues, &others))
        flaw(twin, "the backlog:", queues->count);
    return true;
}

static bool twin_parked(struct store *store, struct slice task, int64_t after, uint32_t limit,
                        struct arena *arena, struct ids *runs, struct err *err)
{
    struct twin *twin = self(store);
    struct ids others = { 0 };

    if (fails(twin, err) ||
        !twin->sqlite->ops->parked(twin->sqlite, task, after, limit, arena, runs, err) ||
        !twin->memory->ops->parked(twin->memory, task, after, limit, arena, &others, err))
        return false;
    if (!ids_same(runs, &others))
        flaw(twin, "the parked runs above", after);
    return true;
}

static bool twin_walk(struct store *store, enum row_kind kind, int64_t after, uint32_t limit,
                      struct arena *arena, struct ids *ids, struct err *err)
{
    struct twin *twin = self(store);
    struct ids others = { 0 };

    if (fails(twin, err) ||
        !twin->sqlite->ops->walk(twin->sqlite, kind, after, limit, arena, ids, err) ||
        !twin->memory->ops->walk(twin->memory, kind, after, limit, arena, &others, err))
        return false;
    if (!ids_same(ids, &others))
        flaw(twin, "the rows above", after);
    return true;
}

static bool twin_environment(struct store *store, const char *name, uint32_t *number,
                             struct err *err)
{
    struct twin *twin = self(store);
    uint32_t other;

    if (!twin->sqlite->ops->environment(twin->sqlite, name, number, err) ||
        !twin->memory->ops->environment(twin->memory, name, &other, err))
        return false;
    if (*number != other)
        flaw(twin, "environment", *number);
    return true;
}

static bool twin_sweep(struct store *store, int64_t steady_ms, int64_t minute, uint32_t limit,
                       struct err *err)
{
    struct twin *twin = self(store);

    return twin->sqlite->ops->sweep(twin->sqlite, steady_ms, minute, limit, err) &&
           twin->memory->ops->sweep(twin->memory, steady_ms, minute, limit, err);
}

static bool twin_last_id(struct store *store, int64_t *id, struct err *err)
{
    struct twin *twin = self(store);
    int64_t other;

    if (!twin->sqlite->ops->last_id(twin->sqlite, id, err) ||
        !twin->memory->ops->last_id(twin->memory, &other, err))
        return false;
    if (*id < other) /* it may be written ahead */
        flaw(twin, "the last id,", *id);
    return true;
}

/* ---- files ------------------------------------------------------------------------------- */

static void path_of(const struct twin *twin, unsigned life, const char *suffix, char path[120])
{
    (void)snprintf(path, 120, "%s/%u.db%s", twin->directory, life, suffix); /* it fits */
}

static void sqlite_open(struct twin *twin)
{
    char path[120];
    struct err err = { 0 };

    path_of(twin, twin->lives, "", path);
    if (!store_sqlite_open(path, &twin->sqlite, &err)) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
}

static void file_copy(const struct twin *twin, const char *suffix)
{
    static char bytes[1 << 16];
    char from[120], to[120];
    size_t size;

    path_of(twin, twin->lives, suffix, from);
    path_of(twin, twin->lives + 1, suffix, to);
    FILE *in = fopen(from, "rb"), *out = in == NULL ? NULL : fopen(to, "wb");
    while (out != NULL && (size = fread(bytes, 1, sizeof bytes, in)) > 0)
        if (fwrite(bytes, 1, size, out) != size)
            abort();
    if (out != NULL && fclose(out) != 0)
        abort();
    if (in != NULL)
        (void)fclose(in); /* only read from */
}

static void files_remove(const struct twin *twin)
{
    static const char *const suffixes[] = { "", "-wal", "-shm", ".lock" };
    char path[120];

    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        path_of(twin, twin->lives, suffixes[i], path);
        (void)unlink(path); /* not all of them are there */
    }
}

void twin_crash(struct store *store)
{
    struct twin *twin = self(store);

    twin_rollback(store);
    file_copy(twin, "");
    file_copy(twin, "-wal");
    twin->sqlite->ops->close(twin->sqlite);
    files_remove(twin);
    twin->lives++;
    sqlite_open(twin);
    twin_check(store);
}

void twin_check(struct store *store)
{
    enum { AT_ONCE = 500 };
    struct twin *twin = self(store);
    uint32_t runs = store_memory_count(twin->memory, ROW_RUN);
    uint32_t tokens = store_memory_count(twin->memory, ROW_WAITPOINT);
    struct err err = { 0 };

    for (uint32_t first = 0; first < runs || first < tokens; first += AT_ONCE) {
        struct arena arena = { 0 };
        struct rows rows;
        struct run *run;
        struct waitpoint *token;
        rows_init(&rows, &arena);
        for (uint32_t i = first; i < first + AT_ONCE; i++) {
            if (i < runs)
                (void)rows_run(&rows, store_memory_run(twin->memory, i)->id,
                               PART_INPUT | PART_STATE | PART_OUTPUT | PART_STATES, &run);
            if (i < tokens)
                (void)rows_waitpoint(&rows, store_memory_waitpoint(twin->memory, i)->id,
                                     &token); /* wanted */
        }
        if (!twin_begin(store, &err) || !twin_load(store, &rows, &err))
            flaw(twin, err.text, 0);
        twin_rollback(store);
        arena_finish(&arena);
    }
}

static void twin_close(struct store *store)
{
    struct twin *twin = self(store);

    twin->sqlite->ops->close(twin->sqlite);
    twin->memory->ops->close(twin->memory);
    files_remove(twin);
    if (rmdir(twin->directory) != 0)
        perror(twin->directory);
    free(twin);
}

static const struct store_ops twin_ops = { .name = "twin",
                                           .begin = twin_begin,
                                           .load = twin_load,
                                           .due = twin_due,
                                           .next_due = twin_next_due,
                                           .mend_due = twin_mend_due,
                                           .flush = twin_flush,
                                           .commit = twin_commit,
                                           .rollback = twin_rollback,
                                           .touch = twin_touch,
                                           .room = twin_room,
                                           .now = twin_now,
                                           .running = twin_running,
                                           .backlog = twin_backlog,
                                           .parked = twin_parked,
                                           .walk = twin_walk,
                                           .environment = twin_environment,
                                           .sweep = twin_sweep,
                                           .last_id = twin_last_id,
                                           .close = twin_close };

struct store *twin_memory(struct store *store)
{
    return self(store)->memory;
}

void twin_fail(struct store *store, int calls)
{
    self(store)->fail_in = calls;
}

struct store *twin_create(void *context, void (*on_flaw)(void *context, const char *text))
{
    struct twin *twin = memory_zeroed(1, sizeof *twin);

    twin->store.ops = &twin_ops;
    twin->context = context;
    twin->flaw = on_flaw;
    twin->memory = store_memory_create();
    (void)snprintf(twin->directory, sizeof twin->directory, "%s/bide-twin-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"); /* it fits */
    if (mkdtemp(twin->directory) == NULL) {
        perror(twin->directory);
        abort();
    }
    sqlite_open(twin);
    return &twin->store;
}
