/* The api: waits, as their END will say them. */
#include "base/id.h"
#include "base/table.h"
#include "segment_run.h"

#include <string.h>

static bool thing_is_made(struct segment *segment, int64_t id, bool is_token)
{
    return id > 0 ||
           segment_raise(segment, false, "nothing_to_wait_for",
                         "a wait names %s that was never made", is_token ? "a token" : "a run");
}

static bool ids_take(struct segment *segment, const struct bide_wait_opts *opts)
{
    struct frame_end *end = &segment->end;
    uint32_t most = segment->limits->waits;

    if (most > 0 && opts->count > most)
        return segment_raise(segment, false, "too_many_waits",
                             "a wait for %u things at once, %u are allowed", opts->count, most);
    end->ids = ARENA_ARRAY(&segment->arena, int64_t, opts->count);
    end->id_count = opts->count;
    for (uint32_t i = 0; i < opts->count; i++) {
        end->ids[i] = opts->kind == BIDE_WAIT_TOKENS ? opts->tokens[i].id : opts->runs[i].id;
        if (!thing_is_made(segment, end->ids[i], opts->kind == BIDE_WAIT_TOKENS))
            return false;
    }
    return true;
}

/* ---- parts ------------------------------------------------------------------------------- */

enum { PART_DEPTH_MAX = 16 };

struct taking {
    struct segment *segment;
    uint32_t capacity;
    struct table names; /* hash of a part's name → it */
};

static bool part_room(struct taking *taking)
{
    struct frame_end *end = &taking->segment->end;
    uint32_t most = taking->segment->limits->waits;

    if (most > 0 && end->part_count >= most)
        return segment_raise(taking->segment, false, "too_many_waits",
                             "a wait for more than %u things at once", most);
    if (end->part_count == taking->capacity) {
        taking->capacity = taking->capacity * 2 + 8;
        struct frame_part *more =
            ARENA_ARRAY(&taking->segment->arena, struct frame_part, taking->capacity);
        if (end->part_count > 0)
            memcpy(more, end->parts, end->part_count * sizeof *more);
        end->parts = more;
    }
    return true;
}

/* Kept where it is new. The hash is walked on from where another name has it. */
static bool name_is_new(struct taking *taking, struct slice name)
{
    uint64_t hash = table_hash(name, 0);
    struct slice *other;

    for (; (other = table_find(&taking->names, hash)) != NULL; hash++)
        if (slice_equal(*other, name))
            return segment_raise(taking->segment, false, "name_used_twice",
                                 "two parts of a wait have the name \"%.*s\"", SLICE_ARG(name));
    other = ARENA_NEW(&taking->segment->arena, struct slice);
    *other = name;
    table_set(&taking->names, hash, other);
    return true;
}

static bool part_words(struct taking *taking, const struct bide_part *part,
                       struct frame_part *taken)
{
    struct segment *segment = taking->segment;

    if (part->name != NULL && *part->name != '\0') {
        taken->name = arena_copy(&segment->arena, slice_of(part->name));
        if (!name_take(segment, NAME_RECORD, part->name) || !name_is_new(taking, taken->name))
            return false;
    }
    if (part->kind != PART_MESSAGE)
        return true;
    if (!name_take(segment, NAME_MESSAGE, part->word == NULL ? "" : part->word))
        return false;
    taken->word = arena_copy(&segment->arena, slice_of(part->word));
    return true;
}

/* The same layout of kinds on both sides: enum part_kind. */
static bool part_take(struct taking *taking, const struct bide_part *part, uint32_t of,
                      uint32_t depth)
{
    struct segment *segment = taking->segment;
    struct frame_part taken = { .kind = part->kind, .of = of };

    if (part->kind > BIDE_PART_GROUP)
        return segment_raise(segment, false, "wrong_kind", "a wait has a part of kind %u",
                             part->kind);
    if (depth > PART_DEPTH_MAX)
        return segment_raise(segment, false, "too_deep",
                             "a wait has groups in groups, %d deep are allowed",
                             PART_DEPTH_MAX);
    if ((part->kind == PART_TOKEN || part->kind == PART_RUN) &&
        !thing_is_made(segment, part->id, part->kind == PART_TOKEN))
        return false;
    if (!part_words(taking, part, &taken) || !part_room(taking))
        return false;
    taken.id = part->kind == PART_TOKEN || part->kind == PART_RUN ? part->id : 0;
    taken.due_ms = part->kind == PART_TIME ? part->until_ms : 0;
    taken.span_ms = part->kind == PART_TIME ? part->for_ms : 0;
    taken.needed = part->kind == PART_GROUP ? part->needed : 0;
    segment->end.parts[segment->end.part_count++] = taken;
    uint32_t place = segment->end.part_count;
    for (uint32_t i = 0; part->kind == PART_GROUP && i < part->count; i++)
        if (!part_take(taking, &part->parts[i], place, depth + 1))
            return false;
    if (part->kind == PART_GROUP && part->needed > part->count)
        return segment_raise(segment, false, "wait_impossible",
                             "the group \"%s\" needs %u of its parts, and has %u",
                             part->name == NULL ? "" : part->name, part->needed, part->count);
    return true;
}

