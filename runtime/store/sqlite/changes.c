#include "codec/pack.h"
#include "fields.h"
#include "record.h"

void changes_init(struct changes *changes, struct connection *connection, struct arena *arena)
{
    *changes = (struct changes){ .connection = connection, .arena = arena };
}

void changes_finish(struct changes *changes)
{
    buffer_finish(&changes->scratch);
}

static struct slice packed(struct changes *changes)
{
    return arena_copy(changes->arena, buffer_view(&changes->scratch));
}

static struct slice bytes_of(const uint8_t *bytes, size_t size)
{
    return (struct slice){ (const char *)bytes, size };
}

/* ---- marks ------------------------------------------------------------------------------- */

/* Where a row stands in a table of marks. */
struct spot {
    enum mark mark; /* MARK_COUNT: nowhere */
    int64_t value, lane, rank_ms;
};

static const struct spot nowhere = { .mark = MARK_COUNT };

static void due_note(struct changes *changes, struct spot spot)
{
    if (spot.mark == MARK_RUN_DUE || spot.mark == MARK_WAITPOINT_DUE ||
        spot.mark == MARK_RUN_SPAN || spot.mark == MARK_WAITPOINT_SPAN)
        changes->connection->is_due_changed = true;
}

static void spot_add(struct changes *changes, struct spot spot, int64_t id)
{
    due_note(changes, spot);
    if (spot.mark != MARK_COUNT)
        bulk_add(
            &changes->marks[spot.mark], changes->arena,
            &(struct bulk_row){ .id = id, .a = spot.value, .b = spot.rank_ms, .c = spot.lane });
}

/* It should be there; if it is not, that is mended by the way. */
static bool spot_delete(struct changes *changes, struct spot spot, int64_t id, struct err *err)
{
    static const enum sql sql[] = {
#define X(name, table, value, id, words) SQL_UNMARK_##name,
        MARK_MAP(X)
#undef X
#define X(name, table, words) SQL_UNMARK_##name,
            LANE_MARK_MAP(X)
#undef X
                SQL_READY_DELETE
    };
    struct query query;

    if (spot.mark == MARK_COUNT)
        return true;
    due_note(changes, spot);
    if (!query_start(&query, changes->connection, sql[spot.mark], err))
        return false;
    bind_int(&query, spot.value);
    if (spot.mark == MARK_READY || spot.mark == MARK_RUNNING || spot.mark == MARK_OUT)
        bind_int(&query, spot.lane);
    if (spot.mark == MARK_READY)
        bind_int(&query, spot.rank_ms);
    bind_int(&query, id);
    return query_run(&query, err);
}

static bool spot_move(struct changes *changes, struct spot from, struct spot to, int64_t id,
                      struct err *err)
{
    if (from.mark == to.mark && from.value == to.value && from.lane == to.lane &&
        from.rank_ms == to.rank_ms)
        return true;
    spot_add(changes, to, id);
    return spot_delete(changes, from, id, err);
}

static struct spot spot_of_due(bool is_run, int64_t due_ms, bool is_span)
{
    static const enum mark marks[2][2] = { { MARK_WAITPOINT_DUE, MARK_WAITPOINT_SPAN },
                                           { MARK_RUN_DUE, MARK_RUN_SPAN } };

    return due_ms == 0 ? nowhere
                       : (struct spot){ .mark = marks[is_run][is_span], .value = due_ms };
}

/* Tags never change, so they are only ever added. */
static void tags_mark(struct changes *changes, enum mark mark, uint32_t environment,
                      struct slice packed, int64_t id)
{
    struct value list;

    if (packed.size == 0 || !pack_read(changes->arena, packed, &list, NULL))
        return;
    for (uint32_t i = 0; list.kind == VALUE_LIST && i < list.count; i++)
        if (list.items[i].kind == VALUE_STRING)
            spot_add(changes,
                     (struct spot){ .mark = mark,
                                    .value = tag_number(environment, list.items[i].bytes) },
                     id);
}

/* ---- runs -------------------------------------------------------------------------------- */

