/*
 * Wire: from what connections send to requests, and from replies to what connections are sent.
 *
 *   wire_read ─▶ head ─▶ request_begin ─▶ body ─▶ request_work ─▶ … reply_send ─▶ bytes
 *
 * A connection has one request under way at a time; those behind it wait in the connection's
 * input, so that replies leave in the order in which requests came. What is answered while
 * requests are read leaves in one write.
 */
#ifndef WIRE_H
#define WIRE_H

#include "base/slice.h"

struct http;
struct connection;
struct request;

/* For connection.c. `bytes` are borrowed. */
void wire_read(struct connection *connection, struct slice bytes);
void wire_ended(struct connection *connection); /* it will send no more */
void wire_sent(struct connection *connection);
void wire_lost(struct connection *connection);
/* Answer with `status` and close, whatever the connection is about to send. */
void wire_refuse(struct connection *connection, unsigned status, const char *text);

/* A request that others had held has got its reply. */
void wire_answered(struct request *request);
/* Send all such replies. */
void wire_flush(struct http *http);

#endif
