/* One catalog being made, away from the loop thread. */
#ifndef DISPATCH_CATALOG_MAKE_H
#define DISPATCH_CATALOG_MAKE_H

#include "catalogs.h"
#include "dispatch/processes/build.h"

/* One plugin file that has been loaded. */
struct catalog_source {
    const char *file;
    struct build
        *build; /* held; the pool's thread reads what never changes: `about` and `sha` */
    bool is_refused;
    bool is_kept; /* for runs that are locked to it; those come behind the current ones */
    int64_t rank_ms, ramp_from_ms, ramp_ms; /* as in its row */
    uint32_t ramp_percent;
    struct slice heir;
    const char *reason; /* for that; "" for none */
};

struct making {
    struct arena arena;
    const struct config *config;
    const struct config_queues *old_queues; /* NULL: none yet */
    const struct config_schedules *old_schedules;
    const struct zone_source *zones;
    struct catalog_source *items; /* in the order of their right to a task id */
    uint32_t count, current_count;
    /* Results */
    struct held_catalog *held;
    struct config_queues queues;
    bool has_queues; /* `queues` is good; else `problem` says what is wrong with the file */
    const char *problem;
    struct config_schedules schedules; /* the same of schedules.yaml */
    bool has_schedules;
    const char *schedules_problem;
    /* The schema files that tasks name, whether they are there or not. */
    struct {
        struct slice task, path;
        struct schema_file *file; /* NULL: it is not there, or wrong */
    } * paths;
    uint32_t path_count;
    struct slice *strays; /* what is wrong with files that no task names; sorted */
    uint32_t stray_count;
};

void catalog_make(struct making *making);
/* Where the schema of a task of the catalog is read from, as it is told. */
struct slice catalog_schema_place(const struct making *making, struct slice task);

#endif
