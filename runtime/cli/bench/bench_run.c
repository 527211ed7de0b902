/*
 * bide bench: the workloads one after the other, each on a fresh server, and what came of them.
 */
#include "base/self.h"
#include "cli/bench/bench.h"
#include "cli/client/member.h"
#include "cli/client/settings.h"
#include "cli/output/grid.h"
#include "cli/output/screen.h"
#include "codec/json.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

volatile int bench_interrupted;

/* In an order in which nothing disturbs what follows. Floors are what the project promises on a
 * machine with two cores. */
static const struct bench_workload workloads[] = {
    { "ingest", "triggers/s", 20000, false, false, false, "triggers acknowledged durable",
      bench_ingest },
    { "echo", "runs/s", 10000, false, false, false, "triggered, executed, recorded",
      bench_echo },
    { "wait", "cycles/s", 5000, false, false, false,
      "trigger, token, suspend, complete over HTTP, resume, finish", bench_wait },
    { "latency", "ms p50", 1, true, false, false, "trigger -> done, one client",
      bench_latency },
    { "resume", "ms p50", 1, true, false, false, "completion -> done, one client",
      bench_resume },
    { "parked", "bytes on disk each", 1024, true, true, false, "a suspended run",
      bench_parked },
    { "restart", "s to ready", 0.5, true, true, false, "kill -9 with parked and queued runs",
      bench_restart },
    { "lanes", "of empty", 0.8, false, true, false,
      "echo beside a million queued runs of a thousand paused queues", bench_lanes },
    { "held", "of empty", 0.97, false, true, false,
      "echo beside a million queued runs that a pause or a rate holds", bench_held },
    { "crowd", "ms worst", 50, true, true, false,
      "a trigger while a tree of very many runs is canceled, or their token comes",
      bench_crowd },
    { "timers", "of allowed", 1, true, true, false,
      "very many runs whose waits end within one second: all queued in 10 s", bench_timers },
    { "tenants", "ms p95 more", 21, true, true, false,
      "a small tenant's wait beside one with a hundred times its load", bench_tenants },
    { "batch", "of bare SQLite", 0.6, false, false, false,
      "batches of 100 over 8 connections; then one of 10,000 beside echo", bench_batch },
    /* Their floor is measured: what parsing takes. */
    { "schema", "checks/s", 0, false, false, true, "an order of 200 bytes and its schema",
      bench_schema_small },
    { "schema-20k", "checks/s", 0, false, false, true, "an order of 20 KB and its schema",
      bench_schema_large },
};

enum { WORKLOADS = sizeof workloads / sizeof *workloads };

/* ---- options ----------------------------------------------------------------------------- */

static bool is_word(struct slice list, const char *name)
{
    size_t size = strlen(name);

    for (const char *at = list.data, *end = at + list.size; at < end;) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *stop = comma != NULL ? comma : end;
        if ((size_t)(stop - at) == size && memcmp(at, name, size) == 0)
            return true;
        at = stop + 1;
    }
    return false;
}

/* Each word must be a workload. */
static bool check_only(struct slice only, struct err *err)
{
    size_t known = 0;

    for (size_t i = 0; i < WORKLOADS; i++)
        known += is_word(only, workloads[i].name) ? 1 : 0;
    size_t words = only.size > 0 ? 1 : 0;
    for (size_t i = 0; i < only.size; i++)
        words += only.data[i] == ',';
    return known == words ||
           err_set(err, ERR_BAD_REQUEST,
                   "workloads are ingest, echo, wait, latency, resume, parked, restart, lanes, "
                   "held, crowd, timers, tenants, batch, schema, schema-20k, each once");
}

/* --only, or the words after the command. */
static bool read_only(struct bench *bench, struct err *err)
{
    const struct call *call = bench->call;
    const char *only = call_option(call, "only");

    if (only != NULL && call->argument_count > 0)
        return err_set(err, ERR_BAD_REQUEST, "say the workloads once: with --only or without");
    bench->only = slice_of(only);
    for (int i = 0; i < call->argument_count; i++)
        bench->only = arena_format(bench->arena, "%.*s%s%s", SLICE_ARG(bench->only),
                                   i > 0 ? "," : "", call->arguments[i]);
    return (only == NULL && call->argument_count == 0) || check_only(bench->only, err);
}

/* The small order brings the large one. */
static bool is_chosen(const struct bench *bench, const struct bench_workload *workload)
{
    if (bench->only.size > 0)
        return is_word(bench->only, workload->name) ||
               (workload->run == bench_schema_large && is_word(bench->only, "schema"));
    return bench->is_own || !workload->needs_own;
}

