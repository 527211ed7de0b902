/* Batches: each index is answered by what was asked for first, and none is lost. */
#include "batches.h"

/* As it was before this batch of commands. */
struct shadow_batch {
    int64_t finished_ms;
    bool is_gone;
};

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

/* It had finished, and went at the end of these commands: rule_batches_kept. */
static bool had_finished(const struct look *look, const struct batch_send *send)
{
    const struct shadow_batch *was =
        table_find(&look->model->run_batches, (uint64_t)send->batch_id);

    return was != NULL && !was->is_gone && was->finished_ms != 0 && send->sealed &&
           send->taken == 0;
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
    if (made == NULL && had_finished(look, send))
        return;
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

/* Only what has finished may go, and only when it is old. */
static void gone_look(const struct look *look, int64_t id, struct shadow_batch *was)
{
    int64_t kept_ms = look->world->retention.span_ms[RETAIN_RUNS];
    bool is_kept = kept_ms == 0 || kept_ms == RETENTION_FOREVER;

    was->is_gone = true;
    if (was->finished_ms == 0 || is_kept || was->finished_ms > look->now_ms - kept_ms)
        world_flaw(look->world, "batch %lld is lost: it finished at %lld", (long long)id,
                   (long long)was->finished_ms);
}

void rule_batches_kept(const struct look *look)
{
    struct table *known = &look->model->run_batches;

    for (uint32_t i = 0; i < known->capacity; i++) {
        struct shadow_batch *was = known->entries[i].value;
        int64_t id = (int64_t)known->entries[i].key;
        if (was != NULL && !was->is_gone && batch_of(look->world, id) == NULL)
            gone_look(look, id, was);
    }
    for (uint32_t i = 0; i < store_memory_count(look->world->memory, ROW_BATCH); i++) {
        const struct run_batch *made = batch_at(look->world, i);
        struct shadow_batch *was = table_find(known, (uint64_t)made->id);
        if (was == NULL) {
            was = ARENA_NEW(&look->model->arena, struct shadow_batch);
            table_set(known, (uint64_t)made->id, was);
        }
        was->finished_ms = made->finished_ms;
    }
}

/* ---- whoever made one, and what came of it ----------------------------------------------- */

static void point_look(const struct look *look, const struct run_batch *made)
{
    const struct waitpoint *point = token_now(look, made->id);

    if (point == NULL && made->finished_ms != 0)
        return; /* it was old: check.c */
    if (point == NULL || point->kind != WAITPOINT_BATCH || point->due_ms != 0 ||
        point->environment != made->environment || point->run_id != made->parent_id) {
        world_flaw(look->world, "who made batch %lld has nothing to wait for",
                   (long long)made->id);
        return;
    }
    struct shadow_token *shadow = shadow_token_of(look, made->id, true);
    shadow->status = made->finished_ms == 0          ? WAITPOINT_PENDING
                     : made->status == BATCH_ABORTED ? WAITPOINT_FAILED
                                                     : WAITPOINT_COMPLETED;
    shadow->result = model_keep(look, made->why);
}

void rule_batch_points(const struct look *look)
{
    for (uint32_t i = 0; i < store_memory_count(look->world->memory, ROW_BATCH); i++)
        if (batch_at(look->world, i)->parent_id != 0)
            point_look(look, batch_at(look->world, i));
}

static uint32_t ended_as(const struct run *run)
{
    return run == NULL || !run_is_over(run)    ? WAIT_NONE
           : run->outcome == OUTCOME_COMPLETED ? WAIT_OK
           : run->outcome == OUTCOME_CANCELED  ? WAIT_CANCELLED
                                               : WAIT_FAILED;
}

/* Of that run, before the commands or after them. */
static bool is_answer(const struct look *look, int64_t id, const struct batch_answer *answer)
{
    const struct shadow *shadow = shadow_of(look, id);
    const struct run *run = run_now(look, id), *was = shadow == NULL ? NULL : shadow->was;

    if (run == NULL) /* it went at the end */
        return was == NULL || answer->status == ended_as(was);
    return (answer->status == ended_as(run) || answer->status == ended_as(was)) &&
           (answer->status != WAIT_OK || slice_equal(answer->output, run->output));
}

static bool answer_fits(const struct look *look, const struct run_batch *made, uint32_t index,
                        const struct batch_answer *answer)
{
    const struct batch_item *item = item_of(look->world, made->first_id + index);
    const struct run *run = run_now(look, made->first_id + index);

    if (answer->status == WAIT_NONE && item != NULL &&
        (made->is_atomic || item->created_ms == look->now_ms))
        return true; /* it came after the question */
    if (run != NULL)
        return is_answer(look, run->id, answer);
    if (item != NULL && item->kind == ITEM_REFUSED)
        return answer->status == WAIT_FAILED && slice_equal(answer->error, item->error);
    if (item != NULL && item->kind == ITEM_LINKED && run_now(look, item->target) != NULL)
        return is_answer(look, item->target, answer);
    return true; /* not there yet, or gone */
}

/* In their order, each index with its own. */
void rule_batch_read(const struct look *look, const struct command *command)
{
    const struct batch_read *read = &command->batch_read;
    const struct run_batch *made = batch_of(look->world, read->batch_id);

    if (!rule_fence(look, command, read->run_id, read->seq) || made == NULL)
        return;
    uint32_t left = read->from < read->all ? read->all - read->from : 0;
    if (read->count != (left < read->most ? left : read->most) ||
        read->all > (made->expected > made->most ? made->expected : made->most))
        world_flaw(look->world, "batch %lld: %u of %u answers were given from %u on",
                   (long long)made->id, read->count, read->all, read->from);
    for (uint32_t i = 0; i < read->count; i++)
        if (!answer_fits(look, made, read->from + i, &read->answers[i]))
            world_flaw(look->world, "batch %lld: item %u was told as %u", (long long)made->id,
                       read->from + i, read->answers[i].status);
}
