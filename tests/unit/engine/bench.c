#include "bench.h"

#include "store/batch_run.h"

#include <stdlib.h>

enum { AGAIN_MAX = 50, SEGMENTS_MAX = 2000 };

struct bench bench;

static struct arena memory, commands_memory;
static struct command commands[COMMANDS_MAX];
static uint32_t command_count;
static bool is_committed;
static struct frame_segment *segments[SEGMENTS_MAX];
static uint32_t segment_count;
static struct schema_file *schemas[TASKS_MAX];
static uint32_t schema_count;

static const uint32_t environments[] = { DEV, PROD };
static const char *const environment_names[] = { "dev", "prod" };
static struct slice names[] = { { "start", 5 }, { "next", 4 }, { "last", 4 } };

struct arena *bench_arena(void)
{
    return &memory;
}

struct catalog_task *bench_task(const char *id)
{
    cr_assert_lt(bench.task_count, TASKS_MAX);
    struct catalog_task *task = &bench.tasks[bench.task_count++];
    *task = (struct catalog_task){ .id = slice_of(id),
                                   .available = true,
                                   .plugin = SLICE("p"),
                                   .version = SLICE("1.0.0"),
                                   .build = SLICE("0123456789abcdef"),
                                   .segments = names,
                                   .segment_count = 3,
                                   .max_attempts = 3,
                                   .retry_factor = 1,
                                   .limit_ms = SECONDS(30) };
    return task;
}

const struct schema_file *bench_schema(const char *yaml)
{
    struct problems problems = { 0 };
    struct schema_file **file = &schemas[schema_count++];

    cr_assert_leq(schema_count, TASKS_MAX);
    cr_assert(schema_file_parse("test.yaml", slice_of(yaml), file, &memory, &problems), "%.*s",
              SLICE_ARG(problems.first->message));
    return *file;
}

static struct catalog *catalog_make(void)
{
    struct catalog *made = catalog_create();

    made->tasks = ARENA_ARRAY(&made->arena, struct catalog_task, TASKS_MAX);
    memcpy(made->tasks, bench.tasks, sizeof bench.tasks);
    made->task_count = bench.task_count;
    made->queues = ARENA_ARRAY(&made->arena, struct catalog_queue, QUEUES_MAX);
    memcpy(made->queues, bench.queues, sizeof bench.queues);
    made->queue_count = bench.queue_count;
    made->pools = ARENA_ARRAY(&made->arena, struct catalog_pool, 2);
    for (int i = 0; i < 2; i++)
        if (bench.pools[i].tokens > 0)
            made->pools[made->pool_count++] = bench.pools[i];
    made->schedules = ARENA_ARRAY(&made->arena, struct catalog_schedule, 2);
    for (int i = 0; i < 2; i++)
        if (bench.schedules[i].name.size > 0)
            made->schedules[made->schedule_count++] = bench.schedules[i];
    made->has_schedules = true;
    made->queue_limit = bench.queue_limit;
    made->limits = bench.limits;
    made->retention = bench.retention;
    made->task_retentions = bench.task_retentions;
    made->queue_retentions = bench.queue_retentions;
    made->task_retention_count = made->queue_retention_count = bench.retention_count;
    made->environment_retentions = bench.environment_retentions;
    made->slots = bench.slots;
    made->early_lanes = bench.early_lanes;
    made->environments = environments;
    made->environment_names = environment_names;
    made->environment_count = 2;
    made->environment_limits = bench.bursts;
    if (bench.shares[0] != 0)
        made->environment_shares = bench.shares;
    catalog_sort(made);
    return made;
}

bool bench_catalog_commit(struct command *command)
{
    command->catalog.next = catalog_make();
    bench.catalog = command->catalog.next;
    return commit();
}

void bench_catalog(void)
{
    (void)bench_catalog_commit(add(COMMAND_CATALOG)); /* it is taken whatever the store says */
}

