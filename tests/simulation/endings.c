/* What slots do for runs that end badly: segments register what undoes them, and undo it. */
#include "endings.h"

uint32_t world_hooks(const struct world *world, struct slice task)
{
    if (world->seed % 3 == 0)
        return 0;
    return slice_is(task, "alpha")  ? HOOK_ON_FAILURE | HOOK_ON_CANCEL
           : slice_is(task, "beta") ? HOOK_ON_CANCEL
                                    : 0;
}

void endings_offer(const struct world *world, struct catalog *catalog)
{
    for (uint32_t i = 0; i < catalog->task_count; i++) {
        catalog->tasks[i].hooks = world_hooks(world, catalog->tasks[i].id);
        catalog->tasks[i].abort_attempts = UNDO_TRIES;
    }
}

void ending_register(struct world *world, const struct held_segment *held,
                     struct frame_end *end)
{
    static struct slice names[] = { { "last", 4 }, { "next", 4 }, { "last", 4 } };
    uint64_t dice = slots_script(world, held, 7);

    if (world->seed % 3 == 0)
        return;
    end->aborts = names + dice % 2;
    end->abort_count = (uint32_t)(dice / 2 % 3);
    if (end->verdict == VERDICT_DONE && end->abort_count > 0)
        end->state = SLICE("\x81\xa1n\x03");
}

void ending_step(struct world *world, struct held_segment *held)
{
    struct command *command = world_command(world, COMMAND_SEGMENT_END);
    uint64_t dice = world_random(world, world->drains ? 70 : 100);

    if (command == NULL)
        return;
    struct frame_end *end = ARENA_NEW(&world->arena, struct frame_end);
    *end = (struct frame_end){ .run_id = held->run_id, .seq = held->seq };
    end->verdict = VERDICT_DONE;
    if (dice < 50)
        end->state = dice % 2 == 0 ? SLICE("\x81\xa1n\x04") : SLICE("\x81\xa1n\x05");
    if (dice >= 70) {
        end->verdict = dice < 90   ? VERDICT_FAIL
                       : dice < 95 ? VERDICT_WAIT
                       : dice < 97 ? VERDICT_PUSH_BACK
                       : dice < 98 ? VERDICT_PARK
                                   : VERDICT_WAIT_ON;
        end->error_code = SLICE("UNDOING");
        end->error_text = SLICE("as dice say");
        end->retryable = dice % 3 > 0;
        end->then = SLICE("last");
        end->state = SLICE("\x81\xa1n\x06");
        end->span_ms = 100;
    }
    command->segment_end = (struct segment_end){
        .run_id = held->run_id, .seq = held->seq, .end = end, .busy_us = 3
    };
    held->in_call = true;
}
