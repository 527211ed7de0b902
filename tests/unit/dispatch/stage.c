#include "stage.h"

#include "base/clock.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- directories and files -------------------------------------------------------------- */

void stage_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    cr_assert_not_null(file, "%s: %s", path, strerror(errno));
    cr_assert_geq(fputs(text, file), 0);
    cr_assert_eq(fclose(file), 0);
}

void stage_put(struct stage *stage, const char *from, const char *to)
{
    char command[600];

    snprintf(command, sizeof command,
             "cp '%s/tests/plugins/%s' '%s/.%s.new' && mv '%s/.%s.new' '%s/%s'", BINARY_DIR,
             from, stage->plugins, to, stage->plugins, to, stage->plugins, to);
    cr_assert_eq(system(command), 0, "%s", command);
}

void stage_remove(struct stage *stage, const char *name)
{
    char path[400];

    snprintf(path, sizeof path, "%s/%s", stage->plugins, name);
    cr_assert_eq(unlink(path), 0);
}

void stage_make(struct stage *stage)
{
    *stage = (struct stage){ 0 };
    snprintf(stage->root, sizeof stage->root, "/tmp/bide-stage-XXXXXX");
    cr_assert_not_null(mkdtemp(stage->root));
    snprintf(stage->plugins, sizeof stage->plugins, "%s/plugins", stage->root);
    snprintf(stage->schemas, sizeof stage->schemas, "%s/schemas", stage->root);
    snprintf(stage->data, sizeof stage->data, "%s/data", stage->root);
    snprintf(stage->queues, sizeof stage->queues, "%s/queues.yaml", stage->root);
    snprintf(stage->schedules, sizeof stage->schedules, "%s/schedules.yaml", stage->root);
    snprintf(stage->database, sizeof stage->database, "%s/bide.db", stage->data);
    cr_assert_eq(mkdir(stage->plugins, 0700), 0);
    cr_assert_eq(mkdir(stage->schemas, 0700), 0);
    cr_assert_eq(mkdir(stage->data, 0700), 0);
    stage->environment = (struct config_environment){ .name = "dev" };
    stage->config = (struct config){ .data = stage->data,
                                     .plugins = stage->plugins,
                                     .schemas = stage->schemas,
                                     .queues_path = stage->queues,
                                     .schedules_path = stage->schedules,
                                     .slots = 4,
                                     .segment_time_ms = 20000,
                                     .grace_ms = 300,
                                     .load_time_ms = 20000,
                                     .idle_slot_ms = 20000,
                                     .slot_segments = 10000,
                                     .slot_descriptors = 64,
                                     .slot_growth_bytes = 256 << 20,
                                     .max_attempts = 3,
                                     .retry_min_ms = 10,
                                     .retry_max_ms = 50,
                                     .retry_factor = 2,
                                     .environments = &stage->environment,
                                     .environment_count = 1,
                                     .limits = { .payload_bytes = 1 << 20,
                                                 .state_bytes = 1 << 20,
                                                 .kept_states_bytes = 4 << 20,
                                                 .output_bytes = 1 << 20,
                                                 .metadata_bytes = 1 << 18,
                                                 .token_bytes = 1 << 20,
                                                 .tags = 10,
                                                 .tag_bytes = 128,
                                                 .log_lines = 1000,
                                                 .log_line_bytes = 4096,
                                                 .queues = 1000,
                                                 .waits = 1000,
                                                 .depth = 32,
                                                 .calls = 63,
                                                 .max_attempts = 100,
                                                 .plugins = 256 } };
}

/* ---- wiring ----------------------------------------------------------------------------- */

static void wake_loop(void *context)
{
    struct stage *stage = context;

    uv_async_send(&stage->wake);
}

static void on_assignment(void *context, struct assignment *assignment)
{
    struct stage *stage = context;

    dispatch_assign(stage->dispatch, assignment);
}

