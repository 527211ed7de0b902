/* Collecting: many triggers of a queue are one run with the list of their payloads. */
#ifndef COLLECT_H
#define COLLECT_H

#include "engine/catalog.h"

struct batch;
struct command;
struct trigger;

struct collected {
    struct queue_collect rule; /* max 0: it is a run of its own */
    struct run *run;           /* that takes it; NULL: there is none */
    uint8_t hash[16];
};

struct queue_collect collect_rule(const struct catalog_task *task,
                                  const struct queue_rules *rules,
                                  const struct trigger *trigger);
/* False: it asks for what a run of many cannot give; command->err says it. */
bool collect_admits(struct command *command, struct slice queue);
/* Once its key is made. False: more rows are needed. */
bool collect_load(struct batch *batch, const struct trigger *trigger, struct slice queue,
                  struct collected *collected);
/* What expressions of the queue are over: of a list the first. */
struct slice collect_first(struct batch *batch, const struct trigger *trigger,
                           struct slice payload);
/* The payload, with defaults, is added to that of the run. False: there is no room in it (it
 * starts now), or no run (NULL). */
bool collect_join(struct batch *batch, struct command *command, struct run *run,
                  struct slice payload);
/* The run has been made, and its input is the payload of the first. */
void collect_begin(struct batch *batch, const struct collected *collected, struct run *run);

/* It takes more until it is due, or full. */
static inline bool run_collects(const struct run *run)
{
    return run_awaits_start(run) && run->bounce_ms != 0 && run->collected < run->collect_most;
}

#endif
