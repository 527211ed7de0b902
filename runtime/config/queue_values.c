/* What a rule of a queue may be besides a count and a time. */
#include "config/queue_rules_read.h"

#include <stdio.h>

/* "a.b" is b in the map a. */
const struct entry *queue_rule_find(const struct node *map, const char *key)
{
    const char *point;

    while ((point = strchr(key, '.')) != NULL) {
        const struct entry *outer =
            node_find_slice(map, (struct slice){ key, (size_t)(point - key) });
        if (outer == NULL || outer->node.kind != VALUE_MAP)
            return NULL;
        map = &outer->node;
        key = point + 1;
    }
    return node_find(map, key);
}

static double number_of(const struct node *node)
{
    return node->kind == VALUE_DOUBLE ? node->number : (double)node->integer;
}

/* Where in the file: on one line the text begins behind its quote, if it has one. */
static void flaw_tell(const char *name, const struct node *node,
                      const struct expression_flaw *flaw, struct report *report)
{
    uint32_t column = node->column + (node->is_plain ? 0 : 1) + (uint32_t)flaw->column - 1;

    if (memchr(node->text.data, '\n', node->text.size) == NULL)
        report_add(report, node->line, column, "%s: %s", name, flaw->text);
    else
        report_add(report, node->line, node->column, "%s, at its line %d, column %d: %s", name,
                   flaw->line, flaw->column, flaw->text);
}

const struct expression *queue_expression_read(const struct node *node, const char *name,
                                               enum expression_want want, struct report *report)
{
    struct expression_flaw flaw;
    const struct expression *read = expression_compile(report->arena, node->text, want, &flaw);

    if (read == NULL)
        flaw_tell(name, node, &flaw, report);
    return read;
}

static bool amount_read(const struct queue_rule *rule, const struct node *node,
                        struct queue_amount *amount, struct report *report)
{
    if (node->kind != VALUE_MAP) {
        amount->number = number_of(node);
        return true;
    }
    const char *name =
        arena_text(report->arena, arena_format(report->arena, "%s.expr", rule->key));
    amount->expression =
        queue_expression_read(&node_find(node, "expr")->node, name, EXPRESSION_NUMBER, report);
    return amount->expression != NULL;
}

/* ---- outcomes ---------------------------------------------------------------------------- */

static const struct {
    const char *word;
    uint32_t bit;
} outcomes[] = { { "success", REUSE_SUCCESS },
                 { "canceled", REUSE_CANCELED },
                 { "failed", REUSE_FAILED },
                 { "expired", REUSE_EXPIRED } };

enum { OUTCOMES = sizeof outcomes / sizeof outcomes[0] };

uint32_t reuse_read(struct slice word)
{
    for (int i = 0; i < OUTCOMES; i++)
        if (slice_is(word, outcomes[i].word))
            return outcomes[i].bit;
    return 0;
}

static void reuse_text(uint32_t reuse, char text[QUEUE_RULE_TEXT_SIZE])
{
    size_t size = 0;

    for (int i = 0; i < OUTCOMES; i++)
        if ((reuse & outcomes[i].bit) != 0)
            size += (size_t)snprintf(text + size, QUEUE_RULE_TEXT_SIZE - size, "%s%s",
                                     size == 0 ? "" : ", ", outcomes[i].word);
    if (size == 0)
        (void)snprintf(text, QUEUE_RULE_TEXT_SIZE, "%s", reuse == 0 ? "" : "none");
}

/* ---- each -------------------------------------------------------------------------------- */

bool queue_value_read(const struct queue_rule *rule, const struct node *node, char *member,
                      struct report *report)
{
    struct queue_amount amount = { 0 };
    double number = 0;

    if (rule->type == RULE_REUSE) {
        uint32_t reuse = REUSE_SAID; /* its schema knows the words */
        for (uint32_t i = 0; i < node->count; i++)
            reuse |= reuse_read(node->items[i].text);
        memcpy(member, &reuse, sizeof reuse);
        return true;
    }
    if (rule->type == RULE_FAIR)
        return queue_fair_read(node, (struct queue_fair *)(void *)member, report);
    if (rule->type == RULE_USES) {
        queue_uses_read(node, (struct queue_uses *)(void *)member, report->arena);
        return true;
    }
    if (rule->type == RULE_FACTOR) {
        number = number_of(node);
        memcpy(member, &number, sizeof number);
        return true;
    }
    if (rule->type == RULE_WORD) {
        uint32_t word = 0; /* its schema knows the words */
        while (rule->words[word + 1] != NULL && !slice_is(node->text, rule->words[word]))
            word++;
        memcpy(member, &word, sizeof word);
        return true;
    }
    bool fine = amount_read(rule, node, &amount, report);
    memcpy(member, &amount, sizeof amount);
    return fine;
}

