/*
 * The map of the program. Data flows one way:
 *
 *   http ── command ──▶ pump (store thread: engine, store) ── assignment ──▶ dispatch ──▶ slots
 *     ▲                   │      ▲                                                │
 *     └── reply, event ───┘      └─────────────────── command ────────────────────┘
 *
 * Everything here runs on the loop thread, but for what the pump does on its own.
 */
#include "serve.h"

#include "base/awake.h"
#include "base/id.h"
#include "base/log.h"
#include "config/config.h"
#include "config/place.h"
#include "config/schedules_file.h"
#include "dispatch/dispatch.h"
#include "dispatch/trials/trials.h"
#include "http/http.h"
#include "schedule/zones.h"
#include "serve_clock.h"
#include "serve_options.h"
#include "store/pump.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

enum { MAX_BATCH = 1000 };

struct serve {
    struct config config;
    uint8_t secret[32];
    char listening[300]; /* "http://127.0.0.1:8030" */
    uint16_t port;       /* 0: it does not listen yet */
    uv_loop_t loop;
    uv_async_t wake;
    uv_check_t check;
    struct clock_setting *clock;
    struct awake *awake;
    uv_signal_t term, interrupt;
    struct store *store;
    struct pump *pump;
    struct zones *zones;
    struct dispatch *dispatch;
    struct http *http;
    bool starts_paused, copies_older, is_stopping;
};

/* ---- wiring ------------------------------------------------------------------------------ */

static void wake_loop(void *context)
{
    struct serve *serve = context;

    (void)uv_async_send(&serve->wake); /* only fails for a handle that is closed */
}

static void on_assignment(void *context, struct assignment *assignment)
{
    struct serve *serve = context;

    dispatch_assign(serve->dispatch, assignment);
}

static void on_event(void *context, const struct event *event)
{
    struct serve *serve = context;

    dispatch_event(serve->dispatch, event);
    http_event(serve->http, event);
    if (event->warning.size > 0)
        log_warn("run.undo_failed", "run=%s task=%.*s reason=\"%.*s\"",
                 id_format("run", event->run_id, (char[ID_TEXT_SIZE]){ 0 }),
                 SLICE_ARG(event->task), SLICE_ARG(event->warning));
    if (event->problems > 0)
        log_warn("run.output_invalid", "run=%s problems=%u; kept, as its schema says",
                 id_format("run", event->run_id, (char[ID_TEXT_SIZE]){ 0 }), event->problems);
}

static void collect(struct serve *serve)
{
    pump_collect(serve->pump, &(struct pump_sink){ .context = serve,
                                                   .on_assignment = on_assignment,
                                                   .on_event = on_event });
    if (!serve->is_stopping)
        dispatch_send(serve->dispatch);
}

static void on_wake(uv_async_t *wake)
{
    collect(wake->data);
}

/* After each round of the loop that had something to do. */
static void on_check(uv_check_t *check)
{
    struct serve *serve = check->data;

    awake_touch(serve->awake);
}

static void on_catalog(void *context, const struct catalog *catalog)
{
    struct serve *serve = context;

    http_catalog(serve->http, catalog);
}

static void on_settled(void *context)
{
    struct serve *serve = context;

    http_settled(serve->http);
}

static void on_ready(void *context)
{
    struct serve *serve = context;

    /* The line that scripts wait for; everything else is on stderr. */
    if (!place_write(&serve->config, serve->port))
        log_debug("serve.place", "clients in other directories need --data");
    printf("listening on %s\n", serve->listening);
    fflush(stdout);
}

static struct value plugins_view(void *context, struct arena *arena)
{
    struct serve *serve = context;

    return dispatch_plugins(serve->dispatch, arena);
}

static bool plugins_ask(void *context, const struct plugins_wish *wish, struct command *command,
                        struct err *err)
{
    struct serve *serve = context;

    return dispatch_plugins_ask(serve->dispatch, wish, command, err);
}

