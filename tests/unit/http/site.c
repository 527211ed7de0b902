#include "site.h"

#include "base/log.h"
#include "engine/catalog.h"
#include "store/store.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

static const char echo_schema[] = "input:\n"
                                  "  type: object\n"
                                  "  properties:\n"
                                  "    n: {type: integer, minimum: 1}\n"
                                  "    text: {type: string}\n"
                                  "    note: {type: string, default: none}\n"
                                  "    slow: {type: string, pattern: '^(a|aa)+$'}\n";

static const char approve_schema[] = "tokens:\n"
                                     "  decision:\n"
                                     "    type: object\n"
                                     "    required: [by]\n"
                                     "    properties:\n"
                                     "      by: {type: string}\n";

void site_init(struct site *site)
{
    *site = (struct site){ .is_ready = true };
    site->environments[0] = (struct config_environment){ .name = "dev", .key = KEY_DEV };
    site->environments[1] = (struct config_environment){ .name = "prod", .key = KEY_PROD };
    site->config = (struct config){
        .host = "127.0.0.1",
        .max_connections = 200,
        .max_connections_per_ip = 0,
        .max_body_bytes = 1 << 20,
        .max_header_bytes = 16 * 1024,
        .request_time_ms = 10000,
        .idle_time_ms = 10000,
        .max_reply_bytes = 64 << 20,
        .reply_rate = 4096,
        .reply_time_ms = 10000,
        .metrics = "open",
        .max_commands = 10000,
        .slots = 4,
        .segment_time_ms = 10000,
        .max_attempts = 1,
        .environments = site->environments,
        .environment_count = 2,
        .limits = { .payload_bytes = 512 * 1024,
                    .state_bytes = 1 << 20,
                    .kept_states_bytes = 4 << 20,
                    .output_bytes = 1 << 20,
                    .metadata_bytes = 4096,
                    .token_bytes = 8192,
                    .tags = 10,
                    .tag_bytes = 128,
                    .log_lines = 100,
                    .log_line_bytes = 1000,
                    .queues = 100,
                    .waits = 100,
                    .batch_items = 10000,
                    .batch_open_ms = 60000,
                    .depth = 10,
                    .calls = 60,
                    .max_attempts = 250 },
    };
    log_set_level(LOG_ERROR);
}

static struct catalog *catalog_make(struct site *site)
{
    static const char *const ids[] = { "approve", "echo", "flop", "hold", "sleepy" };
    static struct slice segments[2] = { { "start", 5 }, { "decided", 7 } };
    static uint32_t numbers[2];
    static const char *names[2] = { "dev", "prod" };
    struct catalog *catalog = catalog_create();
    struct problems problems = { 0 };
    uint32_t count = sizeof ids / sizeof ids[0];

    numbers[0] = site->environments[0].number;
    numbers[1] = site->environments[1].number;
    cr_assert(schema_file_parse("schemas/echo.yaml", SLICE(echo_schema), &site->schema,
                                &site->arena, &problems));
    cr_assert(schema_file_parse("schemas/approve.yaml", SLICE(approve_schema),
                                &site->token_schema, &site->arena, &problems));
    catalog->tasks = ARENA_ARRAY(&catalog->arena, struct catalog_task, count);
    for (uint32_t i = 0; i < count; i++)
        catalog->tasks[catalog->task_count++] = (struct catalog_task){
            .id = slice_of(ids[i]),
            .available = true,
            .plugin = SLICE("tests"),
            .version = SLICE("1.0.0"),
            .build = SLICE("0123456789abcdef"),
            .segments = segments,
            .segment_count = 2,
            .schema = strcmp(ids[i], "echo") == 0      ? site->schema
                      : strcmp(ids[i], "approve") == 0 ? site->token_schema
                                                       : NULL,
            .queue = strcmp(ids[i], "hold") == 0 ? SLICE("slow/lane") : (struct slice){ 0 },
            .max_attempts = 1,
            .retry_factor = 2,
            .on_exhausted = EXHAUSTED_DEAD_LETTER
        };
    catalog->queues = ARENA_ARRAY(&catalog->arena, struct catalog_queue, 2);
    catalog->queues[catalog->queue_count++] = (struct catalog_queue){
        .name = SLICE("slow/lane"),
        .rules = { .concurrency = 7, .per_key = 2, .total = 9, .on_exhausted = EXHAUSTED_PAUSE }
    };
    if (site->collects)
        catalog->queues[catalog->queue_count++] =
            (struct catalog_queue){ SLICE("many"),
                                    { .concurrency = 5, .collect = { 3, 60000 } } };
    catalog->queue_limit = 100;
    catalog->limits = site->config.limits;
    catalog->slots = 100;
    catalog->retention = site->config.retention;
    catalog->early_ms = site->config.early_answers_ms;
    catalog->environments = numbers;
    catalog->environment_names = names;
    catalog->environment_limits = site->bursts;
    catalog->environment_count = 2;
    catalog_sort(catalog);
    return catalog;
}

/* ---- the loop's side --------------------------------------------------------------------- */

static void on_assignment(void *context, struct assignment *assignment)
{
    site_assign(context, assignment);
}

