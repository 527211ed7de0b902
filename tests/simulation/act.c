/* The world outside: clients, operators, the clock. */
#include "act.h"

#include "base/table.h"
#include "batches.h"
#include "endings.h"
#include "engine/key.h"
#include "waits.h"

#include <stdlib.h>
#include <string.h>

static const char *const task_names[] = { "alpha", "beta", "gamma", "unknown" };
const char *const act_queues[ACT_QUEUES] = { "fast", "east", "slow", "narrow", "many", "new" };
static const char *const keys[] = { "k0", "k1", "k2", "k3" };
static const char *const lanes[] = { "east", "west", "k0", "x", "y", "z" };

static const struct slice payloads[] = { { "\x81\xa1n\x01", 4 },
                                         { "\x81\xa1n\x02", 4 },
                                         { "", 0 } };

/* A client names some run as the parent. */
static void parent_say(struct world *world, struct trigger *trigger)
{
    uint32_t count = store_memory_count(world->memory, ROW_RUN);

    if (count == 0)
        return;
    const struct run *run =
        store_memory_run(world->memory, (uint32_t)world_random(world, count));
    trigger->parent_id = run->id;
    trigger->is_outside = trigger->key_global = true;
    trigger->on_parent_end = (uint32_t)world_random(world, 4);
    if (world_chance(world, 90))
        trigger->environment = run->environment;
}

static void act_trigger(struct world *world)
{
    struct command *command = world_command(world, COMMAND_TRIGGER);

    if (command == NULL || world->run_count + BATCH_MAX >= KNOWN_MAX)
        return;
    struct trigger *trigger = &command->trigger;
    trigger->environment = 1 + (uint32_t)world_random(world, ENVIRONMENTS);
    trigger->task = slice_of(task_names[world_random(world, world_chance(world, 3) ? 4 : 3)]);
    trigger->payload = payloads[world_random(world, 3)];
    if (world_chance(world, 20))
        trigger->max_attempts = 1 + (uint32_t)world_random(world, 5);
    if (world_chance(world, 10))
        trigger->limit_ms = moment_any(world_random(world, 1 << 30), 0);
    if (world_chance(world, 20))
        trigger->tags = SLICE("\x92\xa1"
                              "a\xa1"
                              "b");
    if (world_chance(world, 10))
        trigger->note = SLICE("again");
    trigger->is_test = world_chance(world, 10);
    if (world_chance(world, 40))
        trigger->queue = slice_of(act_queues[world_random(world, ACT_QUEUES)]);
    if (world_chance(world, 40))
        trigger->concurrency_key =
            slice_of(lanes[world_random(world, sizeof lanes / sizeof lanes[0])]);
    if (world_chance(world, 15))
        trigger->due_ms = moment_any(world_random(world, 1 << 30), world->now_ms);
    if (world_chance(world, 15))
        trigger->delay_ms = moment_any(world_random(world, 1 << 30), 0);
    if (world_chance(world, 10))
        trigger->ttl_ms = moment_any(world_random(world, 1 << 30), 0);
    if (world_chance(world, 30))
        trigger->priority_ms = moment_any(world_random(world, 1 << 30), -10000);
    trigger->has_ttl = trigger->ttl_ms != 0 || world_chance(world, 10);
    trigger->has_priority = trigger->priority_ms != 0 || world_chance(world, 10);
    if (world_chance(world, 3))
        parent_say(world, trigger);
    else if (world_chance(world, 20))
        save_point_say(world, trigger);
    if (world_chance(world, 25))
        trigger->key = slice_of(keys[world_random(world, 4)]);
    if (world_chance(world, 40))
        trigger->key_ttl_ms = moment_any(world_random(world, 1 << 30), 0);
    if (world_chance(world, 20))
        trigger->reuse = REUSE_SAID | (uint32_t)world_random(world, REUSE_SAID);
    if (world_chance(world, 15))
        trigger->cost = 1 + (uint32_t)world_random(world, 3);
    if (world_chance(world, 10))
        trigger->request_key =
            arena_format(&world->arena, "r%u", (unsigned)world_random(world, 50));
    if (world_chance(world, 10))
        trigger->max_attempts_total = 1 + (uint32_t)world_random(world, 8);
    total_say(world, trigger);
    debounce_say(world, trigger);
    collect_say(world, trigger);
}

/* Of a client's key, or of one that a segment gave. */
static void act_key_reset(struct world *world)
{
    struct command *command = world_command(world, COMMAND_KEY_RESET);
    uint32_t count = store_memory_count(world->memory, ROW_RUN);

    if (command == NULL)
        return;
    struct key_reset *reset = &command->key_reset;
    reset->environment = 1 + (uint32_t)world_random(world, ENVIRONMENTS);
    reset->task = slice_of(task_names[world_random(world, 3)]);
    reset->key = slice_of(keys[world_random(world, 4)]);
    if (count == 0 || !world_chance(world, 50))
        return;
    const struct run *run =
        store_memory_run(world->memory, (uint32_t)world_random(world, count));
    if (run->schedule != 0)
        return; /* a tick's key is the schedule's */
    reset->environment = run->environment;
    if (world_chance(world, 30)) {
        *reset = (struct key_reset){ .environment = run->environment,
                                     .kind = KEY_WAIT,
                                     .key = slice_of(world_chance(world, 50) ? "w1" : "w2"),
                                     .owner = world_chance(world, 80) ? run->id : 0 };
        return;
    }
    reset->task = arena_copy(&world->arena, run->task);
    reset->key =
        run->parent_id != 0 ? SLICE("child") : arena_copy(&world->arena, run->key_text);
    reset->owner = world_chance(world, 50) ? run->parent_id : 0;
}

