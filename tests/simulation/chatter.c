/* What segments say and ask on their way, beside the calls of their script. */
#include "batches.h"

#include <stdio.h>

static struct command *said(struct world *world, struct held_segment *held,
                            enum command_kind kind)
{
    struct command *command = world_command(world, kind);

    if (command != NULL && kind != COMMAND_NOTES)
        held->in_call = true;
    return command;
}

struct frame_note *chatter_notes(struct world *world, uint32_t *count)
{
    struct frame_note *notes = ARENA_ARRAY(&world->arena, struct frame_note, 4);

    *count = 1 + (uint32_t)world_random(world, 4);
    for (uint32_t i = 0; i < *count; i++) {
        uint64_t dice = world_random(world, 10);
        notes[i] = (struct frame_note){ .kind = dice < 6   ? NOTE_LOG
                                                : dice < 8 ? NOTE_REMARK
                                                           : NOTE_PROGRESS,
                                        .level = (uint32_t)world_random(world, 4),
                                        .at_ms = world->now_ms,
                                        .text = SLICE("a line"),
                                        .left_out = world_chance(world, 5) ? 3 : 0 };
        if (notes[i].kind == NOTE_PROGRESS)
            notes[i].level = (uint32_t)world_random(world, 120);
    }
    return notes;
}

/* "sum" and "items" grow with each segment that ends; the model counts along. */
void chatter_meta(struct world *world, struct frame_end *end)
{
    end->meta = ARENA_ARRAY(&world->arena, struct frame_meta, 3);
    end->meta[end->meta_count++] =
        (struct frame_meta){ META_INCREMENT, SLICE("sum"), SLICE("\x03") };
    if (world_chance(world, 50))
        end->meta[end->meta_count++] =
            (struct frame_meta){ META_APPEND, SLICE("items"), SLICE("\x01") };
    if (world_chance(world, 20))
        end->meta[end->meta_count++] = (struct frame_meta){
            META_INCREMENT | (uint32_t)world_random(world, META_WHOSE_COUNT) << META_WHOSE_AT,
            SLICE("given"), SLICE("\x01")
        };
}

static void call_once(struct world *world, struct held_segment *held)
{
    /* What was recorded it knows; now and then it forgets, and is refused. */
    uint32_t number = held->once_count > 0 && world_chance(world, 20) ? held->once_count - 1
                                                                      : held->once_count;
    struct command *command = number < 8 ? said(world, held, COMMAND_ONCE) : NULL;

    if (command == NULL)
        return;
    command->once = (struct once){ .run_id = held->run_id,
                                   .seq = held->seq,
                                   .name = arena_format(&world->arena, "once %u", number),
                                   .value = arena_format(&world->arena, "%c",
                                                         (int)world_random(world, 127)) };
}

static void call_read(struct world *world, struct held_segment *held)
{
    struct command *command = said(world, held, COMMAND_RUN_READ);
    uint32_t count = store_memory_count(world->memory, ROW_RUN);

    if (command == NULL)
        return;
    command->run_read = (struct run_read){
        .run_id = held->run_id,
        .seq = held->seq,
        .target =
            held->child_count > 0
                ? held->children[0]
                : store_memory_run(world->memory, (uint32_t)world_random(world, count))->id
    };
}

/* To the run itself: what the call of that number says follows from the number. */
static void call_send(struct world *world, struct held_segment *held)
{
    struct command *command = said(world, held, COMMAND_MESSAGE_SEND);
    int64_t call = 50 + (int64_t)world_random(world, 3);

    if (command != NULL)
        command->message_send =
            (struct message_send){ .environment = held->environment,
                                   .run_id = held->run_id,
                                   .name = call == 51 ? SLICE("a") : SLICE("b"),
                                   .data = SLICE("\x05"),
                                   .sender_id = held->run_id,
                                   .sender_seq = held->seq,
                                   .id = held->id_block + call };
}

static void say_notes(struct world *world, struct held_segment *held)
{
    struct command *command = said(world, held, COMMAND_NOTES);

    if (command == NULL)
        return;
    command->notes = (struct notes){ .run_id = held->run_id, .seq = held->seq };
    command->notes.notes = chatter_notes(world, &command->notes.note_count);
}

void chatter_step(struct world *world, struct held_segment *held)
{
    uint64_t dice = world_random(world, 13);

    if (dice > 10)
        call_answers(world, held);
    else if (dice == 10)
        call_send(world, held);
    else if (dice < 4)
        say_notes(world, held);
    else if (dice < 8)
        call_once(world, held);
    else
        call_read(world, held);
}

/* A slot that was given up on asks for what it may not have any more. */
void chatter_ghost(struct world *world, struct held_segment *ghost)
{
    struct command *command;

    if (world_chance(world, 10)) {
        call_batch(world, ghost);
    } else if (world_chance(world, 50)) {
        chatter_step(world, ghost);
    } else if (world_chance(world, 50)) {
        command = world_command(world, COMMAND_TRIGGER);
        if (command != NULL)
            command->trigger = (struct trigger){ .environment = ghost->environment,
                                                 .task = SLICE("alpha"),
                                                 .parent_id = ghost->run_id,
                                                 .parent_seq = ghost->seq,
                                                 .id = ghost->id_block + 99,
                                                 .unchecked = true };
    } else {
        command = world_command(world, COMMAND_TOKEN_CREATE);
        if (command != NULL)
            command->token_create = (struct token_create){ .environment = ghost->environment,
                                                           .run_id = ghost->run_id,
                                                           .run_seq = ghost->seq,
                                                           .id = ghost->id_block + 99 };
    }
}

/* The dispatch may send some of them on their own, earlier than the END; here all go with it.
 */
void chatter_creates(struct world *world, const struct held_segment *held,
                     struct segment_end *end)
{
    end->creates = ARENA_ARRAY(&world->arena, struct command *, 4);
    for (uint32_t i = 0; i < held->ahead_count; i++) {
        struct command *create = ARENA_NEW(&world->arena, struct command);
        create->kind = COMMAND_TOKEN_CREATE;
        create->arena = &world->arena;
        create->token_create = (struct token_create){ .environment = held->environment,
                                                      .due_ms = held->ahead[i].due_ms,
                                                      .timeout_ms = held->ahead[i].timeout_ms,
                                                      .run_id = held->run_id,
                                                      .run_seq = held->seq,
                                                      .id = held->ahead[i].id };
        end->creates[end->create_count++] = create;
    }
}
