#include "segment_run.h"

#include "base/family.h"
#include "base/id.h"
#include "codec/pack.h"
#include "cpu_limit.h"
#include "prints.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum { PATIENCE_MS = 1000 /* with processes that the segment has started */ };

#define X(name) .name = api_##name,
const struct bide_api worker_api = { .size = sizeof worker_api,
                                     .abi_major = BIDE_ABI_MAJOR,
                                     .abi_minor = BIDE_ABI_MINOR,
                                     WORKER_API_MAP(X) };
#undef X

/* Of a fork that has returned: the segment goes on in the process that it was forked from. */
void segment_fork_ends(struct segment *segment)
{
    if (channel_is_ours(segment->channel))
        return;
    (void)fflush(NULL); /* as exit() does */
    _exit(0);
}

bool segment_raise(struct segment *segment, bool is_retryable, const char *code,
                   const char *format, ...)
{
    va_list arguments;

    if (segment->is_raised)
        return false;
    segment->is_raised = true;
    segment->is_retryable = is_retryable;
    segment->again = (struct bide_retry_opts){ 0 };
    segment->error_code = slice_of(code);
    va_start(arguments, format);
    segment->error_text = text_clean(
        &segment->arena, arena_vformat(&segment->arena, format, arguments), FRAME_MAX_BYTES);
    va_end(arguments);
    return false;
}

static const char *id_text(struct segment *segment, int64_t id)
{
    char *text = arena_alloc(&segment->arena, ID_TEXT_SIZE);

    return id == 0 ? "" : id_format("run", id, text);
}

static void info_fill(struct segment *segment)
{
    const struct frame_segment *frame = segment->frame;
    struct arena *arena = &segment->arena;
    const char **tags = ARENA_ARRAY(arena, const char *, frame->tag_count + 1);

    for (uint32_t i = 0; i < frame->tag_count; i++)
        tags[i] = arena_text(arena, frame->tags[i]);
    segment->info =
        (struct bide_run_info){ .size = sizeof segment->info,
                                .attempt = frame->attempt,
                                .max_attempts = frame->max_attempts,
                                .entry = frame->entry,
                                .run_id = id_text(segment, frame->run_id),
                                .parent_id = id_text(segment, frame->parent_id),
                                .root_id = id_text(segment, frame->root_id),
                                .environment = arena_text(arena, frame->environment),
                                .task = arena_text(arena, frame->task),
                                .segment = arena_text(arena, frame->segment),
                                .tags = tags,
                                .created_ms = frame->created_ms,
                                .is_test = frame->is_test,
                                .ending = arena_text(arena, frame->ending),
                                .error_code = arena_text(arena, frame->error_code),
                                .error_text = arena_text(arena, frame->error_text) };
}

static bool value_read(struct segment *segment, struct slice packed, enum value_kind empty,
                       struct value *value, const char *what)
{
    struct err err = { 0 };

    *value = (struct value){ .kind = empty };
    if (packed.size == 0 || pack_read(&segment->arena, packed, value, &err))
        return true;
    return segment_raise(segment, false, "broken_input", "the run's %s cannot be read: %s",
                         what, err.text);
}

static bool once_read(struct segment *segment)
{
    const struct frame_segment *frame = segment->frame;

    segment->once = value_map();
    segment->used = value_map();
    for (uint32_t i = 0; i < frame->once_count; i++) {
        struct value value;
        if (!value_read(segment, frame->once[i].value, VALUE_NULL, &value, "recorded results"))
            return false;
        value_put_slice(&segment->arena, &segment->once, frame->once[i].name, value);
    }
    return true;
}

static void output_write(struct segment *segment)
{
    struct frame_end *end = &segment->end;
    int64_t limit = segment->limits->output_bytes;

    if (!segment->has_output)
        return;
    end->output = pack_value(&segment->arena, &segment->output);
    if (limit > 0 && (int64_t)end->output.size > limit)
        segment_raise(segment, false, "output_too_large",
                      "the output has %zu bytes, %lld are allowed", end->output.size,
                      (long long)limit);
}

static void state_write(struct segment *segment)
{
    struct buffer bytes = { 0 };
    struct err err = { 0 };
    int64_t limit = segment->limits->state_bytes;

    if (!state_encode(segment->about, segment->state, &segment->kept, &bytes, &err))
        segment_raise(segment, false, "bad_state", "the state cannot be saved: %s", err.text);
    else if (limit > 0 && (int64_t)bytes.size > limit)
        segment_raise(segment, false, "state_too_large",
                      "the state has %zu bytes, %lld are allowed", bytes.size,
                      (long long)limit);
    else
        segment->end.state = arena_copy(&segment->arena, buffer_view(&bytes));
    buffer_finish(&bytes);
}

static void metadata_check(struct segment *segment)
{
    int64_t limit = segment->limits->metadata_bytes;

    if (segment->meta_count == 0 || limit == 0)
        return;
    struct slice packed = pack_value(&segment->arena, &segment->metadata);
    if ((int64_t)packed.size > limit)
        segment_raise(segment, false, "metadata_too_large",
                      "the metadata has %zu bytes, %lld are allowed", packed.size,
                      (long long)limit);
}

