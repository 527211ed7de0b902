/*
 * schedules.yaml: what fires by the clock, in which environments.
 *
 *   schedules:
 *     nightly-report:
 *       task: report
 *       cron: "30 2 * * *"
 *       zone: Europe/Berlin
 *       environments: [prod]       all of them where it is not said
 *
 * What else may be said of one is the table of schedule_rules.c.
 */
#ifndef CONFIG_SCHEDULES_FILE_H
#define CONFIG_SCHEDULES_FILE_H

#include "config/config.h"
#include "config/schedule_rules.h"

struct config_schedule {
    struct slice name;
    struct schedule_rules rules;
    struct slice *environments; /* NULL: all */
    uint32_t environment_count;
};

struct config_schedules {
    struct arena arena;
    struct config_schedule *items; /* in the file's order */
    uint32_t count;
};

/* A missing file is an empty one. False: `problems`, with line and column. */
bool config_schedules_load(const char *path, const struct config *config,
                           const struct zone_source *zones, struct config_schedules *schedules,
                           struct arena *arena, struct problems *problems);
/* The same from memory. */
bool config_schedules_parse(const char *path, struct slice text, const struct config *config,
                            const struct zone_source *zones, struct config_schedules *schedules,
                            struct arena *arena, struct problems *problems);
void config_schedules_finish(struct config_schedules *schedules);

/* Is it meant for that environment? */
bool config_schedule_is_for(const struct config_schedule *schedule, const char *environment);

#endif
