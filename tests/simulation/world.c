#include "base/memory.h"
#include "batches.h"
#include "codec/pack.h"
#include "engine/nodes.h"
#include "keep.h"
#include "model.h"
#include "store/timers.h"
#include "twin.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const task_names[TASKS] = { "alpha", "beta", "gamma" };
static const char *const queue_names[QUEUES] = { "fast", "slow", "narrow", "many" };
static struct slice segments[] = { { "start", 5 }, { "next", 4 }, { "last", 4 } };
static const uint32_t environments[ENVIRONMENTS] = { 1, 2 };
static const char *const environment_names[ENVIRONMENTS] = { "dev", "prod" };

uint64_t world_random(struct world *world, uint64_t below)
{
    uint64_t x = world->random;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    world->random = x;
    return below == 0 ? 0 : (x * UINT64_C(2685821657736338717) >> 11) % below;
}

bool world_chance(struct world *world, unsigned percent)
{
    return world_random(world, 100) < percent;
}

void world_flaw(struct world *world, const char *format, ...)
{
    va_list arguments;

    if (world->flaw[0] != '\0')
        return; /* the first one is the cause */
    va_start(arguments, format);
    (void)vsnprintf(world->flaw, sizeof world->flaw, format, arguments); /* cut is fine */
    va_end(arguments);
}

void world_fail(struct world *world, int calls)
{
    if (world->is_sqlite)
        twin_fail(world->store, calls);
    else
        store_memory_fail(world->store, calls);
}

void world_pass(struct world *world, int64_t ms)
{
    /* Nodes look now and then; at the end no faster than they can renew their leases. */
    int64_t most = host_is_alone(world) ? ms : world->drains ? 4000 : NODE_POLL_MS;

    for (int64_t step; ms > 0; ms -= step) {
        step = ms < most ? ms : most;
        world->now_ms += step;
        world->steady_ms += step;
        hosts_pass(world);
    }
}

void world_set_clock(struct world *world, int64_t step_ms)
{
    world->now_ms += step_ms;
    world->steady_ms = world->now_ms > world->steady_ms ? world->now_ms : world->steady_ms;
}

int64_t moment_any(uint64_t dice, int64_t from_ms)
{
    static const int64_t odd[] = {
        INT64_MIN,       INT64_MIN + 1,       -1000000000000000000, -1,       1,
        253402300799999, 1000000000000000000, INT64_MAX - 1,        INT64_MAX
    };

    if (dice % 8 == 0)
        return odd[dice / 8 % (sizeof odd / sizeof odd[0])];
    if (dice % 8 == 1)
        return 0;
    return from_ms + (int64_t)(dice / 8 % 20000) - (dice % 8 == 2 ? 20000 : 0);
}

static void on_twin_flaw(void *context, const char *text)
{
    world_flaw(context, "%s", text);
}

/* What the file says of each queue, but for limits. */
static const struct queue_rules said[QUEUES] = {
    { .reuse = REUSE_SAID | REUSE_FAILED },
    { .ttl_ms = 8000,
      .total_ms = 30000,
      .priority.number = 3,
      .max_queued = 4,
      .on_full = FULL_DROP_OLDEST },
    { .max_queued = 6,
      .retry = { .attempts = 2, .min_ms = 50, .max_ms = 400, .factor = 3 },
      .retry_of[RETRY_UPSTREAM] = { .attempts = 5, .min_ms = 500, .max_ms = 500, .factor = 1 },
      .retry_total = 4,
      .on_exhausted = EXHAUSTED_DEAD_LETTER },
    { .collect = { COLLECT_MOST, COLLECT_MS } },
};

const struct queue_rules *world_rules(struct slice queue)
{
    static const struct queue_rules none;

    for (int i = 0; i < QUEUES; i++)
        if (slice_is(queue, queue_names[i]))
            return &said[i];
    return &none;
}

