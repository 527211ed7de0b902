/* Trigger members: the words that a trigger and a replay know, and what becomes of the others.
 */
#ifndef TRIGGER_MEMBERS_H
#define TRIGGER_MEMBERS_H

#include "http/body/members.h"

/* The body of a trigger, its options too. Errors: BAD_REQUEST, RULE. */
bool trigger_members_check(const struct value *body, struct unheard *unheard, struct err *err);
/* An item of a batch: the same, with its index and task beside. */
bool item_members_check(const struct value *item, struct unheard *unheard, struct err *err);
/* A replay has its options in the body itself. */
bool replay_members_check(const struct value *body, struct unheard *unheard, struct err *err);

#endif
