/*
 * Segments: what a worker says about its run. It carries the run's sequence number of the
 * assignment: an answer for one that has moved on since is refused.
 */
#include "engine/batch.h"

bool run_fenced(struct batch *batch, struct command *command, int64_t id, uint32_t seq,
                uint32_t parts, struct run **run)
{
    if (!rows_run(&batch->rows, id, parts, run))
        return false;
    if (*run == NULL || (*run)->status != RUN_RUNNING || (*run)->seq != seq) {
        err_set(&command->err, ERR_RULE, "the run has moved on");
        *run = NULL;
    }
    return true;
}

void run_note_take(struct batch *batch, struct run *run, const struct frame_note *note)
{
    const struct config_limits *limits = &batch->catalog->limits;

    if (note->kind == NOTE_PROGRESS) {
        run->progress = note->level > 100 ? 100 : note->level;
        return;
    }
    if (note->kind == NOTE_REMARK)
        run_note(batch, run, note->text);
    struct log_line *line = rows_new_log(&batch->rows, run->id);
    /* A fifth of those that are kept are the first, the others the last: there the error is. */
    line->line = run->log_lines += note->left_out + 1; /* a liar has its own log */
    line->keeps = limits->log_lines / 5;
    if (line->line > limits->log_lines)
        line->drops = line->line - (limits->log_lines - line->keeps);
    line->segment = run_segment(batch, run);
    line->at_ms = note->at_ms;
    line->level = note->level;
    line->attempt = run->attempt;
    line->text = arena_copy(batch->arena, note->text);
    if (line->text.size > limits->log_line_bytes)
        line->text.size = limits->log_line_bytes;
    while (line->text.size > 0 && !utf8_is_valid(line->text))
        line->text.size--; /* not in the middle of a character */
}

void run_notes_take(struct batch *batch, struct run *run, const struct frame_note *notes,
                    uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        run_note_take(batch, run, &notes[i]);
}

/* Of a run that was canceled meanwhile; of any other that has moved on it says nothing new. */
bool segment_free(struct batch *batch, const struct segment_end *ended)
{
    struct run *run;
    (void)rows_run(&batch->rows, ended->run_id, 0, &run); /* loaded by run_fenced */
    if (run != NULL && run->is_out && run->seq == ended->seq + 1) {
        run_notes_take(batch, run, ended->notes, ended->note_count); /* its last words */
        run_free(batch, run);
    }
    return true;
}
