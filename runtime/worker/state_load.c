/*
 * From what is stored to the struct that a segment finds.
 *
 *   stored ─▶ state_decode() ─┬─ all fits, no name is new to us ──────────▶ the segment
 *                             └─ else: migrate(), if the task has one ─┬──▶ the segment
 *                                                                      └──▶ the run is parked
 *
 * What migrate() does depends on the stored state and the input only: the same function tells
 * beforehand what would become of a run (a segment that only loads).
 */
#include "codec/pack.h"
#include "segment_run.h"

bool migrate_may(struct segment *segment, const char *what)
{
    return segment->old == NULL ||
           segment_raise(segment, false, "not_in_migrate", "migrate() cannot %s", what);
}

void state_look(struct segment *segment, const struct value *value, const char *key)
{
    if (segment->old == NULL || value != segment->old)
        return;
    for (uint32_t i = 0; i < value->count; i++)
        segment->old_is_seen[i] |= key == NULL || slice_is(value->members[i].key, key);
}

/* Where it was and what was aside is one for migrate(). */
static struct value whole(struct arena *arena, const struct value *stored)
{
    struct value copy = *stored;

    if (stored->kind == VALUE_LIST) {
        copy = value_list();
        for (uint32_t i = 0; i < stored->count; i++)
            value_add(arena, &copy, whole(arena, &stored->items[i]));
    } else if (stored->kind == VALUE_MAP) {
        const struct value *aside = value_find(stored, STATE_ASIDE);
        copy = value_map();
        for (uint32_t i = 0; aside != NULL && i < aside->count && aside->kind == VALUE_MAP; i++)
            value_put_slice(arena, &copy, aside->members[i].key,
                            whole(arena, &aside->members[i].value));
        for (uint32_t i = 0; i < stored->count; i++)
            if (&stored->members[i].value != aside)
                value_put_slice(arena, &copy, stored->members[i].key,
                                whole(arena, &stored->members[i].value));
    }
    return copy;
}

/* Something would be lost without a word: a value that does not fit, and nobody has looked. */
static bool is_ignored(const struct segment *segment)
{
    const struct value *misfits = &segment->report->misfits;

    for (uint32_t i = 0; i < segment->old->count; i++)
        for (uint32_t k = 0; k < misfits->count; k++)
            if (!segment->old_is_seen[i] &&
                slice_equal(segment->old->members[i].key, misfits->items[k].bytes))
                return true;
    return false;
}

/* What is raised has a code, which is alike where its sentence is not. */
static struct slice cause_set(struct segment *segment, struct slice sentence)
{
    struct state_report *report = segment->report;

    if (report->field.size == 0 && report->gone.count > 0)
        report->field = report->gone.items[0].bytes;
    report->cause =
        segment->error_code.size == 0
            ? sentence
            : arena_format(&segment->arena, "migrate: %.*s",
                           SLICE_ARG(word_clean(&segment->arena, segment->error_code, 128)));
    if (report->err.code == ERR_OK)
        return sentence;
    return arena_format(&segment->arena, "%s; %.*s", report->err.text, SLICE_ARG(sentence));
}

/* False and the sentence: it has not taken the state over. */
static bool migrate(struct segment *segment, struct slice *sentence)
{
    struct value *old = ARENA_NEW(&segment->arena, struct value);
    struct buffer trial = { 0 };
    struct err err = { 0 };

    *old = whole(&segment->arena, &segment->report->stored);
    segment->old = old;
    segment->old_is_seen = ARENA_ARRAY(&segment->arena, bool, old->count + 1);
    segment->hook = "migrate";
    segment->about->migrate(&segment->task, value_lent(old));
    segment_fork_ends(segment);
    segment->hook = NULL;
    bool is_good = !segment->is_raised && !is_ignored(segment) &&
                   state_encode(segment->about, segment->state, &segment->kept, &trial, &err);
    if (segment->is_raised)
        *sentence =
            arena_format(&segment->arena, "migrate: %.*s", SLICE_ARG(segment->error_text));
    else if (err.code != ERR_OK)
        *sentence = arena_format(&segment->arena,
                                 "migrate left a state that cannot be saved: %s", err.text);
    else
        *sentence = SLICE("migrate has not looked at it");
    if (!segment->is_raised)
        segment->error_code = (struct slice){ 0 }; /* of what it has handled */
    segment->old = NULL;
    segment->is_raised = false;
    buffer_finish(&trial);
    return is_good;
}

static struct slice why_migrated(struct segment *segment)
{
    return segment->report->err.code != ERR_OK ? slice_of(segment->report->err.text)
                                               : state_lost(segment->report, &segment->arena);
}

/* Another build may be able to read the state: the run waits for it. */
bool state_load(struct segment *segment)
{
    struct state_report *report = ARENA_NEW(&segment->arena, struct state_report);
    struct slice sentence;

    segment->report = report;
    segment->state = arena_alloc(&segment->arena, segment->about->state.size);
    segment->task.state = segment->state;
    bool fits = state_decode(segment->about, &segment->arena, segment->frame->state,
                             segment->state, &segment->kept, report);
    sentence = slice_of(report->err.text);
    if (segment->about->migrate != NULL && !report->is_broken &&
        (!fits || report->gone.count > 0)) {
        fits = segment->is_migrated = migrate(segment, &sentence);
        if (!fits)
            sentence = cause_set(segment, sentence);
    }
    if (fits && segment->is_migrated && !segment->frame->only_loads)
        segment_remark(segment,
                       arena_format(&segment->arena, "migrate has taken over the state: %.*s",
                                    SLICE_ARG(why_migrated(segment))));
    else if (fits && report->gone.count > 0 && !segment->frame->only_loads)
        segment_remark(segment, state_lost(report, &segment->arena));
    if (fits)
        return true;
    segment->end.verdict = VERDICT_PARK;
    return segment_raise(segment, false, "state_mismatch", "%.*s", SLICE_ARG(sentence));
}

/* {is_migrated, lost: [names], field, cause}; the last two say why it is parked, or migrated.
 */
void state_load_answer(struct segment *segment)
{
    const struct state_report *report = segment->report;
    struct value about = value_map();
    struct frame frame = { .kind = FRAME_END };

    value_put(&segment->arena, &about, "is_migrated", value_bool(segment->is_migrated));
    if (report != NULL) {
        value_put(&segment->arena, &about, "lost", report->gone);
        value_put(&segment->arena, &about, "field", value_string(report->field));
        value_put(&segment->arena, &about, "cause", value_string(report->cause));
    }
    frame.end = (struct frame_end){
        .run_id = segment->frame->run_id,
        .seq = segment->frame->seq,
        .verdict = segment->is_raised ? VERDICT_PARK : VERDICT_DONE,
        .error_code = segment->error_code,
        .error_text = text_clean(&segment->arena, segment->error_text, 8192),
        .output = pack_value(&segment->arena, &about),
    };
    channel_write(segment->channel, &frame);
}
