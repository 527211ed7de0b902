/*
 * The store of the simulation: sorted arrays of rows. A transaction remembers what is to be
 * flushed; a commit applies it, a rollback forgets it, so that a crash between any two steps
 * leaves exactly what was committed. Plain on purpose: it is what the real stores are measured
 * against.
 */
#include "store/memory/memory_store.h"

#include "base/id.h"
#include "base/memory.h"
#include "engine/rows/minute.h"
#include "store/memory/memory_rows.h"

#include <stdlib.h>

/* ---- the contract ------------------------------------------------------------------------ */

bool memory_fails(struct memory_store *memory, struct err *err)
{
    if (memory->between != NULL)
        memory->between(memory->context);
    if (memory->fail_in == 0 || --memory->fail_in > 0)
        return false;
    return !err_set(err, ERR_STORE, "the simulated store failed");
}

static bool memory_begin(struct store *store, struct err *err)
{
    memory_of(store)->flushed = NULL;
    return !memory_fails(memory_of(store), err);
}

struct row *memory_lend(struct rows *rows, enum row_kind kind, const struct row *row,
                        uint32_t parts)
{
    struct row *lent = row_copy(kind, rows->arena, row, parts);

    lent->parts = parts;
    return rows_put(rows, kind, lent);
}

static const struct row *row_titled(const struct sorted_rows *rows, struct row_key wanted)
{
    const struct kind *is = &row_kinds[rows->kind];

    for (uint32_t i = 0; i < rows->count; i++) {
        const struct row *row = rows->items[i].row;
        if (row_number(row, is->scope) == wanted.id &&
            slice_equal(row_slice(row, is->title), wanted.bytes))
            return row;
    }
    return NULL;
}

static const struct row *row_keyed(const struct sorted_rows *rows, struct row_key wanted)
{
    struct key key = { 0 }; /* of the kinds here, the one whose key are bytes */

    if (wanted.bytes.size == 0)
        return sorted_find_id(rows, wanted.id);
    row_set_slice(&key.row, &row_kinds[rows->kind].fields[0], wanted.bytes);
    return sorted_find(rows, &key.row);
}

static bool memory_load(struct store *store, struct rows *rows, struct err *err)
{
    struct memory_store *memory = memory_of(store);

    if (memory_fails(memory, err))
        return false;
    for (enum row_kind kind = 0; kind < ROW_KINDS; kind++) {
        const struct row_wants *keys = &rows->wants.keys[kind];
        const struct row_wants *titles = &rows->wants.titles[kind];
        for (uint32_t i = 0; i < keys->count; i++) {
            const struct row *row = row_keyed(&memory->db->rows[kind], keys->items[i].key);
            if (row != NULL)
                (void)memory_lend(rows, kind, row, keys->items[i].parts); /* found by its key */
        }
        for (uint32_t i = 0; i < titles->count; i++) {
            const struct row *row = row_titled(&memory->db->rows[kind], titles->items[i].key);
            if (row != NULL)
                (void)memory_lend(rows, kind, row, 0); /* found by its title */
        }
    }
    memory_load_questions(memory, rows);
    return true;
}

static bool memory_flush(struct store *store, struct rows *rows, struct err *err)
{
    if (memory_fails(memory_of(store), err))
        return false;
    memory_of(store)->flushed = rows;
    return true;
}

/* What is added to, and what only grows, whoever else has changed it since. */
static void merge(const struct kind *kind, struct row *to, const struct row *loaded,
                  const struct row *old)
{
    for (int i = 0; i < kind->field_count; i++) {
        const struct row_field *field = &kind->fields[i];
        int64_t number = row_number(to, field), is = row_number(old, field);
        if (field->type == FIELD_SUM && loaded == NULL)
            row_set_number(to, field, is + number);
        else if (field->type == FIELD_SUM)
            row_set_number(to, field, is + number - row_number(loaded, field));
        else if (field->type == FIELD_MOST && is > number)
            row_set_number(to, field, is);
    }
}