static void act_token(struct world *world)
{
    struct command *command = world_command(world, COMMAND_TOKEN_CREATE);

    if (command == NULL)
        return;
    struct token_create *create = &command->token_create;
    create->environment = 1 + (uint32_t)world_random(world, ENVIRONMENTS);
    if (world_chance(world, 40))
        create->timeout_ms = moment_any(world_random(world, 1 << 30), 0);
    if (world_chance(world, 20))
        create->due_ms = moment_any(world_random(world, 1 << 30), world->now_ms);
    if (world_chance(world, 40))
        create->key = slice_of(keys[world_random(world, 4)]);
    if (world_chance(world, 40))
        create->key_ttl_ms = moment_any(world_random(world, 1 << 30), 0);
}

static int64_t some_token(struct world *world)
{
    uint32_t count = store_memory_count(world->memory, ROW_WAITPOINT);
    uint32_t which = count == 0 ? 0 : (uint32_t)world_random(world, count);

    return count == 0 ? id_floor(world->now_ms) /* nobody's */
                      : store_memory_waitpoint(world->memory, which)->id;
}

void act_complete(struct world *world, int64_t id)
{
    struct command *command = world_command(
        world, world_chance(world, 10) ? COMMAND_TOKEN_TIMEOUT : COMMAND_TOKEN_COMPLETE);

    const struct waitpoint *token = store_memory_token(world->memory, id);
    if (command == NULL)
        return;
    command->token_complete.environment =
        token == NULL || token->environment == 0 ? 1 : token->environment;
    if (world_chance(world, 5) && !world->drains)
        command->token_complete.environment ^= 3; /* the other one: it has no such token */
    command->token_complete.id = id;
    command->token_complete.data =
        arena_format(&world->arena, "%c", (int)world_random(world, 127));
}

void act_cancel(struct world *world, const struct run *run)
{
    struct command *command = world_command(world, COMMAND_CANCEL);

    if (command == NULL)
        return;
    command->cancel.environment = run->environment;
    command->cancel.id = run->id;
    if (world_chance(world, 50))
        command->cancel.reason = SLICE("it is not wanted any more");
    if (world_chance(world, 5) && !world->drains)
        command->cancel.environment ^= 3; /* the other one: it has no such run */
}

static void act_cancel_some(struct world *world)
{
    uint32_t count = store_memory_count(world->memory, ROW_RUN);
    const struct run *run = NULL;

    if (count == 0)
        return;
    for (int tries = 0; tries < 5 && (run == NULL || run->status == RUN_DONE); tries++)
        run = store_memory_run(world->memory, (uint32_t)world_random(world, count));
    if (world->held_count > 0 && world_chance(world, 50))
        run = store_memory_find(world->memory,
                                world->held[world_random(world, world->held_count)].run_id);
    act_cancel(world, run);
}

static void pause_say(struct world *world, struct pause_order *order)
{
    order->paused = world_chance(world, 40);
    if (world_chance(world, 30))
        order->ramp_ms = 1 + (int64_t)world_random(world, 20000);
    if (!order->paused)
        return;
    order->freezes = (enum pause_say)world_random(world, 3);
    order->refuses =
        world_chance(world, 20) ? PAUSE_YES : (enum pause_say)world_random(world, 2);
    if (world_chance(world, 20))
        order->until_span_ms = 1 + (int64_t)world_random(world, 5000);
    else if (world_chance(world, 20))
        order->until_date_ms = world->now_ms + (int64_t)world_random(world, 5000);
}

static void act_pause(struct world *world)
{
    struct command *command = world_command(world, COMMAND_QUEUE_PAUSE);

    if (command == NULL)
        return;
    command->queue_pause.environment = 1 + (uint32_t)world_random(world, ENVIRONMENTS);
    command->queue_pause.name = slice_of(act_queues[world_random(world, ACT_QUEUES)]);
    pause_say(world, &command->queue_pause);
}

static void act_limit(struct world *world)
{
    struct command *command = world_command(world, COMMAND_QUEUE_LIMIT);

    if (command == NULL)
        return;
    command->queue_limit.environment = 1 + (uint32_t)world_random(world, ENVIRONMENTS);
    command->queue_limit.name = slice_of(act_queues[world_random(world, ACT_QUEUES)]);
    command->queue_limit.is_reset = world_chance(world, 40);
    command->queue_limit.limit = (uint32_t)world_random(world, 5);
    if (world_chance(world, 40))
        rates_say(world, &command->queue_limit);
    command->queue_limit.by = world_chance(world, 50) ? SLICE("ann") : (struct slice){ 0 };
}

