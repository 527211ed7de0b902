/*
 * Collected triggers: which run they become, and that each that was taken is in the list of one
 * run, once, in the order in which they were.
 */
#include "engine/admission/collect.h"

#include "batches.h"
#include "codec/pack.h"

enum {
    NUMBER_SIZE = 12,
    NUMBERS_FROM = 1000 /* others have smaller ones */,
    HEAD = 5,
    COUNT_AT = 4
};

#define MONTH_MS (INT64_C(30) * 86400 * 1000)

static const char *const lanes[] = { "", "", "x" };

struct slice collect_payload(struct world *world, int64_t number)
{
    char *bytes = arena_alloc(&world->arena, NUMBER_SIZE);

    if (number == 0)
        number = NUMBERS_FROM + ++world->collected.last;
    memcpy(bytes, "\x81\xa1n\xcf", NUMBER_SIZE - sizeof number);
    for (size_t i = 0; i < sizeof number; i++)
        bytes[NUMBER_SIZE - 1 - i] = (char)((uint64_t)number >> (8 * i));
    return (struct slice){ bytes, NUMBER_SIZE };
}

/* What cannot be merged is refused: that is drawn seldom. */
void collect_say(struct world *world, struct trigger *trigger)
{
    if (trigger->goes_on != NULL)
        return;
    if (!world_chance(world, 20)) {
        if (slice_is(trigger->queue, "many"))
            trigger->queue = (struct slice){ 0 };
        return;
    }
    *trigger = (struct trigger){ .environment = trigger->environment,
                                 .task = trigger->task,
                                 .payload = collect_payload(world, 0),
                                 .queue = SLICE("many"),
                                 .concurrency_key = slice_of(lanes[world_random(world, 3)]),
                                 .tags = trigger->tags,
                                 .ttl_ms = trigger->ttl_ms,
                                 .has_ttl = trigger->has_ttl,
                                 .key = trigger->key,
                                 .key_ttl_ms = trigger->key_ttl_ms,
                                 .reuse = trigger->reuse,
                                 .request_key = trigger->request_key,
                                 .delay_ms = world_chance(world, 5) ? 100 : 0 };
}

/* ---- what was told ----------------------------------------------------------------------- */

static int64_t number_of(const struct value *payload)
{
    const struct value *number = value_find(payload, "n");

    return number != NULL && number->kind == VALUE_INT ? number->integer : 0;
}

/* The last that was taken: a call of a segment is known for a month. */
static const struct known_item *known_find(const struct world *world, int64_t number)
{
    for (uint32_t i = world->collected.count; i-- > 0;)
        if (world->collected.items[i].number == number)
            return &world->collected.items[i];
    return NULL;
}

void collect_reply(struct world *world, const struct trigger *trigger)
{
    struct known_collected *collected = &world->collected;
    struct arena arena = { 0 };
    struct value payload;

    if (!is_collected(trigger) || (!trigger->is_new && !trigger->collected))
        return;
    (void)pack_read(&arena, trigger->payload, &payload, NULL);
    int64_t number = number_of(&payload);
    arena_finish(&arena);
    const struct known_item *before = known_find(world, number);
    if (before != NULL && before->at_ms > world->steady_ms - MONTH_MS)
        world_flaw(world, "payload %lld was taken twice, by run %lld at last",
                   (long long)number, (long long)trigger->run_id);
    else if (collected->count < COLLECTED_MAX)
        collected->items[collected->count++] =
            (struct known_item){ number, trigger->run_id, world->steady_ms };
}

/* Those that were told stand in it in that order; between them may be some that were not. */
static void list_check(struct world *world, const struct run *run, const struct value *list)
{
    const struct known_item *before = NULL;
    uint32_t told = 0;

    for (uint32_t i = 0; i < list->count; i++) {
        const struct known_item *item = known_find(world, number_of(&list->items[i]));
        bool is_old = item != NULL && item->at_ms <= world->steady_ms - MONTH_MS;
        bool is_later = item != NULL && (item->run > run->id || !host_is_alone(world));
        if (item == NULL || (item->run != run->id && (is_later || is_old)))
            continue; /* not told, or taken again later; ids of nodes tell no order */
        if (item->run != run->id)
            world_flaw(world, "payload %lld is in the list of run %lld, and was taken by %lld",
                       (long long)item->number, (long long)run->id, (long long)item->run);
        if (before != NULL && item <= before)
            world_flaw(world, "run %lld has its list in another order than it came",
                       (long long)run->id);
        before = item;
        told++;
    }
    for (uint32_t i = 0; i < world->collected.count; i++)
        told -= world->collected.items[i].run == run->id &&
                known_find(world, world->collected.items[i].number)->run == run->id;
    if (told != 0)
        world_flaw(world, "run %lld has lost some of what it has taken", (long long)run->id);
}

