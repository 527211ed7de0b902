/* Batches of runs in the simulated world. */
#ifndef BATCHES_H
#define BATCHES_H

#include "model.h"

enum { BATCH_ITEMS = 8, BATCH_OPEN_MS = 3000 };

/* batches.c */
void act_batch(struct world *world);
void batch_reply(struct world *world, const struct command *command);
/* Each item is answered once, and counted once. Returns how many edges items have. */
uint32_t check_batches(struct world *world);
void check_batches_due(struct world *world, const struct moment *now);
void check_batches_finished(struct world *world);
/* As store/pruner.c walks. */
enum row_kind kind_after(enum row_kind kind);

/* debounce.c: now and then it is one of a key. */
void debounce_say(struct world *world, struct trigger *trigger);
/* collect.c: now and then it goes where triggers are collected; what was told of those, and
 * that each is in one list, once, in their order. */
void collect_say(struct world *world, struct trigger *trigger);
struct slice collect_payload(struct world *world, int64_t number); /* 0: a new one */
void collect_reply(struct world *world, const struct trigger *trigger);
void check_collected(struct world *world);
/* Is it one that is collected? Such a one is made, or added to what is there. */
bool is_collected(const struct trigger *trigger);
/* As what it makes is asked for. */
struct command *collect_command(const struct look *look, const struct command *command);
/* True: it is one with a run that was there. */
bool rule_collected(const struct look *look, const struct command *command);
/* The run was filled in this batch: it may have started before its time. */
bool collect_is_full(const struct look *look, const struct run *run);
/* bulk.c: many runs are canceled, or replayed. */
void act_bulk(struct world *world);
void check_bulks(struct world *world);
void check_bulks_due(struct world *world, const struct moment *now);
bool bulks_are_done(struct world *world);
void rule_bulk_made(const struct look *look);

/* segment_batches.c: a segment makes one, some items at a time, and seals it; asks for answers.
 */
bool batch_is_made(const struct held_segment *held, uint64_t plan);
void call_batch(struct world *world, struct held_segment *held);
void batch_said(struct held_segment *held, const struct command *command);
void call_answers(struct world *world, struct held_segment *held);

/* rules_batch.c: what was asked for is what became of it. */
void rule_batch_send(const struct look *look, const struct command *command);
/* What those wait for who made one. */
void rule_batch_points(const struct look *look);
void rule_batch_read(const struct look *look, const struct command *command);
/* Items that were kept aside, and have become runs. */
void rule_batches_released(const struct look *look);
/* None is lost; they are kept as they are for the next batch of commands. */
void rule_batches_kept(const struct look *look);

/* rules_edit.c: metadata and tags that others give; what a run's segment, or somebody outside,
 * said.
 */
void rule_given(const struct look *look, const struct run *run, const struct frame_meta *said,
                uint32_t count);
void rule_given_look(const struct look *look, struct shadow *shadow, const struct run *run);
void rule_edit(const struct look *look, const struct command *command);

static inline const struct run_batch *batch_at(struct world *world, uint32_t index)
{
    return (const struct run_batch *)store_memory_at(world->memory, ROW_BATCH, index);
}

static inline const struct run_batch *batch_of(struct world *world, int64_t id)
{
    return (const struct run_batch *)store_memory_get(world->memory, ROW_BATCH, id);
}

static inline const struct batch_item *item_of(struct world *world, int64_t id)
{
    return (const struct batch_item *)store_memory_get(world->memory, ROW_BATCH_ITEM, id);
}

#endif
