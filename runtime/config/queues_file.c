/*
 * queues.yaml:
 *
 *   concurrency: 100          runs at a time in a queue that is not named below
 *   queues:
 *     emails: 2               or { concurrency: 2 }, or { limit: 2 }: runs at a time with one
 *                             concurrency key, or with none
 *     reports: { concurrency: 5, per_key: 1, total: 20 }
 *                             per_key: of those with a key instead; total: of all of the queue
 *     calls: { rate: 100/1m, key_rate: { limit: 5, per: 1s, burst: 10 } }
 *                             starts in a time, of the queue, and of each key
 *     train: { uses: { gpu: 1, licence: 2 } }
 *                             tokens that each run holds while a segment of it runs
 *     points: { collect: { max: 500, for: 2s } }
 *                             so many triggers, or so much time, become one run with a list
 *   pools: { gpu: 4, licence: 2 }
 *                             how many there are, of all queues and environments
 *   tasks:
 *     send-invoice: emails    the queue of a task's runs when the trigger names none
 */
#include "config/config.h"
#include "config/own_schema.h"
#include "config/queue_rules_read.h"
#include "config/retention.h"

#include <unistd.h>

static void queue_read(const struct entry *entry, uint32_t most_attempts,
                       struct config_queues *queues, struct report *report)
{
    struct config_queue *queue = &queues->queues[queues->queue_count++];
    const struct node *node = &entry->node;

    *queue =
        (struct config_queue){ .name = entry->key, .rules.concurrency = queues->concurrency };
    if (node->kind != VALUE_MAP) {
        queue->rules.concurrency = count_of(node);
        return;
    }
    if (queue_rules_read(node, most_attempts, &queue->rules, report)) /* else it tells */
        queue_rules_own(&queues->arena, &queue->rules);
    (void)retention_read(node, &queue->retention, report); /* it tells */
}

static void tasks_read(const struct node *map, struct config_queues *queues,
                       struct report *report)
{
    queues->tasks = ARENA_ARRAY(&queues->arena, struct config_task, map->count);
    for (uint32_t i = 0; i < map->count; i++) {
        const struct node *node = &map->entries[i].node;
        const struct entry *queue = node->kind == VALUE_MAP ? node_find(node, "queue") : NULL;
        struct config_task *task = &queues->tasks[queues->task_count++];
        *task = (struct config_task){ .task = map->entries[i].key };
        if (node->kind != VALUE_MAP)
            task->queue = node->text;
        else if (queue != NULL)
            task->queue = queue->node.text;
        const struct entry *collect =
            node->kind == VALUE_MAP ? node_find(node, "collect") : NULL;
        if (collect != NULL && collect->node.kind == VALUE_MAP) {
            task->rules.collect.max = count_of(&node_find(&collect->node, "max")->node);
            task->rules.collect.for_ms = span_of(&node_find(&collect->node, "for")->node);
            (void)queue_collect_check(node, task->rules.collect.for_ms, report); /* it tells */
        }
        const struct entry *keeps =
            node->kind == VALUE_MAP ? node_find(node, "keep_states") : NULL;
        if (keeps != NULL && keeps->node.kind != VALUE_NULL)
            task->keep_states = count_of(&keeps->node);
        const struct entry *versions =
            node->kind == VALUE_MAP ? node_find(node, "versions") : NULL;
        task->follows = versions != NULL && slice_is(versions->node.text, "follow");
        if (node->kind == VALUE_MAP)
            (void)retention_read(node, &task->retention, report); /* it tells */
    }
}

/* A key without anything below it is null and says nothing. */
static const struct node *map_find(const struct node *root, const char *key)
{
    const struct entry *entry = node_find(root, key);

    return entry == NULL || entry->node.kind != VALUE_MAP ? NULL : &entry->node;
}

/* The document fits its schema. */
static void root_read(const struct node *root, uint32_t most_attempts,
                      struct config_queues *queues, struct report *report)
{
    const struct entry *standard = node_find(root, "concurrency");
    const struct node *named = map_find(root, "queues"), *tasks = map_find(root, "tasks");

    if (standard != NULL) /* first: it is what queues without a number get */
        queues->concurrency = count_of(&standard->node);
    if (named != NULL)
        queues->queues = ARENA_ARRAY(&queues->arena, struct config_queue, named->count);
    for (uint32_t i = 0; named != NULL && i < named->count; i++)
        queue_read(&named->entries[i], most_attempts, queues, report);
    if (tasks != NULL)
        tasks_read(tasks, queues, report);
    (void)pools_read(map_find(root, "pools"), named, queues, report); /* it tells */
}

/* What a file without the key gets: its schema says it. */
static uint32_t concurrency_standard(const struct own_schema *own_schema)
{
    const struct entry *properties = node_find(&own_schema->root, "properties");
    const struct entry *schema = node_find(&properties->node, "concurrency");

    return count_of(&node_find(&schema->node, "default")->node);
}

static bool document_make(const struct node *root, const struct own_schema *own_schema,
                          uint32_t most_attempts, struct config_queues *queues,
                          struct report *report)
{
    struct value value = node_value(report->arena, root);

    if (!own_schema_check(own_schema, &value, root, report))
        return false;
    const struct node *tasks = map_find(root, "tasks");
    bool fine = names_check(NAME_QUEUE, map_find(root, "queues"), true, report);
    fine &= names_check(NAME_TASK, tasks, true, report);
    fine &= names_check(NAME_POOL, map_find(root, "pools"), true, report);
    fine &= names_check(NAME_QUEUE, tasks, false, report);
    uint32_t before = report->problems->count;
    if (fine)
        root_read(root, most_attempts, queues, report);
    return fine && report->problems->count == before;
}

static bool queues_make(const char *path, const struct slice *text, uint32_t most_attempts,
                        struct config_queues *queues, struct arena *arena,
                        struct problems *problems)
{
    struct report report = { arena, problems, slice_of(path) };
    struct own_schema own_schema;
    struct node root;
    bool fine = true;

    own_schema_open(&own_schema, OWN_SCHEMA_QUEUES);
    *queues = (struct config_queues){ .concurrency = concurrency_standard(&own_schema) };
    if (text != NULL || access(path, F_OK) == 0)
        fine = (text == NULL ? document_load(&queues->arena, path, &root, &report)
                             : document_read(&queues->arena, *text, &root, &report)) &&
               document_make(&root, &own_schema, most_attempts, queues, &report);
    own_schema_close(&own_schema);
    if (!fine)
        config_queues_finish(queues);
    return fine;
}

bool config_queues_load(const char *path, uint32_t most_attempts, struct config_queues *queues,
                        struct arena *arena, struct problems *problems)
{
    return queues_make(path, NULL, most_attempts, queues, arena, problems);
}

bool config_queues_parse(const char *path, struct slice text, uint32_t most_attempts,
                         struct config_queues *queues, struct arena *arena,
                         struct problems *problems)
{
    return queues_make(path, &text, most_attempts, queues, arena, problems);
}

void config_queues_finish(struct config_queues *queues)
{
    arena_finish(&queues->arena);
    *queues = (struct config_queues){ 0 };
}
