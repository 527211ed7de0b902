/* What segments ask, and note, while they run. */
#ifndef SEGMENT_ASK_H
#define SEGMENT_ASK_H

#include "codec/frame.h"
#include "engine/rows/run.h"

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

#endif
