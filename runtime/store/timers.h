/* Timers: what time it is for the pump, how long until something is due, and what to do with
 * rows that are due and cannot be handled. */
#ifndef TIMERS_H
#define TIMERS_H

#include "store/store.h"

/* By how much the wall clock is ahead of the monotonic one, as last seen. */
struct clock_watch {
    int64_t offset_ns;
    bool is_known;
};

struct moment moment_now(void);
/* `next` is next_due's: has one of its two times come? */
bool moment_is_due(const struct moment *next, const struct moment *now);
/* The second of them comes then at the latest; 0: that says nothing. */
void moment_sooner(struct moment *next, int64_t steady_ms);
/* Until one of them comes, at most `most_ms`; 0: it has. */
int64_t moment_idle_ms(const struct moment *next, const struct moment *now, int64_t most_ms);

/* Has the wall clock been set since the last look? Then it is told in the log. */
bool clock_watch_look(struct clock_watch *watch);

/* Tell of rows that were put aside, and of pauses that have ended by themselves; returns how
 * many rows. */
uint32_t timers_outcome_log(const struct outcome *outcome);
/* Put aside what is due and is in the way; in a transaction of its own. How many there were. */
uint32_t timers_mend(struct store *store, const struct moment *now);

#endif
