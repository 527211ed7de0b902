/*
 * Reruns: a segment that runs again finds what it has made by the numbers of its calls. One
 * that makes its calls in another order would take a child for a token, or one person's token
 * for another's: so what comes is compared with what was made, and a difference fails the
 * attempt. Times are not compared, since the clock has moved on.
 */
#include "engine/rerun.h"

#include "codec/json.h"
#include "codec/pack.h"

#include <inttypes.h>

enum { VALUE_TEXT = 40, POINTER_TEXT = 60, SOUGHT_BYTES = 16 << 10 };

/* ---- payloads ---------------------------------------------------------------------------- */

/* Both are NULL where no difference is to be seen, one of them where it has no such part. */
struct difference {
    const struct value *was, *now;
    struct buffer pointer;
};

static bool item_differs(struct difference *at, const struct value *was,
                         const struct value *now)
{
    uint32_t i = 0;

    while (i < was->count && i < now->count && value_equal(&was->items[i], &now->items[i]))
        i++;
    at->was = i < was->count ? &was->items[i] : NULL;
    at->now = i < now->count ? &now->items[i] : NULL;
    buffer_format(&at->pointer, "/%" PRIu32, i);
    return true;
}

/* Of those that only one has the new ones come first: a default may have made an old one. */
static bool member_differs(struct difference *at, const struct value *was,
                           const struct value *now)
{
    for (uint32_t i = 0; i < now->count; i++) {
        at->now = &now->members[i].value;
        at->was = value_find_slice(was, now->members[i].key);
        if (at->was == NULL || !value_equal(at->was, at->now)) {
            json_pointer_add(&at->pointer, now->members[i].key);
            return true;
        }
    }
    at->now = NULL;
    for (uint32_t i = 0; i < was->count; i++) {
        at->was = &was->members[i].value;
        if (value_find_slice(now, was->members[i].key) == NULL) {
            json_pointer_add(&at->pointer, was->members[i].key);
            return true;
        }
    }
    at->was = NULL;
    return false;
}

static void difference_find(struct difference *at)
{
    for (bool deeper = true; deeper && at->was != NULL && at->now != NULL;) {
        deeper = at->was->kind == at->now->kind;
        if (deeper && at->was->kind == VALUE_MAP)
            deeper = member_differs(at, at->was, at->now);
        else if (deeper && at->was->kind == VALUE_LIST)
            deeper = item_differs(at, at->was, at->now);
        else
            return;
    }
}

static struct slice short_text(struct arena *arena, const struct value *value)
{
    struct buffer text = { 0 };

    if (value == NULL)
        return SLICE("nothing");
    json_write_short(&text, value, VALUE_TEXT);
    struct slice copy = arena_copy(arena, buffer_view(&text));
    buffer_finish(&text);
    return copy;
}

static struct slice part_text(struct arena *arena, const struct value *part,
                              struct slice pointer)
{
    struct slice text = short_text(arena, part);
    bool is_cut = pointer.size > POINTER_TEXT;

    if (pointer.size == 0)
        return arena_format(arena, "%.*s as its payload", SLICE_ARG(text));
    return arena_format(arena, "%.*s at %.*s%s of its payload", SLICE_ARG(text),
                        (int)(is_cut ? POINTER_TEXT : pointer.size), pointer.data,
                        is_cut ? "…" : "");
}

static struct value unpacked(struct arena *arena, struct slice packed)
{
    struct value value = { .kind = VALUE_NULL };

    if (packed.size > 0)
        (void)pack_read(arena, packed, &value, NULL); /* else it is refused soon */
    return value;
}

/* ---- calls ------------------------------------------------------------------------------- */

enum made_part { MADE_NAME, MADE_KEY, MADE_LANE, MADE_TAGS, MADE_PAYLOAD, MADE_COUNT };

struct words {
    struct slice parts[MADE_COUNT];
};

static struct slice quoted(struct arena *arena, struct slice text)
{
    struct value value = value_string(text);

    return text.size == 0 ? text : short_text(arena, &value);
}

