/* Clocks: the only place that asks the system for the time. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

int64_t clock_now_ms(void);        /* since 1970, UTC */
uint64_t clock_monotonic_ns(void); /* for measuring; starts anywhere */

#endif
