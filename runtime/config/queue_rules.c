#include "config/queue_rules_read.h"
#include "config/retention.h"

#include <inttypes.h>
#include <stdio.h>

#define SPAN_MOST_MS     (INT64_C(36500) * 86400 * 1000)
#define RATE_PER_MOST_MS (INT64_C(30) * 86400 * 1000)
#define COLLECT_LEAST_MS 1000
#define COLLECT_MOST_MS  (INT64_C(3600) * 1000)

enum { RATE_MOST = 1000000 };

#define RULE(key_, type_, member)                                                      \
    {                                                                                  \
        .key = key_, .type = RULE_##type_, .at = offsetof(struct queue_rules, member), \
    }

#define RETRY_RULES(key, member)                                                              \
    RULE(key ".max_attempts", COUNT, member.attempts), RULE(key ".min", SPAN, member.min_ms), \
        RULE(key ".max", SPAN, member.max_ms), RULE(key ".factor", FACTOR, member.factor)

const char *const retry_class_words[RETRY_CLASSES] = { "user", "crash", "timeout", "upstream" };

static const char *const conflict_words[] = { "queue", "skip", "replace", "cancel_running",
                                              NULL };
/* "": nothing was said. */
const char *const children_words[] = { "", "cancel", "abandon", "wait", NULL };
const char *const exhausted_words[] = { "", "fail", "pause", "dead_letter", NULL };
static const char *const mismatch_words[] = { "", "tell", "refuse", NULL };
static const char *const full_words[] = { "reject", "drop_oldest", NULL };

const struct queue_rule queue_rule_table[QUEUE_RULES] = {
    RULE("concurrency", COUNT, concurrency),
    { .key = "limit",
      .type = RULE_COUNT,
      .at = offsetof(struct queue_rules, concurrency),
      .is_alias = true },
    RULE("per_key", COUNT, per_key),
    RULE("total", COUNT, total),
    RULE("rate", RATE, rate),
    RULE("rate.cost", AMOUNT, rate_cost),
    RULE("key_rate", RATE, key_rate),
    RULE("key_rate.cost", AMOUNT, key_rate_cost),
    RULE("max_queued", COUNT, max_queued),
    { .key = "on_full",
      .type = RULE_WORD,
      .at = offsetof(struct queue_rules, on_full),
      .words = full_words },
    { .key = "on_conflict",
      .type = RULE_WORD,
      .at = offsetof(struct queue_rules, on_conflict),
      .words = conflict_words },
    RULE("ttl", SPAN, ttl_ms),
    { .key = "start_by",
      .type = RULE_SPAN,
      .at = offsetof(struct queue_rules, ttl_ms),
      .is_alias = true },
    RULE("total_time", SPAN, total_ms),
    RULE("priority", AMOUNT, priority),
    RETRY_RULES("retry", retry),
    RETRY_RULES("retry.user", retry_of[RETRY_USER]),
    RETRY_RULES("retry.crash", retry_of[RETRY_CRASH]),
    RETRY_RULES("retry.timeout", retry_of[RETRY_TIMEOUT]),
    RETRY_RULES("retry.upstream", retry_of[RETRY_UPSTREAM]),
    RULE("retry.max_attempts_total", COUNT, retry_total),
    { .key = "on_exhausted",
      .type = RULE_WORD,
      .at = offsetof(struct queue_rules, on_exhausted),
      .words = exhausted_words },
    RULE("fair", FAIR, fair),
    RULE("uses", USES, uses),
    RULE("reuse", REUSE, reuse),
    { .key = "on_parent_end",
      .type = RULE_WORD,
      .at = offsetof(struct queue_rules, on_parent_end),
      .words = children_words },
    { .key = "on_payload_mismatch",
      .type = RULE_WORD,
      .at = offsetof(struct queue_rules, on_mismatch),
      .words = mismatch_words },
    RULE("collect.max", COUNT, collect.max),
    RULE("collect.for", SPAN, collect.for_ms),
};

