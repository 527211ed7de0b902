/* Cycles: who has failed, or was let go, because it would have waited for itself. That none is
 * left is seen at the end, when all must have finished. */
#include "batches.h"
#include "waits.h"

enum { VAIN_MAX = 512 };

/* Who may not be able to go on before the first of them. */
struct vain {
    const struct look *look;
    int64_t ids[VAIN_MAX];
    uint32_t count;
};

static bool is_vain(const struct vain *vain, int64_t id)
{
    for (uint32_t i = 0; i < vain->count; i++)
        if (vain->ids[i] == id)
            return true;
    return false;
}

static bool vain_add(struct vain *vain, int64_t id)
{
    if (vain->count == VAIN_MAX || is_vain(vain, id))
        return false;
    vain->ids[vain->count++] = id;
    return true;
}

/* For one of them at least, and without end. */
static bool waits_in_vain(const struct vain *vain, struct slice packed)
{
    struct arena arena = { 0 };
    struct wait wait;
    bool is = false;

    if (wait_read(&arena, packed, &wait) && wait.due_ms == 0)
        for (uint32_t i = 0; i < wait.count; i++)
            is |= is_vain(vain, wait.ids[i]);
    arena_finish(&arena);
    return is;
}

static bool is_held_in_vain(const struct vain *vain, const struct run *run)
{
    struct store *memory = vain->look->world->memory;

    if (run->status != RUN_DONE || (run->choices & RUN_IS_HELD) == 0)
        return false;
    for (uint32_t i = 0; i < store_memory_count(memory, ROW_RUN); i++) {
        const struct run *child = store_memory_run(memory, i);
        if (child->parent_id == run->id && is_vain(vain, child->id))
            return true;
    }
    return false;
}

/* As it was before the batch, or came to be in it. */
static bool run_look(struct vain *vain, const struct run *run)
{
    const struct shadow *shadow = shadow_of(vain->look, run->id);
    const struct run *was = shadow == NULL ? NULL : shadow->was;

    return !is_vain(vain, run->id) &&
           (waits_in_vain(vain, run->wait) ||
            (was != NULL && was->status == RUN_WAITING && waits_in_vain(vain, was->wait)) ||
            is_held_in_vain(vain, run)) &&
           vain_add(vain, run->id);
}

static bool batch_look(struct vain *vain, const struct run_batch *made)
{
    bool is = false;

    for (uint32_t i = 0; i < made->room; i++) {
        const struct batch_item *item = item_of(vain->look->world, made->first_id + i);
        is |= is_vain(vain, made->first_id + i) ||
              (item != NULL && item->kind == ITEM_LINKED && is_vain(vain, item->target));
    }
    return is && vain_add(vain, made->id);
}

static void vain_find(const struct look *look, int64_t first, struct vain *vain)
{
    struct store *memory = look->world->memory;
    bool more = true;

    *vain = (struct vain){ .look = look, .ids = { first }, .count = 1 };
    while (more) {
        more = false;
        for (uint32_t i = 0; i < store_memory_count(memory, ROW_RUN); i++)
            more |= run_look(vain, store_memory_run(memory, i));
        for (uint32_t i = 0; i < store_memory_count(memory, ROW_BATCH); i++)
            more |= batch_look(vain, batch_at(look->world, i));
    }
}

bool rule_hold_ended(const struct look *look, const struct run *was, const struct run *run)
{
    const struct run *parent = run_now(look, run->parent_id);
    struct vain vain;

    vain_find(look, run->parent_id, &vain);
    return was->choices - run->choices == RUN_HOLDS && parent != NULL &&
           parent->status == RUN_DONE && run_ends_children(parent) &&
           (is_vain(&vain, run->id) || run->seq != was->seq); /* else it was in between */
}

void rule_cycle(const struct look *look, const struct run *run, const struct wait *wait)
{
    const struct wait_group *group = wait->group;
    struct vain vain;
    bool is = false;

    vain_find(look, run->id, &vain);
    for (uint32_t i = 0; i < wait->count; i++)
        is |= is_vain(&vain, wait->ids[i]);
    for (uint32_t i = 0; group != NULL && i < group->count; i++)
        is |= is_vain(&vain, group->parts[i].id);
    if (!is || wait->due_ms != 0)
        world_flaw(look->world, "run %lld has failed over a cycle, and waits for none",
                   (long long)run->id);
}
