/*
 * The pump with all its threads at once, for the thread sanitizer: the loop thread submits and
 * collects, the store thread decides over SQLite, readers read meanwhile. A plain program,
 * because Criterion does not start under that sanitizer.
 */
#include "base/memory.h"
#include "store/pump.h"
#include "store/reader.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RUNS = 5000, UNDER_WAY = 200, READERS = 3 };

struct operation {
    struct command command;
    struct arena arena;
};

static struct pump *pump;
static struct store *store;
static uint32_t environment;
static int wake_ends[2];
static struct catalog *catalog;
static unsigned triggered, under_way, ended, catalogs;
static atomic_bool is_over;
static atomic_uint looks;

static void fail(const char *what, const char *text)
{
    printf("not ok - threads::pump\n# %s: %s\n", what, text);
    exit(1);
}

/* Store thread. */
static void on_wake(void *context)
{
    (void)context;
    if (write(wake_ends[1], "x", 1) != 1)
        abort();
}

static struct operation *operation_create(enum command_kind kind,
                                          void (*on_reply)(struct command *))
{
    struct operation *operation = memory_zeroed(1, sizeof *operation);
    operation->command.kind = kind;
    operation->command.arena = &operation->arena;
    operation->command.on_reply = on_reply;
    operation->command.owner = operation;
    return operation;
}

static void submit(struct operation *operation)
{
    struct err err = { 0 };
    if (!pump_submit(pump, &operation->command, &err))
        fail("submit", err.text);
}

static void release(struct command *command)
{
    struct operation *operation = command->owner;
    if (command->err.code != ERR_OK)
        fail("command", command->err.text);
    arena_finish(&operation->arena);
    free(operation);
}

static void on_triggered(struct command *command)
{
    under_way--;
    release(command);
}

static void on_catalog(struct command *command)
{
    catalogs++;
    release(command);
}

static void trigger_more(void)
{
    while (triggered < RUNS && under_way < UNDER_WAY) {
        struct operation *operation = operation_create(COMMAND_TRIGGER, on_triggered);
        operation->command.trigger = (struct trigger){ .environment = environment,
                                                       .task = SLICE("t"),
                                                       .payload = SLICE("\x01") };
        submit(operation);
        triggered++;
        under_way++;
    }
}

/* What a slot would say at once. */
static void on_assignment(void *context, struct assignment *assignment)
{
    (void)context;
    struct operation *operation = operation_create(COMMAND_SEGMENT_END, release);
    struct frame_end *end = ARENA_NEW(&operation->arena, struct frame_end);
    *end = (struct frame_end){ .run_id = assignment->run_id,
                               .seq = assignment->seq,
                               .verdict = VERDICT_DONE,
                               .output = SLICE("\x02") };
    operation->command.segment_end = (struct segment_end){ .run_id = assignment->run_id,
                                                           .seq = assignment->seq,
                                                           .end = end };
    buffer_finish(&assignment->bytes);
    submit(operation);
}

static void on_event(void *context, const struct event *event)
{
    (void)context;
    if (event->status == RUN_DONE)
        ended++;
}

static void *reader_main(void *context)
{
    (void)context;
    struct err err = { 0 };
    struct arena arena = { 0 };
    struct reader *reader = store->ops->reader_open(store, &err);
    if (reader == NULL)
        fail("reader", err.text);
    while (!atomic_load(&is_over)) {
        struct run_filter filter = { .environment = environment, .limit = 50, .is_test = -1 };
        struct run_page page = { 0 };
        struct totals totals = { 0 };
        if (!reader->ops->runs(reader, &arena, &filter, &page, &err) ||
            !reader->ops->totals(reader, environment, &totals, &err))
            fail("read", err.text);
        struct pump_stats stats;
        pump_stats(pump, &stats);
        arena_reset(&arena);
        atomic_fetch_add(&looks, 1);
    }
    arena_finish(&arena);
    reader->ops->close(reader);
    return NULL;
}

