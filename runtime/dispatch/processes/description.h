/*
 * Descriptions: what a plugin says of itself (plugin/describe.h), checked again on this side,
 * because plugin code shares the process that sent it.
 */
#ifndef DISPATCH_DESCRIPTION_H
#define DISPATCH_DESCRIPTION_H

#include "base/arena.h"
#include "base/err.h"
#include "config/config.h"
#include "engine/catalog.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    DESCRIPTION_MAX_TASKS = 256,
    DESCRIPTION_MAX_SEGMENTS = 1024,
    DESCRIPTION_MAX_NAME = 128
};

/* Of a task's state. */
struct text_field {
    struct slice name;
    int64_t size; /* of a char array, its terminating zero included */
};

struct task_description {
    struct slice id, input_schema, queue;      /* input_schema, queue: empty when not said */
    uint32_t max_attempts, max_attempts_total; /* 0: not said, here and below */
    struct retry_rule retry_of[RETRY_CLASSES];
    uint32_t on_exhausted; /* enum exhausted_rule */
    int64_t retry_min_ms, retry_max_ms, limit_ms, total_ms, grace_ms;
    double retry_factor;
    enum retry_from retry_from;
    uint32_t children; /* enum children_rule */
    uint32_t hooks;    /* enum task_hook */
    uint32_t abort_attempts, keep_states;
    struct slice *segments;
    uint32_t segment_count;
    struct text_field *texts;
    uint32_t text_count;
};

struct description {
    struct arena arena;  /* owns everything */
    struct slice packed; /* as it was read */
    struct slice plugin, version;
    struct task_description *tasks;
    uint32_t task_count;
};

/* Errors: PLUGIN. */
bool description_read(struct description *description, struct slice packed, struct err *err);
/* Within what the configuration allows a task to ask for. */
bool description_fits(const struct description *description, const struct config_limits *limits,
                      struct err *err);
void description_finish(struct description *description);

/* NULL when the plugin has no such task. */
const struct task_description *description_task(const struct description *description,
                                                struct slice task);
/* An empty `segment` is the entry; a hook is always there. */
bool description_has(const struct description *description, struct slice task,
                     struct slice segment);

#endif
