#include "store/memory/rack.h"

#include "base/memory.h"

#include <stdlib.h>

int rack_order_of(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

int rack_run_order(const struct held *a, const struct held *b)
{
    return rack_order_of(a->run.id, b->run.id);
}

int rack_waitpoint_order(const struct held *a, const struct held *b)
{
    return rack_order_of(a->waitpoint.id, b->waitpoint.id);
}

int rack_queue_order(const struct held *a, const struct held *b)
{
    return rack_order_of(a->queue.id, b->queue.id);
}

int rack_lane_order(const struct held *a, const struct held *b)
{
    return rack_order_of(a->lane.id, b->lane.id);
}

int rack_key_order(const struct held *a, const struct held *b)
{
    return memcmp(a->key.hash, b->key.hash, sizeof a->key.hash);
}

int rack_edge_order(const struct held *a, const struct held *b)
{
    int order = rack_order_of(a->edge.waitpoint_id, b->edge.waitpoint_id);

    return order != 0 ? order : rack_order_of(a->edge.run_id, b->edge.run_id);
}

/* Where `wanted` is, or belongs. */
uint32_t rack_at(const struct rack *rack, const struct held *wanted, bool *found)
{
    uint32_t low = 0, high = rack->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (rack->order(rack->items[middle], wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = low < rack->count && rack->order(rack->items[low], wanted) == 0;
    return low;
}

struct held *rack_find(const struct rack *rack, const struct held *wanted)
{
    bool found;
    uint32_t at = rack_at(rack, wanted, &found);

    return found ? rack->items[at] : NULL;
}

void held_destroy(struct held *held)
{
    arena_finish(&held->arena);
    free(held);
}

/* Takes `held`, in place of the one with its key. */
void rack_put(struct rack *rack, struct held *held)
{
    bool found;
    uint32_t at = rack_at(rack, held, &found);

    if (found) {
        held_destroy(rack->items[at]);
        rack->items[at] = held;
        return;
    }
    if (rack->count == rack->capacity) {
        rack->capacity = rack->capacity == 0 ? 64 : rack->capacity * 2;
        rack->items = memory_grow(rack->items, rack->capacity * sizeof(struct held *));
    }
    memmove(&rack->items[at + 1], &rack->items[at], (rack->count - at) * sizeof(struct held *));
    rack->items[at] = held;
    rack->count++;
}

void rack_drop(struct rack *rack, const struct held *wanted)
{
    bool found;
    uint32_t at = rack_at(rack, wanted, &found);

    if (!found)
        return;
    held_destroy(rack->items[at]);
    rack->count--;
    memmove(&rack->items[at], &rack->items[at + 1], (rack->count - at) * sizeof(struct held *));
}

void rack_finish(struct rack *rack)
{
    for (uint32_t i = 0; i < rack->count; i++)
        held_destroy(rack->items[i]);
    free(rack->items);
}

static void slices_own(struct arena *arena, struct slice *slices[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        *slices[i] = slices[i]->size == 0 ? (struct slice){ 0 } : arena_copy(arena, *slices[i]);
}

#define OWN(arena, ...)                                    \
    slices_own((arena), (struct slice *[]){ __VA_ARGS__ }, \
               sizeof((struct slice *[]){ __VA_ARGS__ }) / sizeof(struct slice *))

void held_run_own(struct arena *arena, struct run *run)
{
    OWN(arena, &run->task, &run->segment, &run->version, &run->build, &run->tags,
        &run->metadata, &run->error, &run->wait, &run->once, &run->timeline, &run->key,
        &run->key_text, &run->concurrency_key, &run->schema, &run->schema_now, &run->deaths,
        &run->input, &run->state, &run->output);
}

void held_waitpoint_own(struct arena *arena, struct waitpoint *row)
{
    OWN(arena, &row->task, &row->schema, &row->tags, &row->key_text, &row->secret,
        &row->result);
}

struct held *held_create(void)
{
    return memory_zeroed(1, sizeof(struct held));
}