/* ---- rates ------------------------------------------------------------------------------- */

/* "100/1m"; what is too long for a number is too many. */
static bool rate_parse(struct slice text, struct queue_rate *rate)
{
    uint64_t limit = 0;
    size_t at = 0;

    for (; at < text.size && text.data[at] >= '0' && text.data[at] <= '9'; at++)
        limit = limit > RATE_MOST ? limit : limit * 10 + (uint64_t)(text.data[at] - '0');
    if (at == 0 || at == text.size || text.data[at] != '/')
        return false;
    rate->limit = (uint32_t)limit;
    return duration_parse((struct slice){ text.data + at + 1, text.size - at - 1 },
                          &rate->per_ms);
}

/* What may start is counted in microseconds. */
static const char *rate_flaw(const struct queue_rate *rate)
{
    return rate->limit == 0 || rate->limit > RATE_MOST
               ? "must be like 100/1m, with a number from 1 to 1000000"
           : rate->per_ms <= 0 || rate->per_ms > RATE_PER_MOST_MS
               ? "must be per a time from 1ms to 30d, like 100/1m"
           : rate->limit > rate->per_ms * 1000 ? "must be at most one start in a microsecond"
                                               : NULL;
}

const char *queue_rate_parse(struct slice text, struct queue_rate *rate)
{
    static const char word[] = ", burst ";
    const char *comma = memchr(text.data, ',', text.size);
    struct slice burst = { 0 };
    uint64_t count = 0;

    *rate = (struct queue_rate){ .burst = 1 };
    if (comma != NULL) {
        burst = (struct slice){ comma, (size_t)(text.data + text.size - comma) };
        text.size -= burst.size;
    }
    if (!rate_parse(text, rate))
        rate->limit = 0;
    if (burst.size == 0)
        return rate_flaw(rate);
    size_t at = slice_starts(burst, word) ? sizeof word - 1 : burst.size;
    for (; at < burst.size && burst.data[at] >= '0' && burst.data[at] <= '9'; at++)
        count = count > RATE_MOST ? count : count * 10 + (uint64_t)(burst.data[at] - '0');
    if (at < burst.size || count == 0 || count > RATE_MOST)
        return "must be like 100/1m, burst 10, with a burst from 1 to 1000000";
    rate->burst = (uint32_t)count;
    return rate_flaw(rate);
}

static bool rate_read(const struct queue_rule *rule, const struct node *node,
                      struct queue_rate *rate, struct report *report)
{
    const struct node *said = node;

    *rate = (struct queue_rate){ .burst = 1 };
    if (node->kind == VALUE_MAP) { /* it has a limit and a time */
        const struct entry *burst = node_find(node, "burst");
        rate->limit = count_of(&node_find(node, "limit")->node);
        said = &node_find(node, "per")->node;
        rate->per_ms = span_of(said);
        rate->burst = burst == NULL ? 1 : count_of(&burst->node);
    } else if (!rate_parse(node->text, rate)) {
        rate->limit = 0;
    }
    const char *wrong = rate_flaw(rate);
    if (wrong != NULL)
        report_add(report, said->line, said->column, "%s %s", rule->key, wrong);
    return wrong == NULL;
}

void queue_rate_text(const struct queue_rate *rate, char text[QUEUE_RULE_TEXT_SIZE])
{
    char per[DURATION_TEXT_SIZE];

    text[0] = '\0';
    if (rate->limit == 0)
        return;
    (void)duration_format(rate->per_ms, per);
    if (rate->burst > 1)
        (void)snprintf(text, QUEUE_RULE_TEXT_SIZE, "%" PRIu32 "/%s, burst %" PRIu32,
                       rate->limit, per, rate->burst);
    else
        (void)snprintf(text, QUEUE_RULE_TEXT_SIZE, "%" PRIu32 "/%s", rate->limit, per);
}

