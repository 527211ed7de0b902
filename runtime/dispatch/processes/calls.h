/* Calls: what a segment asks for in the middle; its slot waits for the answer. */
#ifndef DISPATCH_CALLS_H
#define DISPATCH_CALLS_H

#include "codec/frame.h"

struct job;
struct slot;

void call_begin(struct slot *slot, struct job *job, const struct frame_call *call);

#endif
