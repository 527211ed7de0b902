/* Bulk actions; for the engine's own files, and for whoever makes or shows one. */
#ifndef BULK_H
#define BULK_H

#include "engine/rows/bulk_action.h"
#include "engine/rows/run_filter.h"

struct batch;
struct prune;

/* Without its environment and its page. */
struct slice bulk_filter_pack(struct arena *arena, const struct run_filter *filter);
/* False: it is damaged. */
bool bulk_filter_read(struct arena *arena, struct slice packed, struct run_filter *filter);

/* Those of `runs`. */
uint32_t bulk_run_count(struct slice runs);
int64_t bulk_run_at(struct slice runs, uint32_t at);

/* Its time has come; old ones go. False: more rows are needed. */
bool bulk_due(struct batch *batch, int64_t id);
bool bulk_prune(struct batch *batch, struct prune *prune);

#endif
