/* Batches: what clients ask for, and what must hold of each whatever happened. */
#include "batches.h"

#include "store/timers.h"

static const char *const tasks[] = { "alpha", "beta", "gamma" };
static const char *const queues[] = { "fast", "east", "slow", "narrow", "many" };
static const char *const keys[] = { "k0", "k1", "k2", "k3" };
static const struct slice payloads[] = { { "\x81\xa1n\x01", 4 }, { "\x81\xa1n\x02", 4 } };

/* Of one that starts all or none, what is asked when it comes is kept until it starts: no keys
 * and no crowds, which would be another's by then. */
static void item_draw(struct world *world, struct batch_ask *ask, bool is_atomic)
{
    struct trigger *trigger = &ask->command->trigger;

    trigger->task = slice_of(tasks[ask->index % 3]);
    trigger->payload = payloads[world_chance(world, 5) ? 1 : ask->index % 2];
    trigger->has_ttl = trigger->has_priority = true;
    if (world_chance(world, 8))
        ask->refusal = SLICE("it is bad");
    if (is_atomic)
        return;
    if (world_chance(world, 40))
        trigger->queue = slice_of(queues[world_random(world, 5)]);
    if (is_collected(trigger))
        trigger->payload = collect_payload(world, 0);
    if (world_chance(world, 25))
        trigger->key = slice_of(keys[world_random(world, 4)]);
    if (world_chance(world, 15))
        trigger->delay_ms = 1 + (int64_t)world_random(world, 2000);
}

/* Some indexes in any order, some of them twice, some of them sent before. */
static void items_draw(struct world *world, struct batch_send *send, uint32_t room,
                       bool is_atomic)
{
    uint32_t count = (uint32_t)world_random(world, BATCH_ITEMS);

    if (world_chance(world, 50))
        count = room; /* all of them */
    if (world->run_count + count + BATCH_MAX >= KNOWN_MAX)
        count = 0;
    send->items = ARENA_ARRAY(&world->arena, struct batch_ask, (size_t)count + 1);
    for (uint32_t i = 0; i < count; i++) {
        struct batch_ask *ask = &send->items[send->count++];
        ask->command = ARENA_NEW(&world->arena, struct command);
        *ask->command = (struct command){ .kind = COMMAND_TRIGGER, .arena = &world->arena };
        ask->index = count == room ? i : (uint32_t)world_random(world, room);
        if (world_chance(world, 1))
            ask->index = room; /* beyond it */
        item_draw(world, ask, is_atomic);
    }
}

void act_batch(struct world *world)
{
    uint32_t count = store_memory_count(world->memory, ROW_BATCH);
    struct command *command = world_command(world, COMMAND_BATCH_SEND);

    if (command == NULL)
        return;
    struct batch_send *send = &command->batch_send;
    send->environment = 1 + (uint32_t)world_random(world, ENVIRONMENTS);
    send->refuses_mismatch = world_chance(world, 20);
    if (count > 0 && world_chance(world, 60)) {
        const struct run_batch *made = batch_at(world, (uint32_t)world_random(world, count));
        send->id = made->id;
        if (!world_chance(world, 3))
            send->environment = made->environment;
        items_draw(world, send, made->room, made->is_atomic);
        return;
    }
    send->begins = true;
    send->expected = 1 + (uint32_t)world_random(world, BATCH_ITEMS);
    send->is_atomic = world_chance(world, 25);
    if (world_chance(world, 20))
        send->key = slice_of(keys[world_random(world, 4)]);
    if (world_chance(world, 70) && send->key.size == 0)
        items_draw(world, send, send->expected, send->is_atomic);
}

void batch_reply(struct world *world, const struct command *command)
{
    const struct batch_send *send = &command->batch_send;

    if (send->parent_id != 0 && store_memory_token(world->memory, send->batch_id) != NULL)
        (void)known_token(world, send->batch_id, true); /* remembered from now on */
    for (uint32_t i = 0; i < send->count; i++) {
        const struct trigger *trigger = &send->items[i].command->trigger;
        if (trigger->is_new)
            (void)known_run(world, trigger->run_id, true);
        if (send->items[i].reply == ASK_TAKEN)
            collect_reply(world, trigger);
    }
}

/* ---- what a walk removes -----------------------------------------------------------------
 */

enum row_kind kind_after(enum row_kind kind)
{
    return kind == ROW_RUN           ? ROW_WAITPOINT
           : kind == ROW_WAITPOINT   ? ROW_BATCH
           : kind == ROW_BATCH       ? ROW_BATCH_ITEM
           : kind == ROW_BATCH_ITEM  ? ROW_BULK_ACTION
           : kind == ROW_BULK_ACTION ? ROW_QUEUE
                                     : ROW_RUN;
}

/* ---- what must hold ---------------------------------------------------------------------- */

struct counted {
    uint32_t received, refused, ended, failed, runs;
    uint32_t gone; /* runs that keys named, and that went since */
};

static bool is_ended(const struct run *run)
{
    return run == NULL || run_is_over(run);
}

