#include "long_poll.h"

static void on_timer(uv_timer_t *timer);

void long_polls_init(struct long_polls *polls, uv_loop_t *loop)
{
    for (uint32_t i = 0; i < LONG_POLL_BUCKETS; i++)
        list_init(&polls->buckets[i]);
    uv_timer_init(loop, &polls->timer);
    uv_unref((uv_handle_t *)&polls->timer);
}

static struct list *bucket_of(struct long_polls *polls, int64_t run_id)
{
    uint64_t mixed = (uint64_t)run_id * UINT64_C(0x9e3779b97f4a7c15);

    return &polls->buckets[mixed >> 54]; /* the top ten bits: LONG_POLL_BUCKETS */
}

static void arm(struct long_polls *polls, int64_t deadline_ms)
{
    if (uv_is_active((uv_handle_t *)&polls->timer) != 0 && polls->due_ms <= deadline_ms)
        return;
    int64_t left = deadline_ms - (int64_t)uv_now(polls->timer.loop);
    polls->due_ms = deadline_ms;
    uv_timer_start(&polls->timer, on_timer, left > 0 ? (uint64_t)left : 0, 0);
}

void long_poll_add(struct long_polls *polls, struct long_poll *long_poll, int64_t run_id,
                   uint32_t statuses, int64_t time_ms,
                   void (*wake)(struct long_poll *long_poll, bool in_time))
{
    *long_poll =
        (struct long_poll){ .run_id = run_id,
                            .statuses = statuses,
                            .deadline_ms = (int64_t)uv_now(polls->timer.loop) + time_ms,
                            .is_waiting = true,
                            .wake = wake };
    list_init(&long_poll->node);
    list_push(bucket_of(polls, run_id), &long_poll->node);
    polls->count++;
    arm(polls, long_poll->deadline_ms);
}

void long_poll_remove(struct long_polls *polls, struct long_poll *long_poll)
{
    if (!long_poll->is_waiting)
        return;
    long_poll->is_waiting = false;
    list_remove(&long_poll->node);
    polls->count--;
}

static void wake(struct long_polls *polls, struct long_poll *long_poll, bool in_time)
{
    long_poll_remove(polls, long_poll);
    long_poll->wake(long_poll, in_time);
}

void long_polls_fire(struct long_polls *polls, int64_t run_id, uint32_t status)
{
    if (polls->count == 0)
        return;
    LIST_EACH(bucket_of(polls, run_id), node, after)
    {
        struct long_poll *long_poll = container_of(node, struct long_poll, node);
        if (long_poll->run_id == run_id && (long_poll->statuses & 1u << status) != 0)
            wake(polls, long_poll, true);
    }
}

/* All whose deadline is not after `now`; returns the earliest of the others, 0 when there is
 * none. */
static int64_t expire(struct long_polls *polls, int64_t now)
{
    int64_t next = 0;

    for (uint32_t i = 0; i < LONG_POLL_BUCKETS && polls->count > 0; i++)
        LIST_EACH(&polls->buckets[i], node, after)
        {
            struct long_poll *long_poll = container_of(node, struct long_poll, node);
            if (long_poll->deadline_ms <= now)
                wake(polls, long_poll, false);
            else if (next == 0 || long_poll->deadline_ms < next)
                next = long_poll->deadline_ms;
        }
    return next;
}

static void on_timer(uv_timer_t *timer)
{
    struct long_polls *polls = container_of(timer, struct long_polls, timer);
    int64_t next = expire(polls, (int64_t)uv_now(timer->loop));

    if (next != 0)
        arm(polls, next);
}

void long_polls_expire(struct long_polls *polls)
{
    (void)expire(polls, INT64_MAX);
}
