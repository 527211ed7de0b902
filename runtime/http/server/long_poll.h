/*
 * Long polls: requests that wait for a run to be done, or to wait.
 *
 * Such a request stands in the table first and reads afterwards, so nothing can fall between
 * the two. When the run gets there, or the time is over, its `wake` is called, on the loop
 * thread, once.
 */
#ifndef LONGPOLL_H
#define LONGPOLL_H

#include "base/list.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum { LONGPOLL_BUCKETS = 1024, LONGPOLL_MAX_MS = 60000 };

struct longpoll {
    struct list node;
    int64_t run_id, deadline_ms;
    uint32_t statuses; /* bit set of 1 << enum run_status */
    bool is_waiting;
    void (*wake)(struct longpoll *longpoll, bool in_time);
};

struct longpolls {
    uv_timer_t timer;
    struct list buckets[LONGPOLL_BUCKETS];
    uint32_t count;
    int64_t due_ms;
};

void longpolls_init(struct longpolls *polls, uv_loop_t *loop);
void longpoll_add(struct longpolls *polls, struct longpoll *longpoll, int64_t run_id,
                  uint32_t statuses, int64_t time_ms,
                  void (*wake)(struct longpoll *longpoll, bool in_time));
/* Fine for one that does not wait. */
void longpoll_remove(struct longpolls *polls, struct longpoll *longpoll);
/* The run has come to a status. */
void longpolls_fire(struct longpolls *polls, int64_t run_id, uint32_t status);
/* The time of all of them is over. */
void longpolls_expire(struct longpolls *polls);

#endif
