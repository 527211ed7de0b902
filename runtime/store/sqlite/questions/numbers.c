#include "numbers.h"

#include "store/sqlite/rows/record.h"
#include "store/sqlite/sqlite.h"

#include <stdlib.h>

enum { OLDEST_LANES = 16, OLDEST_LOOKS = 256 };

/* ---- now --------------------------------------------------------------------------------- */

/* Of one lane: among those that are next in line. INT64_MAX: it has none. */
static bool lane_oldest(struct connection *connection, int64_t queue, int64_t lane,
                        int64_t *oldest, struct err *err)
{
    struct query query;
    int64_t id = 0;

    if (!query_start(&query, connection, SQL_LANE_OLDEST, err))
        return false;
    bind_int(&query, queue);
    bind_int(&query, lane);
    bind_int(&query, OLDEST_LOOKS);
    if (!query_number(&query, &id, err))
        return false;
    *oldest = id != 0 && id < *oldest ? id : *oldest;
    return true;
}

static bool created_at(struct connection *connection, struct arena *arena, int64_t id,
                       int64_t *created_ms, struct err *err)
{
    struct run run;
    bool found;

    if (!row_find(connection, arena, ROW_RUN, id, &run.row, &found, err))
        return false;
    *created_ms = found ? run.created_ms : 0;
    return true;
}

/* Among those that are next in line, of the lanes that are there for longest: one that is
 * further back has waited longer only by priority, or for its key. */
bool sqlite_oldest(struct connection *connection, struct arena *arena,
                   struct queue_stats *stats, struct err *err)
{
    struct ids lanes = { 0 };
    struct query query;
    int64_t oldest = INT64_MAX;

    if (stats->queued == 0)
        return true;
    if (!query_start(&query, connection, SQL_LANES, err))
        return false;
    bind_int(&query, stats->queue.id);
    bind_int(&query, 0);
    bind_int(&query, OLDEST_LANES);
    if (!ids_take(&query, arena, &lanes, err))
        return false;
    for (uint32_t i = 0; i < lanes.count; i++)
        if (!lane_oldest(connection, stats->queue.id, lanes.items[i], &oldest, err))
            return false;
    return created_at(connection, arena, oldest, &stats->oldest_queued_ms, err);
}

bool sqlite_running(struct connection *connection, struct arena *arena,
                    struct running_page *page, struct err *err)
{
    struct query query;
    uint32_t capacity = 0;
    bool row;

    if (!query_start(&query, connection, SQL_RUNNING_COUNTS, err))
        return false;
    while (query_row(&query, &row, err)) {
        if (!row)
            return true;
        if (page->count == capacity) {
            struct running *old = page->rows;
            capacity = capacity == 0 ? 64 : 2 * capacity;
            page->rows = ARENA_ARRAY(arena, struct running, capacity);
            if (page->count > 0)
                memcpy(page->rows, old, page->count * sizeof *old);
        }
        running_take(&query, &page->rows[page->count++]);
    }
    return false;
}

/* ---- what stands before a run ------------------------------------------------------------ */

bool sqlite_before(struct connection *connection, const struct run *run, int64_t queue,
                   int64_t lane, uint32_t most, int64_t *count, struct err *err)
{
    struct query query;

    if (!query_start(&query, connection, SQL_LANE_BEFORE, err))
        return false;
    bind_int(&query, queue);
    bind_int(&query, lane);
    bind_int(&query, run->rank_ms);
    bind_int(&query, run->id);
    bind_int(&query, most);
    return query_number(&query, count, err);
}

bool sqlite_others(struct connection *connection, struct arena *arena, const struct run *run,
                   int64_t queue, uint32_t turns, uint32_t most, int64_t *count,
                   struct err *err)
{
    struct ids lanes = { 0 };
    struct query query;

    *count = 0;
    if (!query_start(&query, connection, SQL_LANES, err))
        return false;
    bind_int(&query, queue);
    bind_int(&query, 0);
    bind_int(&query, most);
    if (!ids_take(&query, arena, &lanes, err))
        return false;
    for (uint32_t i = 0; i < lanes.count && *count < most; i++) {
        int64_t of_lane = 0;
        if (lanes.items[i] == run->lane)
            continue;
        if (!sqlite_before(connection, run, queue, lanes.items[i], turns, &of_lane, err))
            return false;
        *count += of_lane;
    }
    *count = *count < most ? *count : most;
    return true;
}

/* ---- by minutes -------------------------------------------------------------------------- */

/* Keys while they are added up: any number, each once. */
struct keys {
    struct table by_hash; /* a key's first; the others of the hash by `next` */
    struct key_sum {
        struct queue_minute minute;
        struct key_sum *next;
    } * *items;
    uint32_t count, capacity;
};

static struct key_sum *key_sum_of(struct keys *keys, struct arena *arena, struct slice key)
{
    uint64_t hash = table_hash(key, 0);
    struct key_sum *first = table_find(&keys->by_hash, hash);

    for (struct key_sum *sum = first; sum != NULL; sum = sum->next)
        if (slice_equal(sum->minute.key, key))
            return sum;
    struct key_sum *sum = ARENA_NEW(arena, struct key_sum);
    sum->minute.key = arena_copy(arena, key);
    sum->next = first;
    table_set(&keys->by_hash, hash, sum);
    if (keys->count == keys->capacity) {
        struct key_sum **items = keys->items;
        keys->capacity = keys->capacity == 0 ? 64 : 2 * keys->capacity;
        keys->items = ARENA_ARRAY(arena, struct key_sum *, keys->capacity);
        if (keys->count > 0)
            memcpy(keys->items, items, keys->count * sizeof *items);
    }
    return keys->items[keys->count++] = sum;
}