static bool needs_server(const struct bench *bench)
{
    for (size_t i = 0; i < WORKLOADS; i++)
        if (is_chosen(bench, &workloads[i]) && !workloads[i].needs_none)
            return true;
    return false;
}

/* "http://host:port" */
static bool split_url(struct bench *bench, const char *url, struct err *err)
{
    unsigned port;
    char rest;

    if (sscanf(url, "http://%255[^:/]:%u%c", bench->server.host, &port, &rest) != 2 ||
        port > UINT16_MAX)
        return err_set(err, ERR_BAD_REQUEST,
                       "bench needs a URL like http://127.0.0.1:8030, not %s", url);
    bench->server.port = (uint16_t)port;
    return true;
}

static bool use_given_server(struct bench *bench, struct err *err)
{
    struct settings settings;

    if (!settings_find(bench->call, &settings, err) || !split_url(bench, settings.url, err))
        return false;
    if (settings.key == NULL)
        return err_set(err, ERR_CONFIG, "no key: set BIDE_KEY, or use --data");
    snprintf(bench->server.key, sizeof bench->server.key, "%s", settings.key);
    for (size_t i = 0; i < WORKLOADS; i++)
        if (is_chosen(bench, &workloads[i]) && workloads[i].needs_own)
            return err_set(err, ERR_BAD_REQUEST,
                           "%s kills its server: it cannot be had with --url",
                           workloads[i].name);
    return true;
}

/* A task opens a file in it from another working directory. */
static bool find_dir(struct bench *bench, struct err *err)
{
    const char *dir = call_option(bench->call, "dir");
    char *path = realpath(dir != NULL ? dir : "/var/tmp", NULL);

    if (path == NULL)
        return err_set(err, ERR_CONFIG, "%s: %s", dir, strerror(errno));
    bench->dir = arena_text(bench->arena, slice_of(path));
    free(path);
    return true;
}

static bool read_options(struct bench *bench, struct err *err)
{
    static const char *const programs[] = { "bide", "../../bin/bide", NULL };
    struct call *call = bench->call;
    int64_t connections, seconds;

    bench->is_own = call_option(call, "url") == NULL;
    if (!find_dir(bench, err) || !read_only(bench, err) ||
        !call_number(call, "connections", 1, 1000, 64, &connections, err) ||
        !call_number(call, "seconds", 1, 3600, 5, &seconds, err) ||
        !call_number(call, "parked", 3, 100000000, 100000, &bench->parked, err) ||
        !call_number(call, "queued", 1, 10000000, 10000, &bench->queued, err) ||
        !call_number(call, "laned", 1000, 100000000, 1000000, &bench->laned, err))
        return false;
    bench->connections = (uint32_t)connections;
    bench->duration_ms = seconds * 1000;
    if (!needs_server(bench))
        return true;
    if (!bench->is_own)
        return use_given_server(bench, err);
    bench->program = self_find(bench->arena, programs);
    if (bench->program == NULL)
        return err_set(err, ERR_CONFIG,
                       "bide is not where this bide-bench looks for it: beside it, or in "
                       "../../bin");
    const char *plugins = call_option(call, "plugins");
    bench->plugins = plugins != NULL ? plugins : bench_plugins_find(bench->arena);
    return bench->plugins != NULL ||
           err_set(err, ERR_CONFIG,
                   "bench.so is not where bide-bench looks for it; say --plugins DIR");
}

/* ---- running ----------------------------------------------------------------------------- */

static bool is_met(const struct bench_workload *workload, const struct value *result)
{
    double number = member_number(result, "value"), floor = member_number(result, "floor");
    return workload->less_is_better ? number <= floor : number >= floor;
}

/* Its log is to be looked at. */
static void keep(struct bench *bench)
{
    bench_server_kill(&bench->server);
    if (bench->server.dir[0] != '\0')
        bench_say("%-8s what it left is in %s", "", bench->server.dir);
    bench->server.dir[0] = '\0';
}

static bool run_one(struct bench *bench, const struct bench_workload *workload,
                    struct value *results)
{
    struct value result = value_map();
    struct err err = { 0 };

    bench_say("%-8s %s", workload->name, workload->says);
    value_put(bench->arena, &result, "unit", value_text(workload->unit));
    bool done = workload->run(bench, &result, &err);
    bool has_server = bench->is_own && !workload->needs_none;
    if (value_find(&result, "floor") == NULL) /* else the workload has measured it */
        bench_put(bench, &result, "floor", workload->floor);
    if (done) {
        value_put(bench->arena, &result, "met", value_bool(is_met(workload, &result)));
    } else {
        struct slice text = arena_copy(bench->arena, slice_of(err.text));
        value_put(bench->arena, &result, "error", value_string(text));
        bench_say("%-8s failed: %s", workload->name, err.text);
    }
    value_put(bench->arena, results, workload->name, result);
    load_close(&bench->control);
    if (has_server && (done || bench_interrupted))
        bench_server_remove(&bench->server);
    else if (has_server)
        keep(bench);
    return done;
}

