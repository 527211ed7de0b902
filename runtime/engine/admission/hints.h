/* Hints: what the engine remembers between batches; for the engine's own files. */
#ifndef HINTS_H
#define HINTS_H

#include "engine/admission/rings.h"
#include "engine/engine.h"
#include "engine/marks.h"
#include "engine/minutes.h"
#include "engine/nodes.h"

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
    struct node_self node;
    struct environment *environments; /* malloc'ed; as they were seen last, without texts */
    uint32_t environment_count;
    struct id_source *ids;
    struct zone_source zones;
    const struct catalog *catalog;
    bool queues_missing; /* the catalog's queues and schedules may not all have a row yet */
    struct rings rings;
    struct census *censuses; /* malloc'ed */
    uint32_t census_count;
    int64_t sweep_ms; /* when to look for queues to remove next, and in which environment */
    uint32_t sweep_at;
    int64_t lane_sweep_ms;    /* the same for lanes, */
    int64_t lane_sweep_after; /* and behind which of them */
    char **short_tasks;       /* whose segments are so short that slots may be kept ahead */
    uint32_t short_count;
    struct busy busy;            /* minutes.h */
    struct marks marks, marking; /* of the last walk over all runs, and of the one under way */
    int64_t marks_wanted_ms;     /* somebody waits for marks that were begun then or later */
    uint32_t retention_changes;  /* catalogs that keep things for other times */
    int64_t latest_ms;           /* the wall clock at the last batch */
    int64_t suspect;             /* a run that was started alone (deaths.h); 0: none is out */
    uint32_t unpark_at; /* the next task of the catalog whose parked runs are to be looked at */
    int64_t unpark_after; /* and the last of them that was */
};

/* What the batch has found out is the engine's from now on. */
void censuses_lend(struct batch *batch);
void hints_commit(struct batch *batch);
/* A task's segments are so short that slots may be kept ahead, or not. */
void engine_short_set(struct engine *engine, struct slice task, bool is_short);

#endif
