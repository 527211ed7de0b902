/* The rules of a queue out of queues.yaml. Internal to config/. */
#ifndef CONFIG_QUEUE_RULES_READ_H
#define CONFIG_QUEUE_RULES_READ_H

#include "config/config.h"
#include "schema/document/document.h"

/* What `map` says, over what is there; it fits its schema. most_attempts: limits.max_attempts.
 * False: a report was added. */
bool queue_rules_read(const struct node *map, uint32_t most_attempts, struct queue_rules *rules,
                      struct report *report);

/* queue_fair.c: the same of "fair". */
bool queue_fair_read(const struct node *map, struct queue_fair *fair, struct report *report);
void queue_fair_own(struct arena *arena, struct queue_fair *fair);

/* queue_pools.c: the same of "uses", and of the file's pools. */
void queue_uses_read(const struct node *map, struct queue_uses *uses, struct arena *arena);
void queue_uses_own(struct arena *arena, struct queue_uses *uses);
/* `queues`: those of the file; NULL: it names none. Each use is of a pool that there is, and
 * can pay it. */
bool pools_read(const struct node *pools, const struct node *queues,
                struct config_queues *config, struct report *report);

/* Of `collect` in the map: its time, which may be too short or too long. */
bool queue_collect_check(const struct node *map, int64_t for_ms, struct report *report);

/* queue_values.c */
/* A number that its schema has let through as a count. */
static inline uint32_t count_of(const struct node *node)
{
    return (uint32_t)(node->kind == VALUE_DOUBLE ? (int64_t)node->number : node->integer);
}

/* Of the text in `node` NULL with a report that names it. */
const struct expression *queue_expression_read(const struct node *node, const char *name,
                                               enum expression_want want,
                                               struct report *report);
const struct entry *queue_rule_find(const struct node *map, const char *key);
bool queue_value_read(const struct queue_rule *rule, const struct node *node, char *member,
                      struct report *report);
void queue_value_text(const struct queue_rule *rule, const char *member,
                      char text[QUEUE_RULE_TEXT_SIZE]);
/* Its times and numbers fit each other, and what is allowed. */
bool queue_retry_check(const struct node *map, uint32_t most_attempts,
                       const struct queue_rules *rules, struct report *report);

#endif
