/*
 * The catalog: what may run here. An immutable snapshot of the loaded plugins' tasks, their
 * schemas and the configured queues, made by the loop thread and lent to the engine until it is
 * replaced.
 */
#ifndef CATALOG_H
#define CATALOG_H

#include "base/arena.h"
#include "config/config.h"
#include "engine/rows/row.h"
#include "schema/schema.h"

#include <stdbool.h>
#include <stdint.h>

enum retry_from { RETRY_FROM_SEGMENT, RETRY_FROM_START };

/* What a task wants to be told in an execution of its own. */
enum task_hook { HOOK_ON_FAILURE = 1, HOOK_ON_CANCEL = 2 };
/* So many save points of a run may be kept. */
enum { KEEP_STATES_MAX = 20 };

struct catalog_task {
    struct slice id;
    bool available;
    struct slice reason; /* when it is not: for a person */
    bool is_refusing; /* over its schema: what comes cannot be checked, so nothing is taken */
    struct slice warning;                /* available all the same: for the log; empty: none */
    struct slice plugin, version, build; /* build: 16 hex digits */
    bool is_kept;      /* for runs that are locked to the build: another one is current */
    bool follows;      /* its runs are not locked: whatever is current goes on with them */
    int64_t rank_ms;   /* of builds: the highest was current last; 0: never again by itself */
    struct slice heir; /* the build that its runs go on in; empty: none has taken them */
    uint32_t ramp_percent; /* of what starts, at ramp_from_ms, growing for ramp_ms; 0: all */
    int64_t ramp_from_ms, ramp_ms;
    struct slice *segments; /* names, the entry first */
    uint32_t segment_count;
    const struct schema_file
        *schema;                  /* NULL: nothing is checked; lives as long as the catalog */
    struct slice queue;           /* its default queue; empty: "task/<id>" */
    struct queue_collect collect; /* instead of its queue's; max 0: that counts */
    uint32_t max_attempts, max_attempts_total; /* total 0: any number */
    int64_t retry_min_ms, retry_max_ms;
    double retry_factor;
    struct retry_rule retry_of[RETRY_CLASSES];
    uint32_t on_exhausted; /* enum exhausted_rule */
    enum retry_from retry_from;
    int64_t limit_ms;        /* time a segment may take */
    int64_t total_ms;        /* time a run may take, from its trigger to its end; 0: any */
    int64_t grace_ms;        /* that a segment has when its run is canceled; 0: the server's */
    uint32_t children;       /* enum children_rule, of those that its runs make */
    uint32_t hooks;          /* enum task_hook */
    uint32_t abort_attempts; /* of each compensation, and of such a hook */
    uint32_t keep_states;    /* save points; 0, 1: the last */
    /* By catalog_sort: */
    struct slice schema_hash; /* SCHEMA_KEPT_BYTES of it; empty: no schema */
    bool has_secrets;         /* in its input or output */
};

struct catalog_pool {
    struct slice name; /* ends in a zero */
    uint32_t tokens;
    int64_t scope; /* of its grants; by catalog_sort */
};

/* Tokens of a pool of the catalog. */
struct catalog_use {
    uint32_t pool, tokens;
};

struct catalog_uses {
    const struct catalog_use *items;
    uint32_t count;
};

struct catalog_queue {
    struct slice name;
    struct queue_rules rules;
};

/* What a run does when it fails. */
struct catalog_retry {
    uint32_t attempts;  /* from one save point */
    uint32_t total;     /* in all; 0: any number */
    uint32_t exhausted; /* enum exhausted_rule; never UNSAID */
    double min_ms, max_ms, factor;
};

struct catalog_retention {
    struct slice name;
    struct config_retention retention;
};

/* Of schedules.yaml, in one environment. */
struct catalog_schedule {
    uint32_t environment;
    struct slice name, rules; /* rules: packed, config/schedule_rules.h */
};

