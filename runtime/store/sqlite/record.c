#include "record.h"

#include "fields.h"

static bool damaged(const char *what, int64_t id, struct err *err)
{
    return err_set(err, ERR_STORE, "the database is damaged: the row of %s %lld is unreadable",
                   what, (long long)id);
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

int64_t tag_number(uint32_t environment, struct slice tag)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (int i = 0; i < 4; i++)
        hash = (hash ^ (environment >> 8 * i & 0xff)) * UINT64_C(0x100000001b3);
    for (size_t i = 0; i < tag.size; i++)
        hash = (hash ^ (unsigned char)tag.data[i]) * UINT64_C(0x100000001b3);
    return (int64_t)(hash >> 1);
}

/* ---- runs -------------------------------------------------------------------------------- */

bool run_take(struct query *query, struct run *run, struct err *err)
{
    struct run_words words;
    struct name task;

    *run = (struct run){ .id = take_int(query) };
    if (!run_unpack(take_bytes(query), run, &words))
        return damaged("run", run->id, err);
    if (!name_get(query->connection, words.task, &task, err) ||
        !take_word(query, words.task, &run->task, err) ||
        !take_word(query, words.segment, &run->segment, err) ||
        !take_word(query, words.version, &run->version, err) ||
        !take_word(query, words.build, &run->build, err))
        return false;
    run->environment = task.environment;
    run->loaded_status = run->status;
    run->loaded_is_out = run->is_out;
    run->loaded_outcome = run->outcome;
    run->loaded_queue = run->queue;
    run->loaded_lane = run->lane;
    run->loaded_due_ms = run->due_ms;
    run->loaded_due_is_span = run->due_is_span;
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

struct slice *run_part(struct run *run, enum run_part part)
{
    return part == PART_INPUT ? &run->input : part == PART_STATE ? &run->state : &run->output;
}

bool parts_find(struct connection *connection, struct arena *arena, uint32_t parts,
                struct run *run, struct err *err)
{
    static const enum run_part all[] = { PART_INPUT, PART_STATE, PART_OUTPUT };
    static const enum sql sql[] = { SQL_INPUT, SQL_STATE, SQL_OUTPUT };
    struct query query;
    bool row;

    for (int i = 0; i < PART_COUNT; i++) {
        if ((parts & all[i]) == 0)
            continue;
        if (!query_start(&query, connection, sql[i], err))
            return false;
        query.arena = arena;
        bind_int(&query, run->id);
        if (!query_row(&query, &row, err))
            return false;
        if (row) {
            query.next = 1;
            *run_part(run, all[i]) = take_bytes(&query);
            query_finish(&query);
        }
    }
    run->parts |= parts;
    return true;
}

/* ---- waitpoints -------------------------------------------------------------------------- */

bool waitpoint_take(struct query *query, struct waitpoint *waitpoint, struct err *err)
{
    struct waitpoint_words words;

    *waitpoint = (struct waitpoint){ .id = take_int(query) };
    if (!waitpoint_unpack(take_bytes(query), waitpoint, &words))
        return damaged("waitpoint", waitpoint->id, err);
    waitpoint->result = take_bytes(query);
    waitpoint->loaded_status = waitpoint->status;
    waitpoint->loaded_due_ms = waitpoint->due_ms;
    waitpoint->loaded_due_is_span = waitpoint->due_is_span;
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
    bind_int(&query, queue->used_ms);
    bind_int(&query, queue->is_removed);
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
    queue->used_ms = take_int(query);
    queue->is_removed = take_int(query) != 0;
}

void queue_counts_take(struct query *query, struct queue_stats *stats)
{
    stats->delayed = take_int(query);
    stats->queued = take_int(query);
    stats->parked = take_int(query);
    stats->running = take_int(query);
    stats->waiting = take_int(query);
}

bool lane_write(struct connection *connection, const struct lane *lane, struct err *err)
{
    struct query query;

    if (!query_start(&query, connection, lane->is_deleted ? SQL_LANE_DELETE : SQL_LANE_INSERT,
                     err))
        return false;
    bind_int(&query, lane->id);
    if (lane->is_deleted)
        return query_run(&query, err);
    bind_int(&query, lane->environment);
    bind_int(&query, lane->queue);
    bind_text(&query, lane->key);
    bind_int(&query, lane->created_ms);
    return query_run(&query, err);
}

void lane_take(struct query *query, struct lane *lane)
{
    *lane = (struct lane){ .id = take_int(query) };
    lane->environment = take_count(query);
    lane->queue = take_int(query);
    lane->key = take_bytes(query);
    lane->created_ms = take_int(query);
}

/* ---- keys and log lines ------------------------------------------------------------------ */

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
    int64_t segment;

    if (!name_number(connection, 0, line->segment, &segment, err) ||
        !query_start(&query, connection, SQL_LOG_WRITE, err))
        return false;
    bind_int(&query, line->run_id);
    bind_int(&query, line->number);
    bind_int(&query, line->at_ms);
    bind_int(&query, line->level);
    bind_int(&query, line->attempt);
    bind_int(&query, segment);
    bind_text(&query, line->text);
    if (!query_run(&query, err))
        return false;
    if (line->drops == 0)
        return true;
    if (!query_start(&query, connection, SQL_LOG_DROP, err))
        return false;
    bind_int(&query, line->run_id);
    bind_int(&query, line->keeps);
    bind_int(&query, line->drops);
    return query_run(&query, err);
}

bool log_line_take(struct query *query, struct log_line *line, struct err *err)
{
    line->number = take_count(query);
    line->at_ms = take_int(query);
    line->level = take_count(query);
    line->attempt = take_count(query);
    int64_t segment = take_int(query);
    line->text = take_bytes(query);
    return take_word(query, segment, &line->segment, err);
}
