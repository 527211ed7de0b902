/* The wall clock of this test program can be set: it answers clock_gettime() itself. */
#ifndef CLOCK_SHIFT_H
#define CLOCK_SHIFT_H

#include <stdint.h>

void clock_shift(int64_t by_ms);

#endif
