/*
 * Tokens that a segment made without waiting for them (codec/frame.h). They travel with its END
 * when that comes soon, so that both are one commit; else on their own, and the END waits.
 *
 *   CALL ahead ─▶ job.ahead ──END──▶ its riders ─▶ SEGMENT_END with creates
 *                     └──after 2 ms──▶ job.sent ─▶ TOKEN_CREATE; an END meanwhile is held
 *
 * What is refused fails the attempt, as a call that was waited for would have.
 */
#ifndef DISPATCH_EARLY_TOKEN_H
#define DISPATCH_EARLY_TOKEN_H

#include "base/err.h"

#include <stdint.h>

struct outgoing;
struct dispatch;
struct job;

/* `outgoing` is a TOKEN_CREATE, filled. */
void early_token_add(struct dispatch *dispatch, struct job *job, struct outgoing *outgoing);
/* One that is wrong in itself: the END will say so. */
void early_token_refuse(struct job *job, const struct err *err);
/* Submit what waits for the END, which will not come or is late. */
void early_token_flush(struct job *job);
/* The END is here: `end` is its command. False: it is held, and submitted when all are
 * decided. */
bool early_token_end(struct job *job, struct outgoing *end);
/* Forget them: the run is done, or the server stops. */
void early_token_drop(struct job *job);

/* When they are due to go on their own, 0: never. */
int64_t early_token_tick(struct job *job, int64_t now_ms);

#endif
