/*
 * Holds: why a run does not start, as the engine sees it: the same gates in the same order,
 * over the rows of one snapshot.
 */
#ifndef HOLD_H
#define HOLD_H

#include "engine/admission/gates.h"
#include "engine/catalog.h"
#include "engine/rows/row.h"
#include "http/server/out.h"
#include "store/reader.h"

struct hold {
    const char *gate;  /* for programs; NULL: nothing holds it */
    struct slice text; /* for people */
    bool has_counts, has_before;
    int64_t running, limit;  /* has_counts: of what is full */
    struct slice pool;       /* whose tokens it lacks; empty: none's */
    uint32_t pool_at, needs; /* in the catalog; and how many it needs */
    int64_t until_ms; /* a date: it may start by its rate, or gives up waiting; 0: none */
    int64_t before;   /* has_before: QUEUED runs of its lane that come first */
    const struct pause *pause; /* that it is, or that it comes back from; else NULL */
    int64_t set_ms;            /* somebody has set what holds it then; 0: nobody */
    struct slice set_by;       /* who; empty: it was not said */
    bool is_wide; /* has_counts: of its environment or of all; else of its queue or lane */
    /* What the gates were asked: of a run that is QUEUED. */
    struct gate_facts facts;
    int64_t of_environment; /* so many of it are running */
};

enum { HOLD_BEFORE_MOST = 1000 };

/* Of a run that is QUEUED or DELAYED; `queue` is its queue's name, `catalog` NULL before there
 * is one. All of it in one snapshot: between the reader's begin and end. */
bool hold_read(struct hold *hold, const struct run *run, struct slice queue,
               const struct catalog *catalog, struct reader *reader, struct arena *arena,
               struct err *err);
/* "heldBy", or nothing at all. */
void hold_write(struct out *out, const struct hold *hold);

#endif