/* A wait that says more than a simple one can is one for a group. */
static bool is_group(const struct bide_wait_opts *opts)
{
    return opts->part_count > 0 || opts->kind == BIDE_WAIT_GROUP || opts->cancel_rest != 0 ||
           opts->otherwise != NULL || opts->remind != NULL;
}

static bool things_take(struct taking *taking, const struct bide_wait_opts *opts)
{
    struct bide_part part = { .kind = BIDE_PART_TIME };

    if (opts->kind == BIDE_WAIT_TIME) {
        part.for_ms = opts->for_ms;
        part.until_ms = opts->until_ms;
        return part_take(taking, &part, 0, 0);
    }
    part.kind = opts->kind == BIDE_WAIT_TOKENS ? BIDE_PART_TOKEN : BIDE_PART_RUN;
    for (uint32_t i = 0; i < opts->count; i++) {
        part.id = part.kind == BIDE_PART_TOKEN ? opts->tokens[i].id : opts->runs[i].id;
        if (!part_take(taking, &part, 0, 0))
            return false;
    }
    return true;
}

static bool segment_name(struct segment *segment, bide_segment_fn function, struct slice *name)
{
    const struct plugin_segment *found = plugin_segment_of(segment->about, function);

    if (found == NULL)
        return segment_raise(
            segment, false, "segment_not_listed",
            "segment %s goes on with a function that is not in the task's segment list",
            segment->info.segment);
    *name = found->name;
    return true;
}

static bool manner_take(struct segment *segment, const struct bide_wait_opts *opts)
{
    struct frame_manner *manner = &segment->end.manner;

    manner->cancels = opts->cancel_rest != 0;
    if (opts->otherwise != NULL && !segment_name(segment, opts->otherwise, &manner->otherwise))
        return false;
    if (opts->remind == NULL && opts->remind_count == 0)
        return true;
    if (opts->remind == NULL || opts->remind_count == 0)
        return segment_raise(segment, false, "refused",
                             "reminders need a segment and times: one of both is missing");
    if (!segment_name(segment, opts->remind, &manner->remind))
        return false;
    manner->reminder_count = opts->remind_count;
    manner->reminders = ARENA_ARRAY(&segment->arena, int64_t, opts->remind_count);
    for (uint32_t i = 0; i < opts->remind_count; i++) {
        int64_t before = i == 0 ? 0 : manner->reminders[i - 1];
        manner->reminders[i] = opts->remind_ms[i];
        if (opts->remind_ms[i] <= before)
            return segment_raise(segment, false, "refused",
                                 "the times of reminders count from the beginning of the wait "
                                 "and rise: %lld ms comes after %lld ms",
                                 (long long)opts->remind_ms[i], (long long)before);
    }
    return true;
}

static void group_take(struct segment *segment, const struct bide_wait_opts *opts)
{
    struct frame_end *end = &segment->end;
    struct taking taking = { .segment = segment };
    uint32_t count = opts->kind == BIDE_WAIT_GROUP ? opts->part_count : opts->count;

    table_init(&taking.names, &segment->arena);
    end->wait_kind = WAIT_FOR_GROUP;
    if (opts->needed > count && opts->kind == BIDE_WAIT_GROUP)
        segment_raise(segment, false, "wait_impossible",
                      "a wait needs %u of its parts, and has %u", opts->needed, count);
    else if (opts->needed > count)
        end->needed = 0;
    if (!manner_take(segment, opts))
        return;
    if (opts->kind != BIDE_WAIT_GROUP) {
        (void)things_take(&taking, opts); /* raised, where it fails */
        return;
    }
    for (uint32_t i = 0; i < opts->part_count; i++)
        if (!part_take(&taking, &opts->parts[i], 0, 0))
            return;
}

static bool key_take(struct segment *segment, const struct bide_wait_opts *opts)
{
    struct frame_end *end = &segment->end;

    if (opts->key == NULL || *opts->key == '\0')
        return opts->key_ttl_ms == 0 ||
               segment_raise(
                   segment, false, "refused",
                   "key_ttl_ms is how long the key of a wait holds, and none is given");
    if (opts->key_ttl_ms < 0)
        return segment_raise(segment, false, "refused",
                             "key \"%s\" of a wait is to hold for %lld ms: more than 0 are "
                             "needed, or 0 for the standard",
                             opts->key, (long long)opts->key_ttl_ms);
    end->key_ttl_ms = opts->key_ttl_ms;
    return name_take(segment, NAME_KEY, opts->key) &&
           segment_key(segment, opts->key, opts->key_scope, &end->key, &end->key_global);
}

