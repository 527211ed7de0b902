/* The api: the run's input and output, its metadata, log and progress, errors and ends. */
#include "base/clock.h"
#include "codec/pack.h"
#include "prints.h"
#include "segment_run.h"

#include <stdio.h>

enum { META_MAX = 10000, LINE_DEFAULT_BYTES = 4096, ERROR_MAX_BYTES = 8192 };

#define RETRY_MOST_MS (INT64_C(365) * 86400 * 1000)

/* The format is the plugin's; bide.h has it checked there. */
extern __typeof__(api_log) api_log __attribute__((format(printf, 3, 0)));
extern __typeof__(api_raise) api_raise __attribute__((format(printf, 4, 0)));
extern __typeof__(api_raise_with) api_raise_with __attribute__((format(printf, 4, 0)));

const bide_value *api_input(bide_task *t)
{
    return value_lent(&segment_of(t)->input);
}

void api_out(bide_task *t, const char *key, const bide_value *value)
{
    static const struct value nothing = { .kind = VALUE_NULL };
    struct segment *segment = segment_of(t);
    const struct value *seen = value == NULL ? &nothing : value_seen(value);

    if (segment->is_raised || !migrate_may(segment, "make output"))
        return;
    if (key != NULL) {
        if (!segment->has_output || segment->output.kind != VALUE_MAP)
            segment->output = value_map();
        segment->has_output = true;
        api_put(t, value_shown(&segment->output), key, value);
    } else if (value_fits(segment, seen, "the output")) {
        segment->output = value_copy(&segment->arena, seen);
        segment->has_output = true;
    }
}

/* ---- metadata: changed here for the plugin to see, and as operations for the engine -------
 */

static bool metadata_read(struct segment *segment)
{
    if (!migrate_may(segment, "look at metadata, or change it"))
        return false;
    if (segment->has_metadata)
        return true;
    segment->metadata = value_map();
    segment->has_metadata = true;
    return segment->frame->metadata.size == 0 ||
           pack_read(&segment->arena, segment->frame->metadata, &segment->metadata, NULL) ||
           segment_raise(segment, false, "broken_input", "the run's metadata cannot be read");
}

const bide_value *api_metadata(bide_task *t)
{
    struct segment *segment = segment_of(t);

    (void)metadata_read(segment); /* raised */
    return value_lent(&segment->metadata);
}

/* What is set or deleted makes earlier operations on that key void: a segment may report often.
 * But not those of a path, which may lead through it. */
static void meta_forget(struct segment *segment, uint32_t op, struct slice key)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < segment->meta_count; i++) {
        const struct frame_meta *each = &segment->meta[i];
        if (!slice_equal(each->key, key) ||
            each->kind >> META_WHOSE_AT != op >> META_WHOSE_AT ||
            meta_kind_of(each) == META_TAG)
            segment->meta[kept++] = *each;
    }
    segment->meta_count = kept;
}

static void meta_note(struct segment *segment, uint32_t op, struct slice key,
                      const struct value *value)
{
    uint32_t kind = op & ((1U << META_WHOSE_AT) - 1);

    if (kind == META_SET || kind == META_DELETE)
        meta_forget(segment, op, key);
    if (segment->meta_count == segment->meta_capacity) {
        uint32_t capacity = segment->meta_capacity == 0 ? 8 : segment->meta_capacity * 2;
        struct frame_meta *more = ARENA_ARRAY(&segment->arena, struct frame_meta, capacity);
        for (uint32_t i = 0; i < segment->meta_count; i++)
            more[i] = segment->meta[i];
        segment->meta = more;
        segment->meta_capacity = capacity;
    }
    segment->meta[segment->meta_count++] =
        (struct frame_meta){ .kind = op,
                             .key = key,
                             .value = kind == META_DELETE || kind == META_TAG
                                          ? (struct slice){ 0 }
                                          : pack_value(&segment->arena, value) };
}

/* As the segment sees it from now on: only its own. */
static void meta_apply(struct segment *segment, uint32_t op, struct slice key,
                       const struct value *value)
{
    struct err err = { 0 };

    if (op >> META_WHOSE_AT != META_OWN || op == META_TAG)
        return;
    if (!metadata_operate(&segment->arena, &segment->metadata, (enum meta_kind)op, key, value,
                          &err))
        segment_raise(segment, false, "metadata_broken", "%s", err.text);
}

