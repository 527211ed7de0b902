/*
 * Stage: a whole host but for HTTP: loop, pump, SQLite store and dispatch, with real plugins in
 * directories of its own under /tmp.
 */
#ifndef STAGE_H
#define STAGE_H

#include "codec/json.h"
#include "codec/pack.h"
#include "dispatch/dispatch.h"
#include "store/reader.h"

enum { STAGE_TIME_MS = 30000, STAGE_RUNS = 4096 };

struct stage {
    char root[64];
    char plugins[80], schemas[80], data[80], queues[80], schedules[80], database[100];
    uv_loop_t loop;
    uv_async_t wake;
    uv_timer_t limit, beat;
    struct config_environment environment;
    struct config config;
    struct store *store;
    struct pump *pump;
    struct dispatch *dispatch;
    struct reader *reader;
    struct arena arena;
    const struct catalog *catalog; /* the last one */
    uint32_t catalogs;
    bool is_ready, is_over, is_stopped;
    struct {
        int64_t id;
        uint32_t status, outcome;
    } runs[STAGE_RUNS];
    uint32_t run_count, done_count;
    uint32_t max_commands; /* 0: plenty */
    struct command command;
};

/* Make the directories; put plugins there, change the config, then open. */
void stage_make(struct stage *stage);
void stage_open(struct stage *stage);
/* Both, with these plugins of tests/plugins; ends with NULL. Waits until it is ready. */
void stage_start(struct stage *stage, const char *plugin, ...);
/* From now on the disk is full, or has room again. */
void stage_disk(struct stage *stage, bool is_full);

/* Stop in good order. */
void stage_close(struct stage *stage);
/* Close and remove the directories; fails the test when a child of ours is left. */
void stage_finish(struct stage *stage);

/* Copy tests/plugins/<from> to plugins/<to> in one go (rename). */
void stage_put(struct stage *stage, const char *from, const char *to);
void stage_remove(struct stage *stage, const char *name);
void stage_write(const char *path, const char *text);

/* Turn the loop until it is true; fails the test when that takes too long. */
void stage_until(struct stage *stage, bool (*is_true)(struct stage *stage, const void *what),
                 const void *what);
void stage_rest(struct stage *stage, int64_t ms); /* turn the loop for so long */

int64_t stage_trigger(struct stage *stage, const char *task, const char *input);
/* The code of a trigger that is refused. */
enum err_code stage_refused(struct stage *stage, const char *task, const char *input);
void stage_cancel(struct stage *stage, int64_t run);
/* Wait for its end; the outcome. */
uint32_t stage_outcome(struct stage *stage, int64_t run);
/* Trigger, wait, and give the output as JSON. */
const char *stage_output(struct stage *stage, const char *task, const char *input);
/* The row as it is now, with input, state and output. */
const struct run *stage_run(struct stage *stage, int64_t run);
const char *stage_json(struct stage *stage, struct slice packed);
/* A member of the run's error: "name", "message", "stack". */
const char *stage_error(struct stage *stage, int64_t run, const char *member);
void stage_until_status(struct stage *stage, int64_t run, uint32_t status);

/* What dispatch_plugins says of a file: its status, or its reason. */
const char *stage_plugin(struct stage *stage, const char *file, const char *member);
void stage_until_plugin(struct stage *stage, const char *file, const char *status);
struct dispatch_stats stage_stats(struct stage *stage);

#endif