static void offer_task(void)
{
    static uint32_t environments[1];
    static const char *const names[] = { "dev" };
    catalog = catalog_create();
    struct slice *segments = ARENA_ARRAY(&catalog->arena, struct slice, 1);
    environments[0] = environment;
    segments[0] = SLICE("start");
    catalog->tasks = ARENA_NEW(&catalog->arena, struct catalog_task);
    catalog->tasks[0] = (struct catalog_task){ .id = SLICE("t"),
                                               .available = true,
                                               .plugin = SLICE("p"),
                                               .version = SLICE("1"),
                                               .build = SLICE("0123456789abcdef"),
                                               .segments = segments,
                                               .segment_count = 1,
                                               .max_attempts = 3,
                                               .limit_ms = 1000,
                                               .retry_min_ms = 1,
                                               .retry_max_ms = 1,
                                               .retry_factor = 1 };
    catalog->task_count = 1;
    catalog->queue_limit = 1000;
    catalog->slots = 64;
    catalog->environments = environments;
    catalog->environment_names = names;
    catalog->environment_count = 1;
    catalog->limits = (struct config_limits){ .payload_bytes = 1 << 20,
                                              .state_bytes = 1 << 20,
                                              .kept_states_bytes = 4 << 20,
                                              .output_bytes = 1 << 20,
                                              .metadata_bytes = 1 << 18,
                                              .token_bytes = 1 << 20,
                                              .tags = 10,
                                              .tag_bytes = 128,
                                              .log_lines = 100,
                                              .log_line_bytes = 1000,
                                              .queues = 100,
                                              .waits = 1000,
                                              .depth = 100,
                                              .calls = 1000,
                                              .max_attempts = 100 };
    catalog_sort(catalog);
    struct operation *operation = operation_create(COMMAND_CATALOG, on_catalog);
    operation->command.catalog.next = catalog;
    submit(operation);
}

static void collect(void)
{
    static const struct pump_sink sink = { .on_assignment = on_assignment,
                                           .on_event = on_event };
    struct pollfd ready = { .fd = wake_ends[0], .events = POLLIN };
    char bytes[256];
    if (poll(&ready, 1, 60000) != 1)
        fail("pump", "nothing was published for a minute");
    if (read(wake_ends[0], bytes, sizeof bytes) <= 0)
        abort();
    pump_collect(pump, &sink);
}

int main(void)
{
    char dir[] = "/tmp/bide-threads-XXXXXX", path[64], command[64];
    struct err err = { 0 };
    pthread_t readers[READERS];

    if (mkdtemp(dir) == NULL || pipe(wake_ends) != 0)
        abort();
    snprintf(path, sizeof path, "%s/bide.db", dir);
    if (!store_sqlite_open(path, &store, &err) ||
        !store->ops->environment(store, "dev", &environment, &err))
        fail("open", err.text);
    pump = pump_create(&(struct pump_options){
        .store = store, .max_commands = 10000, .max_batch = 1000, .wake = on_wake });
    if (!pump_start(pump, &err))
        fail("start", err.text);
    offer_task();
    for (int i = 0; i < READERS; i++)
        pthread_create(&readers[i], NULL, reader_main, NULL);

    while (ended < RUNS) {
        trigger_more();
        collect();
    }
    atomic_store(&is_over, true);
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    pump_stop(pump);
    pump_collect(pump,
                 &(struct pump_sink){ .on_assignment = on_assignment, .on_event = on_event });
    pump_destroy(pump);
    catalog_destroy(catalog);
    store->ops->close(store);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    if (system(command) != 0)
        perror(command);
    if (catalogs != 1 || triggered != RUNS || ended != RUNS)
        fail("count", "a run was lost or ended twice");
    printf("1..1\nok - threads::pump\n# %d runs, %u looks of %d readers meanwhile\n", RUNS,
           atomic_load(&looks), READERS);
    return 0;
}