static void on_event(void *context, const struct event *event)
{
    struct stage *stage = context;

    dispatch_event(stage->dispatch, event);
    for (uint32_t i = 0; i < stage->run_count; i++)
        if (stage->runs[i].id == event->run_id) {
            stage->done_count += event->status == RUN_DONE && stage->runs[i].status != RUN_DONE;
            stage->runs[i].status = event->status;
            stage->runs[i].outcome = event->outcome;
        }
}

static void on_wake(uv_async_t *wake)
{
    struct stage *stage = wake->data;

    pump_collect(stage->pump, &(struct pump_sink){ .context = stage,
                                                   .on_assignment = on_assignment,
                                                   .on_event = on_event });
}

static void on_catalog(void *context, const struct catalog *catalog)
{
    struct stage *stage = context;

    stage->catalog = catalog;
    stage->catalogs++;
}

static void on_ready(void *context)
{
    struct stage *stage = context;

    cr_assert_not(stage->is_ready, "ready is said once");
    stage->is_ready = true;
}

static void on_limit(uv_timer_t *timer)
{
    struct stage *stage = timer->data;

    stage->is_over = true;
}

static void on_beat(uv_timer_t *timer)
{
    (void)timer; /* turns the loop, so that conditions are looked at */
}

static void store_spoil(struct store *store);

void stage_open(struct stage *stage)
{
    struct err err = { 0 };

    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&stage->loop);
    uv_async_init(&stage->loop, &stage->wake, on_wake);
    uv_timer_init(&stage->loop, &stage->limit);
    uv_timer_init(&stage->loop, &stage->beat);
    stage->wake.data = stage->limit.data = stage;
    cr_assert(store_sqlite_open(stage->database, &stage->store, &err), "%s", err.text);
    store_spoil(stage->store);
    cr_assert(
        stage->store->ops->environment(stage->store, "dev", &stage->environment.number, &err));
    stage->pump = pump_create(&(struct pump_options){
        .store = stage->store,
        .max_commands = stage->max_commands > 0 ? stage->max_commands : 10000,
        .max_batch = 1000,
        .wake = wake_loop,
        .context = stage });
    cr_assert(pump_start(stage->pump, &err), "%s", err.text);
    stage->reader = stage->store->ops->reader_open(stage->store, &err);
    cr_assert_not_null(stage->reader, "%s", err.text);
    stage->is_ready = stage->is_stopped = false;
    cr_assert(dispatch_create(&(struct dispatch_options){ .loop = &stage->loop,
                                                          .store = stage->store,
                                                          .pump = stage->pump,
                                                          .config = &stage->config,
                                                          .origin = "http://127.0.0.1:1",
                                                          .program = BINARY_DIR "/bide",
                                                          .context = stage,
                                                          .on_catalog = on_catalog,
                                                          .on_ready = on_ready },
                              &stage->dispatch, &err),
              "%s", err.text);
}

static bool is_ready(struct stage *stage, const void *what)
{
    (void)what;
    return stage->is_ready;
}

void stage_start(struct stage *stage, const char *plugin, ...)
{
    va_list more;

    stage_make(stage);
    va_start(more, plugin);
    for (; plugin != NULL; plugin = va_arg(more, const char *)) {
        const char *slash = strrchr(plugin, '/');
        stage_put(stage, plugin, slash == NULL ? plugin : slash + 1);
    }
    va_end(more);
    stage_open(stage);
    stage_until(stage, is_ready, NULL);
}

/* The store's functions are its own but for the first of each batch. */
static struct store_ops faulty_ops;
static bool (*real_begin)(struct store *store, struct err *err);
static _Atomic bool disk_is_full;

static bool faulty_begin(struct store *store, struct err *err)
{
    if (disk_is_full)
        return err_set(err, ERR_STORE, "no space left on device");
    return real_begin(store, err);
}

void stage_disk(struct stage *stage, bool is_full)
{
    (void)stage;
    disk_is_full = is_full;
}