static struct words words_of(struct arena *arena, const struct made *made)
{
    struct value tags = unpacked(arena, made->tags);
    struct slice none = { 0 };

    return (struct words){ {
        [MADE_NAME] = made->is_child ? none : quoted(arena, made->name),
        [MADE_KEY] = quoted(arena, made->key),
        [MADE_LANE] = quoted(arena, made->concurrency_key),
        [MADE_TAGS] = made->tags.size == 0 ? none : short_text(arena, &tags),
    } };
}

static void payload_words(struct arena *arena, const struct run *child, struct slice payload,
                          struct words *was, struct words *now)
{
    struct value before, after;
    struct difference at = { 0 };

    was->parts[MADE_PAYLOAD] = SLICE("one payload");
    now->parts[MADE_PAYLOAD] = SLICE("another payload");
    if (child->secrets != 0 || child->input.size > SOUGHT_BYTES || payload.size > SOUGHT_BYTES)
        return;
    before = unpacked(arena, child->input);
    after = unpacked(arena, payload);
    at.was = &before;
    at.now = &after;
    difference_find(&at);
    if (at.was != NULL || at.now != NULL) {
        was->parts[MADE_PAYLOAD] = part_text(arena, at.was, buffer_view(&at.pointer));
        now->parts[MADE_PAYLOAD] = part_text(arena, at.now, buffer_view(&at.pointer));
    }
    buffer_finish(&at.pointer);
}

static struct slice sentence(struct arena *arena, const struct made *made,
                             const struct words *words, const struct words *others)
{
    static const char *const names[] = { [MADE_NAME] = "schema ",
                                         [MADE_KEY] = "key ",
                                         [MADE_LANE] = "concurrency key ",
                                         [MADE_TAGS] = "tags ",
                                         [MADE_PAYLOAD] = "" };
    struct slice text = SLICE("a token");
    const char *join = "with";

    if (made->is_child)
        text = arena_format(arena, "a run of task %.*s", SLICE_ARG(made->name));
    for (int i = 0; i < MADE_COUNT; i++) {
        struct slice part = words->parts[i];
        if (part.size == 0 || slice_equal(part, others->parts[i]))
            continue;
        text = arena_format(arena, "%.*s %s %s%.*s", SLICE_ARG(text), join, names[i],
                            SLICE_ARG(part));
        join = "and";
    }
    return text;
}

bool rerun_fits(struct batch *batch, struct command *command, const struct run *run, int64_t id,
                const struct run *child, const struct waitpoint *token, const struct made *now)
{
    struct made was;
    bool same_payload = true;

    if (child == NULL && token == NULL)
        return true;
    if (child != NULL)
        was = (struct made){ .is_child = true,
                             .name = child->task,
                             .key = child->key_text,
                             .concurrency_key = child->concurrency_key,
                             .tags = child->tags };
    else
        was =
            (struct made){ .name = token->schema, .key = token->key_text, .tags = token->tags };
    bool same_kind = was.is_child == now->is_child;
    if (child != NULL && same_kind && child->given != 0)
        same_payload = child->given == payload_hash(batch->arena, now->payload);
    if (same_kind && same_payload && slice_equal(was.name, now->name) &&
        slice_equal(was.key, now->key) && slice_equal(was.tags, now->tags) &&
        slice_equal(was.concurrency_key, now->concurrency_key))
        return true;

    struct words before = words_of(batch->arena, &was), after = words_of(batch->arena, now);
    if (!same_payload)
        payload_words(batch->arena, child, now->payload, &before, &after);
    struct slice made = sentence(batch->arena, &was, &before, &after);
    struct slice asked = sentence(batch->arena, now, &after, &before);
    return err_set(
        &command->err, ERR_DIFFERS,
        "call %lld of this segment made %.*s when the segment ran before, and asks for %.*s "
        "now: what a segment calls must depend on nothing but its input, state and recorded "
        "results",
        (long long)(id - run->id_block), SLICE_ARG(made), SLICE_ARG(asked));
}