static void on_event(void *context, const struct event *event)
{
    struct site *site = context;

    http_event(site->http, event);
}

static void collect(struct site *site)
{
    struct pump_sink sink = { site, on_assignment, on_event };

    pump_collect(site->pump, &sink);
}

static void on_wake(uv_async_t *async)
{
    collect(async->data);
}

/* Store thread. */
static void wake(void *context)
{
    struct site *site = context;

    uv_async_send(&site->wake);
}

static void on_call(uv_async_t *async)
{
    struct site *site = async->data;

    if (site->to_call == NULL)
        return;
    site->to_call(site);
    site->to_call = NULL;
    uv_sem_post(&site->called);
}

void site_call(struct site *site, void (*function)(struct site *site))
{
    site->to_call = function;
    uv_async_send(&site->call);
    uv_sem_wait(&site->called);
}

static void *loop_main(void *argument)
{
    struct site *site = argument;

    uv_run(&site->loop, UV_RUN_DEFAULT);
    return NULL;
}

/* ---- start and stop ---------------------------------------------------------------------- */

static void on_catalog(struct command *command)
{
    struct site *site = command->owner;

    cr_assert_eq(command->err.code, ERR_OK, "%s", command->err.text);
    http_catalog(site->http, site->catalog);
    uv_stop(&site->loop);
}

static struct value plugins(void *context, struct arena *arena)
{
    struct value list = value_list(), plugin = value_map();

    (void)context;
    value_put(arena, &plugin, "file", value_text("echo.so"));
    value_add(arena, &list, plugin);
    return list;
}

static void more_metrics(void *context, struct buffer *out)
{
    (void)context;
    buffer_text(out, "bide_slots 4\n");
}

static void store_open(struct site *site)
{
    struct err err = { 0 };

    strcpy(site->directory, "/tmp/bide-http-XXXXXX");
    cr_assert_not_null(mkdtemp(site->directory));
    (void)snprintf(site->file, sizeof site->file, "%s/bide.db", site->directory);
    cr_assert(store_sqlite_open(site->file, &site->store, &err), "%s", err.text);
    for (int i = 0; i < 2; i++)
        cr_assert(site->store->ops->environment(site->store, site->environments[i].name,
                                                &site->environments[i].number, &err));
}

void site_start(struct site *site)
{
    static struct command catalog;
    static struct arena arena;
    struct err err = { 0 };

    store_open(site);
    uv_loop_init(&site->loop);
    uv_async_init(&site->loop, &site->wake, on_wake);
    uv_async_init(&site->loop, &site->call, on_call);
    uv_sem_init(&site->called, 0);
    site->wake.data = site->call.data = site;
    struct pump_options pump = { .store = site->store,
                                 .max_commands = site->config.max_commands,
                                 .max_batch = 1000,
                                 .wake = wake,
                                 .context = site };
    site->pump = pump_create(&pump);
    cr_assert(pump_start(site->pump, &err), "%s", err.text);
    struct http_options options = { .loop = &site->loop,
                                    .pump = site->pump,
                                    .store = site->store,
                                    .config = &site->config,
                                    .secret = "0123456789abcdef0123456789abcde",
                                    .context = site,
                                    .plugins = plugins,
                                    .metrics = more_metrics };
    cr_assert(http_create(&options, &site->http, &site->port, &err), "%s", err.text);
    if (site->is_ready) {
        site->catalog = catalog_make(site);
        catalog = (struct command){ .kind = COMMAND_CATALOG, .arena = &arena };
        catalog.catalog.next = site->catalog;
        catalog.on_reply = on_catalog;
        catalog.owner = site;
        cr_assert(pump_submit(site->pump, &catalog, &err), "%s", err.text);
        uv_run(&site->loop, UV_RUN_DEFAULT);
    }
    cr_assert_eq(pthread_create(&site->thread, NULL, loop_main, site), 0);
}

static void on_stopped(void *context)
{
    struct site *site = context;

    pump_stop(site->pump);
    collect(site);
    http_destroy(site->http);
    uv_close((uv_handle_t *)&site->wake, NULL);
    uv_close((uv_handle_t *)&site->call, NULL);
}

static void stop(struct site *site)
{
    http_stop(site->http, on_stopped, site);
}

void site_finish(struct site *site)
{
    char command[128];

    site_call(site, stop);
    pthread_join(site->thread, NULL);
    cr_assert_eq(uv_loop_close(&site->loop), 0, "something was left in the loop");
    pump_destroy(site->pump);
    site->store->ops->close(site->store);
    catalog_destroy(site->catalog);
    schema_file_destroy(site->schema);
    schema_file_destroy(site->token_schema);
    arena_finish(&site->arena);
    (void)snprintf(command, sizeof command, "rm -rf %s", site->directory);
    cr_assert_eq(system(command), 0);
}

/*
 * Criterion's runner forgets, by chance of order, what it kept of some of its last tests. The
 * tests themselves run in processes that have BXFI_MAP in their environment; nothing is
 * forgiven there.
 */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return getenv("BXFI_MAP") == NULL ? "leak:libcriterion.so" : "";
}