bool world_priority(struct slice queue, struct slice payload, int64_t *priority_ms)
{
    *priority_ms = (int64_t)world_rules(queue)->priority.number * 1000;
    if (!slice_is(queue, queue_names[0]))
        return true;
    /* payload.n * 2 + 1: of {n: 1}, {n: 2} or nothing. */
    *priority_ms = payload.size == 4 ? payload.data[3] * 2000 + 1000 : 0;
    return payload.size == 4;
}

static struct queue_rules rules_make(struct world *world, struct catalog *catalog, uint32_t i)
{
    struct queue_rules rules = said[i];
    struct expression_flaw flaw;

    rules.on_conflict = i == 3 ? CONFLICT_QUEUE : world->on_conflict;
    rules.concurrency = i == 2 ? 1 : world->queue_limit;
    rules.per_key = i == 0 ? world->key_limit : 0;
    rules.total = i == 1 ? world->total_limit : 0;
    rates_rules(world, &catalog->arena, i, &rules);
    if (i == 0)
        rules.priority.expression = expression_compile(
            &catalog->arena, SLICE("payload.n * 2 + 1"), EXPRESSION_NUMBER, &flaw);
    if (i < POOL_QUEUES)
        pools_rules(world, catalog, i, &rules);
    if (i == 0)
        fair_rules(world, &catalog->arena, &rules);
    return rules;
}

static struct catalog *catalog_make(struct world *world)
{
    static const uint32_t exhausted[TASKS] = { EXHAUSTED_PAUSE, EXHAUSTED_DEAD_LETTER };
    static const struct retry_rule timeouts[] = { { 0 }, { 5, 200, 1000, 2 } };
    struct catalog *catalog = catalog_create();

    catalog->tasks = ARENA_ARRAY(&catalog->arena, struct catalog_task, TASKS + 1);
    for (uint32_t i = 0; i < TASKS; i++) {
        catalog->tasks[catalog->task_count++] = (struct catalog_task){
            .id = slice_of(task_names[i]),
            .available = world->available[i],
            .reason = SLICE("taken away"),
            .version = SLICE("1.0.0"),
            .build = arena_format(&catalog->arena, "%016x", world->builds),
            .segments = segments,
            .segment_count = 3,
            .max_attempts = 3,
            .retry_min_ms = i == 0 ? 0 : 100,
            .retry_max_ms = i == 1 ? 150 : 5000,
            .retry_factor = 2,
            .retry_from = i == 2 ? RETRY_FROM_START : RETRY_FROM_SEGMENT,
            .max_attempts_total = i == 0 ? 6 : 0,
            .on_exhausted = exhausted[i],
            .retry_of[RETRY_CRASH].attempts = i == 1 ? 1 : 0,
            .retry_of[RETRY_TIMEOUT] = timeouts[i == 0],
            .children = i == 1 ? CHILDREN_WAIT : CHILDREN_UNSAID,
            .limit_ms = 1000,
        };
    }
    pools_offer(world, catalog);
    endings_offer(world, catalog);
    catalog->queues = ARENA_ARRAY(&catalog->arena, struct catalog_queue, QUEUES);
    for (uint32_t i = 0; i < QUEUES; i++)
        catalog->queues[catalog->queue_count++] =
            (struct catalog_queue){ slice_of(queue_names[i]), rules_make(world, catalog, i) };
    catalog->queue_limit = world->queue_limit;
    catalog->limits = (struct config_limits){ .payload_bytes = 1 << 20,
                                              .state_bytes = 1 << 20,
                                              .output_bytes = 1 << 20,
                                              .metadata_bytes = 1 << 16,
                                              .token_bytes = 1 << 20,
                                              .log_lines = 20,
                                              .log_line_bytes = 200,
                                              .queues = 100,
                                              .idle_queue_ms = 20000,
                                              .waits = 100,
                                              .batch_items = 8,
                                              .batch_open_ms = 3000,
                                              .depth = 3,
                                              .mailbox = world->drains ? 1000 : 4,
                                              .mailbox_bytes = world->drains ? 100000 : 200,
                                              .max_attempts = 100,
                                              .calls = 60,
                                              .steps = world->queue_limit };
    keep_offer(world, catalog);
    world->beta = (struct catalog_retention){ slice_of(task_names[1]), world->beta_retention };
    catalog->retention = world->retention;
    catalog->task_retentions = &world->beta;
    catalog->task_retention_count = 1;
    /* Segments take any time here, and many nodes sleep for long at the end. */
    catalog->early_ms = INT64_C(86400000) * (host_is_alone(world) ? 10 : 10000);
    catalog->slots = world->slots;
    catalog->lanes = catalog->early_lanes = world->lanes;
    catalog->environments = environments;
    catalog->environment_names = environment_names;
    struct config_burst *bursts =
        ARENA_ARRAY(&catalog->arena, struct config_burst, ENVIRONMENTS);
    memcpy(bursts, world->bursts, sizeof world->bursts);
    catalog->environment_limits = bursts;
    catalog->environment_count = ENVIRONMENTS;
    catalog_sort(catalog);
    return catalog;
}

