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

/* False: err says why it means nothing any more. */
bool schedule_read(struct batch *batch, const struct schedule *schedule,
                   struct schedule_sense *sense, struct err *err);
/* The first tick after an instant is the next one; it stops where there is none. */
void schedule_aim(struct batch *batch, struct schedule *schedule,
                  const struct schedule_sense *sense, int64_t after_s);
/* It is looked at when its next tick is due. */
void schedule_rest(struct schedule *schedule, const struct schedule_rules *rules);
/* It fires no more until it is resumed. */
void schedule_stop(struct schedule *schedule, struct slice why);
/* A line of its history, for what is no run: "missed", "skipped", … */
void schedule_say(struct batch *batch, struct schedule *schedule, const char *what,
                  int64_t at_ms, struct slice text);

/* A run for this instant. False: more rows are needed. *is_later: there is no room just now. */
bool schedule_fire(struct batch *batch, struct schedule *schedule,
                   const struct schedule_sense *sense, int64_t at_ms, bool is_manual,
                   int64_t *run_id, bool *is_later);
/* Those of its runs that are not over; others are forgotten, and counted when they failed.
 * False: more rows are needed. */
bool schedule_runs(struct batch *batch, struct schedule *schedule,
                   const struct schedule_sense *sense, struct ids *alive);
/* It has another run. */
void schedule_run_add(struct batch *batch, struct schedule *schedule,
                      const struct schedule_sense *sense, int64_t run_id);

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

#endif
