/*
 * The checkpointer: a thread that copies pages from the log into the file while batches go on.
 *
 * A checkpoint syncs the file, which takes as long as dozens of commits. But the log starts
 * over only when all of it was copied at a moment when nothing is added, so the store asks for
 * a pass here first and then copies by itself what came in during it (store.c).
 */
#ifndef CHECKPOINT_SQLITE_H
#define CHECKPOINT_SQLITE_H

#include "base/err.h"

#include <stdbool.h>

struct checkpointer;

/* Opens a connection of its own. NULL with err: STORE, SYSTEM. */
struct checkpointer *checkpointer_create(const char *path, struct err *err);
/* Waits for a pass that is under way. NULL is fine. */
void checkpointer_destroy(struct checkpointer *checkpointer);

/* Start a pass; it is idle. */
void checkpointer_ask(struct checkpointer *checkpointer);
bool checkpointer_is_idle(struct checkpointer *checkpointer);
/* Until it is idle. */
void checkpointer_wait(struct checkpointer *checkpointer);

#endif