static bool may_wait(struct segment *segment)
{
    if (!hook_may(segment, "end the segment"))
        return false;
    return segment->frame->ending.size == 0 ||
           segment_raise(segment, false, "cannot_wait",
                         "segment %s undoes something, or is a hook, of a run that ends as %s: "
                         "it cannot wait, but end in bide_done(), bide_retry() or bide_fail()",
                         segment->info.segment, segment->info.ending);
}

bide_next api_wait(bide_task *t, const struct bide_wait_opts *given, bide_segment_fn then)
{
    struct segment *segment = segment_of(t);
    struct frame_end *end = &segment->end;
    struct bide_wait_opts opts = { 0 };

    if (segment->is_raised || !may_wait(segment))
        return segment_end_mark(segment, VERDICT_FAIL);
    memcpy(&opts, given, given->size < sizeof opts ? given->size : sizeof opts);
    *end = (struct frame_end){ .wait_kind = opts.kind, .needed = opts.needed };
    if (opts.kind > BIDE_WAIT_GROUP)
        segment_raise(segment, false, "wrong_kind", "a wait of kind %u", opts.kind);
    else
        (void)segment_name(segment, then, &end->then); /* raised, where it fails */
    if (!segment->is_raised && is_group(&opts))
        group_take(segment, &opts);
    else if (!segment->is_raised && opts.kind != BIDE_WAIT_TIME)
        (void)ids_take(segment, &opts);
    /* The time of a wait for a time is a part, if it is a group. */
    if (opts.kind != BIDE_WAIT_TIME || end->wait_kind == WAIT_FOR_TIME) {
        end->due_ms = opts.until_ms;
        end->span_ms = opts.for_ms;
    }
    if (!segment->is_raised)
        (void)key_take(segment, &opts); /* raised, where it fails */
    return segment_end_mark(segment, VERDICT_WAIT);
}

bide_next api_wait_on(bide_task *t)
{
    struct segment *segment = segment_of(t);

    if (!hook_may(segment, "end the segment"))
        return (bide_next){ 0 };
    if (segment->frame->reminder == 0)
        segment_raise(segment, false, "nothing_to_wait_on",
                      "bide_wait_on() is for a segment that was entered as a reminder");
    segment->end = (struct frame_end){ .verdict = VERDICT_WAIT_ON };
    return segment_end_mark(segment, VERDICT_WAIT_ON);
}

void api_on_abort(bide_task *t, bide_segment_fn function)
{
    struct segment *segment = segment_of(t);
    struct slice name, *more;

    if (segment->is_raised || !hook_may(segment, "register anything"))
        return;
    if (segment->frame->ending.size > 0) {
        segment_raise(
            segment, false, "refused",
            "segment %s undoes something, and nothing undoes that: bide_on_abort() is "
            "for segments before",
            segment->info.segment);
        return;
    }
    if (!segment_name(segment, function, &name))
        return;
    if (segment->abort_count == segment->abort_capacity) {
        segment->abort_capacity = segment->abort_capacity * 2 + 8;
        more = ARENA_ARRAY(&segment->arena, struct slice, segment->abort_capacity);
        if (segment->abort_count > 0)
            memcpy(more, segment->aborts, segment->abort_count * sizeof *more);
        segment->aborts = more;
    }
    segment->aborts[segment->abort_count++] = name;
}

uint32_t api_reminder(bide_task *t)
{
    return segment_of(t)->frame->reminder;
}

/* ---- by their ids ------------------------------------------------------------------------ */

static bool id_take(struct segment *segment, const char *prefix, const char *text, int64_t *id)
{
    *id = 0;
    if (segment->is_raised)
        return false;
    return (text != NULL && id_parse(prefix, slice_of(text), id)) ||
           segment_raise(segment, false, "refused", "\"%s\" is no id of a %s: \"%s_...\" is",
                         text == NULL ? "" : text, strcmp(prefix, "run") == 0 ? "run" : "token",
                         prefix);
}

/* Looked for when it is waited for. */
bool api_token_by_id(bide_task *t, const char *text, bide_token *token)
{
    int64_t id;
    bool is_id = id_take(segment_of(t), "waitpoint", text, &id);

    if (is_id)
        *token = (bide_token){ .id = id };
    return is_id;
}

bool api_run_by_id(bide_task *t, const char *text, bide_run *run)
{
    int64_t id;
    bool is_id = id_take(segment_of(t), "run", text, &id);

    if (is_id)
        *run = (bide_run){ .id = id };
    return is_id;
}