static void plugins_apply(void *context, const struct command *command)
{
    struct serve *serve = context;

    dispatch_plugins_apply(serve->dispatch, command);
}

static struct trial *trial_begin(void *context, const struct trial_subject *subject,
                                 const struct trial_events *events, void *asker,
                                 struct err *err)
{
    struct serve *serve = context;

    return trial_open(serve->dispatch, subject, events, asker, err);
}

static const struct trial_ops trials = { trial_begin, trial_ask, trial_close };

static void metrics_view(void *context, struct buffer *out)
{
    struct serve *serve = context;
    struct dispatch_stats stats;

    dispatch_stats(serve->dispatch, &stats);
    buffer_format(out,
                  "# HELP bide_slots Slot processes by state.\n# TYPE bide_slots gauge\n"
                  "bide_slots{state=\"busy\"} %u\nbide_slots{state=\"idle\"} %u\n"
                  "# HELP bide_builds Plugin builds by state.\n# TYPE bide_builds gauge\n"
                  "bide_builds{state=\"loaded\"} %u\nbide_builds{state=\"refused\"} %u\n",
                  stats.busy, stats.idle, stats.builds, stats.refused);
    buffer_format(
        out,
        "# HELP bide_segments_total Segments entered.\n# TYPE bide_segments_total counter\n"
        "bide_segments_total %llu\n"
        "# HELP bide_crashes_total Slots that crashed, exited or were cut off.\n"
        "# TYPE bide_crashes_total counter\nbide_crashes_total %llu\n"
        "# HELP bide_timeouts_total Segments over their time limit.\n"
        "# TYPE bide_timeouts_total counter\nbide_timeouts_total %llu\n"
        "# HELP bide_forks_total Slots forked.\n# TYPE bide_forks_total counter\n"
        "bide_forks_total %llu\n",
        (unsigned long long)stats.segments, (unsigned long long)stats.crashes,
        (unsigned long long)stats.timeouts, (unsigned long long)stats.forks);
}

/* ---- stopping: http first, so that nothing new comes; then the workers; the store last --- */

static void on_handle_closed(uv_handle_t *handle)
{
    (void)handle; /* they live in struct serve */
}

static void on_dispatch_stopped(void *context)
{
    struct serve *serve = context;

    uv_close((uv_handle_t *)&serve->term, on_handle_closed);
    uv_close((uv_handle_t *)&serve->interrupt, on_handle_closed);
    uv_stop(&serve->loop);
}

static void on_http_stopped(void *context)
{
    struct serve *serve = context;

    dispatch_stop(serve->dispatch, on_dispatch_stopped, serve);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct serve *serve = handle->data;

    if (serve->is_stopping) {
        log_warn("serve.stop", "second signal, leaving at once; nothing durable is lost");
        _exit(1);
    }
    serve->is_stopping = true;
    log_info("serve.stop", "signal=%d", number);
    http_stop(serve->http, on_http_stopped, serve);
}

/* ---- configuration ----------------------------------------------------------------------- */

static void problems_print(const struct problems *problems)
{
    struct buffer out = { 0 };

    problems_text(&out, problems);
    if (out.size > 0)
        fwrite(out.data, 1, out.size, stderr);
    buffer_finish(&out);
}

/* What is in it is looked at with the plugins: a wrong schema costs its task, not the server.
 */
static bool schemas_reachable(const char *directory)
{
    DIR *dir = opendir(directory);

    if (dir == NULL) {
        fprintf(stderr, "%s: %s; schemas are looked for there\n", directory, strerror(errno));
        return false;
    }
    (void)closedir(dir); /* not even read from */
    return true;
}

/* 0 when everything that is needed to begin is right, 2 when not; each problem is on stderr
 * then. */
