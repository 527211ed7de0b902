/*
 * Total time: from the trigger of a run to its end, whatever it does in between. It stands in
 * the run's row, and the store calls for the run when nine tenths of it are over, and when all
 * of it is; a run without it has nothing to be called for.
 *
 *   triggered ──▶ … delayed, queued, parked, running, waiting … ──▶ over: TIMED_OUT, once
 *                                                                    └▶ what is to be undone
 */
#ifndef TOTAL_H
#define TOTAL_H

#include "engine/batch.h"

/* As its trigger says, else its queue, else its task. */
void total_begin(const struct batch *batch, const struct trigger *trigger,
                 const struct queue_rules *rules, const struct catalog_task *task,
                 struct run *run);
/* It ends: from here on the limit holds no more. */
void total_stop(struct run *run);
/* A run whose time has come. False: more rows are needed. *has_ended: it was over. */
bool total_look(struct batch *batch, struct run *run, bool *has_ended);

#endif