/* Of the big fields only those that are marked: a forgotten mark shows up as in a database. */
static void commit_row(struct memory_store *memory, enum row_kind kind, struct row *row)
{
    const struct kind *is = &row_kinds[kind];
    const struct row *old = sorted_find(&memory->db->rows[kind], row);

    if (row->is_deleted) {
        sorted_drop(&memory->db->rows[kind], row);
        return;
    }
    struct row *copy = row_copy(kind, memory->flushed->arena, row, row->dirty_parts);
    for (int i = 0; old != NULL && i < is->part_count; i++)
        if ((row->dirty_parts >> i & 1) == 0)
            row_set_slice(copy, &is->parts[i], row_slice(old, &is->parts[i]));
    if (old != NULL && (row->loaded != NULL || is->again == AGAIN_ADDS))
        merge(is, copy, row->loaded, old);
    /* What is added to a sum changes nothing that others go by. */
    bool is_same = old != NULL && !row_is_guarded(kind, row);
    uint32_t version = is_same ? old->version : ++memory->db->version;
    uint32_t leans = old == NULL ? 0 : old->leans;
    struct row *put = sorted_put(&memory->db->rows[kind], copy);
    put->version = version;
    put->leans = leans;
}

/* The batch went by the row, and left it as it was. */
static void commit_lean(struct memory_store *memory, enum row_kind kind, const struct row *row)
{
    struct row *old = row_kinds[kind].is_locked && row->loaded != NULL && !row->is_deleted
                          ? sorted_find(&memory->db->rows[kind], row)
                          : NULL;

    if (old != NULL)
        old->leans++;
}

/*
 * Has another node made or changed what must be as it was loaded? As locks would have it that a
 * load takes, shared, and that whoever changes the row needs alone: nobody who went by the row
 * may have committed in between, for what hangs on it (edges, children, runs of a queue or
 * lane) is not what this batch was told.
 */
static bool is_overtaken(const struct memory_store *memory, enum row_kind kind,
                         const struct row *row, uint32_t *version)
{
    const struct kind *is = &row_kinds[kind];
    const struct sorted_rows *rows = &memory->db->rows[kind];
    const struct row *old = sorted_find(rows, row);

    *version = old == NULL ? 0 : old->version;
    if (row->loaded == NULL)
        return (old != NULL && is->again == AGAIN_FAILS) ||
               (is->title != NULL &&
                row_titled(rows, (struct row_key){ row_number(row, is->scope),
                                                   row_slice(row, is->title) }) != NULL);
    bool is_written = row_is_changed(kind, row) && row_is_guarded(kind, row);
    if (is->key_fields > 1 || !(is->is_locked || row->is_held || is_written))
        return false;
    return old == NULL || old->version != row->version ||
           (is_written && is->is_locked && old->leans != row->leans);
}

/* What a run has said and does not keep. */
static void commit_log_drops(struct memory_store *memory, const struct log_line *line)
{
    struct sorted_rows *lines = &memory->db->rows[ROW_LOG_LINE];
    bool found;

    for (uint32_t number = line->keeps + 1; number <= line->drops; number++) {
        struct log_line key = { .run_id = line->run_id, .line = number };
        uint32_t at = sorted_at(lines, &key.row, &found);
        const struct log_line *next =
            at < lines->count ? (const struct log_line *)lines->items[at].row : NULL;
        if (next == NULL || next->run_id != line->run_id || next->line > line->drops)
            break;
        number = next->line;
        sorted_drop(lines, &next->row);
    }
}

/* Is everything as this batch has it in mind? */
static bool guards_hold(const struct memory_store *memory, const struct rows *rows,
                        struct err *err)
{
    uint32_t version;
    int64_t queue;

    if (!memory_crowds_hold(memory, rows, &queue))
        return err_set(err, ERR_CONFLICT, "another node was faster: queue %lld is full",
                       (long long)queue);
    for (enum row_kind kind = 0; kind < ROW_KINDS; kind++)
        for (const struct row *row = rows->list[kind]; row != NULL; row = row->next)
            if (is_overtaken(memory, kind, row, &version))
                return err_set(err, ERR_CONFLICT,
                               "another node was faster: %s %lld, loaded as version %u, is "
                               "version %u",
                               row_kinds[kind].name,
                               (long long)row_number(row, &row_kinds[kind].fields[0]),
                               row->version, version);
    return true;
}

