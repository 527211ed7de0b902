/* Calls: what a segment asks for in the middle; its slot waits for the answer. */
#ifndef DISPATCH_CALLS_H
#define DISPATCH_CALLS_H

#include "codec/frame.h"
#include "engine/command.h"

struct job;
struct outgoing;
struct slot;

void call_begin(struct slot *slot, struct job *job, const struct frame_call *call);
/* call_send.c: what the slot says, as a command; `id` is the call's. */
void call_send_fill(struct outgoing *outgoing, const struct job *job, const struct value *map,
                    int64_t id);
/* call_answer.c: what it has asked for, into a map. */
void call_run_answer(struct arena *arena, const struct run_read *read, struct value *map);
void call_batch_answer(struct arena *arena, const struct batch_read *read, struct value *map);

#endif
