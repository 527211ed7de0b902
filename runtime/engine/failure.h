/* Failures: what a run's error says of the last attempt, and of those before. */
#ifndef FAILURE_H
#define FAILURE_H

#include "base/arena.h"
#include "config/retry_rules.h"
#include "engine/rows/run.h"

struct batch;
struct catalog_retry;
struct deadline;

/* For programs and for people, borrowed from the packed error; each is empty where it does not
 * say. */
void failure_said(struct arena *arena, struct slice error, struct slice *code,
                  struct slice *message);
/* The error of a run that ended well: nothing is wrong any more. */
struct slice failures_past(struct arena *arena, struct slice error);

/* An attempt went wrong: retry or end. `outcome` is what it ends as. */
struct failure {
    enum run_outcome outcome;
    bool retryable;
    enum retry_class class;
    int64_t due_ms, span_ms; /* when it is tried again: a date, or else a span; 0: as it goes */
    struct slice name, message, stack;
};
void run_fail(struct batch *batch, struct run *run, const struct failure *failure);
/* failure.c: as run->error; with those that were before. */
struct slice failure_pack(struct batch *batch, const struct run *run,
                          const struct failure *failure);
/* run.c: how long it pauses before it is tried again, and that it does. */
int64_t retry_delay(struct batch *batch, const struct catalog_retry *retry, uint32_t tries);
void run_again(struct batch *batch, struct run *run, struct deadline begin, struct slice why);

#endif
