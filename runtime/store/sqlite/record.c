#include "record.h"

#include "fields.h"

static bool damaged(const char *what, int64_t id, struct err *err)
{
    return err_set(err, ERR_STORE, "the database is damaged: the row of %s %lld is unreadable",
                   what, (long long)id);
}

/* ---- runs -------------------------------------------------------------------------------- */

/* place, lane and rank: see schema.c. */
static void run_bind_place(struct query *query, const struct run *run, int64_t task)
{
    bool is_queued = run->status == RUN_QUEUED;

    if (run->status < RUN_DONE)
        bind_int(query, run->status);
    else if (run->outcome > OUTCOME_COMPLETED)
        bind_int(query, PLACE_ENDED + (int64_t)run->outcome);
    else
        bind_null(query);
    if (is_queued || run->status == RUN_RUNNING)
        bind_int(query, run->queue);
    else if (run->status == RUN_PARKED)
        bind_int(query, task);
    else
        bind_null(query);
    if (is_queued)
        bind_int(query, run->rank_ms);
    else
        bind_null(query);
}

/* In the order of RUN_COLUMNS, for the insert and both updates. */
static bool run_write(struct connection *connection, enum sql which, const struct run *run,
                      struct err *err)
{
    struct run_words words;
    struct query query;
    int64_t task;

    if (!name_number(connection, run->environment, run->task, &task, err) ||
        !name_number(connection, 0, run->segment, &words.segment, err) ||
        !name_number(connection, 0, run->version, &words.version, err) ||
        !name_number(connection, 0, run->build, &words.build, err) ||
        !query_start(&query, connection, which, err))
        return false;
    run_pack(&connection->scratch, run, &words);
    bind_int(&query, run->id);
    bind_int(&query, task);
    run_bind_place(&query, run, task);
    bind_some(&query, run->due_ms);
    bind_some(&query, run->parent_id);
    bind_bytes(&query, buffer_view(&connection->scratch));
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

/* Words are the connection's; they are copied when the row is to outlive it. */
static bool take_word(struct query *query, int64_t number, struct slice *word, struct err *err)
{
    struct name name;

    if (!name_get(query->connection, number, &name, err))
        return false;
    *word = query->arena == NULL ? name.text : arena_copy(query->arena, name.text);
    return true;
}

bool run_take(struct query *query, struct run *run, struct err *err)
{
    struct run_words words;
    struct name task;

    *run = (struct run){ .id = take_int(query) };
    int64_t task_number = take_int(query);
    query->next += 3; /* place, lane and rank repeat what the fields say */
    run->due_ms = take_int(query);
    run->parent_id = take_int(query);
    if (!run_unpack(take_bytes(query), run, &words))
        return damaged("run", run->id, err);
    if (!name_get(query->connection, task_number, &task, err) ||
        !take_word(query, task_number, &run->task, err) ||
        !take_word(query, words.segment, &run->segment, err) ||
        !take_word(query, words.version, &run->version, err) ||
        !take_word(query, words.build, &run->build, err))
        return false;
    run->environment = task.environment;
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
    struct waitpoint_words words;
    struct query query;
    bool is_pending =
        waitpoint->kind == WAITPOINT_TOKEN && waitpoint->status == WAITPOINT_PENDING;

    if (!name_number(connection, waitpoint->environment, waitpoint->task, &words.task, err) ||
        !name_number(connection, 0, waitpoint->schema, &words.schema, err) ||
        !query_start(&query, connection,
                     waitpoint->is_new ? SQL_WAITPOINT_INSERT : SQL_WAITPOINT_UPDATE, err))
        return false;
    waitpoint_pack(&connection->scratch, waitpoint, &words);
    bind_int(&query, waitpoint->id);
    bind_some(&query, is_pending ? waitpoint->environment : 0);
    bind_some(&query, waitpoint->due_ms);
    bind_bytes(&query, buffer_view(&connection->scratch));
    bind_bytes(&query, waitpoint->result);
    return query_run(&query, err);
}

bool waitpoint_take(struct query *query, struct waitpoint *waitpoint, struct err *err)
{
    struct waitpoint_words words;

    *waitpoint = (struct waitpoint){ .id = take_int(query) };
    query->next++; /* pending repeats what the fields say */
    waitpoint->due_ms = take_int(query);
    if (!waitpoint_unpack(take_bytes(query), waitpoint, &words))
        return damaged("waitpoint", waitpoint->id, err);
    waitpoint->result = take_bytes(query);
    return take_word(query, words.task, &waitpoint->task, err) &&
           take_word(query, words.schema, &waitpoint->schema, err);
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
