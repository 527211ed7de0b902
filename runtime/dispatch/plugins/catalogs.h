/*
 * Catalogs: what may run here, for the engine, made of the loaded builds, their schemas and
 * queues.yaml. Made on a thread of libuv's pool, one at a time, given to the engine one at a
 * time.
 */
#ifndef DISPATCH_CATALOGS_H
#define DISPATCH_CATALOGS_H

#include "base/list.h"
#include "config/schedules_file.h"
#include "engine/catalog.h"

#include <uv.h>

struct outgoing;
struct dispatch;

/* A catalog and the schemas that its tasks point to. */
struct held_catalog {
    struct list node;
    struct catalog *catalog;
    struct schema_file **schemas;
    uint32_t schema_count;
    bool is_over; /* the engine has let go of it; readers may still look at it */
};

struct making; /* one under way, catalog_make.h */

struct catalogs {
    struct list all;       /* that somebody may still use */
    bool is_wanted;        /* something changed since the last one was begun */
    struct making *making; /* NULL: none */
    uv_work_t work;
    bool is_submitted;           /* the engine has one to decide */
    bool was_accepted;           /* the first one */
    struct config_queues queues; /* the last good ones */
    bool has_queues;
    char problem[480];                 /* with queues.yaml; said once */
    struct config_schedules schedules; /* the same of schedules.yaml */
    bool has_schedules;
    char schedules_problem[480];
    char **strays; /* what was said of schema files that no task uses */
    uint32_t stray_count;
};

void catalogs_init(struct catalogs *catalogs);
void catalogs_stop(struct dispatch *dispatch);
void catalogs_finish(struct catalogs *catalogs);

/* Something changed: make a new catalog soon. */
void catalogs_want(struct dispatch *dispatch);
/* Begin one, if one is wanted and may begin. */
void catalogs_turn(struct dispatch *dispatch);
/* The newest catalog, NULL before the first. */
const struct catalog *catalogs_newest(const struct catalogs *catalogs);
/* Nothing is wanted, being made or being decided. */
bool catalogs_are_settled(const struct dispatch *dispatch);

/* What is other in `after`: a line of the log for each, and no more than some. queues_say.c */
void queues_say(const struct config_queues *before, const struct config_queues *after);
/* The same of schedules.yaml: schedules_say.c */
void schedules_say(const struct config_schedules *before, const struct config_schedules *after);

#endif
