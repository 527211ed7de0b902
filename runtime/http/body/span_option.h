/* An option of a trigger that is a time. */
#ifndef SPAN_OPTION_H
#define SPAN_OPTION_H

#include "base/arena.h"
#include "base/err.h"
#include "codec/value.h"

/* A duration, or a number of seconds; absent and null leave *span_ms alone. `may_be_none`: 0 is
 * none, and what is below is over at once; else it is above 0. */
bool span_option(struct arena *arena, const struct value *options, const char *name,
                 bool may_be_none, int64_t *span_ms, struct err *err);

#endif
