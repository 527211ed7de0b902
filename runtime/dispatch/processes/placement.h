/*
 * Placement: which slot gets the next job of a build.
 *
 *   an idle slot of its own ─▶ a new one, if there is room ─▶ behind short ones of a busy slot
 *   ─▶ none yet: make room by retiring another build's idle slot, or draining a busy one
 *
 * The processes are shared by all builds; a build that has work and no slot gets one from the
 * build that has most, so that nobody waits for another's stream of work to dry up.
 */
#ifndef DISPATCH_PLACEMENT_H
#define DISPATCH_PLACEMENT_H

#include <stdint.h>

struct build;
struct dispatch;

/* Hand out what hungry builds have, as far as there are slots. */
void placement_run(struct dispatch *dispatch);
/* Let idle slots go after a while; a build that is in use keeps one warm. When something is due
 * again, 0: never. */
int64_t placement_retire(struct build *build, int64_t now_ms);

#endif
