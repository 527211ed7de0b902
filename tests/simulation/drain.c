/* The end of a world: what is there must finish, with no new work and no faults. */
#include "act.h"
#include "batches.h"
#include "waits.h"

#include <string.h>

static bool all_done(struct world *world)
{
    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_BATCH); i++)
        if (((const struct run_batch *)store_memory_at(world->memory, ROW_BATCH, i))
                ->finished_ms == 0)
            return false;
    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_RUN); i++) {
        const struct run *run = store_memory_run(world->memory, i);
        if (run->status != RUN_DONE && !slice_is(run->task, "unknown"))
            return false;
    }
    return bulks_are_done(world);
}

/* What is to come in the year 9999, or never, is not waited for. */
static void never_cancel(struct world *world)
{
    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_RUN); i++) {
        const struct run *run = store_memory_run(world->memory, i);
        bool is_late = run->due_ms > world->steady_ms + INT64_C(100) * 86400000;
        if (run->status != RUN_DONE && (is_late || run_is_paused(run)) &&
            world->command_count + 2 < BATCH_MAX)
            act_cancel(world, run);
    }
}

/* With nothing under way the nodes sleep until something is due. */
static void idle_pass(struct world *world)
{
    int64_t gap_ms = INT64_MAX;

    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_RUN); i++) {
        const struct run *run = store_memory_run(world->memory, i);
        int64_t left_ms = run->due_ms - (run->due_is_span ? world->steady_ms : world->now_ms);
        if ((run->status == RUN_DONE && !run->is_out) || slice_is(run->task, "unknown"))
            continue;
        if ((run->status != RUN_DELAYED && run->status != RUN_WAITING) || run->due_ms == 0)
            return;
        gap_ms = left_ms < gap_ms ? left_ms : gap_ms;
    }
    if (gap_ms > 60000 && gap_ms < INT64_C(100) * 86400000) {
        world->now_ms += gap_ms;
        world->steady_ms += gap_ms;
    }
}

/* Nothing is paused any more. A node that is refused takes its commands with it. */
static void doors_open(struct world *world)
{
    struct command *command;

    for (size_t i = 0; i < (size_t)ACT_QUEUES * ENVIRONMENTS; i++) {
        world_batch(world);
        command = world_command(world, COMMAND_QUEUE_PAUSE);
        command->queue_pause.environment = 1 + (uint32_t)(i / ACT_QUEUES);
        command->queue_pause.name = slice_of(act_queues[i % ACT_QUEUES]);
        command = world_command(world, COMMAND_QUEUE_LIMIT);
        command->queue_limit.environment = 1 + (uint32_t)(i / ACT_QUEUES);
        command->queue_limit.name = slice_of(act_queues[i % ACT_QUEUES]);
        command->queue_limit.is_reset = true; /* refused where there is none */
        command = world_command(world, COMMAND_QUEUE_LIMIT);
        command->queue_limit = world->commands[world->command_count - 2].queue_limit;
        command->queue_limit.sets[0] = command->queue_limit.sets[1] = true;
    }
    schedules_drain(world);
    for (uint32_t i = 1; i <= ENVIRONMENTS; i++)
        world_command(world, COMMAND_ENVIRONMENT_PAUSE)->environment_pause.environment = i;
    world_batch(world);
}

static void builds_come(struct world *world)
{
    world->builds++;
    for (uint32_t host = 0; host < world->host_count; host++) {
        host_turn(world, host);
        world_catalog(world);
    }
}

/* The end: every door is opened; whatever is then not finished is stuck. */
void act_drain(struct world *world)
{
    enum { DRAIN_MOST = 20000, DRAIN_IDLE = 1000 }; /* rounds; those that start nothing */

    world->drains = true;
    hosts_join(world);
    if (host_is_alone(world))
        world->queue_limit = 3;
    else /* one at a time would take for ever */
        memset(world->bursts, 0, sizeof world->bursts);
    world->builds++; /* what the server died with may start again */
    for (uint32_t host = 0; host < world->host_count; host++) {
        host_turn(world, host);
        world_batch(world);
        for (int i = 0; i < TASKS; i++)
            world->available[i] = true;
        world_catalog(world);
        world_batch(world); /* so that it is not the catalog that opens them */
    }
    doors_open(world);
    for (int round = 0, idle = 0;
         round < DRAIN_MOST && idle < DRAIN_IDLE && !all_done(world) && world->flaw[0] == '\0';
         round++) {
        uint64_t started = world->started;
        if (!host_is_alone(world) && (round == 20 || round == 21))
            doors_open(world);
        if (idle == 30)
            builds_come(world); /* whom a node has died with may start again */
        host_turn(world, (uint32_t)round % world->host_count);
        for (int i = 0; i < 8; i++)
            slots_step(world);
        if (round % 4 == 0) {
            for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_WAITPOINT); i++) {
                const struct waitpoint *token = store_memory_waitpoint(world->memory, i);
                if (token->status == WAITPOINT_PENDING && token->kind == WAITPOINT_TOKEN &&
                    world->command_count + 2 < BATCH_MAX)
                    act_complete(world, token->id);
            }
            messages_pass(world);
            if (!host_is_alone(world))
                idle_pass(world);
            never_cancel(world);
            world_pass(world, idle < 60 ? 20000 : 3600000); /* retries may be long */
        }
        world_batch(world);
        idle = world->started == started ? idle + 1 : 0;
    }
}
