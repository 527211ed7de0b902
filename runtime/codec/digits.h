/* Digits: does a number keep what was written when it becomes one of ours? */
#ifndef DIGITS_H
#define DIGITS_H

#include "base/slice.h"

/* NULL when int64_t, uint64_t or the nearest double keeps every digit of this decimal number,
 * by the form it has; else what would happen to it, for a sentence: "has more digits than …".
 */
const char *digits_flaw(struct slice token);

#endif
