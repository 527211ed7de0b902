/* Hints: what the engine remembers between batches; for the engine's own files. */
#ifndef HINTS_H
#define HINTS_H

#include "engine/engine.h"

/* A queue that may have QUEUED runs in the database, and when it was looked at last. */
struct backlog {
    int64_t queue;
    uint32_t round, environment; /* environment 0: not known yet */
};

/* What is known of an environment's queues. */
struct census {
    uint32_t environment;
    uint32_t live;   /* how many there are, when it is counted */
    int32_t made;    /* of these, in this batch; those removed are taken off */
    bool is_counted; /* else the store must be asked */
    bool is_full;    /* as many as allowed, and none can be removed until something changes */
};

/*
 * Hints between batches (engine.h). A batch only reads them; what it would change stands in it
 * until batch_committed (hints.c), and is forgotten with it when the store fails.
 */
struct engine {
    struct id_source *ids;
    const struct catalog *catalog;
    bool queues_missing;     /* the catalog's queues may not all have a row yet */
    struct backlog *backlog; /* malloc'ed, by rising queue; paused queues are not in it */
    uint32_t backlog_count, backlog_capacity;
    uint32_t round; /* counts what may let a run start; each queue is looked at once in each */
    struct census *censuses; /* malloc'ed */
    uint32_t census_count;
    int64_t sweep_ms; /* when to look for queues to remove next, and in which environment */
    uint32_t sweep_at;
    int64_t backlog_at; /* the queue where the next batch begins to look: none starves */
    char **short_tasks; /* whose segments are so short that slots may be kept ahead */
    uint32_t short_count;
    int64_t suspect;        /* a run that was started alone (deaths.h); 0: none is out */
    uint32_t suspect_count; /* that were passed by in the last batch */
    uint32_t unpark_at; /* the next task of the catalog whose parked runs are to be looked at */
    int64_t unpark_after; /* and the last of them that was */
};

bool engine_backlog_has(const struct engine *engine, int64_t queue);
/* The first of the backlog that is not below `queue`: backlog_count when there is none. */
uint32_t engine_backlog_from(const struct engine *engine, int64_t queue);
/* What the batch has found out is the engine's from now on. */
void censuses_lend(struct batch *batch);
void hints_commit(struct batch *batch);
/* It has found out nothing: every queue is to be looked at again. */
void hints_drop(struct batch *batch);

/* A task's segments are so short that slots may be kept ahead, or not. */
void engine_short_set(struct engine *engine, struct slice task, bool is_short);

#endif
