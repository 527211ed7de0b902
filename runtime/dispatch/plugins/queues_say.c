/* What another queues.yaml changes, a line a change, for who reads the log. */
#include "base/duration.h"
#include "base/log.h"
#include "catalogs.h"

#include <inttypes.h>
#include <stdio.h>

enum { LINES_MOST = 20 };

static const struct queue_rules no_rules;

/* What the file says of one name; `queue` only of tasks. */
struct entry_said {
    const char *kind;
    struct slice name, queue;
    const struct queue_rules *rules;
    const struct config_retention *retention;
};

static struct entry_said entry_of(const struct config_queues *queues, bool is_task, uint32_t i)
{
    if (is_task)
        return (struct entry_said){ .kind = "task",
                                    .name = queues->tasks[i].task,
                                    .queue = queues->tasks[i].queue,
                                    .rules = &queues->tasks[i].rules,
                                    .retention = &queues->tasks[i].retention };
    const struct config_queue *queue = &queues->queues[i];
    return (struct entry_said){ "queue", queue->name, SLICE(""), &queue->rules,
                                &queue->retention };
}

static uint32_t count_of(const struct config_queues *queues, bool is_task)
{
    return is_task ? queues->task_count : queues->queue_count;
}

/* Files keep their order: most names are behind the one that was found before. */
static bool find(const struct config_queues *queues, bool is_task, uint32_t *near,
                 struct slice name, struct entry_said *found)
{
    uint32_t count = count_of(queues, is_task);

    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = (*near + i) % count;
        *found = entry_of(queues, is_task, at);
        if (slice_equal(found->name, name)) {
            *near = at + 1;
            return true;
        }
    }
    return false;
}

static void text_say(uint32_t *lines, const struct entry_said *entry, const char *what,
                     struct slice before, struct slice after)
{
    if (slice_equal(before, after))
        return;
    if ((*lines)++ < LINES_MOST)
        log_info("queues.changed", "%s=%.*s %s %.*s -> %.*s", entry->kind,
                 SLICE_ARG(entry->name), what,
                 SLICE_ARG(before.size > 0 ? before : SLICE("(default)")),
                 SLICE_ARG(after.size > 0 ? after : SLICE("(default)")));
}

static void rules_say(uint32_t *lines, const struct entry_said *before,
                      const struct entry_said *after)
{
    for (int i = 0; i < QUEUE_RULES; i++) {
        const struct queue_rule *rule = &queue_rule_table[i];
        char texts[2][QUEUE_RULE_TEXT_SIZE];
        if (rule->is_alias)
            continue;
        queue_rule_text(rule, before->rules, texts[0]);
        queue_rule_text(rule, after->rules, texts[1]);
        text_say(lines, after, rule->key, slice_of(texts[0]), slice_of(texts[1]));
    }
}

static void spans_say(uint32_t *lines, const struct entry_said *before,
                      const struct entry_said *after)
{
    static const char *const names[RETAIN_KINDS] = { "retention.ended_runs", "retention.tokens",
                                                     "retention.logs" };

    for (int kind = 0; kind < RETAIN_KINDS; kind++) {
        int64_t spans[] = { before->retention->span_ms[kind], after->retention->span_ms[kind] };
        char texts[2][DURATION_TEXT_SIZE] = { "", "" };
        for (int i = 0; i < 2; i++)
            if (spans[i] != 0)
                (void)duration_format(spans[i], texts[i]);
        text_say(lines, after, names[kind], slice_of(texts[0]), slice_of(texts[1]));
    }
}

/* What is in one of them only counts as if it said nothing in the other. */
static void entry_say(uint32_t *lines, const struct entry_said *before,
                      const struct entry_said *after)
{
    rules_say(lines, before, after);
    text_say(lines, after, "queue", before->queue, after->queue);
    spans_say(lines, before, after);
}

static void kind_say(uint32_t *lines, bool is_task, const struct config_queues *before,
                     const struct config_queues *after)
{
    static const struct config_retention none;
    struct entry_said one, other, found;
    uint32_t near = 0;

    for (uint32_t i = 0; i < count_of(after, is_task) && *lines <= LINES_MOST; i++) {
        one = entry_of(after, is_task, i);
        if (!find(before, is_task, &near, one.name, &other))
            other = (struct entry_said){ .rules = &no_rules, .retention = &none };
        entry_say(lines, &other, &one);
    }
    near = 0;
    for (uint32_t i = 0; i < count_of(before, is_task) && *lines <= LINES_MOST; i++) {
        one = entry_of(before, is_task, i);
        other = (struct entry_said){
            .kind = one.kind, .name = one.name, .rules = &no_rules, .retention = &none
        };
        if (!find(after, is_task, &near, one.name, &found))
            entry_say(lines, &one, &other);
    }
}

/* NULL: it is not there. */
static const struct config_pool *pool_find(const struct config_queues *queues,
                                           struct slice name)
{
    for (uint32_t i = 0; i < queues->pool_count; i++)
        if (slice_equal(queues->pools[i].name, name))
            return &queues->pools[i];
    return NULL;
}

static void pools_say(uint32_t *lines, const struct config_queues *before,
                      const struct config_queues *after)
{
    for (int pass = 0; pass < 2; pass++) {
        const struct config_queues *from = pass == 0 ? after : before;
        for (uint32_t i = 0; i < from->pool_count; i++) {
            const struct config_pool *was = pool_find(before, from->pools[i].name);
            const struct config_pool *is = pool_find(after, from->pools[i].name);
            char texts[2][QUEUE_RULE_TEXT_SIZE] = { "", "" };
            struct entry_said entry = { .kind = "pool", .name = from->pools[i].name };
            if (pass == 1 && is != NULL)
                continue; /* it is said */
            if (was != NULL)
                (void)snprintf(texts[0], sizeof texts[0], "%" PRIu32, was->tokens);
            if (is != NULL)
                (void)snprintf(texts[1], sizeof texts[1], "%" PRIu32, is->tokens);
            text_say(lines, &entry, "tokens", slice_of(texts[0]), slice_of(texts[1]));
        }
    }
}

void queues_say(const struct config_queues *before, const struct config_queues *after)
{
    uint32_t lines = 0;

    if (before->concurrency != after->concurrency) {
        lines++;
        log_info("queues.changed", "concurrency %" PRIu32 " -> %" PRIu32, before->concurrency,
                 after->concurrency);
    }
    pools_say(&lines, before, after);
    kind_say(&lines, false, before, after);
    kind_say(&lines, true, before, after);
    if (lines > LINES_MOST)
        log_info("queues.changed", "and %" PRIu32 " more changes", lines - LINES_MOST);
}