struct catalog {
    struct arena arena;         /* owns everything but the schemas */
    struct catalog_task *tasks; /* sorted by id, those of a task by builds: the current first */
    uint32_t task_count;
    struct catalog_queue *queues; /* sorted by name */
    uint32_t queue_count;
    uint32_t queue_limit; /* of a queue that is not named */
    struct catalog_pool *pools;
    uint32_t pool_count;
    struct catalog_uses *queue_uses;    /* of each queue; by catalog_sort */
    struct catalog_schedule *schedules; /* sorted by environment and name; by catalog_sort */
    uint32_t schedule_count;
    bool has_schedules; /* else nothing is known of them */
    struct config_limits limits;
    struct config_retention retention;
    struct catalog_retention *task_retentions, *queue_retentions; /* where they say something */
    uint32_t task_retention_count, queue_retention_count;
    const struct config_retention *environment_retentions; /* of each; NULL: none says any */
    int64_t early_ms;      /* an answer waits for its token; 0: a day */
    int64_t statistics_ms; /* minutes of queues are kept; 0: for ever */
    uint32_t slots;        /* segments at a time, all queues together */
    uint32_t lanes;        /* looked at in a batch; 0: as many as usual */
    uint32_t early_lanes;  /* remembered of a queue, and sweeps do not rest; 0: as usual */
    const uint32_t *environments; /* numbers; each has the queues of all tasks from the start */
    const char *const *environment_names;
    /* Of the slots, against the others'; NULL: all are equal and none is kept. */
    const uint32_t *environment_shares;
    const struct config_burst *environment_limits; /* of each; NULL: none has one */
    uint32_t *environment_kept; /* by catalog_sort: slots that the others leave free for it */
    uint32_t environment_count;
    uint32_t
        *readers; /* that look at it on other threads and keep it alive; loop thread only */
    const uint8_t *callback_secret; /* codec/callback.h; NULL: slots get no keys */
};

struct catalog *catalog_create(void);
void catalog_destroy(struct catalog *catalog);
void catalog_sort(struct catalog *catalog); /* call once when filled */

/* NULL: schedules.yaml does not say it. */
const struct catalog_schedule *catalog_schedule(const struct catalog *catalog,
                                                uint32_t environment, struct slice name);
/* The current build's; NULL when no plugin offers it. Of a run: engine/builds. */
const struct catalog_task *catalog_task(const struct catalog *catalog, struct slice id);
/* "task "helo" is unknown here; did you mean "hello"?" */
struct slice catalog_unknown(const struct catalog *catalog, struct arena *arena,
                             struct slice id);
/* Runs at a time: of a lane, and of all lanes of a queue; UINT32_MAX: any number. */
uint32_t catalog_lane_limit(const struct catalog *catalog, struct slice queue, bool has_key);
/* As it is: the configured one, or what somebody has set instead. */
uint32_t catalog_limit_now(const struct catalog *catalog, const struct queue *queue,
                           bool has_key);
/* The same at that time, by the steady clock: after a pause it may be growing. */
uint32_t queue_limit_now(const struct catalog *catalog, const struct queue *queue, bool has_key,
                         int64_t steady_ms);
uint32_t catalog_total_limit(const struct catalog *catalog, struct slice queue);
/* Of the queue as a whole, or of each lane with a key; NULL: none. */
const struct queue_rate *catalog_rate(const struct catalog *catalog, struct slice queue,
                                      bool of_key);
/* What somebody has set instead; false: nothing. */
bool queue_rate_set(const struct queue *queue, bool of_key, struct set_rate *set);
/* As it is: that, in `room`, or the configured one; NULL: none. */
const struct queue_rate *catalog_rate_now(const struct catalog *catalog,
                                          const struct queue *queue, bool of_key,
                                          struct queue_rate *room);
/* What a run of it holds while a segment of it runs. */
struct catalog_uses catalog_uses(const struct catalog *catalog, struct slice queue);
/* Scopes of pools are below all others. */
#define POOL_SCOPES (INT64_MIN + (INT64_C(1) << 56))
/* NULL: there is none any more. */
const struct catalog_pool *catalog_pool_of(const struct catalog *catalog, int64_t scope);
/* What the file says of the queue; all 0 when it says nothing. */
const struct queue_rules *catalog_rules(const struct catalog *catalog, struct slice queue);
/* For a failure of that class: what the queue says of it, else the task (NULL: it is not here);
 * and where neither does, the same of all classes. `own`: what the trigger said. */
struct catalog_retry catalog_retry(const struct catalog *catalog,
                                   const struct catalog_task *task, struct slice queue,
                                   uint32_t own, enum retry_class class);
/* The number of the attempt that is its last one, unless it saves before. */
uint32_t run_last_attempt(const struct run *run, const struct catalog_retry *retry);
/* Tenants and keys share it by weights; NULL: lanes take turns. */
const struct queue_fair *catalog_fair(const struct catalog *catalog, struct slice queue);
/* Runs at a time in the environment: of one of its queues, and of all; UINT32_MAX: any number.
 */
struct config_burst catalog_environment_limit(const struct catalog *catalog,
                                              uint32_t environment);
/* Of the queue, whichever is less: its total, or what its environment lets one queue have. */
uint32_t catalog_queue_most(const struct catalog *catalog, const struct queue *queue);
/* There is a schema file, and it says nothing just now. */
bool catalog_schema_is_wrong(const struct catalog_task *task);
/* Every build has every hook: one that it does not declare does nothing. */
bool catalog_has_segment(const struct catalog_task *task, struct slice segment);

#endif