static void number_text(double number, char text[QUEUE_RULE_TEXT_SIZE])
{
    if (number != 0)
        (void)snprintf(text, QUEUE_RULE_TEXT_SIZE, "%.15g", number);
}

void queue_value_text(const struct queue_rule *rule, const char *member,
                      char text[QUEUE_RULE_TEXT_SIZE])
{
    struct queue_amount amount;
    double number;
    uint32_t word;

    if (rule->type == RULE_FAIR) {
        queue_fair_text((const struct queue_fair *)(const void *)member, text);
        return;
    }
    if (rule->type == RULE_USES) {
        queue_uses_text((const struct queue_uses *)(const void *)member, text);
        return;
    }
    if (rule->type == RULE_REUSE) {
        memcpy(&word, member, sizeof word);
        reuse_text(word, text);
        return;
    }
    if (rule->type == RULE_WORD) {
        memcpy(&word, member, sizeof word);
        (void)snprintf(text, QUEUE_RULE_TEXT_SIZE, "%s", word == 0 ? "" : rule->words[word]);
        return;
    }
    if (rule->type == RULE_FACTOR) {
        memcpy(&number, member, sizeof number);
        number_text(number, text);
        return;
    }
    memcpy(&amount, member, sizeof amount);
    if (amount.expression == NULL) {
        number_text(amount.number, text);
        return;
    }
    struct slice said = expression_text(amount.expression);
    size_t size = said.size < QUEUE_RULE_TEXT_SIZE ? said.size : QUEUE_RULE_TEXT_SIZE - 1;
    while (size < said.size && size > 0 && ((unsigned char)said.data[size] & 0xc0) == 0x80)
        size--;
    memcpy(text, said.data, size);
    text[size] = '\0';
}

static bool retry_rule_check(const struct node *map, const char *name, uint32_t most_attempts,
                             const struct retry_rule *rule, struct report *report)
{
    char key[40];
    const struct node *said;

    if (rule->max_ms != 0 && rule->min_ms > rule->max_ms) {
        (void)snprintf(key, sizeof key, "%s.min", name);
        said = &queue_rule_find(map, key)->node;
        return report_add(report, said->line, said->column, "%s is above %s.max", key, name);
    }
    if (rule->attempts <= most_attempts)
        return true;
    (void)snprintf(key, sizeof key, "%s.max_attempts", name);
    said = &queue_rule_find(map, key)->node;
    return report_add(report, said->line, said->column,
                      "%s is %u, and limits.max_attempts of bide.yaml allows %u", key,
                      rule->attempts, most_attempts);
}

bool queue_retry_check(const struct node *map, uint32_t most_attempts,
                       const struct queue_rules *rules, struct report *report)
{
    char name[32];
    bool fine = retry_rule_check(map, "retry", most_attempts, &rules->retry, report);

    for (int i = 0; i < RETRY_CLASSES; i++) {
        (void)snprintf(name, sizeof name, "retry.%s", retry_class_words[i]);
        fine &= retry_rule_check(map, name, most_attempts, &rules->retry_of[i], report);
    }
    if (rules->retry_total == 0 || rules->retry_total >= rules->retry.attempts)
        return fine;
    const struct node *total = &queue_rule_find(map, "retry.max_attempts_total")->node;
    return report_add(report, total->line, total->column,
                      "retry.max_attempts_total is below retry.max_attempts");
}

void queue_rules_own(struct arena *arena, struct queue_rules *rules)
{
    queue_fair_own(arena, &rules->fair);
    queue_uses_own(arena, &rules->uses);
    for (int i = 0; i < QUEUE_RULES; i++) {
        char *member = (char *)rules + queue_rule_table[i].at;
        struct queue_amount amount;
        if (queue_rule_table[i].type != RULE_AMOUNT)
            continue;
        memcpy(&amount, member, sizeof amount);
        if (amount.expression != NULL)
            amount.expression = expression_copy(arena, amount.expression);
        memcpy(member, &amount, sizeof amount);
    }
}
