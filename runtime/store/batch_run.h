/* One batch: the engine and a store taking turns until everything is decided and durable. */
#ifndef BATCH_RUN_H
#define BATCH_RUN_H

#include "engine/engine.h"
#include "store/store.h"

struct store_batch {
    struct store *store;
    struct engine *engine;
    struct arena *arena; /* holds the outcome, too */
    struct moment now;
    bool look_for_due; /* something in the store has come due */
    bool must_write;   /* the store has failed: does it take a change again? */
    struct command **commands;
    uint32_t count;
};

/*
 * False: the store failed and was rolled back, nothing happened, every command carries the
 * error. True: all of it is durable, `outcome` is to be published. *commit_ns, when not NULL,
 * is the time the commit took.
 */
bool store_batch_run(struct store_batch *batch, struct outcome *outcome, uint64_t *commit_ns,
                     struct err *err);

#endif
