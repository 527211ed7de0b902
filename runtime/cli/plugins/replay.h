/*
 * Replay: one segment of a run once more, here, with what it was given there.
 *
 *   replay_bundle   the file, as a frame for a slot and a plugin's file
 *   replay.c        nursery and slot, from LOADED to the END or the crash; gdb
 *   replay_answer   what the segment asks the host for: nothing happens, all is told
 *   replay_report   what came of it, as JSON or as text
 */
#ifndef REPLAY_H
#define REPLAY_H

#include "cli/cli.h"
#include "codec/frame.h"
#include "codec/value.h"

struct bundle {
    struct value root;   /* bundle.json */
    struct slice plugin; /* the .so; empty: it has none */
    struct frame_segment segment;
};

/* A tar of `bide runs bundle`, or the directory that it was unpacked into. */
bool bundle_read(struct arena *arena, const char *path, struct bundle *bundle, struct err *err);

/* The REPLY; its id when there is none to send. */
bool replay_answer(struct arena *arena, const struct bundle *bundle,
                   const struct frame_call *call, struct frame *reply);
const char *replay_call_name(uint32_t kind);

/* From a frame to members of the report. */
void report_end(struct arena *arena, struct value *report, const struct frame_end *end);
void report_call(struct arena *arena, struct value *report, const struct frame_call *call);
void report_note(struct arena *arena, struct value *report, const struct frame_note *note);
void report_print(struct call *call, const struct value *report);

#endif
