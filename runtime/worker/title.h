/* Title: what ps shows of a nursery and its slots. */
#ifndef WORKER_TITLE_H
#define WORKER_TITLE_H

#include "base/slice.h"

#include <stdint.h>

/* The room of these arguments is used from the first title on: nobody reads them after. */
void title_init(int argc, char **argv);
/* "slot of refunds 1.0.0", and "slot:refunds" as the short name. Processes that are forked
 * inherit it. */
void title_set(const char *what, struct slice plugin, struct slice version);
/* Behind that, ": refund run_…", until the next; an id of 0 leaves it away. */
void title_run(struct slice task, int64_t run_id);

#endif
