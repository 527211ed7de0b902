#include "record.h"

enum { FLAG_TEST = 1, FLAG_PARENT = 2 };

/* ---- runs -------------------------------------------------------------------------------- */

struct run_names {
    int64_t task, segment, version, build;
};

static bool run_names(struct connection *connection, const struct run *run,
                      struct run_names *names, struct err *err)
{
    return name_number(connection, run->environment, run->task, &names->task, err) &&
           name_number(connection, 0, run->segment, &names->segment, err) &&
           name_number(connection, 0, run->version, &names->version, err) &&
           name_number(connection, 0, run->build, &names->build, err);
}

static void run_bind_numbers(struct query *query, const struct run *run)
{
    bind_int(query, run->status);
    bind_int(query, run->outcome);
    bind_int(query, run->seq);
    bind_int(query, run->queue);
    bind_int(query, run->rank_ms);
    bind_some(query, run->due_ms);
    bind_int(query, run->created_ms);
    bind_some(query, run->updated_ms);
    bind_some(query, run->started_ms);
    bind_some(query, run->finished_ms);
    bind_some(query, run->ttl_ms);
    bind_some(query, run->priority_ms);
    bind_some(query, run->limit_ms);
    bind_some(query, run->parent_id);
    bind_some(query, run->root_id == run->id ? 0 : run->root_id); /* usual, and costs nothing */
    bind_some(query, run->id_block);
    bind_some(query, run->busy_us);
    bind_int(query, run->attempt);
    bind_int(query, run->max_attempts);
    bind_int(query, run->entry);
    bind_int(query, run->depth);
    bind_int(query, run->remaining);
    bind_int(query, run->progress);
    bind_int(query, run->log_lines);
    bind_int(query, (run->is_test ? FLAG_TEST : 0) | (run->needs_parent ? FLAG_PARENT : 0));
}

/* In the order of RUN_COLUMNS, for the insert and both updates. */
static bool run_write(struct connection *connection, enum sql which, const struct run *run,
                      struct err *err)
{
    struct run_names names;
    struct query query;

    if (!run_names(connection, run, &names, err) ||
        !query_start(&query, connection, which, err))
        return false;
    bind_int(&query, run->id);
    bind_int(&query, names.task);
    run_bind_numbers(&query, run);
    bind_some(&query, names.segment);
    bind_some(&query, names.version);
    bind_some(&query, names.build);
    bind_bytes(&query, run->tags);
    bind_bytes(&query, run->metadata);
    bind_bytes(&query, run->error);
    bind_bytes(&query, run->wait);
    bind_bytes(&query, run->once);
    bind_bytes(&query, run->timeline);
    bind_bytes(&query, run->key);
    bind_some_text(&query, run->key_text);
    return query_run(&query, err);
}

bool run_insert(struct connection *connection, const struct run *run, struct err *err)
{
    return run_write(connection, SQL_RUN_INSERT, run, err);
}

bool run_update(struct connection *connection, const struct run *run, struct err *err)
{
    bool stays = run->status == run->loaded_status && run->queue == run->loaded_queue &&
                 run->due_ms == run->loaded_due_ms && run->rank_ms == run->loaded_rank_ms &&
                 run->status != RUN_DONE;

    return run_write(connection, stays ? SQL_RUN_STAY : SQL_RUN_MOVE, run, err);
}

static bool run_take_names(struct query *query, int64_t task_id, struct run *run,
                           struct err *err)
{
    struct name task, segment, version, build;

    if (!name_get(query->connection, task_id, &task, err) ||
        !name_get(query->connection, take_int(query), &segment, err) ||
        !name_get(query->connection, take_int(query), &version, err) ||
        !name_get(query->connection, take_int(query), &build, err))
        return false;
    run->environment = task.environment;
    run->task = task.text;
    run->segment = segment.text;
    run->version = version.text;
    run->build = build.text;
    if (query->arena != NULL) {
        run->task = arena_copy(query->arena, run->task);
        run->segment = arena_copy(query->arena, run->segment);
        run->version = arena_copy(query->arena, run->version);
        run->build = arena_copy(query->arena, run->build);
    }
    return true;
}

static void run_take_numbers(struct query *query, struct run *run)
{
    run->status = take_count(query);
    run->outcome = take_count(query);
    run->seq = take_count(query);
    run->queue = take_int(query);
    run->rank_ms = take_int(query);
    run->due_ms = take_int(query);
    run->created_ms = take_int(query);
    run->updated_ms = take_int(query);
    run->started_ms = take_int(query);
    run->finished_ms = take_int(query);
    run->ttl_ms = take_int(query);
    run->priority_ms = take_int(query);
    run->limit_ms = take_int(query);
    run->parent_id = take_int(query);
    run->root_id = take_int(query);
    if (run->root_id == 0)
        run->root_id = run->id;
    run->id_block = take_int(query);
    run->busy_us = take_int(query);
    run->attempt = take_count(query);
    run->max_attempts = take_count(query);
    run->entry = take_count(query);
    run->depth = take_count(query);
    run->remaining = take_count(query);
    run->progress = take_count(query);
    run->log_lines = take_count(query);
    uint32_t flags = take_count(query);
    run->is_test = (flags & FLAG_TEST) != 0;
    run->needs_parent = (flags & FLAG_PARENT) != 0;
}