struct command *world_command(struct world *world, enum command_kind kind)
{
    if (world->command_count == BATCH_MAX)
        return NULL;
    struct command *command = &world->commands[world->command_count++];
    *command = (struct command){ .kind = kind, .arena = &world->arena };
    return command;
}

void world_catalog(struct world *world)
{
    struct command *command = world_command(world, COMMAND_CATALOG);

    if (command == NULL)
        return;
    command->catalog.next = catalog_make(world);
    world->limits_made = world->limits_version;
    world->catalog = command->catalog.next;
}

static void prune_begin(struct world *world)
{
    world->prune = (struct command){ .kind = COMMAND_PRUNE, .prune = { .kind = ROW_RUN } };
}

/* As store/pruner.c, in small steps. */
static void prune_go_on(struct world *world)
{
    struct prune *prune = &world->prune.prune;

    if (world->prune.err.code != ERR_OK)
        return;
    world->pruned += prune->pruned.runs.count + prune->pruned.tokens.count;
    prune->after = prune->is_end ? 0 : prune->last;
    prune->kind = prune->is_end ? kind_after(prune->kind) : prune->kind;
}

/* Nothing, or from a moment to a minute. */
static struct config_retention retention_any(struct world *world)
{
    static const int64_t spans[] = { 0, 1, 1500, 10000, 60000, RETENTION_FOREVER };
    struct config_retention retention;

    for (int kind = 0; kind < RETAIN_KINDS; kind++)
        retention.span_ms[kind] = spans[world_random(world, sizeof spans / sizeof spans[0])];
    return retention;
}

/* The process starts: an engine without memory, and the rows that were committed. As
 * recover() in store/pump.c. */