void bench_restart(bool loaded)
{
    struct ids backlog = { 0 }, running = { 0 };
    struct err err;

    engine_destroy(bench.engine);
    catalog_destroy(bench.catalog);
    bench.catalog = NULL;
    segment_count = 0;
    store_memory_fail(bench.store, 0);
    bench.engine = engine_create(&bench.ids);
    if (bench.zones != NULL) {
        struct zone_source zones = zones_source(bench.zones);
        engine_zones(bench.engine, &zones);
    }
    bench.store->ops->backlog(bench.store, &memory, &backlog, &err);
    bench.store->ops->running(bench.store, &memory, &running, &err);
    engine_backlog(bench.engine, &backlog);
    add(COMMAND_RECOVER)->recover = running;
    cr_assert(commit());
    if (loaded)
        bench_catalog();
}

void bench_open(void)
{
    bench = (struct bench){ .now_ms = INT64_C(1800000000000),
                            .look_for_due = true,
                            .queue_limit = 1000,
                            .slots = 100,
                            .limits = { .payload_bytes = 1 << 20,
                                        .state_bytes = 1 << 20,
                                        .kept_states_bytes = 4 << 20,
                                        .output_bytes = 1 << 20,
                                        .metadata_bytes = 1 << 16,
                                        .token_bytes = 1 << 20,
                                        .tags = 10,
                                        .tag_bytes = 128,
                                        .log_lines = 1000,
                                        .log_line_bytes = 1000,
                                        .queues = 10000,
                                        .waits = 1000,
                                        .batch_items = 1000,
                                        .batch_open_ms = MINUTES(1),
                                        .depth = 10,
                                        .mailbox = 1000,
                                        .mailbox_bytes = 1 << 20,
                                        .calls = 63,
                                        .max_attempts = 100 } };
    id_source_init(&bench.ids, 7);
    bench.store = store_memory_create();
    for (size_t i = 0; i < sizeof environments / sizeof environments[0]; i++) {
        uint32_t number;
        struct err err;
        cr_assert(
            bench.store->ops->environment(bench.store, environment_names[i], &number, &err) &&
            number == environments[i]);
    }
    bench.engine = engine_create(&bench.ids);
    bench_task("t");
    bench_task("u");
    bench_catalog();
}

void bench_close(void)
{
    engine_destroy(bench.engine);
    catalog_destroy(bench.catalog);
    bench.store->ops->close(bench.store);
    for (uint32_t i = 0; i < schema_count; i++)
        schema_file_destroy(schemas[i]);
    arena_finish(&commands_memory);
    arena_finish(&memory);
    segment_count = schema_count = 0;
}

void advance(int64_t ms)
{
    bench.now_ms += ms;
    add(COMMAND_KIND_COUNT); /* no command at all: what is due is decided */
    command_count = 0;
    cr_assert(commit(), "%s", bench.err.text);
}

/* ---- batches ------------------------------------------------------------------------------
 */

struct command *add(enum command_kind kind)
{
    if (is_committed) {
        command_count = 0;
        is_committed = false;
        arena_reset(&commands_memory);
    }
    cr_assert_lt(command_count, COMMANDS_MAX);
    struct command *command = &commands[command_count++];
    *command = (struct command){ .kind = kind, .arena = &commands_memory };
    return command;
}

/* What a slot would get: the bytes, decoded. */
static void assignment_keep(struct assignment *assignment)
{
    struct slice bytes = arena_copy(&memory, buffer_view(&assignment->bytes));
    struct frame frame;
    struct err err;
    size_t used;

    cr_assert(frame_read(&memory, bytes, bytes.size, &frame, &used, &err), "%s", err.text);
    cr_assert_eq(used, bytes.size);
    cr_assert_eq(frame.segment.run_id, assignment->run_id);
    cr_assert_eq(frame.segment.seq, assignment->seq);
    buffer_finish(&assignment->bytes);
    bench.assignments++;
    bench.starts++;
    cr_assert_lt(segment_count, SEGMENTS_MAX);
    segments[segment_count] = ARENA_NEW(&memory, struct frame_segment);
    *segments[segment_count++] = frame.segment;
}