bool run_take(struct query *query, struct run *run, struct err *err)
{
    *run = (struct run){ .id = take_int(query) };
    int64_t task = take_int(query);
    run_take_numbers(query, run);
    if (!run_take_names(query, task, run, err))
        return false;
    run->tags = take_bytes(query);
    run->metadata = take_bytes(query);
    run->error = take_bytes(query);
    run->wait = take_bytes(query);
    run->once = take_bytes(query);
    run->timeline = take_bytes(query);
    run->key = take_bytes(query);
    run->key_text = take_bytes(query);
    run->loaded_status = run->status;
    run->loaded_queue = run->queue;
    run->loaded_due_ms = run->due_ms;
    run->loaded_rank_ms = run->rank_ms;
    return true;
}

bool run_find(struct connection *connection, struct arena *arena, int64_t id, struct run *run,
              bool *found, struct err *err)
{
    struct query query;

    if (!query_start(&query, connection, SQL_RUN, err))
        return false;
    query.arena = arena;
    bind_int(&query, id);
    if (!query_row(&query, found, err))
        return false;
    if (!*found)
        return true;
    bool done = run_take(&query, run, err);
    query_finish(&query);
    return done;
}

/* ---- parts ------------------------------------------------------------------------------- */

static const struct {
    enum run_part part;
    enum sql read, write, delete;
} parts_sql[] = {
    { PART_INPUT, SQL_INPUT, SQL_INPUT_WRITE, SQL_INPUT_DELETE },
    { PART_STATE, SQL_STATE, SQL_STATE_WRITE, SQL_STATE_DELETE },
    { PART_OUTPUT, SQL_OUTPUT, SQL_OUTPUT_WRITE, SQL_OUTPUT_DELETE },
};

enum { PART_COUNT = sizeof parts_sql / sizeof parts_sql[0] };

bool part_write(struct connection *connection, int64_t run_id, enum run_part part,
                struct slice data, struct err *err)
{
    int i = 0;
    struct query query;

    while (parts_sql[i].part != part)
        i++;
    if (!query_start(&query, connection,
                     data.size == 0 ? parts_sql[i].delete : parts_sql[i].write, err))
        return false;
    bind_int(&query, run_id);
    if (data.size > 0)
        bind_bytes(&query, data);
    return query_run(&query, err);
}

bool parts_find(struct connection *connection, struct arena *arena, uint32_t parts,
                struct run *run, struct err *err)
{
    struct slice *slices[PART_COUNT] = { &run->input, &run->state, &run->output };
    struct query query;
    bool row;

    for (int i = 0; i < PART_COUNT; i++) {
        if ((parts & parts_sql[i].part) == 0)
            continue;
        if (!query_start(&query, connection, parts_sql[i].read, err))
            return false;
        query.arena = arena;
        bind_int(&query, run->id);
        if (!query_row(&query, &row, err))
            return false;
        if (row) {
            *slices[i] = take_bytes(&query);
            query_finish(&query);
        }
    }
    run->parts |= parts;
    return true;
}

/* ---- waitpoints and edges ---------------------------------------------------------------- */

bool waitpoint_write(struct connection *connection, const struct waitpoint *waitpoint,
                     struct err *err)
{
    struct query query;
    int64_t task, schema;

    if (!name_number(connection, waitpoint->environment, waitpoint->task, &task, err) ||
        !name_number(connection, 0, waitpoint->schema, &schema, err) ||
        !query_start(&query, connection,
                     waitpoint->is_new ? SQL_WAITPOINT_INSERT : SQL_WAITPOINT_UPDATE, err))
        return false;
    bind_int(&query, waitpoint->id);
    bind_int(&query, waitpoint->environment);
    bind_int(&query, waitpoint->kind);
    bind_int(&query, waitpoint->status);
    bind_some(&query, waitpoint->due_ms);
    bind_some(&query, waitpoint->timeout_ms);
    bind_int(&query, waitpoint->created_ms);
    bind_some(&query, waitpoint->completed_ms);
    bind_some(&query, waitpoint->run_id);
    bind_some(&query, task);
    bind_some(&query, schema);
    bind_bytes(&query, waitpoint->tags);
    bind_some_text(&query, waitpoint->key_text);
    bind_some(&query, waitpoint->key_expires_ms);
    bind_bytes(&query, waitpoint->result);
    return query_run(&query, err);
}

