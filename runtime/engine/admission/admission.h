/* Admission, in one batch: what is looked at, and what starts. For the engine's own files. */
#ifndef ADMISSION_H
#define ADMISSION_H

#include "engine/admission/gates.h"
#include "engine/admission/rates.h"
#include "engine/admission/rings.h"

struct batch;

enum {
    LINES_MAX = 64 /* lanes looked at in one batch, where the catalog does not say; the rest
                      have their turn in the next */
};

/* An environment while slots are being filled. */
struct share {
    uint32_t environment;
    uint32_t weight;         /* of its share, against the others' */
    uint32_t kept;           /* slots that the others leave to it */
    uint32_t running, limit; /* limit: UINT32_MAX: only as many as there are slots; of `whole`
                                what this node may have, when there are others */
    uint32_t whole;
    uint32_t lines;     /* of it, in this batch */
    struct place *turn; /* the place whose turn it is; NULL: the first */
    bool is_paused;     /* the environment is */
    bool is_done;       /* it can start nothing more in this batch */
    bool has_started, has_looked;
};

/* A queue while slots are being filled. */
struct place {
    int64_t id;
    struct queue *queue; /* NULL until it is loaded, or when it is not there */
    struct share *share;
    struct queue_hint *hint; /* NULL: nothing was known of it before this batch */
    uint32_t running,
        total; /* total: of `whole` what this node may have, when there are others */
    uint32_t whole;
    struct meter meter; /* of all of it */
    bool lacks;         /* of its total, and something waits */
    bool is_loaded;
    bool is_barred;      /* its environment is paused, and the configuration does not name it */
    bool is_chosen;      /* it is its turn: lanes of its ring are looked at */
    uint32_t stride;     /* so many at once */
    bool is_new;         /* resumed: no lane of it is known */
    struct lanes *slice; /* the next of those that are not known; NULL: they were not wanted */
    int64_t *early_ms;   /* of each of them: when its rate lets it; NULL: they have none */
    uint32_t slice_at;
    struct list *fresh_at, *served_at; /* the next of its ring */
    struct line *first, **end, *turn;
    const struct queue_fair *fair; /* by weights of tenants and keys; NULL: by turns */
    struct tenant_turn *tenants;   /* of a fair queue */
    int64_t floor;
    struct catalog_uses uses; /* of pools */
    bool has_taken;           /* of them, in this batch */
    uint32_t spent; /* of its turn: short runs that it has started, or as many (rings.h) */
    struct place *next;
};

/* A tenant of a fair queue while slots are being filled. */
struct tenant_turn {
    int64_t id;
    struct tenant_hint *hint; /* NULL: nothing is known of it */
    struct list *lane_at;     /* the next of its lanes to look at */
    int64_t look;             /* its tag, if all lanes that are looked at start one */
    int64_t from;             /* where it begins if it has nothing */
    int64_t tag, floor, owes; /* owes: what was added to its tag */
    uint32_t weight;
    struct tenant_turn *next;
};

/* A lane while slots are being filled. */
struct line {
    int64_t lane;
    struct place *place;
    struct tenant_turn *tenant; /* of a fair queue: of its first run; NULL: it has none */
    int64_t tag, floor, owes;   /* floor: of its tenant's lanes, when it was seen */
    uint32_t weight;            /* of its key */
    struct run **runs;          /* QUEUED ones in memory, in rank order */
    uint32_t count, capacity, at;
    uint32_t running, limit, whole; /* as in its place */
    struct meter meter;             /* where it has a key */
    bool has_key;
    bool in_backlog; /* the database may have more */
    bool asked;      /* and was asked for `asked_limit` of them */
    uint32_t asked_limit;
    const struct run
        *horizon;      /* what ranks after it may not be the next: more is in the database */
    enum gate gate;    /* that holds it for this batch */
    uint32_t suspects; /* passed by: they wait until nothing else is there */
    bool has_started;
    struct line *next;
};

