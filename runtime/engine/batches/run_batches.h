/* Batches of runs: counted, finished, aborted (run_batches.c); for the engine's own files. */
#ifndef RUN_BATCHES_H
#define RUN_BATCHES_H

#include "engine/batch.h"

/* Settling. False: more rows are needed. */
/* The next run of batch->heard has ended: its batch counts it. */
bool run_batch_hear(struct batch *batch);
/* It has finished: so has its waitpoint, if it has one. Of any other id: nothing. */
bool run_batch_settle(struct batch *batch, int64_t id);
/* The rows of an item that waits for another's run, and what is done when that has ended. */
bool item_load(struct batch *batch, int64_t id);
void item_tell(struct batch *batch, int64_t id, int64_t target);

/* It goes on in the next batch. */
void run_batch_later(struct run_batch *made);
/* All its items are there: it is sealed, or aborted. */
void run_batch_seal(struct batch *batch, struct run_batch *made);
void run_batch_abort(struct batch *batch, struct run_batch *made, struct slice why);

/* items.c: how an item that is new comes in. */
struct batch_item *item_make(struct batch *batch, const struct run_batch *made, int64_t id,
                             enum item_kind kind, const struct trigger *trigger);
void item_refuse(struct batch *batch, struct run_batch *made, struct batch_item *item,
                 struct slice why);
/* Its answer is that of `target`, which is loaded; NULL: that was removed. */
void item_link(struct batch *batch, struct run_batch *made, struct batch_item *item, int64_t id,
               const struct run *target);
/* It became a run under its own id, which needs no row beside it. */
static inline bool item_is_run(const struct trigger *trigger)
{
    return trigger->is_new && trigger->run_id == trigger->id;
}
/* Kept aside until it is made. */
struct slice item_pack(struct arena *arena, const struct trigger *asked);
bool item_read(struct arena *arena, const struct batch_item *item, struct trigger *trigger);
/* ahead.c: how many of its items are kept aside for that queue. False: more rows are needed. */
bool items_ahead(struct batch *batch, int64_t id, struct slice queue, uint32_t *ahead);
void item_keep(struct batch *batch, const struct run_batch *made, struct batch_item *item,
               const struct trigger *asked);
/* trigger.c */
struct slice trigger_queue(struct batch *batch, const struct trigger *trigger,
                           const struct catalog_task *task);
/* The next of those that are kept aside become runs. */
bool items_release(struct batch *batch, struct run_batch *made);

/* It has one more answer. */
void run_batch_count(struct batch *batch, struct run_batch *made, bool is_failed);

#endif
