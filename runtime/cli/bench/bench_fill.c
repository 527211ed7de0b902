#include "cli/bench/bench_fill.h"

#include "base/clock.h"
#include "codec/pack.h"

enum { AT_ONCE = 5000 };

bool fill_begin(struct fill *fill, const struct bench *bench, struct err *err)
{
    struct value payload = value_map();
    int64_t last = 0;

    *fill = (struct fill){ .store = NULL };
    value_put(&fill->lasting, &payload, "order", value_int(7));
    value_put(&fill->lasting, &payload, "note", value_text("filled"));
    fill->payload = pack_value(&fill->lasting, &payload);
    struct slice path = arena_format(&fill->lasting, "%s/data/bide.db", bench->server.dir);
    if (!store_sqlite_open(path.data, &fill->store, err))
        return false;
    const struct store_ops *ops = fill->store->ops;
    id_source_init(&fill->ids, 1);
    rows_init(&fill->rows, &fill->arena);
    bool done = ops->last_id(fill->store, &last, err) &&
                ops->environment(fill->store, "dev", &fill->environment, err);
    id_source_skip(&fill->ids, last);
    return done;
}

static bool rows_write(struct fill *fill, struct err *err)
{
    const struct store_ops *ops = fill->store->ops;
    bool done = ops->begin(fill->store, err) && ops->flush(fill->store, &fill->rows, err) &&
                ops->commit(fill->store, err);

    arena_reset(&fill->arena);
    rows_init(&fill->rows, &fill->arena);
    fill->rows_made = 0;
    return done;
}

int64_t fill_queue(struct fill *fill, const char *name)
{
    int64_t now_ms = clock_now_ms(), id = id_next(&fill->ids, now_ms);
    struct queue *queue = rows_new_queue(&fill->rows, id, fill->environment,
                                         arena_copy(&fill->arena, slice_of(name)));

    queue->created_ms = queue->used_ms = queue->paused_ms = now_ms;
    queue->paused = true;
    return id;
}

int64_t fill_lane(struct fill *fill, int64_t queue, const char *key)
{
    int64_t now_ms = clock_now_ms();
    struct lane *lane =
        rows_new_lane(&fill->rows, id_next(&fill->ids, now_ms), queue, slice_of(key));

    lane->environment = fill->environment;
    lane->created_ms = now_ms;
    return lane->id;
}

struct run *fill_run(struct fill *fill, int64_t queue, int64_t lane, const char *key)
{
    int64_t now_ms = clock_now_ms();
    struct run *run = rows_new_run(&fill->rows, id_next(&fill->ids, now_ms));

    run->environment = fill->environment;
    run->status = RUN_QUEUED;
    run->seq = 1;
    run->queue = queue;
    run->lane = lane;
    run->concurrency_key = arena_copy(&fill->arena, slice_of(key));
    run->rank_ms = run->created_ms = run->updated_ms = now_ms;
    run->root_id = run->id;
    run->max_attempts = 1;
    run->task = SLICE("bench-echo");
    run->input = fill->payload;
    run->row.dirty_parts = PART_INPUT;
    fill->rows_made++;
    return run;
}

bool fill_some(struct fill *fill, struct err *err)
{
    return fill->rows_made < AT_ONCE || rows_write(fill, err);
}

bool fill_end(struct fill *fill, bool done, struct err *err)
{
    done = done && rows_write(fill, err);
    if (fill->store != NULL)
        fill->store->ops->close(fill->store);
    arena_finish(&fill->arena);
    arena_finish(&fill->lasting);
    return done;
}