struct admission {
    struct share *shares; /* the last one is for what the configuration does not name */
    uint32_t share_count;
    uint32_t in_use, owed; /* runs that are RUNNING; slots kept and not used, of all shares */
    struct place *first_place, **place_end;
    struct table places, lanes, running;
    uint32_t line_count, line_most;
    bool is_begun, is_reviewed, is_chosen, has_lines;
    struct run **picks;
    uint32_t pick_count;
    bool is_picked;
    bool has_stopped;       /* a run has, in this batch */
    bool picks_suspects;    /* nothing else is there */
    int64_t suspect;        /* engine->suspect after the commit */
    struct ids resumed;     /* queues */
    bool is_resumed;        /* an environment was */
    struct table grants;    /* what this batch has taken of limits, or given back */
    struct ids granted;     /* their scopes */
    struct pool_now *pools; /* of the catalog; NULL: none is needed in this batch */
    struct ids users;       /* queues that have runs running, or have begun to use pools */
};

/* lines.c: which lanes to look at; lines_load.c: their runs. False: more rows are needed. */
bool lines_choose(struct batch *batch);
bool lines_load(struct batch *batch);
/* Its rows, and what they say; false: more rows are needed. */
bool place_load(struct batch *batch, struct place *place);
/* early.c: lanes of slices that are early, before they are lines. False: more rows are needed.
 */
bool slices_pass(struct batch *batch);
void slice_keep(struct batch *batch, struct queue_hint *queue, const struct place *place);
/* The lane, where this batch looks at it; else NULL. */
struct line *line_of(const struct batch *batch, int64_t lane);
uint32_t lane_running(const struct batch *batch, int64_t lane);
/* Of those that the store shows as QUEUED in it, or in minus a queue, so many are not any more.
 */
uint32_t lane_left(const struct batch *batch, int64_t lane);
uint32_t queue_running(const struct batch *batch, int64_t queue);
/* It, or its queue, is out of its rate. */
static inline bool line_is_early(const struct line *line)
{
    return line->meter.opens_ms != 0 || line->place->meter.opens_ms != 0;
}

/* Is there anything to do? */
bool admission_has_work(struct batch *batch);

/* tenants.c: of a fair queue */
/* The next lane to look at, 0 when there is none that is known. */
int64_t tenants_lane(struct batch *batch, struct place *place);
struct run *tenants_pick(struct batch *batch, struct place *place);
/* After the commit; and of a lane that its batch looked at. */
void tenants_keep(const struct place *place, struct queue_hint *queue);
void tenants_keep_lane(const struct line *line, struct lane_hint *lane);
/* It is whose this run of it is, if nobody has looked at it yet. */
void tenants_claim(struct lane_hint *lane, const struct run *run);

/* The next run of the line that can be started, NULL when the line is done for this batch. */
struct run *line_pick(struct batch *batch, struct line *line);

/* keep.c: after the commit, what the batch has found out is known to the next. */
void admission_keep(struct batch *batch);

/* share.c */
/* As it is in this batch, but for its texts; false: more rows are needed. */
bool environment_now(struct batch *batch, uint32_t number,
                     const struct environment **environment);
bool shares_load(struct batch *batch); /* false: more rows are needed */
void shares_begin(struct batch *batch);
/* With other nodes: what this one may have of each limit; false: more rows are needed. */
bool shares_look(struct batch *batch);
/* Of such limits: what waits for more than this node could take. */
void shares_want(struct batch *batch);
/* What all of the queue's lanes may have now, over all nodes. */
uint32_t queue_total_now(const struct batch *batch, const struct queue *queue);
struct share *share_get(struct batch *batch, uint32_t environment);
/* How many runs it may start now; of short tasks, or of any. */
uint32_t share_room(const struct batch *batch, const struct share *share, bool is_short);
void share_start(struct batch *batch, struct share *share);
/* Whose turn it is: who has least of his share; NULL when all are done. */
struct share *share_next(const struct batch *batch);
/* How many runs may be running at once: more than slots only while some tasks end at once. */
uint32_t running_most(const struct batch *batch);

/* queue_room.c: may a queue be made? Where it must, it makes room: false: more rows are needed.
 */
bool queue_room(struct batch *batch, uint32_t environment, bool *has_room);
/* Remove what has not been used for long, some at a time; lanes that nobody is in, too. */
bool queues_sweep(struct batch *batch);
bool lanes_sweep(struct batch *batch);

#endif
