/* The api: how waits ended. */
#include "base/id.h"
#include "codec/pack.h"
#include "segment_run.h"

static const char *said_text(struct segment *segment, const struct value *said, const char *key)
{
    const struct value *found = value_find(said, key);
    return found != NULL && found->kind == VALUE_STRING
               ? arena_text(&segment->arena, found->bytes)
               : "";
}

void ending_take(struct segment *segment, const struct value *said, struct bide_ending *ending)
{
    const struct value *status = value_find(said, "status");
    const struct value *output = value_find(said, "output");

    *ending = (struct bide_ending){ .size = sizeof *ending };
    if (status != NULL && status->kind == VALUE_INT)
        ending->status = (uint32_t)status->integer;
    if (ending->status == BIDE_WAIT_OK) {
        struct value *kept = ARENA_NEW(&segment->arena, struct value);
        *kept = output == NULL ? (struct value){ .kind = VALUE_NULL } : *output;
        ending->value = value_lent(kept);
    }
    ending->error = said_text(segment, said, "error");
    ending->code = said_text(segment, said, "code");
}

static void ending_ask(struct segment *segment, int64_t id, struct bide_ending *ending)
{
    struct value body = value_map(), reply;

    value_put(&segment->arena, &body, "id", value_int(id));
    if (segment_call(segment, CALL_RUN, &body, &reply))
        ending_take(segment, &reply, ending);
}

/* Each result is read, or asked for, when it is first looked at. */
static const struct bide_ending *ending_at(struct segment *segment, uint32_t index)
{
    const struct frame_result *result = &segment->frame->results[index];
    struct bide_ending *ending = &segment->endings[index];

    if (segment->has_ending[index])
        return ending;
    segment->has_ending[index] = true;
    *ending = (struct bide_ending){ .size = sizeof *ending,
                                    .status = result->status,
                                    .error = arena_text(&segment->arena, result->error),
                                    .code = arena_text(&segment->arena, result->code) };
    if (result->has_more) {
        ending_ask(segment, result->id, ending);
    } else if (result->status == WAIT_OK && (result->id > 0 || result->value.size > 0)) {
        struct value *value = ARENA_NEW(&segment->arena, struct value);
        *value = (struct value){ .kind = VALUE_NULL };
        if (result->value.size > 0 && !pack_read(&segment->arena, result->value, value, NULL))
            segment_raise(segment, false, "broken_input", "a result cannot be read");
        ending->value = value_lent(value);
    }
    return ending;
}

/* A group that is over has the value of the first part that ended well; of one part, it is how
 * that ended. */
static const struct bide_ending *ending_group(struct segment *segment, uint32_t whole)
{
    if (segment->frame->results[whole].status != WAIT_OK || whole == 0)
        return ending_at(segment, whole);
    if (whole == 1 && segment->frame->results[0].status != WAIT_NONE) /* else it was skipped */
        return ending_at(segment, 0);
    for (uint32_t i = 0; i < whole && segment->endings[whole].value == NULL; i++) {
        const struct bide_ending *part =
            segment->frame->results[i].status == WAIT_OK ? ending_at(segment, i) : NULL;
        (void)ending_at(segment, whole);
        if (part != NULL)
            segment->endings[whole].value = part->value;
    }
    return ending_at(segment, whole);
}

/* Of several: the first that ended well, else the first that ended at all. */
static const struct bide_ending *ending_whole(struct segment *segment)
{
    const struct frame_segment *frame = segment->frame;
    const struct bide_ending *none = &segment->endings[frame->result_count];
    uint32_t first = frame->result_count;

    for (uint32_t i = 0; i < frame->result_count; i++)
        if (frame->results[i].id == 0)
            return ending_group(segment, i);
    for (uint32_t i = 0; i < frame->result_count; i++) {
        if (frame->results[i].status == WAIT_OK)
            return ending_at(segment, i);
        if (frame->results[i].status != WAIT_NONE && first == frame->result_count)
            first = i;
    }
    return first < frame->result_count ? ending_at(segment, first) : none;
}

static const struct bide_ending nothing = { .size = sizeof nothing, .error = "", .code = "" };

static void endings_make(struct segment *segment)
{
    uint32_t count = segment->frame->result_count;

    if (segment->endings != NULL)
        return;
    segment->endings = ARENA_ARRAY(&segment->arena, struct bide_ending, (size_t)count + 1);
    segment->has_ending = ARENA_ARRAY(&segment->arena, bool, (size_t)count + 1);
    segment->endings[count] = nothing;
}

const struct bide_ending *api_ending(bide_task *t, int64_t id)
{
    struct segment *segment = segment_of(t);
    uint32_t count = segment->frame->result_count;

    if (segment->is_raised || !migrate_may(segment, "ask how something ended"))
        return &nothing;
    endings_make(segment);
    if (id == 0)
        return ending_whole(segment);
    for (uint32_t i = 0; i < count; i++)
        if (segment->frame->results[i].id == id)
            return ending_at(segment, i);
    struct bide_ending *asked = ARENA_NEW(&segment->arena, struct bide_ending);
    *asked = nothing;
    ending_ask(segment, id, asked);
    return asked;
}

const struct bide_ending *api_part(bide_task *t, const char *name)
{
    struct segment *segment = segment_of(t);

    if (segment->is_raised || !migrate_may(segment, "ask how something ended"))
        return &nothing;
    endings_make(segment);
    for (uint32_t i = 0; name != NULL && i < segment->frame->result_count; i++)
        if (segment->frame->results[i].name.size > 0 &&
            slice_is(segment->frame->results[i].name, name))
            return ending_at(segment, i);
    segment_raise(segment, false, "no_such_part", "the wait that ended has no part \"%s\"",
                  name == NULL ? "" : name);
    return &nothing;
}

const char *api_run_text(bide_task *t, int64_t id)
{
    struct segment *segment = segment_of(t);

    if (segment->is_raised || id == 0)
        return "";
    return id_format("run", id, arena_alloc(&segment->arena, ID_TEXT_SIZE));
}
