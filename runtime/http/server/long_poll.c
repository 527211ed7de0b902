#include "long_poll.h"

static void on_timer(uv_timer_t *timer);

void longpolls_init(struct longpolls *polls, uv_loop_t *loop)
{
    for (uint32_t i = 0; i < LONGPOLL_BUCKETS; i++)
        list_init(&polls->buckets[i]);
    uv_timer_init(loop, &polls->timer);
    uv_unref((uv_handle_t *)&polls->timer);
}

static struct list *bucket_of(struct longpolls *polls, int64_t run_id)
{
    uint64_t mixed = (uint64_t)run_id * UINT64_C(0x9e3779b97f4a7c15);

    return &polls->buckets[mixed >> 54]; /* the top ten bits: LONGPOLL_BUCKETS */
}

static void arm(struct longpolls *polls, int64_t deadline_ms)
{
    if (uv_is_active((uv_handle_t *)&polls->timer) != 0 && polls->due_ms <= deadline_ms)
        return;
    int64_t left = deadline_ms - (int64_t)uv_now(polls->timer.loop);
    polls->due_ms = deadline_ms;
    uv_timer_start(&polls->timer, on_timer, left > 0 ? (uint64_t)left : 0, 0);
}

void longpoll_add(struct longpolls *polls, struct longpoll *longpoll, int64_t run_id,
                  uint32_t statuses, int64_t time_ms,
                  void (*wake)(struct longpoll *longpoll, bool in_time))
{
    *longpoll = (struct longpoll){ .run_id = run_id,
                                   .statuses = statuses,
                                   .deadline_ms = (int64_t)uv_now(polls->timer.loop) + time_ms,
                                   .is_waiting = true,
                                   .wake = wake };
    list_init(&longpoll->node);
    list_push(bucket_of(polls, run_id), &longpoll->node);
    polls->count++;
    arm(polls, longpoll->deadline_ms);
}

void longpoll_remove(struct longpolls *polls, struct longpoll *longpoll)
{
    if (!longpoll->is_waiting)
        return;
    longpoll->is_waiting = false;
    list_remove(&longpoll->node);
    polls->count--;
}

static void wake(struct longpolls *polls, struct longpoll *longpoll, bool in_time)
{
    longpoll_remove(polls, longpoll);
    longpoll->wake(longpoll, in_time);
}

void longpolls_fire(struct longpolls *polls, int64_t run_id, uint32_t status)
{
    if (polls->count == 0)
        return;
    LIST_EACH(bucket_of(polls, run_id), node, after)
    {
        struct longpoll *longpoll = container_of(node, struct longpoll, node);
        if (longpoll->run_id == run_id && (longpoll->statuses & 1u << status) != 0)
            wake(polls, longpoll, true);
    }
}

/* All whose deadline is not after `now`; returns the earliest of the others, 0 when there is
 * none. */
static int64_t expire(struct longpolls *polls, int64_t now)
{
    int64_t next = 0;

    for (uint32_t i = 0; i < LONGPOLL_BUCKETS && polls->count > 0; i++)
        LIST_EACH(&polls->buckets[i], node, after)
        {
            struct longpoll *longpoll = container_of(node, struct longpoll, node);
            if (longpoll->deadline_ms <= now)
                wake(polls, longpoll, false);
            else if (next == 0 || longpoll->deadline_ms < next)
                next = longpoll->deadline_ms;
        }
    return next;
}

static void on_timer(uv_timer_t *timer)
{
    struct longpolls *polls = container_of(timer, struct longpolls, timer);
    int64_t next = expire(polls, (int64_t)uv_now(timer->loop));

    if (next != 0)
        arm(polls, next);
}

void longpolls_expire(struct longpolls *polls)
{
    (void)expire(polls, INT64_MAX);
}
