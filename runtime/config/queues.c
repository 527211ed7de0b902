/*
 * queues.yaml:
 *
 *   concurrency: 100          runs at a time in a queue that is not named below
 *   queues:
 *     emails: 2               or { concurrency: 2 }
 *   tasks:
 *     send-invoice: emails    the queue of a task's runs when the trigger names none
 */
#include "config/config.h"
#include "schema/document.h"
#include "schema/suggest.h"

#include <inttypes.h>
#include <unistd.h>

enum {
    CONCURRENCY_STANDARD = 100,
    CONCURRENCY_MAX = 100000,
    QUEUES_MAX = 10000,
    NAME_MAX_BYTES = 128,
};

static bool name_is_valid(struct slice name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:";

    for (size_t i = 0; i < name.size; i++)
        if (name.data[i] == '\0' || strchr(allowed, name.data[i]) == NULL)
            return false;
    return name.size > 0 && name.size <= NAME_MAX_BYTES;
}

static bool name_wants(struct slice name, uint32_t line, uint32_t column, const char *what,
                       struct report *report)
{
    return name_is_valid(name) ||
           report_add(report, line, column,
                      "%.*s is no name of a %s: letters, digits and - _ . / :, at most %d",
                      SLICE_ARG(text_quote(report->arena, name)), what, NAME_MAX_BYTES);
}

static void concurrency_read(const struct node *node, uint32_t *concurrency,
                             struct report *report)
{
    struct value value = node_value(report->arena, node);

    if (node->kind == VALUE_INT && node->integer >= 1 && node->integer <= CONCURRENCY_MAX)
        *concurrency = (uint32_t)node->integer;
    else
        report_add(report, node->line, node->column,
                   "concurrency must be a whole number from 1 to %d, not %.*s%s",
                   CONCURRENCY_MAX, SLICE_ARG(value_describe(report->arena, &value)),
                   node->kind == VALUE_INT && node->integer == 0
                       ? "; `bide queues pause` stops a queue"
                       : "");
}

static void unknown_report(const struct entry *entry, const char *const *known, size_t count,
                           const char *where, struct report *report)
{
    struct slice names = SLICE("");
    struct suggestion near;

    suggestion_init(&near, entry->key);
    for (size_t i = 0; i < count; i++) {
        suggestion_offer(&near, slice_of(known[i]));
        names = arena_format(report->arena, "%.*s%s%s", SLICE_ARG(names), i > 0 ? ", " : "",
                             known[i]);
    }
    report_add(report, entry->line, entry->column,
               "%.*s is no key of %s%.*s%.*s%s (keys are %.*s)",
               SLICE_ARG(text_quote(report->arena, entry->key)), where, SUGGESTION_ARG(&near),
               SLICE_ARG(names));
}

static void queue_read(const struct entry *entry, struct config_queues *queues,
                       struct report *report)
{
    static const char *const known[] = { "concurrency" };
    struct config_queue *queue = &queues->queues[queues->queue_count++];
    const struct node *node = &entry->node;

    queue->name = entry->key;
    queue->concurrency = queues->concurrency;
    (void)name_wants(entry->key, entry->line, entry->column, "queue", report); /* complains */
    if (node->kind != VALUE_MAP) {
        concurrency_read(node, &queue->concurrency, report);
        return;
    }
    for (uint32_t i = 0; i < node->count; i++)
        if (slice_is(node->entries[i].key, known[0]))
            concurrency_read(&node->entries[i].node, &queue->concurrency, report);
        else
            unknown_report(&node->entries[i], known, 1, "a queue", report);
}

static void task_read(const struct entry *entry, struct config_queues *queues,
                      struct report *report)
{
    const struct node *node = &entry->node;

    if (!name_wants(entry->key, entry->line, entry->column, "task", report))
        return;
    if (node->kind != VALUE_STRING) {
        report_add(report, node->line, node->column, "a task has the name of its queue here");
        return;
    }
    if (name_wants(node->text, node->line, node->column, "queue", report))
        queues->tasks[queues->task_count++] = (struct config_task){ entry->key, node->text };
}

/* False: nothing to walk over, which has been complained about unless it is null. */
static bool map_wants(const struct entry *entry, struct report *report)
{
    const struct node *node = &entry->node;

    if (node->kind == VALUE_MAP && node->count <= QUEUES_MAX)
        return true;
    if (node->kind != VALUE_NULL)
        report_add(report, node->line, node->column, "%.*s must be a map of at most %d names",
                   SLICE_ARG(entry->key), QUEUES_MAX);
    return false;
}

static void queues_read(const struct entry *entry, struct config_queues *queues,
                        struct report *report)
{
    if (!map_wants(entry, report))
        return;
    queues->queues = ARENA_ARRAY(&queues->arena, struct config_queue, entry->node.count);
    for (uint32_t i = 0; i < entry->node.count; i++)
        queue_read(&entry->node.entries[i], queues, report);
}

static void tasks_read(const struct entry *entry, struct config_queues *queues,
                       struct report *report)
{
    if (!map_wants(entry, report))
        return;
    queues->tasks = ARENA_ARRAY(&queues->arena, struct config_task, entry->node.count);
    for (uint32_t i = 0; i < entry->node.count; i++)
        task_read(&entry->node.entries[i], queues, report);
}

static void root_read(const struct node *root, struct config_queues *queues,
                      struct report *report)
{
    static const char *const known[] = { "concurrency", "queues", "tasks" };
    const struct entry *standard = node_find(root, known[0]);

    if (root->kind != VALUE_MAP && root->kind != VALUE_NULL)
        report_add(report, root->line, root->column,
                   "the file must be a map with the keys concurrency, queues, tasks");
    if (standard != NULL) /* first: it is what queues without a number get */
        concurrency_read(&standard->node, &queues->concurrency, report);
    for (uint32_t i = 0; root->kind == VALUE_MAP && i < root->count; i++) {
        const struct entry *entry = &root->entries[i];
        if (slice_is(entry->key, known[1]))
            queues_read(entry, queues, report);
        else if (slice_is(entry->key, known[2]))
            tasks_read(entry, queues, report);
        else if (entry != standard)
            unknown_report(entry, known, 3, "the queues' file", report);
    }
}

static bool queues_make(const char *path, const struct slice *text,
                        struct config_queues *queues, struct arena *arena,
                        struct problems *problems)
{
    struct report report = { arena, problems, slice_of(path) };
    uint32_t before = problems->count;
    struct node root;

    *queues = (struct config_queues){ .concurrency = CONCURRENCY_STANDARD };
    if (text == NULL && access(path, F_OK) != 0)
        return true;
    bool is_read = text == NULL ? document_load(&queues->arena, path, &root, &report)
                                : document_read(&queues->arena, *text, &root, &report);
    if (is_read)
        root_read(&root, queues, &report);
    if (is_read && problems->count == before)
        return true;
    config_queues_finish(queues);
    return false;
}

bool config_queues_load(const char *path, struct config_queues *queues, struct arena *arena,
                        struct problems *problems)
{
    return queues_make(path, NULL, queues, arena, problems);
}

bool config_queues_parse(const char *path, struct slice text, struct config_queues *queues,
                         struct arena *arena, struct problems *problems)
{
    return queues_make(path, &text, queues, arena, problems);
}

void config_queues_finish(struct config_queues *queues)
{
    arena_finish(&queues->arena);
    *queues = (struct config_queues){ 0 };
}
