/*
 * Queue rules: what queues.yaml may say of one queue. Each key is told once, in a table:
 * reading the file, what a reload says in the log, and where the engine finds it follow from
 * that. What a key may say is in schemas/config/queues.yaml.
 */
#ifndef CONFIG_QUEUE_RULES_H
#define CONFIG_QUEUE_RULES_H

#include "base/duration.h"

#include <stddef.h>

/* 0, and what is empty: it is not said. */
struct queue_rules {
    uint32_t concurrency; /* runs at a time of each lane; */
    uint32_t per_key;     /* of those with a key; 0: the same */
    uint32_t total;       /* of all together; 0: any number */
};

enum queue_rule_type {
    RULE_COUNT, /* uint32_t */
    RULE_SPAN   /* int64_t, milliseconds */
};

struct queue_rule {
    const char *key;
    enum queue_rule_type type;
    size_t at;     /* in struct queue_rules */
    bool is_alias; /* another word for the one before it */
};

enum { QUEUE_RULES = 4, QUEUE_RULE_TEXT_SIZE = DURATION_TEXT_SIZE };

extern const struct queue_rule queue_rule_table[QUEUE_RULES];

/* As people write it; "": it is not said. */
void queue_rule_text(const struct queue_rule *rule, const struct queue_rules *rules,
                     char text[QUEUE_RULE_TEXT_SIZE]);

#endif