static bool memory_commit(struct store *store, struct err *err)
{
    struct memory_store *memory = memory_of(store);
    const struct rows *rows = memory->flushed;

    if (memory_fails(memory, err))
        return false;
    if (rows != NULL && memory->db->users > 1 && !guards_hold(memory, rows, err))
        return false;
    for (enum row_kind kind = 0; rows != NULL && kind < ROW_KINDS; kind++)
        for (struct row *row = rows->list[kind]; row != NULL; row = row->next) {
            if (row_is_changed(kind, row))
                commit_row(memory, kind, row);
            if (memory->db->users > 1)
                commit_lean(memory, kind, row);
        }
    for (const struct row *row = rows == NULL ? NULL : rows->list[ROW_LOG_LINE]; row != NULL;
         row = row->next)
        commit_log_drops(memory, (const struct log_line *)row);
    memory->commits += rows != NULL;
    memory->flushed = NULL;
    return true;
}

static void memory_rollback(struct store *store)
{
    memory_of(store)->flushed = NULL;
}

static bool memory_running(struct store *store, struct arena *arena, struct ids *runs,
                           struct err *err)
{
    struct memory_store *memory = memory_of(store);

    (void)err; /* looking at memory cannot fail */
    EACH_SORTED(&memory->db->rows[ROW_RUN], run, run)
    if (run_is_executing(run))
        rows_ids_add(arena, runs, run->id);
    return true;
}

static bool memory_backlog(struct store *store, struct arena *arena, struct ids *queues,
                           struct err *err)
{
    struct memory_store *memory = memory_of(store);

    (void)err; /* looking at memory cannot fail */
    EACH_SORTED(&memory->db->rows[ROW_QUEUE], queue, queue)
    {
        bool has_any = false;
        EACH_SORTED(&memory->db->rows[ROW_RUN], run, run)
        has_any |= run->status == RUN_QUEUED && run->queue == queue->id;
        if (has_any)
            rows_ids_add(arena, queues, queue->id);
    }
    return true;
}

static bool memory_parked(struct store *store, struct slice task, int64_t after, uint32_t limit,
                          struct arena *arena, struct ids *runs, struct err *err)
{
    struct memory_store *memory = memory_of(store);

    if (memory_fails(memory, err))
        return false;
    EACH_SORTED(&memory->db->rows[ROW_RUN], run, run)
    if (run->status == RUN_PARKED && run->id > after && slice_equal(run->task, task) &&
        runs->count < limit)
        rows_ids_add(arena, runs, run->id);
    return true;
}

static bool memory_walk(struct store *store, enum row_kind kind, int64_t after, uint32_t limit,
                        struct arena *arena, struct ids *ids, struct err *err)
{
    const struct sorted_rows *rows = &memory_of(store)->db->rows[kind];

    if (memory_fails(memory_of(store), err))
        return false;
    for (uint32_t i = 0; i < rows->count && ids->count < limit; i++) {
        int64_t id = row_number(rows->items[i].row, &row_kinds[kind].fields[0]);
        if (id > after)
            rows_ids_add(arena, ids, id);
    }
    return true;
}

static bool memory_kept_until(struct store *store, int64_t *wall_ms, struct err *err)
{
    (void)store, (void)err; /* it never had another format */
    *wall_ms = 0;
    return true;
}

static bool memory_environment(struct store *store, const char *name, uint32_t *number,
                               struct err *err)
{
    struct memory_store *memory = memory_of(store);

    EACH_SORTED(&memory->db->rows[ROW_ENVIRONMENT], environment, environment)
    if (slice_is(environment->name, name)) {
        *number = (uint32_t)environment->number;
        return true;
    }
    (void)err; /* there is room for any number of them */
    struct environment made = { .number = memory->db->rows[ROW_ENVIRONMENT].count + 1,
                                .name = slice_of(name) };
    (void)sorted_put(&memory->db->rows[ROW_ENVIRONMENT], &made.row); /* a copy */
    *number = (uint32_t)made.number;
    return true;
}

static bool memory_sweep(struct store *store, int64_t now_ms, int64_t minute, uint32_t limit,
                         struct err *err)
{
    struct memory_store *memory = memory_of(store);
    struct sorted_rows *keys = &memory->db->rows[ROW_KEY];
    struct sorted_rows *minutes = &memory->db->rows[ROW_QUEUE_MINUTE];
    uint32_t left = limit;

