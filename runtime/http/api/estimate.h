/* Estimates: about when a queued run starts, and what that rests on. */
#ifndef ESTIMATE_H
#define ESTIMATE_H

#include "http/api/run_view.h"

struct estimate {
    bool is_known;
    int64_t starts_in_ms; /* is_known */
    struct slice basis;   /* empty: nothing can be said */
};

/* `before`: QUEUED runs of its lane that come first, at most HOLD_BEFORE_MOST. In the snapshot
 * of the view. */
bool estimate_read(struct estimate *estimate, const struct run_view *view,
                   const struct queue_stats *queue, int64_t before, struct reader *reader,
                   struct arena *arena, struct err *err);
void estimate_write(struct out *out, const struct estimate *estimate);

#endif
