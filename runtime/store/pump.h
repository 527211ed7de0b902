/*
 * The pump: the store thread and the two queues between it and the loop thread.
 *
 *   loop: pump_submit ──▶ [commands] ──▶ store thread: one batch of all there are ──▶ COMMIT
 *   loop: on_published ◀── [replies, assignments, events] ◀──────────────────────────┘
 */
#ifndef PUMP_H
#define PUMP_H

#include "engine/engine.h"
#include "store/store.h"

struct pump;

struct pump_options {
    struct store *store;
    uint32_t max_commands; /* waiting at once; more are refused with ERR_LIMIT */
    uint32_t max_batch;    /* commands in one batch */
    struct zone_source zones;
    void (*wake)(
        void *context); /* store thread: something is published; call pump_collect soon */
    void *context;
};

/* What pump_collect hands to the loop thread, besides calling each command's on_reply. */
struct pump_sink {
    void *context;
    void (*on_assignment)(void *context,
                          struct assignment *assignment); /* now the sink's: free bytes */
    void (*on_event)(void *context, const struct event *event);
};

struct pump *pump_create(const struct pump_options *options);
/* Before it starts: all environments are paused, those too that the configuration names no
 * more. One that is paused already keeps its reason. */
bool pump_pause_all(struct pump *pump, struct slice by, struct slice why, struct err *err);
/* Starts the thread, after COMMAND_RECOVER was done inside. */
bool pump_start(struct pump *pump, struct err *err);
/* Loop thread. False (ERR_LIMIT, ERR_STOPPING): the command stays the caller's, on_reply is not
 * called. */
bool pump_submit(struct pump *pump, struct command *command, struct err *err);
/* Loop thread. */
void pump_collect(struct pump *pump, const struct pump_sink *sink);
/* The wall clock was set: look at once at what is due now. */
void pump_clock_set(struct pump *pump);
/* Commits what was submitted, ends the thread; collect once more afterwards. */
void pump_stop(struct pump *pump);
void pump_destroy(struct pump *pump);

struct pump_stats {
    uint64_t batches, commands, commit_ns, busy_ns, failed_batches;
    uint64_t work_most_ns;  /* the longest batch, without its commit */
    uint64_t clock_steps;   /* how often the wall clock was set */
    struct pruned pruned;   /* removed since the start, because it was old */
    int64_t pruned_from_ms; /* nothing is removed before this date; 0: that is long ago */
    uint64_t timers_aside;  /* rows that were due and could not be handled */
    uint32_t waiting;
    bool store_ok; /* the last batch was written */
};

void pump_stats(struct pump *pump, struct pump_stats *stats);

#endif
