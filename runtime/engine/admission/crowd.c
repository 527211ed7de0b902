/*
 * Crowds: how many runs wait in a queue, and what follows when that is as many as may
 * (max_queued). They are DELAYED, QUEUED or PARKED, whatever they have done before; what was
 * taken once is never refused later, so what resumes or is tried again may go beyond it.
 *
 * The store counts them with the rows that move, in the same transaction; what this batch moves
 * is counted here. Other nodes may add as many at the same moment as they have triggers in a
 * batch.
 */
#include "engine/batch.h"

#include <inttypes.h>
#include <stdlib.h>

enum { SPARE = 8 }; /* more than there are triggers: some of them have been started before */

/* As it is in this batch. */
struct crowd_now {
    int64_t count;
    struct ids oldest; /* in the database, by rising id */
    uint32_t at;
};

static bool waits(const struct run *run)
{
    return run->status == RUN_DELAYED || run->status == RUN_QUEUED || run->status == RUN_PARKED;
}

static int by_id(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static bool crowd_get(struct batch *batch, int64_t queue, uint32_t limit,
                      struct crowd_now **now)
{
    struct queue_crowd *stored;

    *now = table_find(&batch->crowds, (uint64_t)queue);
    if (*now != NULL)
        return true;
    if (!rows_crowd(&batch->rows, queue, limit, &stored))
        return false;
    *now = ARENA_NEW(batch->arena, struct crowd_now);
    **now = (struct crowd_now){ .count = stored->count, .oldest = stored->oldest };
    EACH_RUN(&batch->rows, run)
    if (run->queue == queue)
        (*now)->count +=
            (waits(run) ? 1 : 0) - (run_loaded(run) != NULL && waits(run_loaded(run)) ? 1 : 0);
    if ((*now)->oldest.count > 1)
        qsort((*now)->oldest.items, (*now)->oldest.count, sizeof(int64_t), by_id);
    table_set(&batch->crowds, (uint64_t)queue, *now);
    return true;
}

void crowd_moved(struct batch *batch, const struct run *run, bool was_there, uint32_t before)
{
    struct crowd_now *now = table_find(&batch->crowds, (uint64_t)run->queue);
    struct run was = { .status = before };

    if (now != NULL)
        now->count += (waits(run) ? 1 : 0) - (was_there && waits(&was) ? 1 : 0);
}

static bool may_go(const struct run *run)
{
    return run != NULL && run->status == RUN_QUEUED && run->started_ms == 0;
}

/* Of those in the database the oldest, else of those that this batch has made. NULL: none. */
static bool oldest_find(struct batch *batch, const struct queue *queue, struct crowd_now *now,
                        struct run **oldest)
{
    uint32_t most = batch->wishes + SPARE;
    bool loaded = true;

    *oldest = NULL;
    for (uint32_t i = now->at; i < now->oldest.count && i < most; i++) {
        struct run *run;
        if (!rows_run(&batch->rows, now->oldest.items[i], 0, &run))
            loaded = false;
        else if (loaded && *oldest == NULL && may_go(run))
            *oldest = run;
    }
    if (!loaded)
        return false;
    if (*oldest == NULL)
        EACH_RUN(&batch->rows, run)
    if (run->queue == queue->id && run_loaded(run) == NULL && may_go(run) &&
        (*oldest == NULL || run->id < (*oldest)->id))
        *oldest = run;
    return *oldest == NULL || run_finish_ready(batch, *oldest);
}

bool crowd_admit(struct batch *batch, struct command *command, const struct queue *queue,
                 const struct queue_rules *rules, const struct run *leaves)
{
    bool drops = rules->on_full == FULL_DROP_OLDEST;
    struct run *oldest = NULL;
    struct crowd_now *now;

    if (rules->max_queued == 0 || queue == NULL)
        return true;
    if (!crowd_get(batch, queue->id, drops ? batch->wishes + SPARE : 0, &now))
        return false;
    if (now->count - (leaves != NULL && waits(leaves) ? 1 : 0) < rules->max_queued)
        return true;
    if (drops && !oldest_find(batch, queue, now, &oldest))
        return false;
    if (oldest == NULL) {
        err_set(&command->err, ERR_FULL,
                "queue %.*s is full: %" PRId64 " runs wait in it, and its max_queued is %u%s",
                SLICE_ARG(queue->name), now->count, rules->max_queued,
                drops ? "; each of them has been started before, so none is dropped" : "");
        return true;
    }
    run_expire(batch, oldest,
               arena_format(batch->arena,
                            "queue %.*s was full (max_queued %u), and of those that had not "
                            "started this one was the oldest",
                            SLICE_ARG(queue->name), rules->max_queued));
    return true;
}
