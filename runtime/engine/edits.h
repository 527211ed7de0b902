/*
 * Edits: what is changed of a run that is there, beside its way: metadata and tags, by its own
 * segments, by its children and from outside. Each edit is an operation, so that those of many
 * merge; all of one call are done, or none is.
 */
#ifndef EDITS_H
#define EDITS_H

#include "codec/frame.h"
#include "engine/rows/run.h"

struct batch;

struct run_edit {
    uint32_t environment;
    int64_t id;
    struct frame_meta *operations;
    uint32_t count;
    /* Instead: when a delayed run starts. A date, or a time from now on; 0 is at once. */
    bool moves;
    int64_t due_ms, delay_ms;
    /* Reply: the run's own metadata then, and how many of the tags are new. */
    struct slice metadata;
    uint32_t new_tags;
};

/* The rows that they are about, beside the run. False: more are needed. */
bool edits_load(struct batch *batch, const struct run *run, const struct frame_meta *operations,
                uint32_t count);
/* Errors: TOO_LARGE, BAD_REQUEST, RULE (too many tags). Of a parent or root that is gone
 * nothing is said. *new_tags may be NULL. */
bool edits_take(struct batch *batch, struct run *run, const struct frame_meta *operations,
                uint32_t count, uint32_t *new_tags, struct err *err);
/* Of a child that inherits: its own, and its parent's as far as there is room. Both are packed,
 * and sorted. */
struct slice tags_joined(struct batch *batch, struct slice tags, struct slice inherited);

#endif
