/* Triggers: what starting a run has in common with starting it again. */
#ifndef TRIGGER_ROUTE_H
#define TRIGGER_ROUTE_H

#include "http/body/members.h"
#include "http/server/request.h"

/* False: answered; the server knows no tasks yet. */
bool trigger_may_begin(struct request *request);
/* Headers say the same as options, for those who have curl; they win. */
bool trigger_headers(struct request *request, struct trigger *trigger, struct err *err);
/* What a client calls its payload (NULL: nothing), by the type it says; in http->scratch. */
bool trigger_body_payload(struct request *request, const struct value *payload,
                          const struct value *type, struct value *value, struct err *err);
/* What was not understood goes into the run's timeline and, with what is to be said of a task
 * that nobody knows, into the reply's headers. Errors: NOT_FOUND, where the config refuses such
 * tasks. */
bool trigger_unheard(struct request *request, struct unheard *unheard, struct err *err);
/* The payload of request->command.trigger, whose task is set: checked by the task's schema, and
 * submitted or refused. */
void trigger_submit(struct request *request, bool is_given, struct value *payload);
/* {id, isCached}; or 422, where the config refuses that a key comes with another payload. */
void trigger_done(struct request *request);

#endif
