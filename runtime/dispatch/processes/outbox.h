/* Outbox: what a nursery's socket has not taken yet, in order. A full socket is no hang. */
#ifndef DISPATCH_OUTBOX_H
#define DISPATCH_OUTBOX_H

#include "base/list.h"
#include "codec/frame.h"

struct outbox {
    struct list letters;
};

void outbox_init(struct outbox *outbox);
void outbox_finish(struct outbox *outbox);
bool outbox_is_empty(const struct outbox *outbox);
/* `fd` rides along when it is not -1; it stays the caller's. */
void outbox_add(struct outbox *outbox, const struct frame *frame, int fd);
/* As much as `socket` takes now. False: it takes nothing any more. */
bool outbox_flush(struct outbox *outbox, int socket);

#endif