/* The numbers of enum bide_meta_op and enum meta_kind are the same. */
void api_meta(bide_task *t, uint32_t op, const char *key, const bide_value *value)
{
    struct segment *segment = segment_of(t);
    struct value copy = { .kind = VALUE_NULL };

    if (segment->is_raised || !metadata_read(segment))
        return;
    if (!meta_is_known(op) || (op & ((1U << META_WHOSE_AT) - 1)) == META_UPDATE) {
        segment_raise(segment, false, "refused", "metadata has no operation %u", op);
        return;
    }
    if (!name_take(segment, op == META_TAG ? NAME_TAG : NAME_METADATA, key))
        return;
    if (segment->meta_count >= META_MAX) {
        segment_raise(segment, false, "metadata_too_large",
                      "a segment changes its metadata at most %d times", META_MAX);
        return;
    }
    if (value != NULL && !value_fits(segment, value_seen(value), key))
        return;
    if (value != NULL)
        copy = value_copy(&segment->arena, value_seen(value));
    struct slice name = arena_copy(&segment->arena, slice_of(key));
    meta_note(segment, op, name, &copy);
    meta_apply(segment, op, name, &copy);
}

/* ---- notes ------------------------------------------------------------------------------ */

static void note_send(struct segment *segment, enum note_kind kind, uint32_t level,
                      struct slice text)
{
    if (!channel_is_ours(segment->channel))
        return;
    struct frame frame = { .kind = FRAME_NOTE,
                           .note = { .run_id = segment->frame->run_id,
                                     .seq = segment->frame->seq,
                                     .kind = kind,
                                     .level = level,
                                     .at_ms = clock_now_ms(),
                                     .text = text } };

    if (kind != NOTE_PROGRESS) {
        frame.note.left_out = segment->left_out;
        segment->left_out = 0;
    }
    channel_write(segment->channel, &frame);
}

void segment_remark(struct segment *segment, struct slice text)
{
    note_send(segment, NOTE_REMARK, BIDE_WARN, text);
}

void api_progress(bide_task *t, uint32_t percent)
{
    if (!segment_of(t)->is_raised)
        note_send(segment_of(t), NOTE_PROGRESS, percent > 100 ? 100 : percent,
                  (struct slice){ 0 });
}

void segment_line(struct segment *segment, uint32_t level, struct slice text)
{
    uint32_t limit = segment->limits->log_line_bytes;
    struct arena arena = { 0 };

    segment->lines++;
    note_send(segment, NOTE_LOG, level,
              text_clean(&arena, text, limit > 0 ? limit : LINE_DEFAULT_BYTES));
    arena_finish(&arena);
}

/* What was printed before it comes before it. Not after an error, as no call does anything
 * then: the values that it would tell are the zeroes of calls that did nothing. */
void api_log(bide_task *t, uint32_t level, const char *format, va_list arguments)
{
    struct segment *segment = segment_of(t);
    uint32_t most = segment->limits->log_lines;
    struct arena arena = { 0 };

    if (format == NULL || segment->is_raised || !channel_is_ours(segment->channel))
        return;
    level = level > BIDE_ERROR ? BIDE_ERROR : level;
    struct slice text = arena_vformat(&arena, format, arguments);
    prints_take(segment, false);
    if (most > 0 && segment->lines >= most)
        prints_keep(level, text); /* the last of them are kept, at the end */
    else
        segment_line(segment, level, text);
    arena_finish(&arena);
}

int64_t api_now_ms(bide_task *t)
{
    (void)t;
    return clock_now_ms();
}

bool api_is_canceled(bide_task *t)
{
    struct segment *segment = segment_of(t);

    if (!segment->is_canceled && channel_is_ours(segment->channel))
        segment->is_canceled = channel_has_cancel(segment->channel, segment->frame->run_id);
    return segment->is_canceled || segment->is_raised;
}

/* ---- errors and ends -------------------------------------------------------------------- */

