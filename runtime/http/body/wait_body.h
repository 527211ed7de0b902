/* What acts on tokens and waits have in common. */
#ifndef HTTP_WAIT_BODY_H
#define HTTP_WAIT_BODY_H

#include "codec/value.h"
#include "http/server/request.h"

#define TOKEN_UNKNOWN "Waitpoint not found"

/* Who does it, and why. Errors: BAD_REQUEST. */
bool act_who_read(struct request *request, const struct value *body, struct token_complete *act,
                  struct err *err);
/* The body of an act of that kind, into the request's command. False: answered. */
bool act_read(struct request *request, enum command_kind kind);
/* The reply: x-bide-accepted says whether it has changed something. */
void act_done(struct request *request);

#endif
