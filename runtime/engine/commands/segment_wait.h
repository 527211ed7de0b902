/* A segment that has ended in a wait (segment_wait.c); for segment_end.c. */
#ifndef SEGMENT_WAIT_H
#define SEGMENT_WAIT_H

#include "engine/batch.h"

/* Some of what the next needs, whatever run it is of. */
bool segment_wait_want(struct batch *batch, const struct frame_end *end);
/* All that the next two need; false: more rows are. */
bool segment_wait_load(struct batch *batch, struct run *run, const struct frame_end *end);
void segment_wait(struct batch *batch, struct run *run, const struct frame_end *end);
/* After a reminder. */
void segment_wait_on(struct batch *batch, struct run *run, const struct frame_end *end);

/* The attempt has failed, and trying again would end the same. */
void segment_fail_plainly(struct batch *batch, struct run *run, struct slice name,
                          struct slice message);

#endif