    (void)err; /* looking at memory cannot fail */
    for (uint32_t i = keys->count; i > 0 && left > 0; i--) {
        const struct key *key = (const struct key *)keys->items[i - 1].row;
        if (key->expires_ms == 0 || key->expires_ms > now_ms)
            continue;
        sorted_drop(keys, &key->row);
        left--;
    }
    for (; minutes->count > 0 && limit > 0; limit--) {
        const struct row *first = minutes->items[0].row;
        if (((const struct queue_minute *)first)->minute >= minute)
            break;
        sorted_drop(minutes, first);
    }
    return true;
}

static bool memory_last_id(struct store *store, int64_t *id, struct err *err)
{
    struct memory_store *memory = memory_of(store);

    (void)err; /* looking at memory cannot fail */
    *id = 0;
    for (enum row_kind kind = 0; kind < ROW_KINDS; kind++) {
        const struct sorted_rows *rows = &memory->db->rows[kind];
        if (row_kinds[kind].fields[0].type == FIELD_ID && rows->count > 0) {
            int64_t last =
                row_number(rows->items[rows->count - 1].row, &row_kinds[kind].fields[0]);
            *id = last > *id ? last : *id;
        }
    }
    EACH_SORTED(&memory->db->rows[ROW_RUN], run, run)
    if (run->id_block != 0 && run->id_block + ID_BLOCK - 1 > *id)
        *id = run->id_block + ID_BLOCK - 1;
    EACH_SORTED(&memory->db->rows[ROW_BATCH], run_batch, made)
    if (made->first_id + made->room > *id)
        *id = made->first_id + made->room;
    return true;
}

static void memory_close(struct store *store)
{
    struct memory_store *memory = memory_of(store);

    if (--memory->db->users == 0) {
        for (enum row_kind kind = 0; kind < ROW_KINDS; kind++)
            sorted_finish(&memory->db->rows[kind]);
        free(memory->db);
    }
    free(memory);
}

static const struct store_ops memory_ops = {
    .name = "memory",
    .begin = memory_begin,
    .load = memory_load,
    .due = memory_due,
    .next_due = memory_next_due,
    .mend_due = memory_mend_due,
    .flush = memory_flush,
    .commit = memory_commit,
    .touch = memory_touch,
    .room = memory_room,
    .now = memory_now,
    .rollback = memory_rollback,
    .running = memory_running,
    .backlog = memory_backlog,
    .parked = memory_parked,
    .walk = memory_walk,
    .kept_until = memory_kept_until,
    .environment = memory_environment,
    .sweep = memory_sweep,
    .last_id = memory_last_id,
    .close = memory_close,
};

static struct store *session(struct memory_db *db)
{
    struct memory_store *memory = memory_zeroed(1, sizeof *memory);

    memory->store.ops = &memory_ops;
    memory->db = db;
    db->users++;
    return &memory->store;
}

struct store *store_memory_create(void)
{
    struct memory_db *db = memory_zeroed(1, sizeof *db);

    for (enum row_kind kind = 0; kind < ROW_KINDS; kind++)
        db->rows[kind].kind = kind;
    return session(db);
}

struct store *store_memory_share(struct store *store)
{
    return session(memory_of(store)->db);
}

void store_memory_between(struct store *store, void (*between)(void *context), void *context)
{
    memory_of(store)->between = between;
    memory_of(store)->context = context;
}

void store_memory_fail(struct store *store, int calls)
{
    memory_of(store)->fail_in = calls;
}

uint64_t store_memory_commits(struct store *store)
{
    return memory_of(store)->commits;
}

uint32_t store_memory_count(struct store *store, enum row_kind kind)
{
    return memory_of(store)->db->rows[kind].count;
}

const struct row *store_memory_at(struct store *store, enum row_kind kind, uint32_t index)
{
    return memory_of(store)->db->rows[kind].items[index].row;
}

const struct row *store_memory_get(struct store *store, enum row_kind kind, int64_t id)
{
    return sorted_find_id(&memory_of(store)->db->rows[kind], id);
}

bool store_memory_has_edge(struct store *store, int64_t waitpoint_id, int64_t run_id)
{
    struct edge wanted = { .waitpoint_id = waitpoint_id, .run_id = run_id };

    return sorted_find(&memory_of(store)->db->rows[ROW_EDGE], &wanted.row) != NULL;
}
