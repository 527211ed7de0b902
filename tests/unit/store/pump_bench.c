#include "pump_bench.h"

#include "base/clock.h"
#include "base/memory.h"
#include "pump_faulty.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { PATIENCE_MS = 60000 };

struct pump_bench bench;

static struct catalog *catalog;

_Noreturn void pump_bench_die(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
    abort();
}

/* Store thread. */
static void on_wake(void *context)
{
    uint64_t one = 1;

    (void)context;
    EXPECT(write(bench.wake_fd, &one, sizeof one) == sizeof one);
}

void pump_bench_open(enum pump_store kind, uint32_t max_commands, uint32_t max_batch)
{
    char path[96];
    struct err err = { 0 };

    bench = (struct pump_bench){ .in_order = true, .slots = 1000 };
    snprintf(bench.directory, sizeof bench.directory, "/tmp/bide-pump-XXXXXX");
    EXPECT(mkdtemp(bench.directory) != NULL);
    snprintf(path, sizeof path, "%s/bide.db", bench.directory);
    if (kind == PUMP_MEMORY)
        bench.store = store_memory_create();
    else if (!store_sqlite_open(path, &bench.store, &err))
        pump_bench_die(__FILE__, __LINE__, err.text);
    faulty_install(bench.store);
    EXPECT(bench.store->ops->environment(bench.store, "dev", &bench.environment, &err));
    bench.wake_fd = eventfd(0, EFD_CLOEXEC);
    EXPECT(bench.wake_fd >= 0);
    bench.pump = pump_create(&(struct pump_options){ .store = bench.store,
                                                     .max_commands = max_commands,
                                                     .max_batch = max_batch,
                                                     .wake = on_wake });
}

void pump_bench_start(void)
{
    struct err err = { 0 };

    if (!pump_start(bench.pump, &err))
        pump_bench_die(__FILE__, __LINE__, err.text);
}

struct operation *operation_create(enum command_kind kind)
{
    struct operation *operation = memory_zeroed(1, sizeof *operation);

    operation->command.kind = kind;
    operation->command.arena = &operation->arena;
    operation->command.owner = operation;
    return operation;
}

struct operation *operation_trigger(const char *task)
{
    struct operation *operation = operation_create(COMMAND_TRIGGER);

    operation->command.trigger = (struct trigger){ .environment = bench.environment,
                                                   .task = slice_of(task),
                                                   .payload = SLICE("\x01") };
    return operation;
}

void operation_destroy(struct operation *operation)
{
    arena_finish(&operation->arena);
    free(operation);
}

static void on_reply(struct command *command)
{
    struct operation *operation = command->owner;

    EXPECT(!operation->is_replied);
    operation->is_replied = true;
    bench.replied++;
    bench.refused += command->err.code != ERR_OK;
    bench.in_order &= operation->order > bench.last_order;
    bench.last_order = operation->order;
    if (!operation->is_kept)
        operation_destroy(operation);
}

bool pump_bench_submit(struct operation *operation, struct err *err)
{
    operation->command.on_reply = on_reply;
    if (!pump_submit(bench.pump, &operation->command, err))
        return false;
    operation->order = ++bench.submitted;
    return true;
}

static void on_assignment(void *context, struct assignment *assignment)
{
    struct err err;

    (void)context;
    buffer_finish(&assignment->bytes);
    bench.assigned++;
    if (!bench.ends_at_once)
        return;
    struct operation *operation = operation_create(COMMAND_SEGMENT_END);
    struct frame_end *end = ARENA_NEW(&operation->arena, struct frame_end);
    *end = (struct frame_end){ .run_id = assignment->run_id,
                               .seq = assignment->seq,
                               .verdict = VERDICT_DONE,
                               .output = SLICE("\x02") };
    operation->command.segment_end =
        (struct segment_end){ .run_id = end->run_id, .seq = end->seq, .end = end };
    if (!pump_bench_submit(operation, &err))
        operation_destroy(operation); /* stopping: the next start runs it again */
}

static void on_event(void *context, const struct event *event)
{
    (void)context;
    bench.ended += event->status == RUN_DONE;
}

static void collect(void)
{
    static const struct pump_sink sink = { .on_assignment = on_assignment,
                                           .on_event = on_event };

    pump_collect(bench.pump, &sink);
}

void pump_bench_until(bool (*is_so)(void))
{
    uint64_t end_ns = clock_monotonic_ns() + PATIENCE_MS * UINT64_C(1000000), count;

    while (!is_so()) {
        struct pollfd ready = { .fd = bench.wake_fd, .events = POLLIN };
        if (poll(&ready, 1, 1000) == 1) {
            EXPECT(read(bench.wake_fd, &count, sizeof count) == sizeof count);
            collect();
        }
        if (clock_monotonic_ns() > end_ns)
            pump_bench_die(__FILE__, __LINE__, "what was waited for came in time");
    }
}

bool all_replied(void)
{
    return bench.replied == bench.submitted;
}

bool store_is_ok(void)
{
    struct pump_stats stats;

    pump_stats(bench.pump, &stats);
    return stats.store_ok;
}

struct operation *pump_bench_ask(struct operation *operation)
{
    struct err err = { 0 };

    operation->is_kept = true;
    if (!pump_bench_submit(operation, &err))
        pump_bench_die(__FILE__, __LINE__, err.text);
    pump_bench_until(all_replied);
    return operation;
}

static struct catalog *catalog_make(const char *name)
{
    static const char *const environment_names[] = { "dev" };
    struct catalog *made = catalog_create();
    struct slice *segments = ARENA_ARRAY(&made->arena, struct slice, 1);

    segments[0] = SLICE("start");
    made->tasks = ARENA_NEW(&made->arena, struct catalog_task);
    made->tasks[0] = (struct catalog_task){ .id = slice_of(name),
                                            .available = true,
                                            .version = SLICE("1"),
                                            .build = SLICE("0123456789abcdef"),
                                            .segments = segments,
                                            .segment_count = 1,
                                            .max_attempts = 3,
                                            .limit_ms = 1000 };
    made->task_count = 1;
    made->queue_limit = 100000;
    made->slots = bench.slots;
    made->environments = &bench.environment;
    made->environment_names = environment_names;
    made->environment_count = 1;
    made->limits = (struct config_limits){ .payload_bytes = 1 << 20,
                                           .state_bytes = 1 << 20,
                                           .kept_states_bytes = 4 << 20,
                                           .output_bytes = 1 << 20,
                                           .metadata_bytes = 1 << 16,
                                           .token_bytes = 1 << 20,
                                           .log_lines = 100,
                                           .log_line_bytes = 1000,
                                           .queues = 100,
                                           .waits = 100,
                                           .depth = 10,
                                           .calls = 63 };
    catalog_sort(made);
    return made;
}

void pump_bench_offer(const char *name)
{
    struct operation *operation = operation_create(COMMAND_CATALOG);

    operation->command.catalog.next = catalog = catalog_make(name);
    pump_bench_ask(operation);
    catalog_destroy(operation->command.catalog.previous);
    operation_destroy(operation);
}

void pump_bench_close(void)
{
    char line[96];

    if (bench.pump == NULL)
        return; /* the suite's end comes after the test's own */
    faulty_refuse(false);
    bench.ends_at_once = false;
    pump_stop(bench.pump);
    collect();
    pump_destroy(bench.pump);
    bench.pump = NULL;
    bench.store->ops->close(bench.store);
    catalog_destroy(catalog);
    catalog = NULL;
    close(bench.wake_fd);
    snprintf(line, sizeof line, "rm -rf %s", bench.directory);
    EXPECT(system(line) == 0);
}
