/* The rules of a queue out of queues.yaml. Internal to config/. */
#ifndef CONFIG_QUEUE_RULES_READ_H
#define CONFIG_QUEUE_RULES_READ_H

#include "config/queue_rules.h"
#include "schema/document/document.h"

/* What `map` says, over what is there; it fits its schema. False: a report was added. */
bool queue_rules_read(const struct node *map, struct queue_rules *rules, struct report *report);

#endif