static void act_pause_environment(struct world *world)
{
    static const char *const reasons[] = { "the database moves", "it is slow", "" };
    struct command *command = world_command(world, COMMAND_ENVIRONMENT_PAUSE);

    if (command == NULL)
        return;
    command->environment_pause.environment = 1 + (uint32_t)world_random(world, ENVIRONMENTS);
    pause_say(world, &command->environment_pause);
    command->environment_pause.why = slice_of(reasons[world_random(world, 3)]);
}

static void act_speed(struct world *world)
{
    struct command *command = world_command(world, COMMAND_SPEED);

    if (command == NULL)
        return;
    command->speed.task = slice_of(task_names[world_random(world, 3)]);
    command->speed.is_short = world_chance(world, 50);
}

static bool catalog_is_coming(const struct world *world)
{
    for (uint32_t i = 0; i < world->command_count; i++)
        if (world->commands[i].kind == COMMAND_CATALOG)
            return true;
    return false;
}

static void act_redeploy(struct world *world)
{
    if (catalog_is_coming(world))
        return; /* one at a time, as the host does */
    world->available[world_random(world, TASKS)] = world_chance(world, 70);
    hosts_limit(world);
    world->builds += world_chance(world, 30);
    world_catalog(world);
}

void act_follow(struct world *world)
{
    if (world->limits_made != world->limits_version && !catalog_is_coming(world))
        world_catalog(world);
}

/* Once; or again and again, as if something that it runs were the cause. */
static void act_crash(struct world *world)
{
    for (uint64_t left = world_chance(world, 30) ? 7 : 1; left > 0; left--) {
        world_crash(world);
        world_batch(world);
        world_pass(world, (int64_t)world_random(world, 12000));
        world_batch(world);
    }
}

void act_step(struct world *world)
{
    host_any(world);
    uint64_t dice = world_random(world, 1000);

    if (dice < 15)
        act_batch(world);
    else if (dice < 234)
        act_trigger(world);
    else if (dice < 240)
        act_bulk(world);
    else if (dice < 250)
        act_token(world);
    else if (dice < 650)
        slots_step(world);
    else if (dice < 772)
        act_complete(world, some_token(world));
    else if (dice < 774)
        act_token(world);
    else if (dice < 788)
        hands_step(world);
    else if (dice < 790)
        messages_some(world);
    else if (dice < 792)
        edits_step(world);
    else if (dice < 800)
        act_cancel_some(world);
    else if (dice < 820)
        (world_chance(world, 50)   ? act_pause
         : world_chance(world, 50) ? act_limit
                                   : act_pause_environment)(world);
    else if (dice < 830)
        act_redeploy(world);
    else if (dice < 836)
        act_speed(world);
    else if (dice < 840)
        act_key_reset(world);
    else if (dice < 858)
        schedules_step(world);
    else if (dice < 940)
        world_pass(world, (int64_t)world_random(world, 800));
    else if (dice < 943)
        act_crash(world);
    else if (dice < 945)
        host_cut(world);
    else if (dice < 950) /* an hour either way */
        world_set_clock(world, (int64_t)world_random(world, 7200000) - 3600000);
    else
        world_batch(world);
    if (world->command_count >= BATCH_MAX - 2)
        world_batch(world);
}

static void won_remember(struct world *world, const struct token_complete *complete)
{
    struct known_token *known = known_token(world, complete->id, true);

    if (known != NULL && complete->won && ++known->wins > 1)
        world_flaw(world, "token %lld was won twice", (long long)complete->id);
}

void act_reply(struct world *world, struct command *command)
{
    if (command->err.code != ERR_OK)
        return;
    if (command->kind == COMMAND_BATCH_SEND)
        batch_reply(world, command);
    if (command->kind == COMMAND_TRIGGER) {
        if (store_memory_find(world->memory, command->trigger.run_id) == NULL) {
            const struct known_run *known = known_run(world, command->trigger.run_id, false);
            /* A key outlives its run, and so does what was made by it; whoever made that run
             * may not have heard of it. */
            if (command->trigger.is_new || (known == NULL && !command->trigger.cached) ||
                (known != NULL && !known->is_done))
                world_flaw(world, "run %lld was acknowledged and is not there",
                           (long long)command->trigger.run_id);
            return;
        }
        (void)known_run(world, command->trigger.run_id, true); /* remembered from now on */
        if (command->trigger.parent_id == 0)
            collect_reply(world, &command->trigger);
    } else if (command->kind == COMMAND_TOKEN_CREATE) {
        (void)known_token(world, command->token_create.token_id, true); /* the same */
    } else if (command->kind == COMMAND_TOKEN_COMPLETE ||
               command->kind == COMMAND_TOKEN_TIMEOUT || command->kind == COMMAND_TOKEN_CLOSE) {
        won_remember(world, &command->token_complete);
    }
}