static void minute_add(struct queue_minute *to, const struct queue_minute *more)
{
    to->started += more->started;
    to->completed += more->completed;
    to->failed += more->failed;
    to->canceled += more->canceled;
    for (int i = 0; i < WAIT_BUCKETS; i++)
        to->waits[i] += more->waits[i];
}

static bool minute_take(struct connection *connection, struct arena *arena, int64_t queue,
                        int64_t minute, struct keys *keys, struct queue_minute *all,
                        struct err *err)
{
    struct query query;
    bool row;

    if (!query_start(&query, connection, keys == NULL ? SQL_MINUTE : SQL_MINUTE_KEYS, err))
        return false;
    bind_int(&query, minute);
    bind_int(&query, queue);
    while (query_row(&query, &row, err)) {
        struct queue_minute found;
        if (!row)
            return true;
        (void)row_take(&query, ROW_QUEUE_MINUTE, &found.row, err); /* it has no words */
        minute_add(found.key.size == 0 ? all : &key_sum_of(keys, arena, found.key)->minute,
                   &found);
    }
    return false;
}

static int busier_first(const void *a, const void *b)
{
    const struct queue_minute *x = &(*(struct key_sum *const *)a)->minute;
    const struct queue_minute *y = &(*(struct key_sum *const *)b)->minute;

    return x->started != y->started ? (x->started < y->started) - (x->started > y->started)
                                    : slice_compare(x->key, y->key);
}

/* ---- keys -------------------------------------------------------------------------------- */

static bool lane_take(struct query *query, struct lane *lane, struct queue_stats *stats,
                      bool *row, struct err *err)
{
    if (!query_row(query, row, err))
        return false;
    if (*row) {
        *stats = (struct queue_stats){ 0 };
        (void)row_take(query, ROW_LANE, &lane->row, err); /* it has no words */
        queue_counts_take(query, stats);
    }
    return true;
}

static bool key_now(struct connection *connection, struct arena *arena, int64_t queue,
                    struct key_stats *key, struct err *err)
{
    int64_t oldest = INT64_MAX;
    struct query query;
    struct lane lane;
    bool found;

    if (!query_start(&query, connection, SQL_LANE_NAMED, err))
        return false;
    bind_int(&query, queue);
    bind_text(&query, key->key);
    if (!lane_take(&query, &lane, &key->now, &found, err))
        return false;
    query_finish(&query);
    key->lane = found ? lane.id : 0;
    return !found || key->now.queued == 0 ||
           (lane_oldest(connection, queue, lane.id, &oldest, err) &&
            created_at(connection, arena, oldest, &key->now.oldest_queued_ms, err));
}

static bool has_key(const struct queue_hour *hour, struct slice key)
{
    for (uint32_t i = 0; i < hour->count; i++)
        if (slice_equal(hour->keys[i].key, key))
            return true;
    return false;
}

/* Behind those of which something has started: they may be what hangs. */
static bool live_add(struct connection *connection, struct arena *arena, int64_t queue,
                     struct queue_hour *hour, struct err *err)
{
    struct queue_stats stats;
    struct query query;
    struct lane lane;
    bool row;

    if (!query_start(&query, connection, SQL_LANES_LIVE, err))
        return false;
    bind_int(&query, queue);
    bind_int(&query, KEYS_MOST);
    while (lane_take(&query, &lane, &stats, &row, err)) {
        if (!row)
            return true;
        if (hour->count < KEYS_MOST && !has_key(hour, lane.key))
            hour->keys[hour->count++] =
                (struct key_stats){ .key = arena_copy(arena, lane.key) };
    }
    return false;
}

bool sqlite_hour(struct connection *connection, struct arena *arena, int64_t queue,
                 int64_t since, int64_t until, bool has_keys, struct queue_hour *hour,
                 struct err *err)
{
    struct keys keys = { .count = 0 };

    table_init(&keys.by_hash, arena);
    for (int64_t minute = since; minute <= until; minute++)
        if (!minute_take(connection, arena, queue, minute, has_keys ? &keys : NULL, &hour->all,
                         err))
            return false;
    if (!has_keys)
        return true;
    if (keys.count > 1)
        qsort(keys.items, keys.count, sizeof(struct key_sum *), busier_first);
    for (; hour->count < keys.count && hour->count < KEYS_MOST; hour->count++)
        hour->keys[hour->count] =
            (struct key_stats){ .key = keys.items[hour->count]->minute.key,
                                .hour = &keys.items[hour->count]->minute };
    if (!live_add(connection, arena, queue, hour, err))
        return false;
    for (uint32_t i = 0; i < hour->count; i++)
        if (!key_now(connection, arena, queue, &hour->keys[i], err))
            return false;
    return true;
}

bool sqlite_totals(struct connection *connection, uint32_t environment, struct totals *totals,
                   struct err *err)
{
    struct query query;
    bool row;

    if (!query_start(&query, connection, SQL_TOTALS, err))
        return false;
    bind_int(&query, environment);
    if (!query_row(&query, &row, err))
        return false;
    if (row) {
        for (int status = 0; status < RUN_DONE; status++)
            totals->live[status] = take_int(&query);
        totals->completed = take_int(&query);
        totals->failed = take_int(&query);
        totals->canceled = take_int(&query);
        query_finish(&query);
    }
    if (!query_start(&query, connection,
                     environment == 0 ? SQL_PENDING_COUNT_ALL : SQL_PENDING_COUNT, err))
        return false;
    if (environment != 0)
        bind_int(&query, environment);
    return query_number(&query, &totals->tokens_pending, err);
}
