#include "engine/admission/total.h"

#include "base/duration.h"
#include "engine/failure.h"

enum { WARN_LEVEL = 2 };

void total_begin(const struct batch *batch, const struct trigger *trigger,
                 const struct queue_rules *rules, const struct catalog_task *task,
                 struct run *run)
{
    run->total_ms = trigger->total_ms != 0 ? trigger->total_ms
                    : rules->total_ms != 0 ? rules->total_ms
                    : task != NULL         ? task->total_ms
                                           : 0;
    run->total_end_ms = run->total_ms == 0 ? 0 : time_after(batch->steady_ms, run->total_ms);
}

void total_stop(struct run *run)
{
    run->total_end_ms = 0;
    run->is_total_warned = false;
}

static void warn(struct batch *batch, struct run *run)
{
    char span[DURATION_TEXT_SIZE];
    struct slice text =
        arena_format(batch->arena, "nine tenths of its total time of %s are over",
                     duration_format(run->total_ms, span));

    run->is_total_warned = true;
    if (batch->catalog == NULL) /* which says how much of a log is kept */
        run_note(batch, run, text);
    else
        run_note_take(batch, run,
                      &(struct frame_note){ .kind = NOTE_REMARK,
                                            .level = WARN_LEVEL,
                                            .at_ms = batch->now_ms,
                                            .text = text });
}

/* Where its segment is out that is killed: what it says comes too late. */
static void end(struct batch *batch, struct run *run)
{
    char span[DURATION_TEXT_SIZE];

    run->why = arena_format(batch->arena, "its total time of %s is over",
                            duration_format(run->total_ms, span));
    run->error = failure_pack(batch, run,
                              &(struct failure){ .outcome = OUTCOME_TIMED_OUT,
                                                 .name = SLICE("TOTAL_TIME"),
                                                 .message = run->why });
    run->is_cut = run->status == RUN_RUNNING;
    run_finish(batch, run, OUTCOME_TIMED_OUT);
}

bool total_look(struct batch *batch, struct run *run, bool *has_ended)
{
    *has_ended = false;
    if (!batch_is_over(batch, run_total_due(run), true))
        return true;
    if (!batch_is_over(batch, run->total_end_ms, true)) {
        warn(batch, run);
        return true;
    }
    if (!run_finish_ready(batch, run))
        return false;
    end(batch, run);
    *has_ended = true;
    return true;
}