static void store_spoil(struct store *store)
{
    faulty_ops = *store->ops;
    real_begin = faulty_ops.begin;
    faulty_ops.begin = faulty_begin;
    store->ops = &faulty_ops;
}

static void on_stopped(void *context)
{
    struct stage *stage = context;

    stage->is_stopped = true;
}

static bool is_stopped(struct stage *stage, const void *what)
{
    (void)what;
    return stage->is_stopped;
}

void stage_close(struct stage *stage)
{
    dispatch_stop(stage->dispatch, on_stopped, stage);
    stage_until(stage, is_stopped, NULL);
    pump_stop(stage->pump);
    on_wake(&stage->wake);
    dispatch_destroy(stage->dispatch);
    stage->reader->ops->close(stage->reader);
    pump_destroy(stage->pump);
    stage->store->ops->close(stage->store);
    uv_close((uv_handle_t *)&stage->wake, NULL);
    uv_close((uv_handle_t *)&stage->limit, NULL);
    uv_close((uv_handle_t *)&stage->beat, NULL);
    uv_run(&stage->loop, UV_RUN_DEFAULT);
    cr_assert_eq(uv_loop_close(&stage->loop), 0, "a handle was left open");
    cr_assert(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD, "a child is left");
}

void stage_finish(struct stage *stage)
{
    char command[200];

    stage_close(stage);
    arena_finish(&stage->arena);
    snprintf(command, sizeof command, "rm -rf '%s'", stage->root);
    cr_assert_eq(system(command), 0);
}

/* ---- turning ---------------------------------------------------------------------------- */

void stage_until(struct stage *stage, bool (*is_true)(struct stage *stage, const void *what),
                 const void *what)
{
    stage->is_over = false;
    uv_update_time(&stage->loop);
    uv_timer_start(&stage->limit, on_limit, STAGE_TIME_MS, 0);
    uv_timer_start(&stage->beat, on_beat, 5, 5);
    while (!is_true(stage, what)) {
        cr_assert_not(stage->is_over, "it did not happen within %d ms", STAGE_TIME_MS);
        uv_run(&stage->loop, UV_RUN_ONCE);
    }
    uv_timer_stop(&stage->limit);
    uv_timer_stop(&stage->beat);
}

static bool is_past(struct stage *stage, const void *what)
{
    (void)stage;
    return clock_now_ms() >= *(const int64_t *)what;
}

void stage_rest(struct stage *stage, int64_t ms)
{
    int64_t until_ms = clock_now_ms() + ms;

    stage_until(stage, is_past, &until_ms);
}

/* ---- runs ------------------------------------------------------------------------------- */

static void on_reply(struct command *command)
{
    *(bool *)command->owner = true;
}

static bool is_set(struct stage *stage, const void *what)
{
    (void)stage;
    return *(const bool *)what;
}

static struct command *command_do(struct stage *stage, struct command *command)
{
    static bool is_done;
    struct err err = { 0 };

    is_done = false;
    command->arena = &stage->arena;
    command->owner = &is_done;
    command->on_reply = on_reply;
    while (!pump_submit(stage->pump, command, &err)) {
        cr_assert_eq(err.code, ERR_LIMIT, "%s", err.text);
        stage_rest(stage, 1); /* as a client would */
    }
    stage_until(stage, is_set, &is_done);
    return command;
}

static struct command *trigger_do(struct stage *stage, const char *task, const char *input)
{
    struct value value;
    struct err err = { 0 };

    cr_assert(json_read(&stage->arena, slice_of(input), &value, &err), "%s", err.text);
    stage->command =
        (struct command){ .kind = COMMAND_TRIGGER,
                          .trigger = { .environment = stage->environment.number,
                                       .task = slice_of(task),
                                       .unchecked = true,
                                       .payload = pack_value(&stage->arena, &value) } };
    return command_do(stage, &stage->command);
}