static struct spot spot_of_run(uint32_t status, uint32_t outcome, int64_t queue, int64_t lane,
                               int64_t rank_ms, int64_t task)
{
    switch ((enum run_status)status) {
    case RUN_QUEUED:
        return (struct spot){ MARK_READY, queue, lane, rank_ms };
    case RUN_RUNNING:
        return (struct spot){ MARK_RUNNING, queue, lane, 0 };
    case RUN_PARKED:
        return (struct spot){ .mark = MARK_PARKED, .value = task };
    case RUN_DELAYED:
    case RUN_WAITING:
        return (struct spot){ .mark = MARK_PLACE, .value = status };
    case RUN_DONE:
        if (outcome > OUTCOME_COMPLETED)
            return (struct spot){ .mark = MARK_PLACE, .value = PLACE_ENDED + (int64_t)outcome };
        return nowhere;
    case RUN_STATUS_COUNT: /* new */
        break;
    }
    return nowhere;
}

static bool run_marks(struct changes *changes, const struct run *run, int64_t task,
                      struct err *err)
{
    struct spot is =
        spot_of_run(run->status, run->outcome, run->queue, run->lane, run->rank_ms, task);
    struct spot is_due = spot_of_due(true, run->due_ms, run->due_is_span);
    struct spot out = { MARK_OUT, run->queue, run->lane, 0 };

    if (run->is_new) {
        spot_add(changes, is, run->id);
        spot_add(changes, is_due, run->id);
        spot_add(changes, (struct spot){ .mark = MARK_TASK, .value = task }, run->id);
        tags_mark(changes, MARK_TAG, run->environment, run->tags, run->id);
        if (run->parent_id != 0)
            spot_add(changes, (struct spot){ .mark = MARK_PARENT, .value = run->parent_id },
                     run->id);
        return true;
    }
    struct spot was = spot_of_run(run->loaded_status, run->loaded_outcome, run->loaded_queue,
                                  run->loaded_lane, run->loaded_rank_ms, task);
    struct spot was_due = spot_of_due(true, run->loaded_due_ms, run->loaded_due_is_span);
    return spot_move(changes, was, is, run->id, err) &&
           spot_move(changes, was_due, is_due, run->id, err) &&
           spot_move(changes, run->loaded_is_out ? out : nowhere, run->is_out ? out : nowhere,
                     run->id, err);
}

bool changes_run(struct changes *changes, const struct run *run, struct err *err)
{
    struct connection *connection = changes->connection;
    struct run_words words;

    if (!name_number(connection, run->environment, run->task, &words.task, err) ||
        !name_number(connection, 0, run->segment, &words.segment, err) ||
        !name_number(connection, 0, run->version, &words.version, err) ||
        !name_number(connection, 0, run->build, &words.build, err))
        return false;
    run_pack(&changes->scratch, run, &words);
    bulk_add(run->is_new ? &changes->new_runs : &changes->runs, changes->arena,
             &(struct bulk_row){ .id = run->id, .data = packed(changes) });
    return run_marks(changes, run, words.task, err);
}

bool changes_part(struct changes *changes, int64_t run_id, enum run_part part,
                  struct slice data, struct err *err)
{
    int at = part == PART_INPUT ? 0 : part == PART_STATE ? 1 : 2;
    static const enum sql deletes[] = { SQL_INPUT_DELETE, SQL_STATE_DELETE, SQL_OUTPUT_DELETE };
    struct query query;

    if (data.size > 0) {
        bulk_add(&changes->parts[at], changes->arena,
                 &(struct bulk_row){ .id = run_id, .data = data });
        return true;
    }
    if (!query_start(&query, changes->connection, deletes[at], err))
        return false;
    bind_int(&query, run_id);
    return query_run(&query, err);
}

/* ---- waitpoints, edges, keys ------------------------------------------------------------- */

static struct spot spot_of_waitpoint(const struct waitpoint *waitpoint, uint32_t status)
{
    return waitpoint->kind == WAITPOINT_TOKEN && status == WAITPOINT_PENDING
               ? (struct spot){ .mark = MARK_PENDING, .value = waitpoint->environment }
               : nowhere;
}

/* A token that ends with the run that made it. */
static struct spot spot_of_made(const struct waitpoint *waitpoint, uint32_t status)
{
    return status == WAITPOINT_PENDING && waitpoint->run_id != 0 && waitpoint->is_shared == 0
               ? (struct spot){ .mark = MARK_MADE, .value = waitpoint->run_id }
               : nowhere;
}

