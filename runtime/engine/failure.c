/*
 * Failures: why an attempt went wrong, as it is kept with the run.
 *
 *   { name, message, stack?, segment?, version?, build?, attempt, outcome, at,
 *     earlier?: [ { name, message, segment?, attempt, outcome, at } … ] }
 *
 * Those of earlier attempts go along, the first few and the last. A run that ends well keeps
 * them: then `earlier` is all there is.
 */
#include "failure.h"

#include "codec/pack.h"
#include "engine/batch.h"

enum { EARLIER_FIRST = 3, EARLIER_LAST = 7, MESSAGE_MAX = 500 };

/* What is kept of a failure when another follows. */
static struct value earlier_of(struct arena *arena, const struct value *error)
{
    static const char *const members[] = { "name",    "message", "segment",
                                           "attempt", "outcome", "at" };
    struct value kept = value_map();

    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        const struct value *found = value_find(error, members[i]);
        if (found == NULL)
            continue;
        struct value copy = *found;
        if (copy.kind == VALUE_STRING && copy.bytes.size > MESSAGE_MAX) {
            copy.bytes.size = MESSAGE_MAX;
            while (copy.bytes.size > 0 && !utf8_is_valid(copy.bytes))
                copy.bytes.size--; /* not in the middle of a character */
        }
        value_put(arena, &kept, members[i], copy);
    }
    return kept;
}

/* All failures so far, as a list. */
static struct value earlier_list(struct arena *arena, struct slice packed)
{
    struct value list = value_list(), error;

    if (packed.size == 0 || !pack_read(arena, packed, &error, NULL))
        return list;
    const struct value *earlier = value_find(&error, "earlier");
    uint32_t count = earlier != NULL && earlier->kind == VALUE_LIST ? earlier->count : 0;
    bool is_full = count >= EARLIER_FIRST + EARLIER_LAST;
    for (uint32_t i = 0; i < count; i++)
        if (!is_full || i != EARLIER_FIRST)
            value_add(arena, &list, earlier->items[i]);
    if (value_find(&error, "name") != NULL)
        value_add(arena, &list, earlier_of(arena, &error));
    return list;
}

static void text_put(struct arena *arena, struct value *map, const char *key, struct slice text)
{
    if (text.size > 0)
        value_put(arena, map, key, value_string(text));
}

struct slice failure_pack(struct batch *batch, const struct run *run,
                          const struct failure *failure)
{
    struct arena *arena = batch->arena;
    struct value map = value_map(), earlier = earlier_list(arena, run->error);

    value_put(arena, &map, "name", value_string(failure->name));
    value_put(arena, &map, "message", value_string(failure->message));
    text_put(arena, &map, "stack", failure->stack);
    text_put(arena, &map, "segment", run_segment(batch, run));
    text_put(arena, &map, "version", run->version);
    text_put(arena, &map, "build", run->build);
    value_put(arena, &map, "attempt", value_int(run->attempt));
    value_put(arena, &map, "outcome", value_int(failure->outcome));
    value_put(arena, &map, "at", value_int(batch->now_ms));
    if (earlier.count > 0)
        value_put(arena, &map, "earlier", earlier);
    return pack_value(arena, &map);
}

struct slice failures_past(struct arena *arena, struct slice error)
{
    struct value map = value_map();

    if (error.size == 0)
        return error;
    value_put(arena, &map, "earlier", earlier_list(arena, error));
    return pack_value(arena, &map);
}

static struct slice text_of(const struct value *map, const char *key)
{
    const struct value *found = value_find(map, key);
    return found != NULL && found->kind == VALUE_STRING ? found->bytes : (struct slice){ 0 };
}

void failure_said(struct arena *arena, struct slice error, struct slice *code,
                  struct slice *message)
{
    struct value map = value_map();

    if (error.size > 0 && !pack_read(arena, error, &map, NULL))
        map = value_map();
    *code = text_of(&map, "name");
    *message = text_of(&map, "message");
}
