/* Somebody acts by hand: on tokens, and on what runs wait for. */
#include "base/id.h"
#include "engine/waits/wait.h"
#include "world.h"

static void when_say(struct world *world, struct token_complete *act)
{
    if (world_chance(world, 30))
        act->date_ms = moment_any(world_random(world, 1 << 30), world->now_ms);
    else if (world_chance(world, 80))
        act->span_ms = moment_any(world_random(world, 1 << 30), 0);
}

static void who_say(struct world *world, struct token_complete *act)
{
    if (world_chance(world, 50))
        act->by = SLICE("ann");
    if (world_chance(world, 50))
        act->why = SLICE("it takes too long");
}

/* A segment does it, or one that has moved on. */
static void segment_say(struct world *world, struct token_complete *act)
{
    const struct held_segment *held = &world->held[world_random(world, world->held_count)];

    act->run_id = held->run_id;
    act->run_seq = held->seq - world_chance(world, 20);
    act->environment = held->environment;
}

static void hand_token(struct world *world)
{
    uint32_t count = store_memory_count(world->memory, ROW_WAITPOINT);
    enum command_kind kind = world_chance(world, 50) ? COMMAND_TOKEN_CLOSE : COMMAND_TOKEN_MOVE;
    struct command *command = count == 0 ? NULL : world_command(world, kind);

    if (command == NULL)
        return;
    const struct waitpoint *token =
        store_memory_waitpoint(world->memory, (uint32_t)world_random(world, count));
    struct token_complete *act = &command->token_complete;
    act->id = token->id;
    act->environment = token->environment == 0 ? 1 : token->environment;
    who_say(world, act);
    when_say(world, act);
    if (world_chance(world, 5))
        act->environment ^= 3; /* the other one: it has no such token */
    else if (kind == COMMAND_TOKEN_CLOSE && world->held_count > 0 && world_chance(world, 30))
        segment_say(world, act);
}

/* Of what a run waits for, one. */
static void part_say(struct world *world, const struct wait *wait, struct token_complete *act)
{
    char *text = arena_alloc(&world->arena, ID_TEXT_SIZE);

    if (wait->group == NULL && wait->count > 0 && wait->kind == WAIT_FOR_TOKEN) {
        act->part =
            slice_of(id_format("waitpoint", wait->ids[world_random(world, wait->count)], text));
    } else if (wait->group != NULL && wait->group->count > 0) {
        const struct frame_part *part =
            &wait->group->parts[world_random(world, wait->group->count)];
        act->part = part->name.size > 0 ? part->name
                    : part->kind == PART_TOKEN
                        ? slice_of(id_format("waitpoint", part->id, text))
                        : SLICE("nobody");
    }
}

/* Its segment ends so before the act, in the same batch; NULL: there is none. */
static const struct run *run_that_ends(struct world *world, struct wait *wait)
{
    const struct run *run = NULL;

    for (uint32_t i = 0; i < world->command_count; i++) {
        const struct command *command = &world->commands[i];
        const struct frame_end *end =
            command->kind == COMMAND_SEGMENT_END ? command->segment_end.end : NULL;
        if (end == NULL || end->verdict != VERDICT_WAIT)
            continue;
        run = store_memory_find(world->memory, end->run_id);
        *wait =
            (struct wait){ .kind = end->wait_kind, .ids = end->ids, .count = end->id_count };
        if (end->wait_kind != WAIT_FOR_GROUP)
            continue;
        wait->group = ARENA_NEW(&world->arena, struct wait_group);
        wait->group->parts = end->parts;
        wait->group->count = end->part_count;
    }
    return run;
}

static const struct run *run_that_waits(struct world *world, struct wait *wait)
{
    uint32_t count = store_memory_count(world->memory, ROW_RUN);
    const struct run *run = NULL;

    for (int tries = 0; count > 0 && tries < 8 && (run == NULL || run->status != RUN_WAITING);
         tries++)
        run = store_memory_run(world->memory, (uint32_t)world_random(world, count));
    if (run == NULL || run->status == RUN_RUNNING || !wait_read(&world->arena, run->wait, wait))
        *wait = (struct wait){ 0 };
    return run;
}

static void hand_wait(struct world *world)
{
    static const enum command_kind kinds[] = { COMMAND_WAIT_COMPLETE, COMMAND_WAIT_TIMEOUT,
                                               COMMAND_WAIT_SKIP, COMMAND_WAIT_MOVE };
    struct wait wait;
    const struct run *run =
        world_chance(world, 50) ? run_that_ends(world, &wait) : run_that_waits(world, &wait);
    struct command *command =
        run == NULL ? NULL : world_command(world, kinds[world_random(world, 4)]);

    if (command == NULL)
        return;
    struct token_complete *act = &command->token_complete;
    act->id = run->id;
    act->environment = run->environment;
    act->data = command->kind == COMMAND_WAIT_COMPLETE && world_chance(world, 50)
                    ? arena_format(&world->arena, "%c", 1 + (int)world_random(world, 100))
                    : (struct slice){ 0 };
    who_say(world, act);
    if (command->kind == COMMAND_WAIT_MOVE)
        when_say(world, act);
    if ((command->kind == COMMAND_WAIT_COMPLETE || command->kind == COMMAND_WAIT_MOVE) &&
        world_chance(world, 70))
        part_say(world, &wait, act);
    if (world_chance(world, 5))
        act->environment ^= 3; /* the other one: it has no such run */
}

void hands_step(struct world *world)
{
    if (world_chance(world, 60) && act_redrive(world))
        return;
    if (world_chance(world, 40))
        hand_token(world);
    else
        hand_wait(world);
}
