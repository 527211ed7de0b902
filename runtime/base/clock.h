/* Clocks: the only place that asks the system for the time. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Since 1970, UTC. Somebody may set it, forward and back. */
int64_t clock_now_ms(void);
/*
 * The same, but it never goes back: set forward, it follows; set back, it runs on where it was.
 * What takes a time, and is not a date, is counted by it. It is ahead of the other one by as
 * much as that was set back since the process started.
 */
int64_t clock_steady_ms(void);
/* By how much that is: 0 unless somebody did. */
int64_t clock_lag_ms(void);
uint64_t clock_monotonic_ns(void);              /* for measuring; starts anywhere */
struct timespec clock_monotonic_in(int64_t ms); /* what it says then */
uint64_t clock_thread_ns(void); /* that this thread has worked; dearer than the others */

/* How far the wall clock is ahead of the monotonic one: changes when it is set, and when the
 * machine was suspended. False: it could not be told just now. */
bool clock_offset_ns(int64_t *offset_ns);

#endif
