#include "config/queue_rules_read.h"
#include "config/retention.h"

#include <inttypes.h>
#include <stdio.h>

#define SPAN_MOST_MS (INT64_C(36500) * 86400 * 1000)

#define RULE(key, type, member)                                       \
    {                                                                 \
        key, RULE_##type, offsetof(struct queue_rules, member), false \
    }

const struct queue_rule queue_rule_table[QUEUE_RULES] = {
    RULE("concurrency", COUNT, concurrency),
    { "limit", RULE_COUNT, offsetof(struct queue_rules, concurrency), .is_alias = true },
    RULE("per_key", COUNT, per_key),
    RULE("total", COUNT, total),
    RULE("ttl", SPAN, ttl_ms),
    RULE("priority", AMOUNT, priority),
    RULE("retry.max_attempts", COUNT, retry_attempts),
    RULE("retry.min", SPAN, retry_min_ms),
    RULE("retry.max", SPAN, retry_max_ms),
    RULE("retry.factor", FACTOR, retry_factor),
};

static bool rule_read(const struct queue_rule *rule, const struct entry *entry, char *member,
                      struct report *report)
{
    const struct node *node = &entry->node;
    uint32_t count =
        (uint32_t)(node->kind == VALUE_DOUBLE ? (int64_t)node->number : node->integer);
    int64_t span_ms;

    if (rule->type >= RULE_FACTOR)
        return queue_value_read(rule, node, member, report);
    if (rule->type == RULE_COUNT) {
        memcpy(member, &count, sizeof count);
        return true;
    }
    span_ms = span_of(node);
    memcpy(member, &span_ms, sizeof span_ms);
    if (span_ms > 0 && span_ms <= SPAN_MOST_MS)
        return true;
    report_add(report, node->line, node->column,
               "%s must be a time from 1ms to 36500d, like 30m", rule->key);
    return false;
}

bool queue_rules_read(const struct node *map, struct queue_rules *rules, struct report *report)
{
    bool fine = true;

    for (int i = 0; i < QUEUE_RULES; i++) {
        const struct queue_rule *rule = &queue_rule_table[i];
        const struct entry *entry = queue_rule_find(map, rule->key);
        if (entry != NULL)
            fine &= rule_read(rule, entry, (char *)rules + rule->at, report);
    }
    return fine && queue_retry_check(map, rules, report);
}

void queue_rule_text(const struct queue_rule *rule, const struct queue_rules *rules,
                     char text[QUEUE_RULE_TEXT_SIZE])
{
    const char *member = (const char *)rules + rule->at;
    uint32_t count;
    int64_t span_ms;

    text[0] = '\0';
    if (rule->type >= RULE_FACTOR) {
        queue_value_text(rule, member, text);
        return;
    }
    if (rule->type == RULE_COUNT) {
        memcpy(&count, member, sizeof count);
        if (count != 0)
            (void)snprintf(text, QUEUE_RULE_TEXT_SIZE, "%" PRIu32, count);
        return;
    }
    memcpy(&span_ms, member, sizeof span_ms);
    if (span_ms != 0)
        (void)duration_format(span_ms, text);
}
