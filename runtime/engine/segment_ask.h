/* What segments ask, and note, while they run, and what comes of them. */
#ifndef SEGMENT_ASK_H
#define SEGMENT_ASK_H

#include "codec/frame.h"
#include "engine/rows/run.h"

struct command;

struct run_read {
    int64_t run_id; /* that asks, with its fence */
    uint32_t seq;
    int64_t target; /* a run, or a token */
    /* Reply */
    uint32_t status; /* enum wait_status; what is not there is as good as canceled */
    struct run *run; /* output loaded; NULL when absent or another environment's. For a
                        completed token its data is the output */
};

struct once {
    int64_t run_id;
    uint32_t seq;
    struct slice name, value;
};

struct notes {
    int64_t run_id;
    uint32_t seq;
    struct frame_note *notes;
    uint32_t note_count;
};

struct segment_end {
    int64_t run_id;
    uint32_t seq;
    struct frame_end *end;    /* SEGMENT_END */
    enum loss loss;           /* ATTEMPT_LOST */
    struct slice error_name;  /* "SIGSEGV" */
    struct slice error_text;  /* for a person */
    struct slice stack;       /* lines; empty: unknown */
    int64_t busy_us;          /* wall time in the segment */
    struct frame_note *notes; /* not yet sent by NOTES */
    uint32_t note_count;
    struct command **creates; /* TOKEN_CREATEs of the segment, decided before its end */
    uint32_t create_count;
};

/* What somebody asks who wants to run a segment once more, elsewhere. */
struct run_bundle {
    uint32_t environment;
    int64_t run_id;
    /* Reply */
    struct run *run;    /* what tells whose secrets are in it, its error and its build */
    struct slice given; /* packed: as again/bundle.c has it */
};

#endif