void world_start(struct world *world)
{
    const struct store_ops *ops = world->store->ops;
    struct arena arena = { 0 };
    struct ids backlog = { 0 };
    struct command command = { .kind = COMMAND_RECOVER,
                               .arena = &arena,
                               .is_clean = world_chance(world, 30) };
    struct command *commands[] = { &command };
    struct outcome outcome;
    struct err err = { 0 };
    int64_t last = 0;

    world_fail(world, 0);
    world->held_count = 0;
    memset(world->passed_by, 0, sizeof world->passed_by);
    if (host_is_alone(world)) {
        if (world->steady_ms != world->now_ms)
            rates_forget(world);
        world->steady_ms = world->now_ms; /* what was set back before it died is not known */
    }
    world->next_due = (struct moment){ 1, 1 };
    prune_begin(world);
    id_source_init(world->ids, world->seed + world->crashes + world->last_epoch + 1);
    world->engine = engine_create(world->ids);
    schedules_zones(world->engine);
    if (!host_is_alone(world)) {
        /* What another had is taken over when its lease is over. */
        world->number = host_number(world);
        world->epoch = ++world->last_epoch;
        world->has_joined = false;
        id_source_node(world->ids, world->number);
        if (!ops->last_id(world->store, &last, &err))
            world_flaw(world, "the start failed: %s", err.text);
        id_source_skip(world->ids, last);
        engine_node(world->engine, world->number, world->epoch);
        world_catalog(world);
        return;
    }
    if (!ops->last_id(world->store, &last, &err) ||
        !ops->backlog(world->store, &arena, &backlog, &err) ||
        !ops->running(world->store, &arena, &command.recover, &err))
        world_flaw(world, "the start failed: %s", err.text);
    id_source_skip(world->ids, last);
    engine_backlog(world->engine, &backlog);
    struct store_batch batch = { .store = world->store,
                                 .engine = world->engine,
                                 .arena = &arena,
                                 .now = { world->now_ms, world->steady_ms },
                                 .commands = commands,
                                 .count = 1 };
    if (!store_batch_run(&batch, &outcome, NULL, &err))
        world_flaw(world, "recovery failed: %s", err.text);
    else if (host_is_alone(world))
        model_batch(world, &batch, &outcome, true);
    arena_finish(&arena);
    world_catalog(world);
}

void world_open(struct world *world, uint64_t seed, bool is_sqlite, uint32_t nodes,
                bool verbose)
{
    struct store *store;
    uint32_t number;
    struct err err;

    *world = (struct world){ .seed = seed,
                             .random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1,
                             .now_ms = INT64_C(1800000000000),
                             .queue_limit = 3,
                             .slots = SLOTS,
                             .is_sqlite = is_sqlite,
                             .verbose = verbose };
    world->model = model_create();
    world->retention = retention_any(world);
    world->beta_retention = retention_any(world);
    store = is_sqlite ? twin_create(world, on_twin_flaw) : store_memory_create();
    world->memory = is_sqlite ? twin_memory(store) : store;
    for (int i = 0; i < ENVIRONMENTS; i++)
        if (!store->ops->environment(store, environment_names[i], &number, &err) ||
            number != environments[i])
            world_flaw(world, "environment %s has another number", environment_names[i]);
    if (nodes == 1 && world_chance(world, 50)) /* with many none would wait for a second */
        world->lanes = 1 + (uint32_t)world_random(world, 6);
    rates_draw(world);
    pools_draw(world);
    world->weight = (uint32_t)world_random(world, 4);
    bursts_draw(world);
    if (world_chance(world, 40))
        world->on_conflict = (uint32_t)world_random(world, 4);
    if (nodes > 1) {
        world->slots = 1 + (uint32_t)world_random(world, SLOTS);
        world->queue_limit = 1 + (uint32_t)world_random(world, 4);
        world->key_limit = (uint32_t)world_random(world, 3);
        world->total_limit = (uint32_t)world_random(world, 5);
    }
    hosts_open(world, nodes, store);
}

void world_close(struct world *world)
{
    hosts_close(world);
    model_destroy(world->model);
    schedules_close(world);
    arena_finish(&world->arena);
}

/* The replies of all nodes are in it. */
static void commands_forget(struct world *world)
{
    world->command_count = 0;
    if (host_is_alone(world))
        arena_reset(&world->arena);
}

void world_crash(struct world *world)
{
    struct catalog *lent = world->catalog;

    /* Catalogs in commands that were never decided go with the process. */
    for (uint32_t i = 0; i < world->command_count; i++)
        if (world->commands[i].kind == COMMAND_CATALOG &&
            world->commands[i].catalog.next != lent)
            catalog_destroy(world->commands[i].catalog.next);
    /* So does the one in use, when its successor was not decided either. */
    union {
        const struct catalog *used;
        struct catalog *own;
    } catalog = { .used = engine_catalog(world->engine) };
    if (catalog.own != lent)
        catalog_destroy(catalog.own);
    commands_forget(world);
    engine_destroy(world->engine);
    world->crashes++;
    world->catalog = NULL;
    if (world->is_sqlite)
        twin_crash(world->store);
    world_start(world);
    catalog_destroy(lent);
}

