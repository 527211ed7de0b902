/* What a plan has found: runs counted, and grouped by what becomes of them and why. */
#ifndef HTTP_PLAN_COUNT_H
#define HTTP_PLAN_COUNT_H

#include "codec/trial.h"
#include "http/server/out.h"

enum { PLAN_GROUPS = 200, PLAN_NAMED = 5 /* runs of a group that are named */ };

enum plan_kind { PLAN_BLOCKED, PLAN_MIGRATED, PLAN_LOST, PLAN_KIND_COUNT };

struct plan_group {
    enum plan_kind kind;
    struct slice task, field, cause;
    struct slice reason; /* of a run that the caller may see; empty: of none */
    int64_t count;
    int64_t runs[PLAN_NAMED];
    uint32_t named;
};

struct plan_count {
    struct arena *arena; /* of the groups' texts */
    int64_t kept, migrated, blocked;
    int64_t locked;   /* of all of these: stay in the build in which they have begun */
    int64_t parks;    /* blocked, and not locked */
    int64_t left_out; /* in groups that are not told */
    struct plan_group groups[PLAN_GROUPS];
    uint32_t group_count;
};

/* A run that has that answer; `named`: its id, 0 where the caller may not see it. */
void plan_count_add(struct plan_count *count, struct slice task, int64_t named, bool is_locked,
                    const struct trial_answer *answer);
/* runs, kept, migrated, blocked, locked, parks, and lists of groups: blocking, migrating,
 * losing. */
void plan_count_write(struct out *out, const struct plan_count *count);

#endif
