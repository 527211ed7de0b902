/*
 * Hooks: functions of the task beside its segments.
 *
 *   on_start | on_resume ─▶ the segment ─▶ on_suspend | on_success ─▶ cleanup     in one
 * execution on_failure | on_cancel ─▶ cleanup                                             in
 * its own
 *
 * An error of what comes before the segment is the segment's; one of what comes after it is
 * told and changes nothing.
 */
#include "segment_run.h"

bool hook_may(struct segment *segment, const char *what)
{
    return segment->hook == NULL ||
           segment_raise(segment, false, "not_in_a_hook",
                         "%s is called beside segment %s and cannot %s", segment->hook,
                         segment->info.segment, what);
}

static void call(struct segment *segment, const char *name, bide_hook_fn hook)
{
    if (hook == NULL)
        return;
    segment->hook = name;
    hook(&segment->task);
    segment_fork_ends(segment);
    segment->hook = NULL;
}

/* Whatever was raised before is raised behind it, and nothing else. */
static void call_after(struct segment *segment, const char *name, bide_hook_fn hook)
{
    bool was_raised = segment->is_raised, was_retryable = segment->is_retryable;
    struct slice code = segment->error_code, text = segment->error_text;

    segment->is_raised = false;
    call(segment, name, hook);
    if (segment->is_raised)
        segment_remark(segment, arena_format(&segment->arena, "hook %s has failed: %.*s: %.*s",
                                             name, SLICE_ARG(segment->error_code),
                                             SLICE_ARG(segment->error_text)));
    segment->is_raised = was_raised;
    segment->is_retryable = was_retryable;
    segment->error_code = code;
    segment->error_text = text;
}

void hooks_before(struct segment *segment)
{
    const struct frame_segment *frame = segment->frame;
    bool is_first = frame->state.size == 0;

    if (frame->ending.size > 0)
        return;
    if (!is_first)
        call(segment, "on_resume", segment->about->on_resume);
    else if (frame->attempt <= 1)
        call(segment, "on_start", segment->about->on_start);
}

void hooks_after(struct segment *segment)
{
    uint32_t verdict = segment->end.verdict;
    bool goes_on =
        !segment->is_raised && segment->frame->ending.size == 0 && segment->mark != 0;

    if (goes_on && (verdict == VERDICT_WAIT || verdict == VERDICT_WAIT_ON))
        call_after(segment, "on_suspend", segment->about->on_suspend);
    else if (goes_on && verdict == VERDICT_DONE)
        call_after(segment, "on_success", segment->about->on_success);
    call_after(segment, "cleanup", segment->about->cleanup);
}

/* One that another build of the task declared does nothing in this one. */
void hook_run(struct segment *segment)
{
    bide_hook_fn hook = slice_is(segment->frame->segment, HOOK_ON_CANCEL_NAME)
                            ? segment->about->on_cancel
                            : segment->about->on_failure;

    if (hook != NULL) {
        hook(&segment->task);
        segment_fork_ends(segment);
    }
    segment->end = (struct frame_end){ .verdict = VERDICT_DONE };
}
