/* How long what has ended is kept, where it is said of something by itself: of an environment,
 * a queue or a task. For all others it is a section of bide.yaml like any other. */
#include "config/retention.h"

#include "base/duration.h"

#define RETENTION_LEAST_MS 1000
#define RETENTION_MOST_MS  (INT64_C(36500) * 86400 * 1000)

static const char *const names[RETAIN_KINDS] = { "ended_runs", "tokens", "logs" };

int64_t span_of(const struct node *node)
{
    int64_t ms = 0;

    if (node->kind == VALUE_INT)
        return node->integer;
    return node->kind == VALUE_STRING && duration_parse(node->text, &ms) ? ms : 0;
}

bool retention_read(const struct node *owner, struct config_retention *retention,
                    struct report *report)
{
    const struct entry *map = node_find(owner, "retention");
    bool fine = true;

    *retention = (struct config_retention){ 0 };
    for (int kind = 0; map != NULL && kind < RETAIN_KINDS; kind++) {
        const struct entry *entry = node_find(&map->node, names[kind]);
        if (entry == NULL)
            continue;
        retention->span_ms[kind] = span_of(&entry->node);
        if (retention->span_ms[kind] >= RETENTION_LEAST_MS &&
            retention->span_ms[kind] <= RETENTION_MOST_MS)
            continue;
        report_add(report, entry->node.line, entry->node.column,
                   "retention.%s must be a time from 1s to 36500d, like 30d", names[kind]);
        fine = false;
    }
    return fine;
}