bool changes_waitpoint(struct changes *changes, const struct waitpoint *waitpoint,
                       struct err *err)
{
    struct connection *connection = changes->connection;
    struct waitpoint_words words;
    struct spot was = nowhere, was_due = nowhere, was_made = nowhere;

    if (!name_number(connection, waitpoint->environment, waitpoint->task, &words.task, err) ||
        !name_number(connection, 0, waitpoint->schema, &words.schema, err))
        return false;
    waitpoint_pack(&changes->scratch, waitpoint, &words);
    bulk_add(waitpoint->is_new ? &changes->new_waitpoints : &changes->waitpoints,
             changes->arena,
             &(struct bulk_row){
                 .id = waitpoint->id, .data = packed(changes), .extra = waitpoint->result });
    /* Posted to before it was made, it gets its tags later. */
    tags_mark(changes, MARK_TOKEN_TAG, waitpoint->environment, waitpoint->tags, waitpoint->id);
    if (!waitpoint->is_new) {
        was = spot_of_waitpoint(waitpoint, waitpoint->loaded_status);
        was_due = spot_of_due(false, waitpoint->loaded_due_ms, waitpoint->loaded_due_is_span);
        was_made = spot_of_made(waitpoint, waitpoint->loaded_status);
    }
    struct spot is_due = spot_of_due(false, waitpoint->due_ms, waitpoint->due_is_span);
    return spot_move(changes, was, spot_of_waitpoint(waitpoint, waitpoint->status),
                     waitpoint->id, err) &&
           spot_move(changes, was_made, spot_of_made(waitpoint, waitpoint->status),
                     waitpoint->id, err) &&
           spot_move(changes, was_due, is_due, waitpoint->id, err);
}

bool changes_edge(struct changes *changes, int64_t waitpoint_id, int64_t run_id,
                  bool is_deleted, struct err *err)
{
    struct spot spot = { .mark = MARK_EDGE, .value = waitpoint_id };

    if (is_deleted)
        return spot_delete(changes, spot, run_id, err);
    spot_add(changes, spot, run_id);
    return true;
}

bool changes_key(struct changes *changes, const struct key *key, struct err *err)
{
    struct slice hash = bytes_of(key->hash, sizeof key->hash);
    struct query query;

    if (!key->is_deleted) {
        bulk_add(&changes->keys, changes->arena,
                 &(struct bulk_row){ .id = key->target,
                                     .a = key->expires_ms,
                                     .data = hash,
                                     .extra = bytes_of(key->payload, sizeof key->payload) });
        return true;
    }
    if (!query_start(&query, changes->connection, SQL_KEY_DELETE, err))
        return false;
    bind_bytes(&query, hash);
    return query_run(&query, err);
}

/* ---- all at once ------------------------------------------------------------------------- */

bool changes_write(struct changes *changes, struct err *err)
{
    static const enum sql parts[] = { SQL_INPUT_WRITE, SQL_STATE_WRITE, SQL_OUTPUT_WRITE };
    static const enum sql marks[] = {
#define X(name, table, value, id, words) SQL_MARK_##name,
        MARK_MAP(X)
#undef X
#define X(name, table, words) SQL_MARK_##name,
            LANE_MARK_MAP(X)
#undef X
                SQL_READY_WRITE
    };
    struct connection *connection = changes->connection;

    if (!bulk_run(connection, SQL_RUN_INSERT, &changes->new_runs, err) ||
        !bulk_run(connection, SQL_RUN_UPDATE, &changes->runs, err) ||
        !bulk_run(connection, SQL_WAITPOINT_INSERT, &changes->new_waitpoints, err) ||
        !bulk_run(connection, SQL_WAITPOINT_UPDATE, &changes->waitpoints, err) ||
        !bulk_run(connection, SQL_KEY_WRITE, &changes->keys, err))
        return false;
    for (int i = 0; i < PART_COUNT; i++)
        if (!bulk_run(connection, parts[i], &changes->parts[i], err))
            return false;
    for (int i = 0; i < MARK_COUNT; i++)
        if (!bulk_run(connection, marks[i], &changes->marks[i], err))
            return false;
    return true;
}