void api_raise(bide_task *t, bool retryable, const char *code, const char *format,
               va_list arguments)
{
    struct segment *segment = segment_of(t);

    if (segment->is_raised)
        return;
    struct slice text = format == NULL ? (struct slice){ 0 }
                                       : arena_vformat(&segment->arena, format, arguments);
    segment->error_code =
        arena_copy(&segment->arena, slice_of(code == NULL || *code == '\0' ? "failed" : code));
    segment->error_text = text_clean(&segment->arena, text, ERROR_MAX_BYTES);
    segment->is_retryable = retryable;
    segment->again = (struct bide_retry_opts){ 0 };
    segment->is_raised = true;
}

/* NULL: it makes sense. */
static const char *again_flaw(const struct bide_retry_opts *opts)
{
    if (opts->after_ms < 0 || opts->at_ms < 0)
        return "it says to try again before 1970, or after a negative time";
    if (opts->after_ms > 0 && opts->at_ms > 0)
        return "it says to try again after a time and at a date; say one of them";
    if (opts->after_ms > RETRY_MOST_MS || opts->at_ms > clock_now_ms() + RETRY_MOST_MS)
        return "it says to try again in more than 365 days; wait for so long instead";
    return NULL;
}

void api_raise_with(bide_task *t, const struct bide_retry_opts *opts, const char *code,
                    const char *format, va_list arguments)
{
    struct segment *segment = segment_of(t);
    struct bide_retry_opts again = { 0 };

    if (segment->is_raised)
        return;
    if (opts != NULL)
        memcpy(&again, opts, opts->size < sizeof again ? opts->size : sizeof again);
    const char *flaw = again_flaw(&again);
    api_raise(t, flaw == NULL, code, format, arguments);
    segment->again = again;
    if (flaw == NULL)
        return;
    struct slice text =
        arena_format(&segment->arena, "%s (it has failed with %.*s: %.*s)", flaw,
                     SLICE_ARG(segment->error_code), SLICE_ARG(segment->error_text));
    segment->is_raised = false;
    (void)segment_raise(segment, false, "refused", "%.*s", SLICE_ARG(text));
}

const char *api_error(bide_task *t)
{
    return segment_of(t)->is_raised ? segment_of(t)->error_code.data : NULL;
}

/* What it can do nothing about: it does not do what it did before, or nobody answers it. */
static bool error_lasts(struct slice code)
{
    static const char *const codes[] = { "calls_differ", "payload_differs", "host_failed",
                                         "broken_input", "forked",          "too_many_calls" };

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (slice_is(code, codes[i]))
            return true;
    return false;
}

const struct bide_error *api_handle(bide_task *t, const char *code)
{
    struct segment *segment = segment_of(t);
    struct bide_error *error;

    if (!segment->is_raised || error_lasts(segment->error_code) ||
        (code != NULL && !slice_is(segment->error_code, code)))
        return NULL;
    error = ARENA_NEW(&segment->arena, struct bide_error);
    *error = (struct bide_error){ .size = sizeof *error,
                                  .retryable = segment->is_retryable,
                                  .code = arena_text(&segment->arena, segment->error_code),
                                  .text = arena_text(&segment->arena, segment->error_text) };
    segment->is_raised = false;
    return error;
}

bide_next segment_end_mark(struct segment *segment, enum verdict verdict)
{
    if (!hook_may(segment, "end the segment"))
        return (bide_next){ 0 };
    segment->end.verdict = verdict;
    segment->mark += 1 + ((uint64_t)segment->frame->run_id << 16);
    return (bide_next){ .mark = segment->mark };
}

bide_next api_done(bide_task *t)
{
    return segment_end_mark(segment_of(t), VERDICT_DONE);
}

bide_next api_fail(bide_task *t)
{
    return segment_end_mark(segment_of(t), VERDICT_FAIL);
}

bide_next api_push_back(bide_task *t, int64_t ms)
{
    struct segment *segment = segment_of(t);

    if (ms < 0)
        segment_raise(segment, false, "refused",
                      "bide_push_back() needs a time of 0 ms or more, not %lld", (long long)ms);
    if (hook_may(segment, "end the segment"))
        segment->end.span_ms = ms;
    return segment_end_mark(segment, VERDICT_PUSH_BACK);
}
