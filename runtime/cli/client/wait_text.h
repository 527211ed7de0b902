/* What a run waits for, in words: a line each, those of a group below it and further in. */
#ifndef WAIT_TEXT_H
#define WAIT_TEXT_H

#include "base/arena.h"
#include "base/buffer.h"
#include "codec/value.h"

/* Of the list `name` of `run`; `until` is what its items call the time when they give up. */
void waits_add(struct buffer *out, struct arena *arena, const struct value *run,
               const char *name, const char *until, int64_t now_ms);
/* The id of one thing that it waits for, or the name of a message; a time has neither. */
struct slice waited_for(const struct value *wait);

#endif
