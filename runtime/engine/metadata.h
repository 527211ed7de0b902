/* Metadata: a run's open notes for the world, changed by operations so that writers do not
 * collide. */
#ifndef METADATA_H
#define METADATA_H

#include "base/err.h"
#include "codec/frame.h"

/* *packed after `operations`, in `arena`. Errors: TOO_LARGE, BAD_REQUEST (a value that is no
 * msgpack); *packed is as it was then. */
bool metadata_apply(struct arena *arena, struct slice *packed,
                    const struct frame_meta *operations, uint32_t count, int64_t max_bytes,
                    struct err *err);

#endif
