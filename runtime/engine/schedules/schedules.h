/*
 * Schedules: runs by the clock. A tick is an instant; its run has the key (schedule, instant),
 * and is made in the transaction that moves the schedule's next_ms, which only goes forward: no
 * crash, node or clock makes it twice.
 *
 *   due ─▶ what is too late goes by `missed` ─▶ each tick: overlap says fire, wait or skip ─▶
 * aim
 */
#ifndef SCHEDULES_H
#define SCHEDULES_H

#include "config/schedule_rules.h"
#include "engine/batch.h"
#include "engine/rows/schedule.h"

/* What its row says, read. */
struct schedule_sense {
    struct schedule_rules rules;
    struct plan plan;
};

/* By its id, else by its name; of that environment. False: more rows are needed. */
bool schedule_find(struct batch *batch, uint32_t environment, int64_t id, struct slice name,
                   struct schedule **schedule);
/* False: err says why it means nothing any more. */
bool schedule_read(struct batch *batch, const struct schedule *schedule,
                   struct schedule_sense *sense, struct err *err);
/* The first tick after an instant is the next one; it stops where there is none. */
void schedule_aim(struct batch *batch, struct schedule *schedule,
                  const struct schedule_sense *sense, int64_t after_s);
/* When its next tick is due, shifted; 0: there is none. */
int64_t schedule_tick_due(const struct schedule *schedule, const struct schedule_rules *rules);
/* It fires no more until it is resumed. */
void schedule_stop(struct schedule *schedule, struct slice why);
/* It comes no nearer to its last tick than it was: no clock makes one twice. */
int64_t schedule_now_s(const struct batch *batch, const struct schedule *schedule);
/* A line of its history, for what is no run: "missed", "skipped", … */
void schedule_say(struct batch *batch, struct schedule *schedule, const char *what,
                  int64_t at_ms, struct slice text);

struct schedule_firing {
    int64_t at_ms;
    int64_t before_ms; /* the tick before it; 0: none is known */
    enum schedule_how { FIRING_TICK, FIRING_MANUAL, FIRING_BACKFILL } how;
    /* Reply: */
    int64_t run_id; /* 0: the task refuses it */
    bool is_new;    /* else it had one */
    bool is_later;  /* there is no room just now */
};

/* A run for this instant. False: more rows are needed. */
bool schedule_fire(struct batch *batch, struct schedule *schedule,
                   const struct schedule_sense *sense, struct schedule_firing *firing);
/* What came of a look at it: more rows are needed; something was done; there is no room; there
 * is nothing to do. */
enum schedule_step {
    SCHEDULE_STEP_ROWS,
    SCHEDULE_STEP_DONE,
    SCHEDULE_STEP_LATER,
    SCHEDULE_STEP_END
};
/* Those of its runs that are not over; others are forgotten, and counted when they failed.
 * False: more rows are needed. */
bool schedule_runs(struct batch *batch, struct schedule *schedule,
                   const struct schedule_sense *sense, struct ids *alive);
/* It has another run, and those before it are canceled where its overlap says so; `run_id` 0:
 * the tick was refused, and they go on. */
void schedule_run_add(struct batch *batch, struct schedule *schedule,
                      const struct schedule_sense *sense, int64_t run_id,
                      const struct ids *before);

/* Numbers in a row's bytes, eight each. */
static inline uint32_t schedule_numbers(struct slice bytes)
{
    return (uint32_t)(bytes.size / sizeof(int64_t));
}

static inline int64_t schedule_number(struct slice bytes, uint32_t index)
{
    int64_t number;

    memcpy(&number, bytes.data + index * sizeof number, sizeof number);
    return number;
}

/* The catalog's, in each environment. False: more rows are needed. */
bool schedules_ensure(struct batch *batch);
/* An edge led from a run to it: the run is over. */
bool schedule_load(struct batch *batch, int64_t id);
void schedule_tell(struct batch *batch, int64_t id);

/* It is looked at in the next batch, also where the clock is set back before that. */
void schedule_at_once(struct schedule *schedule);

#endif
