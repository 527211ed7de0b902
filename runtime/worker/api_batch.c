/*
 * The api: batches. Items are gathered here and go to the host some at a time; the batch is
 * there from the first of them on, with the id that its call number gives.
 */
#include "codec/pack.h"
#include "segment_run.h"

enum { PART_ITEMS = 100, READ_ITEMS = 100 };

/* A batch that this segment has begun. */
struct sending {
    int64_t id;
    bool is_atomic, is_sealed;
    uint32_t count, sent; /* items */
    struct value items;   /* that are still to be sent */
    size_t bytes;         /* of them */
    struct sending *next;
};

/* A batch whose answers are looked at: those from `from`, `count` of them, are here. */
struct reading {
    int64_t id;
    bool is_known;
    uint32_t all, from, count;
    struct bide_ending *endings;
    struct reading *next;
};

static struct sending *sending_of(struct segment *segment, const bide_batch *batch)
{
    for (struct sending *sending = segment->sendings; sending != NULL; sending = sending->next)
        if (sending->id == batch->id)
            return sending;
    return NULL;
}

void api_batch_begin(bide_task *t, const struct bide_batch_opts *given, bide_batch *batch)
{
    struct segment *segment = segment_of(t);
    struct bide_batch_opts opts = { 0 };
    struct sending *sending;
    int64_t id;

    if (segment->is_raised || !segment_makes(segment, &id))
        return;
    if (given != NULL)
        memcpy(&opts, given, given->size < sizeof opts ? given->size : sizeof opts);
    sending = ARENA_NEW(&segment->arena, struct sending);
    *sending = (struct sending){ .id = id,
                                 .is_atomic = opts.all_or_nothing != 0,
                                 .items = value_list(),
                                 .next = segment->sendings };
    segment->sendings = sending;
    batch->id = id;
}

static bool part_send(struct segment *segment, struct sending *sending, bool seals)
{
    struct value body = value_map(), reply;
    struct arena *arena = &segment->arena;

    value_put(arena, &body, "batch", value_int(sending->id));
    value_put(arena, &body, "all", value_bool(sending->is_atomic));
    value_put(arena, &body, "from", value_int(sending->sent));
    value_put(arena, &body, "seal", value_bool(seals));
    value_put(arena, &body, "items", sending->items);
    sending->sent = sending->count;
    sending->items = value_list();
    sending->bytes = 0;
    sending->is_sealed = seals;
    return segment_call(segment, CALL_BATCH, &body, &reply);
}

uint32_t api_batch_add(bide_task *t, const bide_batch *batch, const char *task,
                       const bide_value *payload, const struct bide_trigger_opts *opts)
{
    struct segment *segment = segment_of(t);
    struct sending *sending = sending_of(segment, batch);
    struct value item = value_map();
    int64_t most = segment->limits->payload_bytes;

    if (segment->is_raised)
        return 0;
    if (sending == NULL || sending->is_sealed) {
        segment_raise(segment, false, "refused",
                      "bide_batch_add() needs a batch that this segment has begun and not yet "
                      "sealed");
        return 0;
    }
    if (!segment_trigger_body(segment, task, payload, opts, &item))
        return 0;
    size_t bytes = pack_value(&segment->arena, &item).size;
    if (sending->items.count == PART_ITEMS ||
        (most > 0 && (int64_t)(sending->bytes + bytes) > most && sending->items.count > 0)) {
        if (!part_send(segment, sending, false))
            return 0;
    }
    value_add(&segment->arena, &sending->items, item);
    sending->bytes += bytes;
    return sending->count++;
}

void api_batch_seal(bide_task *t, const bide_batch *batch)
{
    struct segment *segment = segment_of(t);
    struct sending *sending = sending_of(segment, batch);

    if (!segment->is_raised && sending != NULL && !sending->is_sealed)
        (void)part_send(segment, sending, true); /* raised, where it fails */
}

void segment_batches_seal(struct segment *segment)
{
    for (struct sending *sending = segment->sendings; sending != NULL; sending = sending->next)
        if (!segment->is_raised && !sending->is_sealed)
            (void)part_send(segment, sending, true); /* raised, where it fails */
}

/* ---- answers ----------------------------------------------------------------------------- */

static bool read_from(struct segment *segment, struct reading *reading, uint32_t from)
{
    struct value body = value_map(), reply;
    const struct value *count, *items;

    value_put(&segment->arena, &body, "batch", value_int(reading->id));
    value_put(&segment->arena, &body, "from", value_int(from));
    value_put(&segment->arena, &body, "count", value_int(READ_ITEMS));
    if (!segment_call(segment, CALL_BATCH_READ, &body, &reply))
        return false;
    count = value_find(&reply, "count");
    items = value_find(&reply, "items");
    if (count == NULL || count->kind != VALUE_INT || items == NULL || items->kind != VALUE_LIST)
        return segment_raise(segment, true, "host_failed", "the host's answer has no items");
    reading->is_known = true;
    reading->all = (uint32_t)count->integer;
    reading->from = from;
    reading->count = items->count;
    reading->endings = ARENA_ARRAY(&segment->arena, struct bide_ending, items->count);
    for (uint32_t i = 0; i < items->count; i++)
        ending_take(segment, &items->items[i], &reading->endings[i]);
    return true;
}

static struct reading *reading_of(struct segment *segment, const bide_batch *batch)
{
    struct reading *reading = segment->readings;

    if (segment->is_raised || batch->id == 0)
        return NULL;
    while (reading != NULL && reading->id != batch->id)
        reading = reading->next;
    if (reading == NULL) {
        reading = ARENA_NEW(&segment->arena, struct reading);
        *reading = (struct reading){ .id = batch->id, .next = segment->readings };
        segment->readings = reading;
    }
    return reading->is_known || read_from(segment, reading, 0) ? reading : NULL;
}

uint32_t api_batch_count(bide_task *t, const bide_batch *batch)
{
    const struct reading *reading = reading_of(segment_of(t), batch);

    return reading == NULL ? 0 : reading->all;
}

const struct bide_ending *api_batch_ending(bide_task *t, const bide_batch *batch,
                                           uint32_t index)
{
    static const struct bide_ending nothing = { .size = sizeof nothing,
                                                .error = "",
                                                .code = "" };
    struct segment *segment = segment_of(t);
    struct reading *reading = reading_of(segment, batch);

    if (reading == NULL || index >= reading->all)
        return &nothing;
    if ((index < reading->from || index >= reading->from + reading->count) &&
        (!read_from(segment, reading, index) || reading->count == 0))
        return &nothing;
    return &reading->endings[index - reading->from];
}
