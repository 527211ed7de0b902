/*
 * Outputs: is what a run ends with what its task's schema says? `on_invalid` decides what
 * becomes of one that is not: the run fails, or it completes with a warning.
 */
#include "engine/batch.h"
#include "engine/failure.h"

enum { FAILURE_BYTES = 4000, WARNINGS_SHOWN = 20 };

static struct slice problems_line(struct batch *batch, const struct problems *problems)
{
    struct buffer out = { 0 };

    problems_text(&out, problems);
    if (out.size > FAILURE_BYTES)
        out.size = FAILURE_BYTES;
    while (out.size > 0 &&
           (out.data[out.size - 1] == '\n' || !utf8_is_valid(buffer_view(&out))))
        out.size--;
    struct slice text = arena_copy(batch->arena, buffer_view(&out));
    buffer_finish(&out);
    return text;
}

static void line_add(struct batch *batch, struct run *run, struct slice text)
{
    run_note_take(batch, run,
                  &(struct frame_note){
                      .kind = NOTE_LOG, .level = 2, .at_ms = batch->now_ms, .text = text });
}

/* All problems into the run's log, and into its timeline as many as a person reads. */
static void output_warn(struct batch *batch, struct run *run, const struct problems *problems)
{
    struct arena *arena = batch->arena;
    uint32_t shown = 0;

    run->problems = problems->count;
    for (const struct problem *it = problems->first; it != NULL; it = it->next) {
        struct slice text =
            arena_format(arena, "the output is not as its schema says: %.*s (%.*s:%u)",
                         SLICE_ARG(it->message), SLICE_ARG(it->file), it->line);
        line_add(batch, run, text);
        if (shown++ < WARNINGS_SHOWN)
            run_note(batch, run, text);
    }
    if (shown > WARNINGS_SHOWN)
        run_note(batch, run,
                 arena_format(arena, "%u more problems of the output are in the run's log",
                              shown - WARNINGS_SHOWN));
}

bool output_check(struct batch *batch, struct run *run, const struct catalog_task *task,
                  struct value *output)
{
    struct problems problems = { 0 };

    if (task == NULL)
        return true;
    if (catalog_schema_is_wrong(task))
        run_note(batch, run,
                 SLICE("the output is not checked: the schema file is wrong just now"));
    if (schema_check(schema_output(task->schema), output, batch->arena, &problems))
        return true;
    if (schema_on_invalid(task->schema) == SCHEMA_WARN) {
        output_warn(batch, run, &problems);
        return true;
    }
    run_fail(batch, run,
             &(struct failure){ .outcome = OUTCOME_FAILED,
                                .name = SLICE("output_invalid"),
                                .message = problems_line(batch, &problems) });
    return false;
}