static void item_count(struct world *world, const struct run_batch *made, uint32_t index,
                       struct counted *counted)
{
    const struct run *run = store_memory_find(world->memory, made->first_id + index);
    const struct batch_item *item = item_of(world, made->first_id + index);
    const struct run *target = run;
    bool is_linked = false;

    if (run != NULL && item != NULL)
        world_flaw(world, "item %u of batch %lld is a run and kept, too", index,
                   (long long)made->id);
    if ((run != NULL && run->batch != made->id) || (item != NULL && item->batch != made->id))
        world_flaw(world, "item %u of batch %lld is another's", index, (long long)made->id);
    counted->received += run != NULL || item != NULL;
    counted->runs += run != NULL;
    if (item != NULL && item->kind == ITEM_REFUSED) {
        counted->refused++;
        counted->ended++;
        counted->failed++;
        return;
    }
    if (item != NULL && item->kind == ITEM_LINKED) {
        target = store_memory_find(world->memory, item->target);
        is_linked = store_memory_has_edge(world->memory, item->target, item->id);
        if (!is_linked && !is_ended(target))
            world_flaw(world, "item %u of batch %lld will not hear of run %lld", index,
                       (long long)made->id, (long long)item->target);
    }
    bool is_there = run != NULL || (item != NULL && item->kind == ITEM_LINKED);
    if (is_there && !is_linked && is_ended(target)) {
        counted->ended++;
        counted->gone += target == NULL;
        counted->failed += target != NULL && target->outcome != OUTCOME_COMPLETED;
    }
}

static void status_check(struct world *world, const struct run_batch *made,
                         const struct counted *counted)
{
    bool is_all = made->received == made->expected;

    if ((made->status == BATCH_OPEN && (made->due_ms == 0 || made->finished_ms != 0)) ||
        (made->status == BATCH_MAKING && (made->due_ms == 0 || !is_all)) ||
        (made->status == BATCH_SEALED &&
         (!is_all || (made->finished_ms != 0) != (made->ended == made->expected))) ||
        (made->status == BATCH_ABORTED && (made->finished_ms == 0 || made->why.size == 0)))
        world_flaw(world, "batch %lld: status %u with %u of %u items, %u ended, due %lld",
                   (long long)made->id, made->status, made->received, made->expected,
                   made->ended, (long long)made->due_ms);
    if (made->is_atomic && counted->runs > 0 &&
        (made->refused > 0 || made->status == BATCH_OPEN || made->status == BATCH_ABORTED))
        world_flaw(world, "batch %lld: all or none, and %u have started", (long long)made->id,
                   counted->runs);
}

uint32_t check_batches(struct world *world)
{
    uint32_t edges = 0;

    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_BATCH); i++) {
        const struct run_batch *made = batch_at(world, i);
        struct counted counted = { 0 };
        for (uint32_t k = 0; k < made->room; k++)
            item_count(world, made, k, &counted);
        status_check(world, made, &counted);
        bool is_right = counted.received == made->received &&
                        counted.refused == made->refused && counted.ended == made->ended &&
                        counted.failed <= made->failed &&
                        counted.failed + counted.gone >= made->failed;
        /* Once it has finished its items may go, and those of one that was aborted go on. */
        if (made->finished_ms == 0 ? !is_right : counted.ended > made->ended)
            world_flaw(world,
                       "batch %lld counts %u items, %u refused, %u ended, %u failed; they "
                       "are %u, %u, %u, %u",
                       (long long)made->id, made->received, made->refused, made->ended,
                       made->failed, counted.received, counted.refused, counted.ended,
                       counted.failed);
    }
    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_BATCH_ITEM); i++) {
        const struct batch_item *item =
            (const struct batch_item *)store_memory_at(world->memory, ROW_BATCH_ITEM, i);
        edges += item->kind == ITEM_LINKED &&
                 store_memory_has_edge(world->memory, item->target, item->id);
    }
    return edges;
}

void check_batches_due(struct world *world, const struct moment *now)
{
    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_BATCH); i++) {
        const struct run_batch *made = batch_at(world, i);
        if (made->due_ms != 0 &&
            made->due_ms <= (made->due_is_span ? now->steady_ms : now->wall_ms))
            world_flaw(world, "batch %lld was due at %lld and nobody will look",
                       (long long)made->id, (long long)made->due_ms);
    }
}

/* One of its runs is held by a child of a task that nobody knows. */
static bool is_held_for_ever(const struct world *world, const struct run_batch *made)
{
    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_RUN); i++) {
        const struct run *child = store_memory_run(world->memory, i);
        const struct run *run = store_memory_find(world->memory, child->parent_id);
        if (slice_is(child->task, "unknown") && child->status != RUN_DONE && run != NULL &&
            run->batch == made->id && run->status == RUN_DONE && run->remaining > 0)
            return true;
    }
    return false;
}

void check_batches_finished(struct world *world)
{
    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_BATCH); i++) {
        const struct run_batch *made = batch_at(world, i);
        if (made->finished_ms == 0 && !is_held_for_ever(world, made))
            world_flaw(world, "batch %lld is stuck in status %u, %u of %u ended",
                       (long long)made->id, made->status, made->ended, made->expected);
    }
}