static void world_publish(struct world *world, const struct outcome *outcome)
{
    for (uint32_t i = 0; i < world->command_count; i++) {
        struct command *command = &world->commands[i];
        if (command->kind == COMMAND_CATALOG)
            catalog_destroy(command->catalog.previous);
        slots_reply(world, command);
        act_reply(world, command);
    }
    for (struct event *event = outcome->events; event != NULL; event = event->next)
        slots_event(world, event);
    for (struct assignment *a = outcome->assignments; a != NULL; a = a->next)
        slots_assign(world, a);
}

void world_batch(struct world *world)
{
    struct command *commands[BATCH_MAX + 1];
    struct arena arena = { 0 };
    bool stays = true, prunes = world_chance(world, host_is_alone(world) ? 40 : 12);
    struct outcome outcome;
    struct err err = { 0 };

    uint64_t commits = host_is_alone(world) ? 0 : store_memory_commits(world->store);
    act_follow(world);
    for (uint32_t i = 0; i < world->command_count; i++)
        commands[i] = &world->commands[i];
    struct store_batch batch = { .store = world->store,
                                 .engine = world->engine,
                                 .arena = &arena,
                                 .now = { world->now_ms, world->steady_ms },
                                 .look_for_due = false,
                                 .commands = commands,
                                 .count = world->command_count };
    batch.look_for_due = moment_is_due(&world->next_due, &batch.now);
    if (prunes) {
        world->prune.prune.looks = 1 + (uint32_t)world_random(world, 200);
        world->prune.prune.most = 1 + (uint32_t)world_random(world, 8);
        commands[batch.count++] = &world->prune;
    }
    if (!world->drains && world_chance(world, 4))
        world_fail(world, 1 + (int)world_random(world, 6));
    bool ok = store_batch_run(&batch, &outcome, NULL, &err);
    world->batch_ms = batch.now.steady_ms; /* another may have come in between */
    world_fail(world, 0);
    world->batches++;
    world->failures += !ok;
    if (ok && prunes)
        prune_go_on(world);
    if (ok && !outcome.is_fenced && engine_catalog(world->engine) == world->catalog)
        world->limits_seen = world->limits_made;
    if (ok && !outcome.is_fenced)
        world->seen_ms = batch.now.steady_ms;
    if (ok)
        check_outcome(world, &outcome);
    if (host_is_alone(world))
        model_batch(world, &batch, &outcome, ok);
    if ((!ok && batch.look_for_due) || outcome.is_due_wrong)
        (void)timers_mend(world->store, &batch.now); /* the twin hears what it finds */
    if (!world->store->ops->next_due(world->store, &world->next_due, &err))
        world_flaw(world, "%s", err.text);
    if (ok)
        check_overdue(world, &batch.now);
    schedules_check(world, batch.now.wall_ms);
    /* Committed but not told: the plug is pulled before the replies go out. */
    if (ok && !host_is_alone(world) && store_memory_commits(world->store) != commits) {
        host_check(world, outcome.is_fenced);
        world->has_joined = true;
    }
    if (outcome.is_fenced || (!world->drains && world_chance(world, 3)))
        stays = false;
    else
        world_publish(world, &outcome);
    for (struct assignment *a = outcome.assignments; a != NULL; a = a->next)
        buffer_finish(&a->bytes);
    arena_finish(&arena);
    if (stays) {
        commands_forget(world);
    } else {
        for (uint32_t i = 0; i < world->command_count; i++)
            if (world->commands[i].kind == COMMAND_CATALOG)
                catalog_destroy(world->commands[i].catalog.previous);
        world->command_count = 0;
        world_crash(world);
    }
    check_rows(world);
}
