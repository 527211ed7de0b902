/* Somebody acts on schedules. */
#include "schedules.h"

#include "schedule/zones.h"
#include "world.h"

#include <stdlib.h>

static const char *const task_names[] = { "alpha", "beta", "gamma" };
static const char *const names[] = { "s0", "s1", "s2" };

enum { NAMES = sizeof names / sizeof names[0] };

/* Each fires at multiples of one time since 1970, so that anybody can say when. */
static const char *const crons[] = { "@every 1s",   "@every 2s",     "@every 3s",
                                     "* * * * * *", "*/2 * * * * *", "*/5 * * * * *",
                                     "* * * * *",   "0 * * * *" };

enum { CRONS = sizeof crons / sizeof crons[0] };

void schedules_close(struct world *world)
{
    for (uint32_t i = 0; i < world->schedules.count; i++)
        free(world->schedules.items[i].ticks);
    arena_finish(&world->schedules.arena);
}

void schedules_zones(struct engine *engine)
{
    static struct zones *zones;
    struct zone_source source;

    if (zones == NULL)
        zones = zones_create(NULL);
    source = zones_source(zones);
    engine_zones(engine, &source);
}

static struct slice rules_any(struct world *world)
{
    struct schedule_rules rules = schedule_rules_standard();

    rules.task = slice_of(task_names[world_random(world, 3)]);
    rules.cron = slice_of(crons[world_random(world, CRONS)]);
    if (world_chance(world, 30))
        rules.zone = SLICE("Europe/Berlin");
    rules.missed = (uint32_t)world_random(world, 3);
    rules.missed_max = 1 + (uint32_t)world_random(world, 6);
    rules.overlap = (uint32_t)world_random(world, 5);
    rules.overlap_max = 1 + (uint32_t)world_random(world, 3);
    rules.grace_ms = 1000 * (1 + (int64_t)world_random(world, 4));
    if (world_chance(world, 20))
        rules.spread_ms = 500;
    if (world_chance(world, 20))
        rules.jitter_ms = 500;
    if (world_chance(world, 20))
        rules.pause_after = 1 + (uint32_t)world_random(world, 3);
    if (world_chance(world, 20))
        rules.fires_max = 1 + (uint32_t)world_random(world, 5);
    return schedule_rules_pack(&world->arena, &rules);
}

static void act_put(struct world *world)
{
    struct command *command = world_command(world, COMMAND_SCHEDULE_PUT);

    if (command == NULL)
        return;
    command->schedule_put.environment = 1 + (uint32_t)world_random(world, ENVIRONMENTS);
    command->schedule_put.name = slice_of(names[world_random(world, NAMES)]);
    command->schedule_put.creates = true;
    command->schedule_put.rules = rules_any(world);
}

static void act_on(struct world *world, enum schedule_what what)
{
    struct command *command = world_command(world, COMMAND_SCHEDULE_ACT);

    if (command == NULL)
        return;
    command->schedule_act.environment = 1 + (uint32_t)world_random(world, ENVIRONMENTS);
    command->schedule_act.name = slice_of(names[world_random(world, NAMES)]);
    command->schedule_act.what = what;
    command->schedule_act.is_forced = world_chance(world, 30);
}

static void act_backfill(struct world *world)
{
    struct command *command = world_command(world, COMMAND_SCHEDULE_BACKFILL);

    if (command == NULL)
        return;
    struct schedule_backfill *ask = &command->schedule_backfill;
    ask->environment = 1 + (uint32_t)world_random(world, ENVIRONMENTS);
    ask->name = slice_of(names[world_random(world, NAMES)]);
    ask->stops = world_chance(world, 10);
    ask->is_dry = world_chance(world, 10);
    ask->until_ms = world->now_ms - (int64_t)world_random(world, 5000);
    ask->from_ms = ask->until_ms - (int64_t)world_random(world, 15000);
    ask->limit = (uint32_t)world_random(world, 4);
    world->schedules.was_stopped |= ask->stops;
}

void schedules_step(struct world *world)
{
    uint64_t dice = world_random(world, 100);

    if (world->run_count + 200 >= KNOWN_MAX)
        return;
    if (dice < 35)
        act_put(world);
    else if (dice < 43)
        act_on(world, SCHEDULE_PAUSE);
    else if (dice < 55)
        act_on(world, SCHEDULE_RESUME);
    else if (dice < 65)
        act_on(world, SCHEDULE_RUN);
    else if (dice < 68)
        act_on(world, SCHEDULE_DELETE);
    else if (dice < 80)
        act_backfill(world);
    else if (dice < 85)
        world_set_clock(world, (int64_t)world_random(world, 120000) - 60000);
    else
        world_pass(world, (int64_t)world_random(world, 15000));
}

void schedules_drain(struct world *world)
{
    for (size_t i = 0; i < (size_t)NAMES * ENVIRONMENTS; i++) {
        struct command *command = world_command(world, COMMAND_SCHEDULE_ACT);
        if (command == NULL) {
            world_batch(world);
            command = world_command(world, COMMAND_SCHEDULE_ACT);
        }
        command->schedule_act.environment = 1 + (uint32_t)(i / NAMES);
        command->schedule_act.name = slice_of(names[i % NAMES]);
        command->schedule_act.what = SCHEDULE_DELETE;
    }
    world_batch(world);
}
