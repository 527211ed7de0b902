/* Clocks: the only place that asks the system for the time. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

int64_t clock_now_ms(void);        /* since 1970, UTC */
uint64_t clock_monotonic_ns(void); /* for measuring; starts anywhere */
uint64_t clock_thread_ns(void);    /* that this thread has worked; dearer than the others */

#endif
