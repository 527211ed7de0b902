/*
 * A plugin without the macros, for the refusals: each file defines what is wrong in it and
 * includes this. Without any definition it is a good plugin.
 */
#include <bide/bide.h>

static bide_next only(bide_task *t)
{
    return bide_done(t);
}

struct state {
    int64_t number;
    char text[8];
};

#ifndef MAGIC
#define MAGIC BIDE_MAGIC
#endif
#ifndef MAJOR
#define MAJOR BIDE_ABI_MAJOR
#endif
#ifndef MINOR
#define MINOR BIDE_ABI_MINOR
#endif
#ifndef SIZE
#define SIZE sizeof(struct bide_plugin)
#endif
#ifndef VERSION
#define VERSION "1.0.0"
#endif
#ifndef ID
#define ID "refused"
#endif
#ifndef SETTINGS
#define SETTINGS .max_attempts = 1
#endif
#ifndef STATE_SIZE
#define STATE_SIZE sizeof(struct state)
#endif
#ifndef NUMBER
#define NUMBER                                                \
    {                                                         \
        "number", 0, 8, BIDE_KIND_I64, 0, 0, 0, 0, NULL, NULL \
    }
#endif
#ifndef TEXT
#define TEXT                                                \
    {                                                       \
        "text", 8, 8, BIDE_KIND_STR, 8, 0, 0, 0, NULL, NULL \
    }
#endif
#ifndef SEGMENTS
#define SEGMENTS      \
    { "only", only }, \
    {                 \
        NULL, NULL    \
    }
#endif
#ifndef TASKS
#define TASKS task
#endif
#ifndef TASK_COUNT
#define TASK_COUNT (sizeof tasks / sizeof tasks[0])
#endif

static const struct bide_field fields[] = { NUMBER,
                                            TEXT,
                                            { NULL, 0, 0, 0, 0, 0, 0, 0, NULL, NULL } };
static const struct bide_segment segments[] = { SEGMENTS };
static const struct bide_task_def def = { .size = sizeof def,
                                          .state_size = STATE_SIZE,
                                          .fields = fields,
                                          .segments = segments,
                                          .field_size = sizeof fields[0],
                                          .segment_size = sizeof segments[0],
                                          .id = ID,
                                          SETTINGS };

static const struct bide_task_def *task(void)
{
    (void)only;
    return &def;
}

static const bide_task_fn tasks[] = { TASKS };
static const struct bide_plugin plugin = { MAGIC,      MAJOR,     MINOR,   SIZE,
                                           TASK_COUNT, "refused", VERSION, tasks };

const struct bide_plugin *bide_plugin_describe(void)
{
    (void)task;
    return &plugin;
}