static int configure(struct serve *serve, const struct serve_options *options)
{
    struct arena arena = { 0 };
    struct problems problems = { 0 };
    struct config_queues queues = { 0 };
    struct config_schedules schedules = { 0 };
    struct config *config = &serve->config;
    enum log_level level;
    bool ok = config_load(options->config, config, &arena, &problems);

    if (ok) {
        if (options->data != NULL)
            config->data = options->data;
        if (options->plugins != NULL)
            config->plugins = options->plugins;
        if (options->schemas != NULL)
            config->schemas = options->schemas;
        ok = config_queues_load(config->queues_path, config->limits.max_attempts, &queues,
                                &arena, &problems);
        if (ok)
            config_queues_finish(&queues);
        serve->zones = zones_create(NULL);
        struct zone_source zones = zones_source(serve->zones);
        if (ok)
            ok = config_schedules_load(config->schedules_path, config, &zones, &schedules,
                                       &arena, &problems);
        config_schedules_finish(&schedules);
    }
    problems_print(&problems);
    arena_finish(&arena);
    if (!ok)
        return 2;
    if (options->listen != NULL && !serve_listen_read(config, options->listen)) {
        fprintf(stderr, "bide serve: --listen takes HOST:PORT, not \"%s\"\n", options->listen);
        return 2;
    }
    if (!schemas_reachable(config->schemas))
        return 2;
    serve->starts_paused = options->starts_paused;
    serve->copies_older = options->copies_older;
    if (config->log_level != NULL && log_level_find(config->log_level, &level))
        log_set_level(level);
    return 0;
}

/* ---- starting ---------------------------------------------------------------------------- */

static bool store_open(struct serve *serve, struct err *err)
{
    struct config *config = &serve->config;
    char path[PATH_MAX];

    if (!config_keys(config, err) || !config_secret(config, serve->secret, err))
        return false;
    if (snprintf(path, sizeof path, "%s/bide.db", config->data) >= (int)sizeof path)
        return err_set(err, ERR_CONFIG, "the data directory's path is too long");
    struct store_limits limits = { config->low_water_bytes, config->log_bytes,
                                   serve->copies_older };
    if (!store_sqlite_open_with(path, &limits, &serve->store, err))
        return false;
    for (uint32_t i = 0; i < config->environment_count; i++)
        if (!serve->store->ops->environment(serve->store, config->environments[i].name,
                                            &config->environments[i].number, err))
            return false;
    return true;
}

static void listening_set(struct serve *serve, uint16_t port)
{
    const struct config *config = &serve->config;
    bool is_v6 = strchr(config->host, ':') != NULL;

    (void)snprintf(serve->listening, sizeof serve->listening,
                   is_v6 ? "http://[%s]:%u" : "http://%s:%u", config->host,
                   port); /* a host name is shorter than this */
}

static void signals_watch(struct serve *serve)
{
    serve->term.data = serve->interrupt.data = serve;
    uv_signal_init(&serve->loop, &serve->term);
    uv_signal_init(&serve->loop, &serve->interrupt);
    uv_signal_start(&serve->term, on_signal, SIGTERM);
    uv_signal_start(&serve->interrupt, on_signal, SIGINT);
}