/* What the segment's code returned must be what the last end gave it. */
static void mark_check(struct segment *segment, uint64_t mark)
{
    if (mark == segment->mark && mark != 0)
        return;
    if (segment->mark == 0)
        segment_raise(segment, false, "no_end",
                      "segment %s returned without a wait, bide_done() or bide_fail()",
                      segment->info.segment);
    else
        segment_raise(
            segment, false, "wrong_end",
            "segment %s did not return what its last wait, bide_done() or bide_fail() gave it",
            segment->info.segment);
}

static bool is_well(const struct segment *segment)
{
    uint32_t verdict = segment->end.verdict;

    return !segment->is_raised &&
           (verdict == VERDICT_DONE || verdict == VERDICT_WAIT || verdict == VERDICT_WAIT_ON);
}

static void end_send(struct segment *segment)
{
    static uint64_t spent_before_ns; /* one segment at a time runs in a process */
    struct frame frame = { .kind = FRAME_END };
    struct frame_end *end = &segment->end;
    uint64_t spent_ns = wear_measure();

    if (segment->is_raised) {
        *end = (struct frame_end){
            .verdict = end->verdict == VERDICT_PARK ? VERDICT_PARK : VERDICT_FAIL,
            .error_code = word_clean(&segment->arena, segment->error_code, 128),
            .error_text = text_clean(&segment->arena, segment->error_text, 8192),
            .retryable = segment->is_retryable,
            .is_upstream = segment->again.upstream != 0,
            .due_ms = segment->again.at_ms,
            .span_ms = segment->again.after_ms
        };
    }
    end->run_id = segment->frame->run_id;
    end->seq = segment->frame->seq;
    end->cpu_ns = spent_ns - spent_before_ns;
    if (!segment->is_raised || end->verdict == VERDICT_FAIL) {
        end->meta = segment->meta;
        end->meta_count = segment->meta_count;
    }
    if (is_well(segment)) {
        end->aborts = segment->aborts;
        end->abort_count = segment->abort_count;
    }
    frame.end = *end;
    channel_write(segment->channel, &frame);
    spent_before_ns = spent_ns;
}

static void segment_code(struct segment *segment, const struct plugin_segment *entered)
{
    bide_next next = entered->run(&segment->task);

    segment_fork_ends(segment);
    if (!segment->is_raised)
        mark_check(segment, next.mark);
}

static void segment_enter(struct segment *segment, const struct plugin_segment *entered)
{
    if (channel_came_canceled(segment->channel, segment->frame->run_id)) {
        segment_raise(segment, false, "canceled", "the run was canceled");
        return;
    }
    prints_forget();
    cpu_limit_begin(segment->frame->cpu_ms > 0 ? segment->frame->cpu_ms
                                               : segment->about->cpu_ms);
    hooks_before(segment);
    if (entered == NULL)
        hook_run(segment);
    else if (!segment->is_raised)
        segment_code(segment, entered);
    hooks_after(segment);
    cpu_limit_end();
    prints_take(segment, true);
    if (segment->end.verdict == VERDICT_DONE || segment->end.verdict == VERDICT_WAIT ||
        segment->end.verdict == VERDICT_WAIT_ON)
        segment_batches_seal(segment);
    if (is_well(segment) && segment->end.verdict == VERDICT_DONE)
        output_write(segment);
    if (is_well(segment) && (segment->end.verdict != VERDICT_DONE || segment->abort_count > 0 ||
                             segment->frame->ending.size > 0))
        state_write(segment);
    metadata_check(segment);
}

void segment_run(struct channel *channel, const struct plugin *plugin,
                 const struct worker_limits *limits, struct arena *arena,
                 const struct frame_segment *frame)
{
    struct segment segment = { .limits = limits, .frame = frame, .channel = channel };
    const struct plugin_segment *entered = NULL;

    segment.arena = *arena; /* lent for the time of the segment */
    segment.task =
        (struct bide_task){ .api = &worker_api, .host = &segment, .info = &segment.info };
    info_fill(&segment);
    segment.about = plugin_task_find(plugin, frame->task);
    if (segment.about != NULL)
        entered = plugin_segment_find(segment.about, frame->segment);
    bool is_hook =
        segment.about != NULL && frame->segment.size > 0 && frame->segment.data[0] == HOOK_MARK;
    if (is_hook) {
        segment.info.segment++; /* without the mark */
    } else if (entered == NULL) {
        segment.end.verdict = VERDICT_PARK;
        segment_raise(&segment, false, "no_segment", "this build has no segment %s of task %s",
                      segment.info.segment, segment.info.task);
    } else {
        segment.info.segment =
            arena_text(&segment.arena, entered->name); /* it may be empty, or old */
    }
    if ((entered != NULL || is_hook) &&
        value_read(&segment, frame->input, VALUE_NULL, &segment.input, "input") &&
        once_read(&segment) && state_load(&segment) && !frame->only_loads)
        segment_enter(&segment, entered);
    (void)family_end(NULL, NULL, PATIENCE_MS); /* who waits for the end waits for these, too */
    if (frame->only_loads)
        state_load_answer(&segment);
    else
        end_send(&segment);
    *arena = segment.arena;
}
