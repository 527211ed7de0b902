/*
 * Fairness in a queue: the lanes of tenants, and the lanes of one tenant, share its starts by
 * weights. Start-time fair queueing: whoever starts a run pays for it on a tag of its own, 1
 * over its weight, and who has the lowest tag is next. What its segments took is put right when
 * they end. Hints, as all of rings.h: a restart forgives everything.
 *
 *   floor    what the last start was charged from: who comes with nothing begins there, so that
 *            idle time earns nothing and a newcomer does not take everything
 *   a tenant whose lanes are held by limits keeps its tag, and so does one that has nothing for
 *   a while, as long as it is above the floor; a lane within its tenant likewise
 */
#ifndef FAIR_H
#define FAIR_H

#include "base/id_map.h"
#include "base/list.h"
#include "base/slice.h"

/* What a start costs; over the weight. Tags last for some 10^13 starts. */
#define FAIR_START INT64_C(1000000)

enum {
    FAIR_UNKNOWN = 0, /* the tenant of lanes that nobody has looked at yet */
    FAIR_NOW = -1,
    FAIR_RESTING =
        1000 /* tenants without a lane whose tags are kept, and lanes without a run */
};

struct lane_hint;

struct tenant_hint {
    struct id_node node; /* hash of its name */
    struct list link;    /* in `active` or `resting`; while its lanes are held in neither */
    struct list lanes;   /* open ones, lowest tag first */
    uint32_t lane_count; /* all that are known, also shut ones */
    uint32_t weight;     /* when it was served last */
    int64_t tag, floor;  /* floor: of its lanes */
    uint64_t born;       /* no two have the same */
    bool is_resting;
};

/* A lane that has nothing: what it owes among the others of its tenant. */
struct lane_rest {
    struct id_node node;
    struct list link;
    uint64_t born; /* its tenant's */
    int64_t tag;
    uint32_t weight;
};

struct fair {
    struct id_map tenants;
    struct list active;  /* with an open lane, lowest tag first */
    struct list resting; /* without any lane, in the order in which they came to that */
    uint32_t resting_count;
    struct id_map rests;
    struct list rested; /* those lanes, in the order in which they came to that */
    uint64_t born;
    int64_t floor;
    int64_t mean_us; /* of its segments, lately */
};

struct fair *fair_create(void);
void fair_destroy(struct fair *fair); /* no lane is in it */

/* A name as an id; never FAIR_UNKNOWN. */
int64_t tenant_id(struct slice name);
/* NULL: nothing is known of it. */
struct tenant_hint *fair_tenant(const struct fair *fair, int64_t id);
/* Where it stands. Who has nothing, or is NULL, begins at the floor, or where the lowest of the
 * others is: what those got back for short segments is no debt of his. */
int64_t fair_tag(const struct fair *fair, const struct tenant_hint *tenant);
/* Where a lane that is in no tenant would begin in this one, NULL: one that is not known, whose
 * floor is by now that. */
int64_t fair_lane_tag(const struct fair *fair, int64_t lane, const struct tenant_hint *tenant,
                      int64_t floor);

/* A lane that is in no tenant yet, or of another; then it is open or shut, as it was. It begins
 * at that floor of the tenant's lanes; FAIR_NOW: where that is. */
void fair_lane_join(struct fair *fair, struct lane_hint *lane, int64_t tenant, int64_t floor);
void fair_lane_leave(struct fair *fair, struct lane_hint *lane);
/* It has nothing more; should it come back soon, it still owes what it owes. */
void fair_lane_rest(struct fair *fair, struct lane_hint *lane);
/* Into the order: by its tag, which may have changed. */
void fair_lane_open(struct fair *fair, struct lane_hint *lane);
/* Out of the order: its link is free. */
void fair_lane_shut(struct fair *fair, struct lane_hint *lane);
/* What a batch has found out: what it owes more, the tag of its lane that was served last, its
 * weight. Where it had nothing, it begins at `from`. */
void fair_charge(struct fair *fair, int64_t tenant, int64_t from, int64_t more, int64_t floor,
                 uint32_t weight);
void fair_floor(struct fair *fair, int64_t floor);

/* A segment has ended that took so long: its start cost too little, or too much. */
void fair_correct(struct fair *fair, int64_t lane, struct lane_hint *hint, int64_t tenant,
                  int64_t busy_us);

#endif
