/*
 * Crowds: how many runs wait in a queue, and what follows when that is as many as may
 * (max_queued). They are DELAYED, QUEUED or PARKED, whatever they have done before; what was
 * taken once is never refused later, so what resumes or is tried again may go beyond it.
 *
 * The store counts them with the rows that move, in the same transaction; what this batch moves
 * is counted here. Where other nodes have filled the queue meanwhile the store refuses the
 * batch, which is decided again.
 */
#include "engine/batch.h"

#include <inttypes.h>

enum { SPARE = 256 }; /* more than there are triggers: some of them have been started before */

/* As it is in this batch. */
struct crowd_now {
    int64_t count;
    struct ids oldest; /* in the database, by rising id */
    uint32_t at;       /* of them: those before it cannot go */
    struct queue_crowd *stored;
};

static bool waits(const struct run *run)
{
    return run->status == RUN_DELAYED || run->status == RUN_QUEUED || run->status == RUN_PARKED;
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
    **now = (struct crowd_now){ stored->count, stored->oldest, 0, stored };
    EACH_RUN(&batch->rows, run)
    if (run->queue == queue)
        (*now)->count +=
            (waits(run) ? 1 : 0) - (run_loaded(run) != NULL && waits(run_loaded(run)) ? 1 : 0);
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
    return run != NULL && run->status == RUN_QUEUED && run->started_ms == 0 &&
           !run_has_ended(run);
}

/* Of those in the database the oldest, else of those that this batch has made. NULL: none. */
static bool oldest_find(struct batch *batch, const struct queue *queue, struct crowd_now *now,
                        struct run **oldest)
{
    uint32_t stride = batch->wishes + 1; /* few are asked for that are not needed */
    struct run *one;

    *oldest = NULL;
    while (*oldest == NULL && now->at < now->oldest.count) {
        uint32_t left = now->oldest.count - now->at, count = left < stride ? left : stride;
        const int64_t *ids = &now->oldest.items[now->at];
        bool loaded = true;
        for (uint32_t i = 0; i < count; i++)
            loaded &= rows_run(&batch->rows, ids[i], 0, &one);
        if (!loaded)
            return false;
        for (uint32_t i = 0; i < count && *oldest == NULL; i++) {
            (void)rows_run(&batch->rows, ids[i], 0, &one); /* loaded above */
            *oldest = may_go(one) ? one : NULL;
            now->at += *oldest == NULL;
        }
    }
    if (*oldest == NULL)
        EACH_RUN(&batch->rows, run)
    if (run->queue == queue->id && run_loaded(run) == NULL && may_go(run) &&
        (*oldest == NULL || run->id < (*oldest)->id))
        *oldest = run;
    return *oldest == NULL || run_finish_ready(batch, *oldest);
}

bool crowd_admit(struct batch *batch, struct command *command, const struct queue *queue,
                 const struct queue_rules *rules, const struct run *leaves, uint32_t ahead)
{
    bool drops = rules->on_full == FULL_DROP_OLDEST;
    struct run *oldest = NULL;
    struct crowd_now *now;

    if (rules->max_queued == 0 || (queue == NULL && ahead < rules->max_queued))
        return true;
    if (queue == NULL || ahead >= rules->max_queued)
        return err_set(&command->err, ERR_FULL,
                       "%" PRIu32 " items of its batch go to one queue, and the queue's "
                       "max_queued is %u",
                       ahead + 1, rules->max_queued) ||
               true;
    if (!crowd_get(batch, queue->id, drops ? batch->wishes + SPARE : 0, &now))
        return false;
    if (now->count + ahead - (leaves != NULL && waits(leaves) ? 1 : 0) < rules->max_queued) {
        now->stored->most = rules->max_queued;
        return true;
    }
    if (drops && !oldest_find(batch, queue, now, &oldest))
        return false;
    if (oldest == NULL) {
        err_set(&command->err, ERR_FULL,
                "queue %.*s is full: %" PRId64 " runs wait in it, and its max_queued is %u%s",
                SLICE_ARG(queue->name), now->count + ahead, rules->max_queued,
                drops ? "; the oldest have all been started before, so none is dropped" : "");
        return true;
    }
    run_expire(batch, oldest,
               arena_format(batch->arena,
                            "queue %.*s was full (max_queued %u), and of those that had not "
                            "started this one was the oldest",
                            SLICE_ARG(queue->name), rules->max_queued));
    return true;
}