/* ---- each rule --------------------------------------------------------------------------- */

static bool rule_read(const struct queue_rule *rule, const struct entry *entry, char *member,
                      struct report *report)
{
    const struct node *node = &entry->node;
    struct queue_rate rate;
    uint32_t count;
    int64_t span_ms;

    if (rule->type >= RULE_FACTOR)
        return queue_value_read(rule, node, member, report);
    if (rule->type == RULE_COUNT) {
        count = count_of(node);
        memcpy(member, &count, sizeof count);
        return true;
    }
    if (rule->type == RULE_RATE) {
        bool fine = rate_read(rule, node, &rate, report);
        memcpy(member, &rate, sizeof rate);
        return fine;
    }
    span_ms = span_of(node);
    memcpy(member, &span_ms, sizeof span_ms);
    if (span_ms > 0 && span_ms <= SPAN_MOST_MS)
        return true;
    report_add(report, node->line, node->column,
               "%s must be a time from 1ms to 36500d, like 30m", rule->key);
    return false;
}

/* What no rate can ever pay is no cost. */
static bool cost_check(const struct node *map, const char *key, const struct queue_rate *rate,
                       const struct queue_amount *cost, struct report *report)
{
    if (cost->expression != NULL || cost->number <= rate->burst)
        return true;
    const struct node *said = &queue_rule_find(map, key)->node;
    return report_add(report, said->line, said->column,
                      "%s is %.15g, and a burst of %" PRIu32
                      " can never pay that; make burst at least as high",
                      key, cost->number, rate->burst);
}

bool queue_collect_check(const struct node *map, int64_t for_ms, struct report *report)
{
    if (for_ms == 0 || (for_ms >= COLLECT_LEAST_MS && for_ms <= COLLECT_MOST_MS))
        return true;
    const struct node *said = &queue_rule_find(map, "collect.for")->node;
    return report_add(report, said->line, said->column,
                      "collect.for must be a time from 1s to 1h, like 2s");
}

/* Whoever is skipped, or goes for another, would take what was collected along. */
static bool conflict_check(const struct node *map, const struct queue_rules *rules,
                           struct report *report)
{
    if (rules->collect.max == 0 || rules->on_conflict == CONFLICT_QUEUE)
        return true;
    const struct node *said = &queue_rule_find(map, "on_conflict")->node;
    return report_add(report, said->line, said->column,
                      "on_conflict can only be queue where triggers are collected: what else "
                      "it may be leaves triggers out");
}

bool queue_rules_read(const struct node *map, uint32_t most_attempts, struct queue_rules *rules,
                      struct report *report)
{
    bool fine = true;

    for (int i = 0; i < QUEUE_RULES; i++) {
        const struct queue_rule *rule = &queue_rule_table[i];
        const struct entry *entry = queue_rule_find(map, rule->key);
        if (entry != NULL)
            fine &= rule_read(rule, entry, (char *)rules + rule->at, report);
    }
    return fine && queue_retry_check(map, most_attempts, rules, report) &&
           queue_collect_check(map, rules->collect.for_ms, report) &&
           conflict_check(map, rules, report) &&
           cost_check(map, "rate.cost", &rules->rate, &rules->rate_cost, report) &&
           cost_check(map, "key_rate.cost", &rules->key_rate, &rules->key_rate_cost, report);
}

void queue_rule_text(const struct queue_rule *rule, const struct queue_rules *rules,
                     char text[QUEUE_RULE_TEXT_SIZE])
{
    const char *member = (const char *)rules + rule->at;
    struct queue_rate rate;
    uint32_t count;
    int64_t span_ms;

    text[0] = '\0';
    if (rule->type >= RULE_FACTOR) {
        queue_value_text(rule, member, text);
        return;
    }
    if (rule->type == RULE_RATE) {
        memcpy(&rate, member, sizeof rate);
        queue_rate_text(&rate, text);
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
