/* Closing: tokens end with the run that made them; for the engine's own files. */
#ifndef CLOSE_H
#define CLOSE_H

#include "engine/batch.h"

/* A token whose run has ended is closed, unless it is waited for. False: more rows are needed.
 */
bool token_outlived(struct batch *batch, struct waitpoint *token);
/* The run, which made the token and waits for it no more, needs it no more: it is closed,
 * unless others wait for it. Run 0: load only. False: more rows are needed. */
bool token_lose(struct batch *batch, int64_t id, int64_t run_id);
/* The same for the tokens of the next run of batch->ended. */
bool close_one(struct batch *batch);

#endif