bool waitpoint_take(struct query *query, struct waitpoint *waitpoint, struct err *err)
{
    struct name task, schema;

    *waitpoint = (struct waitpoint){ .id = take_int(query) };
    waitpoint->environment = take_count(query);
    waitpoint->kind = take_count(query);
    waitpoint->status = take_count(query);
    waitpoint->due_ms = take_int(query);
    waitpoint->timeout_ms = take_int(query);
    waitpoint->created_ms = take_int(query);
    waitpoint->completed_ms = take_int(query);
    waitpoint->run_id = take_int(query);
    if (!name_get(query->connection, take_int(query), &task, err) ||
        !name_get(query->connection, take_int(query), &schema, err))
        return false;
    waitpoint->task = task.text;
    waitpoint->schema = schema.text;
    if (query->arena != NULL) {
        waitpoint->task = arena_copy(query->arena, task.text);
        waitpoint->schema = arena_copy(query->arena, schema.text);
    }
    waitpoint->tags = take_bytes(query);
    waitpoint->key_text = take_bytes(query);
    waitpoint->key_expires_ms = take_int(query);
    waitpoint->result = take_bytes(query);
    return true;
}

bool waitpoint_find(struct connection *connection, struct arena *arena, int64_t id,
                    struct waitpoint *waitpoint, bool *found, struct err *err)
{
    struct query query;

    if (!query_start(&query, connection, SQL_WAITPOINT, err))
        return false;
    query.arena = arena;
    bind_int(&query, id);
    if (!query_row(&query, found, err))
        return false;
    if (!*found)
        return true;
    bool done = waitpoint_take(&query, waitpoint, err);
    query_finish(&query);
    return done;
}

bool edge_write(struct connection *connection, int64_t waitpoint_id, int64_t run_id,
                bool is_deleted, struct err *err)
{
    struct query query;

    if (!query_start(&query, connection, is_deleted ? SQL_EDGE_DELETE : SQL_EDGE_WRITE, err))
        return false;
    bind_int(&query, waitpoint_id);
    bind_int(&query, run_id);
    return query_run(&query, err);
}

/* ---- queues ------------------------------------------------------------------------------ */

bool queue_write(struct connection *connection, const struct queue *queue, struct err *err)
{
    struct query query;

    if (!query_start(&query, connection, queue->is_new ? SQL_QUEUE_INSERT : SQL_QUEUE_UPDATE,
                     err))
        return false;
    bind_int(&query, queue->id);
    bind_int(&query, queue->environment);
    bind_text(&query, queue->name);
    bind_int(&query, queue->paused);
    bind_some(&query, queue->paused_ms);
    bind_int(&query, queue->created_ms);
    bind_int(&query, queue->completed);
    bind_int(&query, queue->failed);
    bind_int(&query, queue->canceled);
    bind_int(&query, queue->wait_ms);
    bind_int(&query, queue->busy_us);
    return query_run(&query, err);
}

void queue_take(struct query *query, struct queue *queue)
{
    *queue = (struct queue){ .id = take_int(query) };
    queue->environment = take_count(query);
    queue->name = take_bytes(query);
    queue->paused = take_int(query) != 0;
    queue->paused_ms = take_int(query);
    queue->created_ms = take_int(query);
    queue->completed = take_int(query);
    queue->failed = take_int(query);
    queue->canceled = take_int(query);
    queue->wait_ms = take_int(query);
    queue->busy_us = take_int(query);
}

void queue_counts_take(struct query *query, struct queue_stats *stats)
{
    stats->delayed = take_int(query);
    stats->queued = take_int(query);
    stats->parked = take_int(query);
    stats->running = take_int(query);
    stats->waiting = take_int(query);
}

/* ---- keys and log lines ------------------------------------------------------------------ */

static struct slice bytes_of(const uint8_t *bytes, size_t size)
{
    return (struct slice){ (const char *)bytes, size };
}

bool key_write(struct connection *connection, const struct key *key, struct err *err)
{
    struct query query;

    if (!query_start(&query, connection, key->is_deleted ? SQL_KEY_DELETE : SQL_KEY_WRITE, err))
        return false;
    bind_bytes(&query, bytes_of(key->hash, sizeof key->hash));
    if (!key->is_deleted) {
        bind_int(&query, key->target);
        bind_some(&query, key->expires_ms);
        bind_bytes(&query, bytes_of(key->payload, sizeof key->payload));
    }
    return query_run(&query, err);
}

/* Sizes are checked: the file may have been edited. */
static void bytes_take(struct query *query, uint8_t *bytes, size_t size)
{
    struct slice data = take_bytes(query);

    if (data.size == size)
        memcpy(bytes, data.data, size);
}

void key_take(struct query *query, struct key *key)
{
    *key = (struct key){ 0 };
    bytes_take(query, key->hash, sizeof key->hash);
    key->target = take_int(query);
    key->expires_ms = take_int(query);
    bytes_take(query, key->payload, sizeof key->payload);
}

bool log_line_write(struct connection *connection, const struct log_line *line, struct err *err)
{
    struct query query;

    if (!query_start(&query, connection, SQL_LOG_WRITE, err))
        return false;
    bind_int(&query, line->run_id);
    bind_int(&query, line->at_ms);
    bind_int(&query, line->level);
    bind_int(&query, line->attempt);
    bind_text(&query, line->text);
    return query_run(&query, err);
}