static bool parts_start(struct serve *serve, struct err *err)
{
    static char program[PATH_MAX];
    size_t size = sizeof program;
    uint16_t port = 0;

    serve->pump =
        pump_create(&(struct pump_options){ .store = serve->store,
                                            .max_commands = serve->config.max_commands,
                                            .max_batch = MAX_BATCH,
                                            .zones = zones_source(serve->zones),
                                            .wake = wake_loop,
                                            .context = serve });
    struct http_options http = { .loop = &serve->loop,
                                 .pump = serve->pump,
                                 .store = serve->store,
                                 .config = &serve->config,
                                 .zones = serve->zones,
                                 .origin = serve->config.origin,
                                 .context = serve,
                                 .plugins = plugins_view,
                                 .plugins_ask = plugins_ask,
                                 .plugins_apply = plugins_apply,
                                 .trials = &trials,
                                 .metrics = metrics_view };
    struct dispatch_options dispatch = { .loop = &serve->loop,
                                         .pump = serve->pump,
                                         .store = serve->store,
                                         .config = &serve->config,
                                         .zones = zones_source(serve->zones),
                                         .program = program,
                                         .context = serve,
                                         .on_catalog = on_catalog,
                                         .on_settled = on_settled,
                                         .on_ready = on_ready };
    memcpy(http.secret, serve->secret, sizeof http.secret);
    memcpy(dispatch.secret, serve->secret, sizeof dispatch.secret);
    if (uv_exepath(program, &size) != 0)
        return err_set(err, ERR_SYSTEM, "cannot find the path of this program");
    if (serve->starts_paused && !pump_pause_all(serve->pump, SLICE("bide serve --start-paused"),
                                                SLICE("started paused"), err))
        return false;
    if (serve->starts_paused)
        log_info("serve.paused", "nothing is started in any environment until it is resumed: "
                                 "bide env resume NAME");
    if (!pump_start(serve->pump, err) || !http_create(&http, &serve->http, &port, err))
        return false;
    serve->port = port;
    listening_set(serve, port);
    dispatch.origin = http_origin(serve->http);
    return dispatch_create(&dispatch, &serve->dispatch, err);
}

static void awake_start(struct serve *serve)
{
    if (!awake_is_useful())
        return;
    serve->awake = awake_create(serve->config.awake_ms, true);
    if (serve->awake != NULL)
        log_debug("serve.awake", "processors are kept awake %s",
                  awake_asks(serve->awake) ? "through /dev/cpu_dma_latency"
                                           : "by threads that spin");
    uv_check_start(&serve->check, on_check);
    uv_unref((uv_handle_t *)&serve->check);
}

static void finish(struct serve *serve)
{
    if (serve->port != 0)
        place_remove(serve->port);
    if (serve->pump != NULL) {
        pump_stop(serve->pump);
        if (serve->http != NULL && serve->dispatch != NULL)
            collect(serve);
    }
    http_destroy(serve->http);
    dispatch_destroy(serve->dispatch);
    pump_destroy(serve->pump);
    uv_close((uv_handle_t *)&serve->wake, on_handle_closed);
    uv_close((uv_handle_t *)&serve->check, on_handle_closed);
    awake_destroy(serve->awake);
    clock_setting_close(serve->clock);
    uv_run(&serve->loop, UV_RUN_NOWAIT);
    clock_setting_free(serve->clock);
    (void)uv_loop_close(&serve->loop); /* a handle left open matters no more */
    /* Last: http/ lets go of its readers when its handles are closed, and the last connection
     * to a database puts it in order. */
    if (serve->store != NULL)
        serve->store->ops->close(serve->store);
    config_finish(&serve->config);
    zones_destroy(serve->zones);
}

int serve_main(int argc, char **argv)
{
    static struct serve serve;
    struct serve_options options;
    struct err err = { 0 };
    int code = serve_options_read(argc, argv, &options);

    if (code >= 0)
        return code;
    code = configure(&serve, &options);
    if (code != 0)
        return code;
    signal(SIGPIPE, SIG_IGN);
    /* The keys are in this memory: no other process of this user may look into it, and it goes
     * to no core file. Nurseries do the same; slots are open, as plugins are to be debugged. */
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* cannot fail */
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is a disk that is full */
    uv_loop_init(&serve.loop);
    uv_async_init(&serve.loop, &serve.wake, on_wake);
    uv_check_init(&serve.loop, &serve.check);
    serve.wake.data = serve.check.data = &serve;
    if (!store_open(&serve, &err) || !parts_start(&serve, &err)) {
        fprintf(stderr, "bide serve: %s\n", err.text);
        finish(&serve);
        return err.code == ERR_CONFIG ? 2 : 1;
    }
    signals_watch(&serve);
    awake_start(&serve);
    serve.clock = clock_setting_watch(&serve.loop, serve.pump);
    uv_run(&serve.loop, UV_RUN_DEFAULT);
    finish(&serve);
    return 0;
}
