/* The rules of a queue out of queues.yaml. Internal to config/. */
#ifndef CONFIG_QUEUE_RULES_READ_H
#define CONFIG_QUEUE_RULES_READ_H

#include "config/queue_rules.h"
#include "schema/document/document.h"

/* What `map` says, over what is there; it fits its schema. False: a report was added. */
bool queue_rules_read(const struct node *map, struct queue_rules *rules, struct report *report);

/* queue_fair.c: the same of "fair". */
bool queue_fair_read(const struct node *map, struct queue_fair *fair, struct report *report);
void queue_fair_own(struct arena *arena, struct queue_fair *fair);

/* queue_values.c */
const struct entry *queue_rule_find(const struct node *map, const char *key);
bool queue_value_read(const struct queue_rule *rule, const struct node *node, char *member,
                      struct report *report);
void queue_value_text(const struct queue_rule *rule, const char *member,
                      char text[QUEUE_RULE_TEXT_SIZE]);
/* Its times fit each other. */
bool queue_retry_check(const struct node *map, const struct queue_rules *rules,
                       struct report *report);

#endif