static void collected_check(struct world *world, const struct run *run)
{
    struct arena arena = { 0 };
    struct value list = value_list();

    (void)pack_read(&arena, run->input, &list, NULL);
    if (list.count != run->collected || list.count > COLLECT_MOST || list.count == 0)
        world_flaw(world, "run %lld has collected %u, its list has %u", (long long)run->id,
                   run->collected, list.count);
    if (run->status == RUN_DELAYED && run->started_ms == 0 && run->due_is_span &&
        run->due_ms == run->bounce_ms && run->collected == run->collect_most)
        world_flaw(world, "run %lld is full, and does not start", (long long)run->id);
    if (run->parent_id != 0 || run->batch != 0)
        world_flaw(world, "run %lld has collected, and is somebody's", (long long)run->id);
    list_check(world, run, &list);
    arena_finish(&arena);
}

void check_collected(struct world *world)
{
    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_RUN); i++) {
        const struct run *run = store_memory_run(world->memory, i);
        if (run->collect_most > 0)
            collected_check(world, run);
    }
}

/* ---- the model --------------------------------------------------------------------------- */

bool is_collected(const struct trigger *trigger)
{
    return slice_is(trigger->queue, "many") && trigger->items == 0 &&
           trigger->goes_on == NULL && !trigger->only_asks;
}

static struct slice list_add(const struct look *look, struct slice list, struct slice payload)
{
    size_t size = list.size + payload.size;
    char *bytes = arena_alloc(&look->model->arena, size);

    memcpy(bytes, list.data, list.size);
    memcpy(bytes + list.size, payload.data, payload.size);
    bytes[COUNT_AT]++;
    return (struct slice){ bytes, size };
}

struct command *collect_command(const struct look *look, const struct command *command)
{
    static const char none[HEAD] = { (char)0xdd };
    struct command *made = ARENA_NEW(&look->model->arena, struct command);
    struct trigger *trigger = &made->trigger;

    *made = *command;
    trigger->payload = list_add(look, (struct slice){ none, HEAD }, trigger->payload);
    trigger->id = trigger->parent_id = trigger->batch = 0;
    trigger->key = trigger->key_text = (struct slice){ 0 };
    trigger->on_parent_end = CHILDREN_UNSAID;
    trigger->delay_ms = COLLECT_MS;
    return made;
}

bool collect_is_full(const struct look *look, const struct run *run)
{
    const struct shadow *shadow = shadow_of(look, run->id);

    return run->collect_most > 0 && run->collected == run->collect_most &&
           (shadow == NULL || shadow->was == NULL ||
            shadow->was->collected < run->collect_most);
}

static bool takes(const struct look *look, const struct run *run)
{
    return run != NULL && run_collects(run) && !run_has_ended(run) &&
           run->bounce_ms > look->steady_ms &&
           !look_is_over(look, run->due_ms, run->due_is_span);
}

static bool is_alike(const struct trigger *trigger, const struct run *run)
{
    return run->environment == trigger->environment && slice_equal(run->task, trigger->task) &&
           slice_equal(run->concurrency_key, trigger->concurrency_key);
}

/* One takes more after this batch, and did before: it must have got it. */
static void missed_look(const struct look *look, const struct trigger *trigger)
{
    struct store *memory = look->world->memory;

    for (uint32_t i = 0; i < store_memory_count(memory, ROW_RUN); i++) {
        const struct run *run = store_memory_run(memory, i);
        const struct shadow *shadow = shadow_of(look, run->id);
        if (run->id != trigger->run_id && shadow != NULL && takes(look, run) &&
            (shadow->was == NULL || takes(look, shadow->was)) && is_alike(trigger, run))
            world_flaw(look->world, "run %lld takes more, and run %lld was made beside it",
                       (long long)run->id, (long long)trigger->run_id);
    }
}

bool rule_collected(const struct look *look, const struct command *command)
{
    const struct trigger *trigger = &command->trigger;
    const struct run *run = run_now(look, trigger->run_id);
    struct shadow *shadow = shadow_of(look, trigger->run_id);

    if (!is_collected(trigger))
        return false;
    if (!trigger->collected) {
        missed_look(look, trigger);
        return false;
    }
    if (run == NULL || shadow == NULL || trigger->is_new || !trigger->cached ||
        !is_alike(trigger, run) || (shadow->was != NULL && !takes(look, shadow->was))) {
        world_flaw(look->world, "a trigger was added to run %lld, which does not take it",
                   (long long)trigger->run_id);
        return true;
    }
    shadow->input = list_add(look, shadow->input, trigger->payload);
    shadow->bounced = look->model->batches;
    return true;
}
