/* Runs that end badly: what slots do for them, and what the model knows of that. */
#ifndef ENDINGS_H
#define ENDINGS_H

#include "engine/timeline.h"
#include "engine/waits/wait.h"
#include "world.h"

enum { UNDO_MAX = 64, UNDO_TRIES = 2 };

struct look;
struct shadow;

/* What a run has registered, as the model has counted it. */
struct shadow_undo {
    struct slice names[UNDO_MAX];
    uint32_t count;
    uint32_t hook;   /* enum task_hook, that is still to be called; while it is ending */
    uint32_t number; /* executions that have begun */
    uint32_t tries;  /* of that one that have failed */
};

/* endings.c */
void endings_offer(const struct world *world, struct catalog *catalog);
uint32_t world_hooks(const struct world *world, struct slice task);
void ending_register(struct world *world, const struct held_segment *held,
                     struct frame_end *end);
void ending_step(struct world *world, struct held_segment *held);

/* rules_ending.c */
void rule_cancel(const struct look *look, const struct command *command);
/* Its segment has ended well, or was canceled and has: that counts. */
void rule_registered(const struct look *look, struct shadow *shadow,
                     const struct frame_end *end);
/* It has ended so, or is about to. */
bool rule_is_ending(const struct shadow *shadow, const struct run *run);
void rule_ending(const struct look *look, struct shadow *shadow, const struct run *run);
/* It is not ending: what is registered is what was. */
void rule_may_undo(const struct look *look, const struct shadow *shadow, const struct run *run);

/* rules_total.c: now and then a trigger says a total time. */
void total_say(struct world *world, struct trigger *trigger);
/* It must have timed out by it in this batch. */
bool rule_total_over(const struct look *look, const struct shadow *shadow);
/* Before the commands: who was told that its time is nearly over. */
void rule_totals_pass(const struct look *look);
void rule_total_made(const struct look *look, const struct trigger *trigger,
                     const struct run *run);
void rule_total(const struct look *look, const struct shadow *shadow, const struct run *run);

/* rules_end.c, for those: metadata that its segment has changed. */
void rule_metadata(const struct look *look, struct shadow *shadow, const struct run *run,
                   const struct frame_end *end);
/* What it failed over leads to no other attempt. */
bool rule_was_last(const struct look *look, const struct shadow *shadow, const struct run *run);

#endif