bool bench_batch(uint32_t count, bool *again)
{
    static struct command *pointers[COMMANDS_MAX];
    struct arena arena = { 0 };
    struct outcome outcome;

    for (uint32_t i = 0; i < count; i++)
        pointers[i] = &commands[i];
    struct store_batch batch = { .store = bench.store,
                                 .engine = bench.engine,
                                 .arena = &arena,
                                 .now = { bench.now_ms, bench.now_ms + bench.lag_ms },
                                 .look_for_due = bench.look_for_due,
                                 .commands = pointers,
                                 .count = count };
    bool ok = store_batch_run(&batch, &outcome, NULL, &bench.err);
    for (uint32_t i = 0; i < count; i++)
        if (commands[i].kind == COMMAND_CATALOG)
            catalog_destroy(commands[i].catalog.previous);
    for (struct assignment *a = outcome.assignments; a != NULL; a = a->next)
        assignment_keep(a);
    for (struct event *event = outcome.events; event != NULL; event = event->next)
        if (bench.event_count < EVENTS_MAX)
            bench.events[bench.event_count++] = *event;
    bench.wake_ms = outcome.wake_ms;
    *again = outcome.again;
    bench.batches++;
    arena_finish(&arena);
    return ok;
}

bool commit(void)
{
    uint32_t count = is_committed ? 0 : command_count;
    bool again, ok;

    is_committed = true;
    bench.event_count = 0;
    bench.assignments = 0;
    bench.batches = 0;
    ok = bench_batch(count, &again);
    while (ok && again) {
        cr_assert_lt(bench.batches, AGAIN_MAX, "the engine asks for batches without end");
        ok = bench_batch(0, &again);
    }
    return ok;
}

static void must_commit(void)
{
    cr_assert(commit(), "%s", bench.err.text);
    for (uint32_t i = 0; i < command_count; i++)
        cr_assert_eq(commands[i].err.code, ERR_OK, "%s", commands[i].err.text);
}

/* ---- clients ------------------------------------------------------------------------------
 */

struct command *add_trigger(const char *task)
{
    struct command *command = add(COMMAND_TRIGGER);

    command->trigger = (struct trigger){ .environment = DEV, .task = slice_of(task) };
    return command;
}

int64_t trigger(const char *task)
{
    struct command *command = add_trigger(task);

    must_commit();
    return command->trigger.run_id;
}

struct command *add_keyed(const char *queue, const char *key)
{
    struct command *command = add_trigger("t");

    command->trigger.queue = slice_of(queue);
    command->trigger.concurrency_key = slice_of(key);
    return command;
}

int64_t keyed(const char *queue, const char *key)
{
    struct command *command = add_keyed(queue, key);

    must_commit();
    return command->trigger.run_id;
}

int64_t start(const char *task)
{
    int64_t run = trigger(task);

    cr_assert_eq(run_of(run)->status, RUN_RUNNING);
    return run;
}

struct command *cancel(int64_t run)
{
    struct command *command = add(COMMAND_CANCEL);

    command->cancel = (struct cancel){ .environment = DEV, .id = run };
    cr_assert(commit());
    return command;
}

void pause(const char *queue, bool paused)
{
    struct command *command = add(COMMAND_QUEUE_PAUSE);

    command->queue_pause =
        (struct pause_order){ .environment = DEV, .name = slice_of(queue), .paused = paused };
    must_commit();
}

struct command *add_token(int64_t run, uint32_t call)
{
    struct command *command = add(COMMAND_TOKEN_CREATE);

    command->token_create = (struct token_create){ .environment = DEV };
    if (run != 0) {
        command->token_create.run_id = run;
        command->token_create.run_seq = segment(run)->seq;
        command->token_create.id = segment(run)->id_block + call;
        command->token_create.is_rerun = segment(run)->is_rerun;
    }
    return command;
}

int64_t make_token(int64_t run, uint32_t call, int64_t due_ms)
{
    struct command *command = add_token(run, call);

    command->token_create.due_ms = due_ms;
    must_commit();
    return command->token_create.token_id;
}

struct command *add_child(int64_t run, uint32_t call, const char *task)
{
    struct command *command = add_trigger(task);

