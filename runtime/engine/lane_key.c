#include "engine/lane_key.h"

#include "base/name.h"
#include "codec/expression.h"
#include "codec/pack.h"

/* Behind what is wrong already. */
static void flaw_add(struct batch *batch, struct slice *flaw, struct slice text)
{
    *flaw = flaw->size == 0
                ? text
                : arena_format(batch->arena, "%.*s; %.*s", SLICE_ARG(*flaw), SLICE_ARG(text));
}

static struct slice text_of(struct batch *batch, const struct queue_level *level,
                            const struct value *payload, struct slice *flaw)
{
    struct expression_flaw found;
    struct value value;
    struct err err;

    if (level->by == NULL)
        return (struct slice){ 0 };
    if (!expression_value(level->by, payload, batch->arena, &value, &found))
        flaw_add(batch, flaw,
                 arena_format(batch->arena, "%.*s has no value: %s",
                              SLICE_ARG(expression_text(level->by)), found.text));
    else if (value.bytes.size > 0 && !name_check(NAME_LANE, value.bytes, &err))
        flaw_add(batch, flaw, slice_of(arena_text(batch->arena, slice_of(err.text))));
    else
        return arena_copy(batch->arena, value.bytes);
    return (struct slice){ 0 };
}

struct lane_key lane_key_of(struct batch *batch, const struct queue_fair *fair,
                            struct slice given, struct slice payload)
{
    struct value value = { .kind = VALUE_NULL };
    struct lane_key made = { .key = given };

    if (payload.size > 0)
        (void)pack_read(batch->arena, payload, &value, NULL); /* else it is refused soon */
    made.tenant = text_of(batch, &fair->levels[WEIGHT_TENANT], &value, &made.flaw);
    if (given.size == 0)
        made.key = text_of(batch, &fair->levels[WEIGHT_KEY], &value, &made.flaw);
    if (made.key.size == 0)
        made.key = made.tenant;
    return made;
}
