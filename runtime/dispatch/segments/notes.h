/* Notes: log lines and progress of a job, gathered for its outcome or for once a second. */
#ifndef DISPATCH_NOTES_H
#define DISPATCH_NOTES_H

#include "base/arena.h"
#include "codec/frame.h"

struct dispatch;
struct job;

struct job_notes {
    struct arena arena;
    struct frame_note *items;
    uint32_t count, capacity;
    int64_t progress_at; /* index of the progress note + 1: the latest replaces it */
    int64_t since_ms;    /* of the first one; 0: there are none */
    int64_t sent_ms;     /* of the last send */
};

void notes_add(struct dispatch *dispatch, struct job *job, const struct frame_note *note);
/* What its slot printed last, line by line; before that so many lines were left out. */
void notes_add_prints(struct dispatch *dispatch, struct job *job, struct slice prints,
                      uint32_t left_out);
/* Copy all of them into `arena` and forget them. */
struct frame_note *notes_take(struct job_notes *notes, struct arena *arena, uint32_t *count);
/* Send what is due for a running job; when it is due again, 0: never. */
int64_t notes_tick(struct dispatch *dispatch, struct job *job, int64_t now_ms);

#endif