static struct value machine(struct bench *bench)
{
    struct value about = value_map();
    struct utsname names;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    bench_put(bench, &about, "cores", (double)cores);
    value_put(bench->arena, &about, "disk", value_text(bench_disk_name(bench->dir)));
    if (uname(&names) == 0) {
        struct slice kernel = arena_format(bench->arena, "%s %s", names.sysname, names.release);
        value_put(bench->arena, &about, "kernel", value_string(kernel));
    }
    return about;
}

/* ---- output ------------------------------------------------------------------------------ */

static struct slice number_text(struct arena *arena, const struct value *number)
{
    if (number == NULL)
        return SLICE("");
    if (number->kind == VALUE_INT)
        return arena_format(arena, "%lld", (long long)number->integer);
    return arena_format(arena, number->number < 10 ? "%.2f" : "%.1f", number->number);
}

static void print_table(struct bench *bench, const struct value *results)
{
    static const struct grid_title titles[] = {
        { "WORKLOAD", GRID_PLAIN }, { "RESULT", GRID_NUMBER }, { "UNIT", GRID_PLAIN },
        { "FLOOR", GRID_NUMBER },   { "MET", GRID_PLAIN },     { "BARE LIMIT", GRID_NUMBER },
        { "OF IT", GRID_NUMBER },   { "P99 ms", GRID_NUMBER }, { NULL, GRID_PLAIN },
    };
    struct grid grid;
    struct arena *arena = bench->arena;

    grid_init(&grid, arena, titles);
    for (uint32_t i = 0; i < results->count; i++) {
        const struct value *result = &results->members[i].value;
        bool failed = value_find(result, "error") != NULL;
        grid_row(&grid);
        grid_cell(&grid, 0, results->members[i].key);
        grid_cell(&grid, 1,
                  failed ? SLICE("failed") : number_text(arena, value_find(result, "value")));
        grid_cell(&grid, 2, member_text(result, "unit"));
        grid_cell(&grid, 3, number_text(arena, value_find(result, "floor")));
        grid_cell(&grid, 4, member_bool(result, "met") ? SLICE("yes") : SLICE("no"));
        grid_cell(&grid, 5, number_text(arena, value_find(result, "limit")));
        if (value_find(result, "ratio") != NULL)
            grid_format(&grid, 6, "%.0f %%", member_number(result, "ratio") * 100);
        grid_cell(&grid, 7, number_text(arena, value_find(result, "p99_ms")));
    }
    grid_print(&grid);
}

static void print(struct bench *bench, const struct value *results)
{
    struct value all = value_map();
    struct buffer out = { 0 };

    if (!bench->call->json && screen_width() > 0) {
        print_table(bench, results);
        return;
    }
    value_put(bench->arena, &all, "bide", value_text(BIDE_VERSION));
    value_put(bench->arena, &all, "machine", machine(bench));
    bench_put(bench, &all, "connections", bench->connections);
    bench_put(bench, &all, "seconds", (double)bench->duration_ms / 1000);
    bench_put(bench, &all, "payload_bytes", BENCH_PAYLOAD_BYTES);
    value_put(bench->arena, &all, "workloads", *results);
    json_write_pretty(&out, &all);
    printf("%.*s\n", SLICE_ARG(buffer_view(&out)));
    buffer_finish(&out);
}

static void on_interrupt(int signal)
{
    (void)signal;
    bench_interrupted = 1;
}

int bench_exec(struct call *call)
{
    struct bench bench = { .call = call, .arena = &call->arena, .control = { .epoll = -1 } };
    struct value results = value_map();
    struct sigaction action = { .sa_handler = on_interrupt };
    struct err err = { 0 };
    bool done = true;

    if (!read_options(&bench, &err))
        return cli_fail(err.code == ERR_BAD_REQUEST ? CLI_USAGE : CLI_FAILED, "%s", err.text);
    if (strcmp(bench_disk_name(bench.dir), "tmpfs") == 0)
        bench_say("note: %s is in memory; nothing there is durable. Use --dir.", bench.dir);
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    for (size_t i = 0; i < WORKLOADS && !bench_interrupted; i++)
        if (is_chosen(&bench, &workloads[i]))
            done = run_one(&bench, &workloads[i], &results) && done;
    print(&bench, &results);
    buffer_finish(&bench.request);
    buffer_finish(&bench.body);
    return done && !bench_interrupted ? CLI_DONE : CLI_FAILED;
}
