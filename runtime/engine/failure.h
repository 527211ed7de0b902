/* Failures: what a run's error says of the last attempt, and of those before. */
#ifndef FAILURE_H
#define FAILURE_H

#include "base/arena.h"

/* For programs and for people, borrowed from the packed error; each is empty where it does not
 * say. */
void failure_said(struct arena *arena, struct slice error, struct slice *code,
                  struct slice *message);
/* The error of a run that ended well: nothing is wrong any more. */
struct slice failures_past(struct arena *arena, struct slice error);

#endif
