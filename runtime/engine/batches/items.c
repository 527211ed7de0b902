/* Items of a batch that are no run, or not yet one. */
#include "codec/pack.h"
#include "engine/batches/run_batches.h"

enum { RELEASE_MOST = 250 /* runs that are made in one transaction */ };

struct batch_item *item_make(struct batch *batch, const struct run_batch *made, int64_t id,
                             enum item_kind kind, const struct trigger *trigger)
{
    struct batch_item *item = rows_new_item(&batch->rows, id);

    item->created_ms = batch->now_ms;
    item->batch = made->id;
    item->kind = kind;
    item->given = trigger->given;
    item->task = arena_copy(batch->arena, trigger->task);
    return item;
}

void item_refuse(struct batch *batch, struct run_batch *made, struct batch_item *item,
                 struct slice why)
{
    item->kind = ITEM_REFUSED;
    item->error = arena_copy(batch->arena, why);
    item->asked = (struct slice){ 0 };
    made->refused++;
    run_batch_count(batch, made, true);
}

void item_link(struct batch *batch, struct run_batch *made, struct batch_item *item, int64_t id,
               const struct run *target)
{
    item->kind = ITEM_LINKED;
    item->target = id;
    item->asked = (struct slice){ 0 };
    if (target != NULL && !run_is_over(target))
        (void)rows_new_edge(&batch->rows, id, item->id); /* linked by being made */
    else
        run_batch_count(batch, made, target == NULL || target->outcome != OUTCOME_COMPLETED);
}

/* ---- kept aside -------------------------------------------------------------------------- */

/* clang-format off */
#define KEPT_SLICES(X) \
    X(payload) X(queue) X(concurrency_key) X(tags) X(metadata) X(key) X(key_text) X(note)
#define KEPT_NUMBERS(X)                                                                     \
    X(due_ms) X(delay_ms) X(ttl_ms) X(priority_ms) X(has_ttl) X(has_priority) X(limit_ms)   \
    X(max_attempts) X(is_test) X(key_ttl_ms) X(key_global) X(reuse)           \
    X(on_parent_end) X(cost) X(inherits_tags) X(max_attempts_total) X(total_ms) X(cpu_ms)
/* clang-format on */

/* Texts that came later. */
#define KEPT_LATER(X) X(version)

#define ONE(member) +1
enum {
    KEPT_COUNT = 0 KEPT_SLICES(ONE) KEPT_NUMBERS(ONE) KEPT_LATER(ONE),
    KEPT_LEAST = 21 /* an older version's: new numbers come at the end, and are 0 in those */
};

struct slice item_pack(struct arena *arena, const struct trigger *asked)
{
    struct trigger copy = *asked, *trigger = &copy;
    struct buffer out = { 0 };

    trigger->payload = asked->checked;

    pack_list(&out, KEPT_COUNT);
#define PUT(member) pack_bytes(&out, trigger->member);
    KEPT_SLICES(PUT)
#undef PUT
#define PUT(member) pack_int(&out, (int64_t)trigger->member);
    KEPT_NUMBERS(PUT)
#undef PUT
#define PUT(member) pack_bytes(&out, trigger->member);
    KEPT_LATER(PUT)
#undef PUT
    struct slice packed = arena_copy(arena, buffer_view(&out));
    buffer_finish(&out);
    return packed;
}

bool item_read(struct arena *arena, const struct batch_item *item, struct trigger *trigger)
{
    const struct value *at;
    struct value list;

    *trigger = (struct trigger){ .task = item->task, .given = item->given };
    if (!pack_read(arena, item->asked, &list, NULL) || list.kind != VALUE_LIST ||
        list.count < KEPT_LEAST || list.count > KEPT_COUNT)
        return false;
    at = list.items;
#define TAKE(member) trigger->member = (at++)->bytes;
    KEPT_SLICES(TAKE)
#undef TAKE
#define TAKE(member)  \
    trigger->member = \
        at == list.items + list.count ? 0 : (__typeof__(trigger->member))(at++)->integer;
    KEPT_NUMBERS(TAKE)
#undef TAKE
#define TAKE(member)                   \
    if (at != list.items + list.count) \
        trigger->member = (at++)->bytes;
    KEPT_LATER(TAKE)
#undef TAKE
    return true;
}

