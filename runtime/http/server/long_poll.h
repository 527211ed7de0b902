/*
 * Long polls: requests that wait for a run to be done, or to wait.
 *
 * Such a request stands in the table first and reads afterwards, so nothing can fall between
 * the two. When the run gets there, or the time is over, its `wake` is called, on the loop
 * thread, once.
 */
#ifndef HTTP_LONG_POLL_H
#define HTTP_LONG_POLL_H

#include "base/list.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum {
    LONG_POLL_BUCKETS = 1024,
    LONG_POLL_MAX_MS = 60000,
    LONG_POLL_SETTLED = -1 /* no run: until the newest catalog is in use; status 0 */
};

struct long_poll {
    struct list node;
    int64_t run_id, deadline_ms;
    uint32_t statuses; /* bit set of 1 << enum run_status */
    bool is_waiting;
    void (*wake)(struct long_poll *long_poll, bool in_time);
};

struct long_polls {
    uv_timer_t timer;
    struct list buckets[LONG_POLL_BUCKETS];
    uint32_t count;
    int64_t due_ms;
};

void long_polls_init(struct long_polls *polls, uv_loop_t *loop);
void long_poll_add(struct long_polls *polls, struct long_poll *long_poll, int64_t run_id,
                   uint32_t statuses, int64_t time_ms,
                   void (*wake)(struct long_poll *long_poll, bool in_time));
/* Fine for one that does not wait. */
void long_poll_remove(struct long_polls *polls, struct long_poll *long_poll);
/* The run has come to a status. */
void long_polls_fire(struct long_polls *polls, int64_t run_id, uint32_t status);
/* The time of all of them is over. */
void long_polls_expire(struct long_polls *polls);

#endif
