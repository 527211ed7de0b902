/* Pauses as a body orders them, and as they are shown: of queues and environments alike. */
#ifndef PAUSE_BODY_H
#define PAUSE_BODY_H

#include "engine/pauses.h"
#include "http/body/members.h"
#include "http/server/out.h"

/* "action" and what may stand beside it; "type" is a queue's. */
extern const struct member_rule pause_members[];

/* The body into the order, with its environment. Errors: BAD_REQUEST. */
bool pause_order_read(struct request *request, const struct value *body,
                      struct pause_order *order, struct err *err);
/* What has changed goes to the log and x-bide-accepted; `what` is "queue mail". */
void pause_order_tell(struct request *request, const struct pause_order *order,
                      const char *kind, struct slice name);

/* pausedAt, pausedBy, pausedReason, pausedUntil, frozen and refuses of one that is paused;
 * `ramp` of one that comes back. */
void pause_write(struct out *out, const struct pause *pause);
/* The same; `ramp` has what is there of these limits by now, too. */
struct named_limit {
    const char *name; /* NULL behind the last */
    uint32_t limit;   /* that is set; UINT32_MAX: none is */
};
void pause_limits_write(struct out *out, const struct pause *pause,
                        const struct named_limit *limits);

#endif
