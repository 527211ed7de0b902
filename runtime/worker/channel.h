/*
 * The channel: a slot's socket to the host.
 *
 * Frames lie in the order in which they came: SEGMENTs wait here until it is their turn, and
 * what is for the running one, REPLY and CANCEL, is looked for behind them. A slot whose
 * channel is broken has nobody to work for and exits.
 */
#ifndef WORKER_CHANNEL_H
#define WORKER_CHANNEL_H

#include "base/arena.h"
#include "base/buffer.h"
#include "codec/frame.h"

#include <sys/types.h>

struct channel {
    int fd;
    pid_t owner; /* the slot; a process that it forked has nothing to say here */
    struct buffer in, out;
    bool has_more; /* bytes came since CANCEL was last looked for */
    bool is_fresh; /* the last SEGMENT has not lain here while another one ran */
};

/* Moves the socket to a number that plugin code is unlikely to close or to get by accident. */
void channel_init(struct channel *channel, int fd);

/* Block until a SEGMENT is there; it and its bytes live in `arena`. Exits at the end of the
 * file. */
void channel_segment(struct channel *channel, struct arena *arena, struct frame *frame);
/* Block until the REPLY is there. */
void channel_reply(struct channel *channel, struct arena *arena, struct frame *frame);
/* Has a CANCEL for the run come? Does not block. */
bool channel_has_cancel(struct channel *channel, int64_t run_id);
/* The same for the run of the SEGMENT that was just taken, before it starts. */
bool channel_came_canceled(struct channel *channel, int64_t run_id);
/* The whole frame, however long it takes. */
void channel_write(struct channel *channel, const struct frame *frame);

/* False in a process that the segment's code has forked: it must neither read nor write. */
bool channel_is_ours(const struct channel *channel);

_Noreturn void channel_broken(void);

#endif