int64_t stage_trigger(struct stage *stage, const char *task, const char *input)
{
    struct command *command = trigger_do(stage, task, input);

    cr_assert_eq(command->err.code, ERR_OK, "%s", command->err.text);
    cr_assert_lt(stage->run_count, STAGE_RUNS);
    int64_t id = command->trigger.run_id;
    const struct run *run = stage_run(stage, id); /* its events may be past already */
    stage->runs[stage->run_count].id = id;
    stage->runs[stage->run_count].status = run->status;
    stage->runs[stage->run_count].outcome = run->outcome;
    stage->done_count += run->status == RUN_DONE;
    stage->run_count++;
    return id;
}

enum err_code stage_refused(struct stage *stage, const char *task, const char *input)
{
    return trigger_do(stage, task, input)->err.code;
}

void stage_cancel(struct stage *stage, int64_t run)
{
    stage->command =
        (struct command){ .kind = COMMAND_CANCEL,
                          .cancel = { .environment = stage->environment.number, .id = run } };
    cr_assert_eq(command_do(stage, &stage->command)->err.code, ERR_OK);
}

struct awaited {
    int64_t run;
    uint32_t status;
};

static bool has_status(struct stage *stage, const void *what)
{
    const struct awaited *awaited = what;

    return stage_run(stage, awaited->run)->status == awaited->status;
}

void stage_until_status(struct stage *stage, int64_t run, uint32_t status)
{
    stage_until(stage, has_status, &(struct awaited){ run, status });
}

uint32_t stage_outcome(struct stage *stage, int64_t run)
{
    stage_until_status(stage, run, RUN_DONE);
    return stage_run(stage, run)->outcome;
}

const char *stage_output(struct stage *stage, const char *task, const char *input)
{
    int64_t run = stage_trigger(stage, task, input);

    cr_assert_eq(stage_outcome(stage, run), OUTCOME_COMPLETED, "%s",
                 stage_error(stage, run, "message"));
    return stage_json(stage, stage_run(stage, run)->output);
}

const struct run *stage_run(struct stage *stage, int64_t run)
{
    struct run *row = NULL;
    struct err err = { 0 };

    cr_assert(stage->reader->ops->run(stage->reader, &stage->arena, stage->environment.number,
                                      run, PART_INPUT | PART_STATE | PART_OUTPUT, &row, &err),
              "%s", err.text);
    cr_assert_not_null(row);
    return row;
}

const char *stage_json(struct stage *stage, struct slice packed)
{
    struct buffer text = { 0 };

    json_write_packed(&text, packed);
    const char *kept = arena_text(&stage->arena, buffer_view(&text));
    buffer_finish(&text);
    return kept;
}

const char *stage_error(struct stage *stage, int64_t run, const char *member)
{
    const struct run *row = stage_run(stage, run);
    struct value error;

    if (row->error.size == 0 || !pack_read(&stage->arena, row->error, &error, NULL))
        return "";
    const struct value *found = value_find(&error, member);
    return found == NULL || found->kind != VALUE_STRING
               ? ""
               : arena_text(&stage->arena, found->bytes);
}

/* ---- plugins ---------------------------------------------------------------------------- */

const char *stage_plugin(struct stage *stage, const char *file, const char *member)
{
    struct value list = dispatch_plugins(stage->dispatch, &stage->arena);

    for (uint32_t i = 0; i < list.count; i++)
        if (slice_is(value_find(&list.items[i], "file")->bytes, file))
            return arena_text(&stage->arena, value_find(&list.items[i], member)->bytes);
    return "";
}

struct wanted {
    const char *file, *status;
};

static bool plugin_has(struct stage *stage, const void *what)
{
    const struct wanted *wanted = what;

    return strcmp(stage_plugin(stage, wanted->file, "status"), wanted->status) == 0;
}

void stage_until_plugin(struct stage *stage, const char *file, const char *status)
{
    stage_until(stage, plugin_has, &(struct wanted){ file, status });
}

struct dispatch_stats stage_stats(struct stage *stage)
{
    struct dispatch_stats stats;

    dispatch_stats(stage->dispatch, &stats);
    return stats;
}
