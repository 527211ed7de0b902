/*
 * The pruner: walks over runs, tokens and queues again and again, some rows in a batch, so that
 * nobody waits for it. What goes is the engine's to say (engine/commands/prune.c).
 *
 * Where it stands is in memory only: a server that starts has to find out what must stay, and
 * for that it walks over all rows once before anything goes.
 */
#ifndef PRUNER_H
#define PRUNER_H

#include "store/store.h"

struct pruner {
    const struct engine *engine;
    struct command command;     /* the one under way, or the last */
    int64_t next_ms;            /* when the next is due, by the steady clock */
    int64_t next_low_ms;        /* the same while the disk is nearly full, */
    int64_t next_wish_ms;       /* and while the engine wishes it (prune_wish) */
    int64_t rest_ms;            /* next_ms as it was before a walk that only looks */
    bool is_look;               /* this walk marks what must stay, for somebody who waits */
    uint32_t retention_changes; /* when the last walk that removes began */
    int64_t not_before_ms; /* after a migration nothing goes before this date; 0: none was */
    int64_t next_sweep_ms; /* by the steady clock */
    struct pruned round;   /* in this walk over all */
    bool has_marks;        /* all runs were looked at once */
};

/* `not_before_ms` is the store's. */
void pruner_init(struct pruner *pruner, const struct engine *engine, const struct moment *now,
                 int64_t not_before_ms);
/* How long there is nothing to do for it. */
int64_t pruner_idle_ms(const struct pruner *pruner, const struct moment *now);
/* The command to put behind those of a batch; NULL: none now. */
struct command *pruner_next(struct pruner *pruner, struct store *store,
                            const struct moment *now);
/* The batch with it is over, and took so long. */
void pruner_done(struct pruner *pruner, bool ok, struct store *store, int64_t busy_ms);

/* Keys that have expired, and old minutes of queues, now and then. */
void pruner_sweep(struct pruner *pruner, struct store *store, const struct moment *now);

#endif
