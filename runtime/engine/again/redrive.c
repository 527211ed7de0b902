/*
 * Runs whose attempts are used up go on, because somebody says so.
 *
 *   paused ──────▶ the same run: its next attempt, and its tries begin anew
 *   dead letter ─▶ a new run, asked for as the old one was, where that has ended: what is done
 *                  stays done, and who waited for it has been told
 *
 * Both begin at the last save point, or at the start.
 */
#include "base/id.h"
#include "engine/batch.h"
#include "engine/commands/command_table.h"

enum { PARTS = PART_INPUT | PART_STATE | PART_MAIL };

static struct slice by_text(struct batch *batch, const struct redrive *redrive)
{
    return arena_format(batch->arena, "%s%.*s, from %s", redrive->by.size > 0 ? " by " : "",
                        SLICE_ARG(redrive->by),
                        redrive->from_start ? "the start" : "its last save point");
}

static void paused_go_on(struct batch *batch, const struct redrive *redrive, struct run *run)
{
    struct slice by = by_text(batch, redrive);

    run->attempt++;
    run->tries = 0;
    if (redrive->from_start)
        run_begin_anew(batch, run);
    run_enqueue(batch, run, arena_format(batch->arena, "tried again%.*s", SLICE_ARG(by)));
}

/* All but its key and its family, who were told of its end. */
static struct command *make_command(struct batch *batch, const struct redrive *redrive,
                                    const struct run *run, const struct queue *queue)
{
    struct command *make = ARENA_NEW(batch->arena, struct command);
    char id[ID_TEXT_SIZE];
    struct slice by = by_text(batch, redrive);

    *make = (struct command){ .kind = COMMAND_TRIGGER, .arena = batch->arena };
    make->trigger =
        (struct trigger){ .environment = run->environment,
                          .task = run->task,
                          .payload = run->input,
                          .queue = queue->name,
                          .concurrency_key = run->concurrency_key,
                          .priority_ms = run->priority_ms,
                          .has_ttl = true,
                          .has_priority = true,
                          .limit_ms = run->limit_ms,
                          .max_attempts = run->max_attempts,
                          .max_attempts_total = run->max_attempts_total,
                          .total_ms = run->total_ms,
                          .cpu_ms = run->cpu_ms,
                          .tags = run->tags,
                          .metadata = run->metadata,
                          .is_test = run->is_test,
                          .items = run->collected,
                          .is_accepted = true,
                          .note = arena_format(batch->arena, "goes on for %s%.*s",
                                               id_format("run", run->id, id), SLICE_ARG(by)),
                          .goes_on = redrive->from_start ? NULL : run };
    return make;
}

static bool letter_go_on(struct batch *batch, const struct redrive *redrive,
                         struct redrive_item *item, struct run *run)
{
    char id[ID_TEXT_SIZE];
    struct queue *queue;

    if (!rows_queue(&batch->rows, run->queue, &queue))
        return false;
    struct command *make = make_command(batch, redrive, run, queue);
    if (!trigger_decide(batch, make))
        return false;
    item->err = make->err;
    if (make->err.code != ERR_OK)
        return true;
    id_format("run", make->trigger.run_id, id);
    if (!make->trigger.is_new) {
        err_set(&item->err, ERR_NOT_NOW,
                "%s of its queue and key is there, and on_conflict is skip", id);
        return true;
    }
    item->made = make;
    item->run_id = make->trigger.run_id;
    run_bury(run);
    run_note(batch, run, arena_format(batch->arena, "goes on as %s", id));
    return true;
}

/* False: more rows are needed. */
static bool item_decide(struct batch *batch, const struct redrive *redrive,
                        struct redrive_item *item)
{
    struct run *run;

    if (!rows_run(&batch->rows, item->id, PARTS, &run))
        return false;
    if (run == NULL || run->environment != redrive->environment) {
        err_set(&item->err, ERR_NOT_FOUND, "Run not found");
    } else if (run_is_paused(run)) {
        if (!run_finish_ready(batch, run))
            return false;
        paused_go_on(batch, redrive, run);
        item->run_id = run->id;
    } else if (run->is_dead) {
        return letter_go_on(batch, redrive, item, run);
    } else {
        err_set(&item->err, ERR_NOT_NOW, "%s",
                run->status == RUN_DONE
                    ? "The run is done, and no dead letter; replay it instead"
                    : "The run is not paused: its attempts are not used up");
    }
    return true;
}

bool redrive_decide(struct batch *batch, struct command *command)
{
    struct redrive *redrive = &command->redrive;

    if (batch->catalog == NULL) {
        err_set(&command->err, ERR_STOPPING, "the server is still starting");
        return true;
    }
    for (; redrive->at < redrive->count; redrive->at++)
        if (!item_decide(batch, redrive, &redrive->items[redrive->at]))
            return false;
    if (redrive->count == 1 && redrive->items[0].run_id == 0)
        command->err = redrive->items[0].err;
    return true;
}

bool redrive_prefetch(struct batch *batch, const struct command *command)
{
    const struct redrive *redrive = &command->redrive;
    bool loaded = true;
    struct run *run;

    for (uint32_t i = 0; i < redrive->count; i++)
        loaded &= rows_run(&batch->rows, redrive->items[i].id, PARTS, &run);
    return loaded;
}

void redrive_clear(struct command *command)
{
    struct redrive *redrive = &command->redrive;

    redrive->at = 0;
    for (uint32_t i = 0; i < redrive->count; i++)
        redrive->items[i] = (struct redrive_item){ .id = redrive->items[i].id };
}