/* ---- released ---------------------------------------------------------------------------- */

static struct command *release_command(struct batch *batch, const struct run_batch *made,
                                       const struct batch_item *item)
{
    struct command *command = ARENA_NEW(batch->arena, struct command);
    struct trigger *trigger = &command->trigger;

    command->kind = COMMAND_TRIGGER;
    command->arena = batch->arena;
    if (!item_read(batch->arena, item, trigger))
        err_set(&command->err, ERR_STORE, "the item is damaged in the database");
    trigger->environment = made->environment;
    trigger->id = item->id;
    trigger->batch = made->id;
    trigger->parent_id = made->parent_id;
    trigger->is_accepted = true;
    return command;
}

/* The next of them is made; false: more rows are needed. */
static bool release_one(struct batch *batch, struct run_batch *made, struct batch_item *item,
                        struct run *parent)
{
    struct command *command = release_command(batch, made, item);
    struct run *target = NULL;

    if (command->err.code == ERR_OK && !trigger_decide(batch, command))
        return false;
    if (command->err.code == ERR_OK && !item_is_run(&command->trigger) &&
        !rows_run(&batch->rows, command->trigger.run_id, 0, &target))
        return false;
    if (command->err.code != ERR_OK)
        item_refuse(batch, made, item, slice_of(command->err.text));
    else if (!item_is_run(&command->trigger))
        item_link(batch, made, item, command->trigger.run_id, target);
    else
        item->row.is_deleted = true;
    if (item->row.is_deleted && parent != NULL)
        child_late(batch, parent, rows_run_here(&batch->rows, command->trigger.run_id));
    made->made++;
    return true;
}

/* Who is below a run that was canceled, or took too long, is canceled, and these would be. Once
 * one of them is made, all are, whatever becomes of each. */
static bool is_too_late(const struct run_batch *made, const struct run *parent)
{
    return made->made == 0 && parent != NULL && run_has_ended(parent) &&
           parent->undo_number == 0 && run_ends_children(parent);
}

static bool release_load(struct batch *batch, const struct run_batch *made, uint32_t count)
{
    struct batch_item *item;
    bool loaded = true;

    for (uint32_t i = 0; i < count; i++)
        loaded &= rows_item(&batch->rows, made->first_id + made->made + i, &item);
    for (uint32_t i = 0; loaded && i < count; i++) {
        item = rows_item_here(&batch->rows, made->first_id + made->made + i);
        if (item != NULL && item->kind == ITEM_KEPT)
            (void)trigger_prefetch(batch, release_command(batch, made, item)); /* wants only */
    }
    return loaded && !rows_wanted(&batch->rows);
}

bool items_release(struct batch *batch, struct run_batch *made)
{
    uint32_t left = made->expected - made->made;
    uint32_t count = left < batch->steps ? left : batch->steps;
    struct run *parent = NULL;

    if (count > RELEASE_MOST)
        count = RELEASE_MOST;
    if (made->parent_id != 0 && !rows_run(&batch->rows, made->parent_id, 0, &parent))
        return false;
    if (is_too_late(made, parent)) {
        run_batch_abort(batch, made, SLICE("the run that made it has ended"));
        return true;
    }
    if (!release_load(batch, made, count))
        return false;
    for (; count > 0; count--) {
        struct batch_item *item = rows_item_here(&batch->rows, made->first_id + made->made);
        if (item == NULL || item->kind != ITEM_KEPT)
            made->made++; /* a key's: it was linked when it came */
        else if (!batch_settle(batch) || !release_one(batch, made, item, parent))
            return false;
        batch->steps -= batch->steps > 0;
    }
    return true;
}
