/* Calls: what a segment asks for in the middle; its slot waits for the answer. */
#ifndef DISPATCH_CALLS_H
#define DISPATCH_CALLS_H

#include "codec/frame.h"

struct job;
struct outgoing;
struct slot;

void call_begin(struct slot *slot, struct job *job, const struct frame_call *call);
/* call_send.c: what the slot says, as a command; `id` is the call's. */
void call_send_fill(struct outgoing *outgoing, const struct job *job, const struct value *map,
                    int64_t id);

#endif
