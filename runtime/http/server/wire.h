/*
 * Wire: from what peers send to requests, and from replies to what peers are sent.
 *
 *   wire_read ─▶ head ─▶ request_begin ─▶ body ─▶ request_work ─▶ … reply_send ─▶ bytes
 *
 * A peer has one request under way at a time; those behind it wait in the peer's input, so that
 * replies leave in the order in which requests came. What is answered while requests are read
 * leaves in one write.
 */
#ifndef WIRE_H
#define WIRE_H

#include "base/slice.h"

struct http;
struct peer;
struct request;

/* For peer.c. `bytes` are borrowed. */
void wire_read(struct peer *peer, struct slice bytes);
void wire_ended(struct peer *peer); /* it will send no more */
void wire_sent(struct peer *peer);
void wire_lost(struct peer *peer);
/* Answer with `status` and close, whatever the peer is about to send. */
void wire_refuse(struct peer *peer, unsigned status, const char *text);

/* A request that others had held has got its reply. */
void wire_answered(struct request *request);
/* Send all such replies. */
void wire_flush(struct http *http);

#endif
