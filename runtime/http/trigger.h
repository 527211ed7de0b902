/* Triggers: what starting a run has in common with starting it again. */
#ifndef TRIGGER_H
#define TRIGGER_H

#include "http/request.h"

/* False: answered; the server knows no tasks yet. */
bool trigger_may_begin(struct request *request);
/* Headers say the same as options, for those who have curl; they win. */
bool trigger_headers(struct request *request, struct trigger *trigger, struct err *err);
/* What a client calls its payload (NULL: nothing), by the type it says; in http->scratch. */
bool trigger_body_payload(struct request *request, const struct value *payload,
                          const struct value *type, struct value *value, struct err *err);
/*
 * Into request->command.trigger, whose task is set, when it is what the task's schema wants.
 * False: err is set, or, when its code is OK, the problems have been answered.
 */
bool trigger_payload(struct request *request, bool is_given, struct value *payload,
                     struct err *err);
/* {id, isCached} */
void trigger_done(struct request *request);

#endif
