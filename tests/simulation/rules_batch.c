/* Batches: each index is answered by what was asked for first. */
#include "batches.h"

/* Of an item that is kept aside until all of its batch start. */
struct shadow_kept {
    int64_t id;
    struct command command;
    bool is_over;
    struct shadow_kept *next;
};

static void flaw(const struct look *look, const struct batch_send *send,
                 const struct batch_ask *ask, const char *what)
{
    world_flaw(look->world, "item %u of batch %lld: %s", ask->index, (long long)send->batch_id,
               what);
}

static void kept_add(const struct look *look, const struct batch_ask *ask)
{
    struct shadow_kept *kept = ARENA_NEW(&look->model->arena, struct shadow_kept);

    kept->id = ask->command->trigger.id;
    kept->command = *ask->command;
    kept->next = look->model->kept;
    look->model->kept = kept;
}

/* It was the first of its index. */
static void taken_look(const struct look *look, const struct batch_send *send,
                       const struct batch_ask *ask, const struct run_batch *made)
{
    const struct trigger *trigger = &ask->command->trigger;
    const struct batch_item *item = item_of(look->world, made->first_id + ask->index);
    bool is_refused = ask->reply == ASK_REFUSED;

    if (ask->refusal.size > 0) {
        if (!is_refused || item == NULL || !slice_equal(item->error, ask->refusal))
            flaw(look, send, ask, "it is bad, and was taken");
        return;
    }
    if (made->is_atomic && !is_refused) {
        kept_add(look, ask);
        return;
    }
    if (is_refused != (ask->command->err.code != ERR_OK) ||
        (is_refused && (item == NULL || item->kind != ITEM_REFUSED)))
        flaw(look, send, ask, "it was refused, and no answer says so");
    if (is_refused && trigger->differs)
        return; /* the batch's own rule */
    rule_trigger(look, ask->command);
}

void rule_batch_send(const struct look *look, const struct command *command)
{
    const struct batch_send *send = &command->batch_send;
    const struct run_batch *made = batch_of(look->world, send->batch_id);
    uint32_t taken = 0, repeated = 0;

    if (command->err.code != ERR_OK) {
        for (uint32_t i = 0; i < send->count; i++)
            if (send->items[i].reply != ASK_UNDECIDED)
                flaw(look, send, &send->items[i], "its call was refused, and it was taken");
        return;
    }
    if (made == NULL || made->environment != send->environment) {
        world_flaw(look->world, "batch %lld was acknowledged and is not there",
                   (long long)send->batch_id);
        return;
    }
    for (uint32_t i = 0; i < send->count; i++) {
        const struct batch_ask *ask = &send->items[i];
        bool is_taken = ask->reply == ASK_TAKEN || ask->reply == ASK_REFUSED;
        taken += is_taken;
        repeated += ask->reply == ASK_REPEATED;
        if (is_taken)
            taken_look(look, send, ask, made);
        else if (ask->command->trigger.is_new)
            flaw(look, send, ask, "it was there, and a run was made");
    }
    if (send->taken != taken || send->repeated != repeated)
        world_flaw(look->world, "batch %lld: %u items were taken, the reply says %u",
                   (long long)send->batch_id, taken, send->taken);
}

void rule_batches_released(const struct look *look)
{
    for (struct shadow_kept *kept = look->model->kept; kept != NULL; kept = kept->next) {
        const struct run *run = kept->is_over ? NULL : run_now(look, kept->id);
        if (run == NULL)
            continue;
        kept->is_over = true;
        kept->command.trigger.run_id = run->id;
        kept->command.trigger.is_new = kept->command.trigger.is_accepted = true;
        (void)known_run(look->world, run->id, true);
        rule_made(look, &kept->command);
    }
}
