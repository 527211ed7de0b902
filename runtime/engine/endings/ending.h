/*
 * Endings: what a run still does when it ends badly. Segments that it has registered are
 * entered in reverse order, each an execution of its own with the saved state; then its task's
 * hook is called in the same way. Only then is the run done, and whoever waits for it is told.
 */
#ifndef ENDING_H
#define ENDING_H

#include "engine/batch.h"
#include "engine/failure.h"

enum { ABORTS_MOST = 1000, ABORT_ATTEMPTS = 5 };

/* The run would end so now. False: nothing is to be done before. */
bool ending_begin(struct batch *batch, struct run *run, enum run_outcome outcome);
/* It has nothing else to wait for: the segment that was out when it was canceled is not any
 * more, or the last of its children has been canceled. */
void ending_go_on(struct batch *batch, struct run *run);
/* Its children are not all canceled yet. */
void ending_hold(struct batch *batch, struct run *run);
/* The segment that was out has ended well in spite of it: what it did is to be undone, too. */
void ending_left(struct batch *batch, struct run *run, const struct frame_end *end);
/* An execution has done its work; or an attempt of it has failed, and all rows of
 * run_finish_ready are there. */
void ending_done(struct batch *batch, struct run *run, const struct frame_end *end);
void ending_fail(struct batch *batch, struct run *run, const struct failure *failure);

/* aborts.c: what a segment registers, if it may. A flaw's word in *code, its sentence is
 * returned; empty: none. */
struct slice aborts_flaw(struct batch *batch, const struct run *run,
                         const struct frame_end *end, struct slice *code);
void aborts_push(struct batch *batch, struct run *run, const struct frame_end *end);
void aborts_pop(struct batch *batch, struct run *run);
/* The last one registered; empty: none is left. */
struct slice aborts_last(struct arena *arena, const struct run *run);
/* An execution is given up: kept for people. */
void undo_error_add(struct batch *batch, struct run *run, const struct failure *failure);

#endif
