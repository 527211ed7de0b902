/*
 * The host of all workers: struct dispatch, for the files of this folder.
 *
 *   file ──▶ build ──▶ nursery (a process) ──▶ slots (processes) ──▶ jobs (segments under way)
 *
 * Everything here belongs to the loop thread. There is one timer: whoever has something due
 * asks for an alarm, and the tick looks at everybody. Feeding and sending happen once per turn
 * of the loop, so that a batch of assignments costs one write per slot.
 */
#ifndef DISPATCH_HOST_H
#define DISPATCH_HOST_H

#include "base/list.h"
#include "dispatch.h"
#include "dispatch/plugins/catalogs.h"
#include "dispatch/plugins/kept.h"
#include "dispatch/plugins/watch.h"
#include "dispatch/segments/outgoing.h"
#include "dispatch/segments/task_duration.h"

enum { READ_BYTES = 1 << 18 };

struct dispatch {
    struct dispatch_options options;
    const struct config *config;
    uv_loop_t *loop;
    char *builds_path; /* <data>/builds */

    uv_prepare_t turn; /* feeds hungry builds and sends to slots, before the loop sleeps */
    uv_timer_t timer;
    int64_t alarm_ms; /* when the timer fires; INT64_MAX: not set */

    struct list builds;  /* newest last */
    struct list hungry;  /* builds with jobs to hand out */
    struct list outbox;  /* slots with bytes to send */
    struct list orphans; /* jobs that no loaded build can run, until the next catalog */
    struct list nurseries;
    struct list trials;
    struct outgoings outgoings;
    struct watch watch;
    struct catalogs catalogs;
    struct kept_builds kept;
    struct task_durations task_durations;

    struct arena arena; /* for one frame */
    char *read_bytes;
    uint32_t slot_count; /* processes that live, or may */
    uint32_t slot_next;  /* id of the next one */
    uint32_t loading;    /* nurseries that are not ready yet */
    uint64_t segments, crashes, timeouts, forks;
    int64_t parked_second; /* of the last line about parked runs */
    uint32_t parked;       /* in it */

    uint32_t open;   /* handles and work under way that must end before `on_stopped` */
    bool is_stirred; /* builds are to be looked at in this turn */
    bool is_wanting; /* some build has a job that no slot took */
    bool is_ready, is_stopping, is_stopped;
    void (*on_stopped)(void *context);
    void *stop_context;
};

/* Call the tick at `at_ms` (uv_now) or earlier. */
void dispatch_alarm(struct dispatch *dispatch, int64_t at_ms);
int64_t dispatch_now(const struct dispatch *dispatch);

/* Look at all builds in this turn: who has work, and who is no longer needed. */
void dispatch_stir(struct dispatch *dispatch);

/* Something that was counted in `open` is gone. */
void dispatch_closed(struct dispatch *dispatch);

/* A segment of the build has crashed. */
void dispatch_crashed(struct dispatch *dispatch, struct build *build);

/* The engine has a new catalog. */
void dispatch_accepted(struct dispatch *dispatch);

/* Give jobs to a build that can run them: the one named, else the newest that has the segment.
 */
struct job;
void dispatch_route(struct dispatch *dispatch, struct job *job);

/* The smaller of two times of which 0 means never. */
static inline int64_t sooner(int64_t a, int64_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

#endif
