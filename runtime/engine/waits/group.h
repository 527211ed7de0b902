/*
 * Waiting, from its beginning to its end; for the engine's own files. What a group still needs
 * is counted: an end is told to the groups that it is in, and costs no look at the others.
 */
#ifndef GROUP_H
#define GROUP_H

#include "engine/batch.h"
#include "engine/waits/mail.h"

/* What the run waits for, or has waited for; NULL: nothing. It is read once in a batch. */
struct wait *run_wait(struct batch *batch, const struct run *run);

/* group.c: look at all parts. False: more rows are needed. *left: as run->left. */
bool group_look(struct batch *batch, const struct wait *wait, struct slice *left,
                bool *is_over);
/* `id` has ended: is the wait over by that? */
bool group_tell(struct batch *batch, struct run *run, struct wait *wait, int64_t id);
/* The message has come: the first part of its name that has none takes it. Is the wait over by
 * that? */
bool group_hear(struct batch *batch, struct run *run, struct wait *wait,
                const struct mail_item *message);
/* When the run is to be looked at again: a part's time, a reminder, the end of patience. */
struct deadline group_deadline(const struct batch *batch, const struct wait *wait);

/* waiting.c: the run, whose rows are loaded, waits, or goes on at once. */
void wait_begin(struct batch *batch, struct run *run, struct wait *wait);
/* A reminder that no segment has begun with is withdrawn: the run waits as before, and the
 * reminder is due again; but not where what was done meanwhile closes a cycle. False: more rows
 * are needed. */
bool wait_again(struct batch *batch, struct run *run);
/* It is over, or given up. */
void wait_end(struct batch *batch, struct run *run, struct wait *wait, struct slice why);
/* A run that waits has come due. False: more rows are needed. */
bool wait_due_load(struct batch *batch, struct run *run);
bool wait_due(struct batch *batch, struct run *run);
/* Is it pending (1), ended (0) or unknown (-1)? Loaded already. */
int wait_pending(struct batch *batch, const struct run *run, bool is_token, int64_t id);

/* wait_key.c: the row of the wait's key, if it has one. False: more rows are needed. */
bool wait_key_load(struct batch *batch, const struct run *run, struct slice key,
                   bool is_global);
/* A wait that was made, before it begins: it gets the key, and the times of the first with it.
 */
void wait_key_take(struct batch *batch, struct run *run, const struct frame_end *end,
                   struct wait *wait);
/* Its end was moved, or has come by hand: it was skipped, or has given up. Call it before the
 * change. */
void wait_key_move(struct batch *batch, const struct run *run, const struct wait *wait,
                   struct deadline due);
void wait_key_over(struct batch *batch, const struct run *run, const struct wait *wait,
                   bool is_skipped);

#endif
