/* Batches of segments. As the sdk makes them: there from the first items on, under the id that
 * its call has, and sent anew, the same again, when the segment is run again. */
#include "batches.h"

enum { BATCH_CALL = 40, ITEM_SCRIPT = 900, TOO_LONG = 5 };

static const char *const tasks[] = { "alpha", "beta" };

/* So many items does it have, if any. */
static uint32_t items_of(const struct held_segment *held, uint64_t plan)
{
    return held->entry < 2 && plan / 1000 % 5 == 0 ? (uint32_t)(plan / 5000 % TOO_LONG) + 1 : 0;
}

bool batch_is_made(const struct held_segment *held, uint64_t plan)
{
    return items_of(held, plan) == 0 || held->batch.is_sealed;
}

static void item_draw(struct world *world, struct held_segment *held, struct batch_ask *ask,
                      bool is_atomic)
{
    uint64_t dice = slots_script(world, held, ITEM_SCRIPT + ask->index);
    struct command *command = ARENA_NEW(&world->arena, struct command);

    *command = (struct command){ .kind = COMMAND_TRIGGER, .arena = &world->arena };
    ask->command = command;
    if (dice % 11 == 0)
        ask->refusal = SLICE("it is bad");
    command->trigger =
        (struct trigger){ .environment = held->environment,
                          .task = slice_of(tasks[dice % 2]),
                          .payload = dice % 4 < 2 ? SLICE("\x81\xa1n\x01") : SLICE(""),
                          .parent_id = held->run_id,
                          .parent_seq = held->seq,
                          .on_parent_end = (uint32_t)(dice / 7777 % 4),
                          .unchecked = true };
    if (is_atomic)
        return;
    if (dice / 5 % 6 == 0)
        command->trigger.delay_ms = 1 + (int64_t)(dice % 2000);
    if (dice / 77 % 3 == 0) {
        command->trigger.key = dice / 78 % 2 == 0 ? SLICE("child") : SLICE("k1");
        command->trigger.key_global = dice / 308 % 2 == 0;
    }
}

void call_batch(struct world *world, struct held_segment *held)
{
    uint64_t plan = slots_script(world, held, 1);
    uint32_t left = items_of(held, plan) - held->batch.sent;
    struct command *command = world_command(world, COMMAND_BATCH_SEND);

    if (command == NULL || world->run_count + BATCH_MAX + left >= KNOWN_MAX)
        return;
    struct batch_send *send = &command->batch_send;
    send->environment = held->environment;
    send->id = held->id_block + BATCH_CALL;
    send->begins = true;
    send->is_atomic = plan / 7 % 4 == 0;
    send->parent_id = held->run_id;
    send->parent_seq = held->seq;
    send->count = left == 0 ? 0 : (uint32_t)world_random(world, (uint64_t)left + 1);
    send->seals = send->count == left && world_chance(world, 60);
    send->items = ARENA_ARRAY(&world->arena, struct batch_ask, (size_t)send->count + 1);
    for (uint32_t i = 0; i < send->count; i++) {
        send->items[i].index = held->batch.sent + i;
        item_draw(world, held, &send->items[i], send->is_atomic);
    }
    held->in_call = true;
}

void batch_said(struct held_segment *held, const struct command *command)
{
    const struct batch_send *send = &command->batch_send;

    held->in_call = false;
    if (command->err.code != ERR_OK)
        return; /* said again */
    held->batch.sent += send->count;
    held->batch.is_sealed = send->seals || send->sealed;
    if (held->batch.is_sealed)
        held->tokens[held->token_count++] = send->batch_id;
}

void call_answers(struct world *world, struct held_segment *held)
{
    uint32_t count = store_memory_count(world->memory, ROW_BATCH);
    struct command *command = count == 0 ? NULL : world_command(world, COMMAND_BATCH_READ);

    if (command == NULL)
        return;
    command->batch_read =
        (struct batch_read){ .run_id = held->run_id,
                             .seq = held->seq,
                             .batch_id =
                                 batch_at(world, (uint32_t)world_random(world, count))->id,
                             .from = (uint32_t)world_random(world, 3),
                             .most = 1 + (uint32_t)world_random(world, BATCH_ITEMS) };
    held->in_call = true;
}