    command->trigger.parent_id = run;
    command->trigger.parent_seq = segment(run)->seq;
    command->trigger.id = segment(run)->id_block + call;
    command->trigger.is_rerun = segment(run)->is_rerun;
    command->trigger.unchecked = true;
    return command;
}

int64_t make_child(int64_t run, uint32_t call, const char *task)
{
    struct command *command = add_child(run, call, task);

    must_commit();
    return command->trigger.run_id;
}

struct command *complete(int64_t token, const char *packed)
{
    struct command *command = add(COMMAND_TOKEN_COMPLETE);

    command->token_complete =
        (struct token_complete){ .environment = DEV, .id = token, .data = slice_of(packed) };
    cr_assert(commit(), "%s", bench.err.text);
    return command;
}

struct command *time_out(int64_t token)
{
    struct command *command = add(COMMAND_TOKEN_TIMEOUT);

    command->token_complete = (struct token_complete){ .environment = DEV, .id = token };
    cr_assert(commit(), "%s", bench.err.text);
    return command;
}

/* ---- slots --------------------------------------------------------------------------------
 */

const struct frame_segment *segment(int64_t run)
{
    for (uint32_t i = segment_count; i > 0; i--)
        if (segments[i - 1]->run_id == run)
            return segments[i - 1];
    cr_assert_fail("the run was never given to a slot");
    abort();
}

struct command *add_end(int64_t run, enum verdict verdict)
{
    struct command *command = add(COMMAND_SEGMENT_END);
    struct frame_end *end = ARENA_NEW(&commands_memory, struct frame_end);

    end->run_id = run;
    end->seq = segment(run)->seq;
    end->verdict = verdict;
    command->segment_end =
        (struct segment_end){ .run_id = run, .seq = end->seq, .end = end, .busy_us = 500 };
    return command;
}

void end_done(int64_t run)
{
    add_end(run, VERDICT_DONE)->segment_end.end->output = SLICE("\x07");
    must_commit();
}

void end_fail(int64_t run, bool retryable)
{
    struct frame_end *end = add_end(run, VERDICT_FAIL)->segment_end.end;

    end->error_code = SLICE("CARD_DECLINED");
    end->error_text = SLICE("no money");
    end->retryable = retryable;
    must_commit();
}

struct command *add_wait(int64_t run, enum wait_kind kind, const int64_t *ids, uint32_t count)
{
    struct command *command = add_end(run, VERDICT_WAIT);
    struct frame_end *end = command->segment_end.end;

    end->wait_kind = kind;
    end->then = SLICE("next");
    end->state = SLICE("\x81\xa1n\x05");
    end->id_count = count;
    end->ids = ARENA_ARRAY(&commands_memory, int64_t, count + 1);
    for (uint32_t i = 0; i < count; i++)
        end->ids[i] = ids[i];
    return command;
}

void wait_time(int64_t run, int64_t due_ms)
{
    add_wait(run, WAIT_FOR_TIME, NULL, 0)->segment_end.end->due_ms = due_ms;
    must_commit();
}

void wait_for(int64_t run, enum wait_kind kind, const int64_t *ids, uint32_t count,
              uint32_t needed, int64_t due_ms)
{
    struct frame_end *end = add_wait(run, kind, ids, count)->segment_end.end;

    end->needed = needed;
    end->due_ms = due_ms;
    must_commit();
}

struct command *lose(int64_t run, enum loss loss)
{
    struct command *command = add(COMMAND_ATTEMPT_LOST);

    command->segment_end = (struct segment_end){ .run_id = run,
                                                 .seq = segment(run)->seq,
                                                 .loss = loss,
                                                 .error_name = SLICE("SIGSEGV"),
                                                 .error_text = SLICE("it crashed"),
                                                 .stack = SLICE("start at t.c:1"),
                                                 .busy_us = 500 };
    cr_assert(commit(), "%s", bench.err.text);
    return command;
}

struct command *release(int64_t run)
{
    struct command *command = add(COMMAND_RELEASE);

    command->segment_end = (struct segment_end){ .run_id = run, .seq = segment(run)->seq };
    cr_assert(commit(), "%s", bench.err.text);
    return command;
}
