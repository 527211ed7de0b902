/*
 * How the starts of a queue are shared:
 *
 *   fair:
 *     tenant: { by: payload.org, weights: { acme: 4 } }
 *     key: { by: payload.user }
 */
#include "codec/expression.h"
#include "config/queue_rules_read.h"

#include <stdio.h>
#include <stdlib.h>

enum { BY_SHOWN = 60 /* of an expression; all of it fits */ };

static const char *const levels[WEIGHT_LEVELS] = { "tenant", "key" };

static int weight_order(const void *a, const void *b)
{
    return slice_compare(((const struct queue_weight *)a)->name,
                         ((const struct queue_weight *)b)->name);
}

static void weights_read(const struct node *map, struct arena *arena, struct queue_level *level)
{
    level->weights = ARENA_ARRAY(arena, struct queue_weight, map->count);
    for (uint32_t i = 0; i < map->count; i++) {
        const struct node *node = &map->entries[i].node;
        level->weights[level->count++] =
            (struct queue_weight){ .name = arena_copy(arena, map->entries[i].key),
                                   .weight = count_of(node) };
    }
    if (level->count > 0)
        qsort(level->weights, level->count, sizeof *level->weights, weight_order);
}

static bool level_read(const struct node *map, const char *name, struct queue_level *level,
                       struct report *report)
{
    const struct entry *by = node_find(map, "by"), *weights = node_find(map, "weights");

    if (weights != NULL && weights->node.kind == VALUE_MAP)
        weights_read(&weights->node, report->arena, level);
    if (by == NULL)
        return true;
    level->by = queue_expression_read(
        &by->node, arena_text(report->arena, arena_format(report->arena, "fair.%s.by", name)),
        EXPRESSION_TEXT, report);
    return level->by != NULL;
}

bool queue_fair_read(const struct node *map, struct queue_fair *fair, struct report *report)
{
    bool fine = true;

    fair->is_said = true;
    for (int i = 0; map->kind == VALUE_MAP && i < WEIGHT_LEVELS; i++) {
        const struct entry *entry = node_find(map, levels[i]);
        if (entry != NULL && entry->node.kind == VALUE_MAP)
            fine &= level_read(&entry->node, levels[i], &fair->levels[i], report);
    }
    return fine;
}

void queue_fair_own(struct arena *arena, struct queue_fair *fair)
{
    for (int i = 0; i < WEIGHT_LEVELS; i++) {
        struct queue_level *level = &fair->levels[i];
        struct queue_weight *weights = ARENA_ARRAY(arena, struct queue_weight, level->count);
        for (uint32_t k = 0; k < level->count; k++)
            weights[k] = (struct queue_weight){ arena_copy(arena, level->weights[k].name),
                                                level->weights[k].weight };
        level->weights = weights;
        if (level->by != NULL)
            level->by = expression_copy(arena, level->by);
    }
}

void queue_fair_text(const struct queue_fair *fair, char text[QUEUE_RULE_TEXT_SIZE])
{
    size_t used = 0;

    text[0] = '\0';
    for (int i = 0; fair->is_said && i < WEIGHT_LEVELS; i++) {
        const struct queue_level *level = &fair->levels[i];
        struct slice by = level->by == NULL ? SLICE("-") : expression_text(level->by);
        int64_t sum = 0;
        for (uint32_t k = 0; k < level->count; k++)
            sum += level->weights[k].weight;
        used += (size_t)snprintf(text + used, QUEUE_RULE_TEXT_SIZE - used, "%s%s by %.*s",
                                 i == 0 ? "" : "; ", levels[i],
                                 by.size > BY_SHOWN ? BY_SHOWN : (int)by.size, by.data);
        if (level->count > 0)
            used += (size_t)snprintf(text + used, QUEUE_RULE_TEXT_SIZE - used,
                                     ", %u weights, %lld in all", level->count, (long long)sum);
    }
}

uint32_t queue_weight(const struct queue_fair *fair, enum weight_level level, struct slice name)
{
    const struct queue_level *at = &fair->levels[level];
    struct queue_weight wanted = { .name = name };
    const struct queue_weight *found =
        at->count == 0 ? NULL
                       : bsearch(&wanted, at->weights, at->count, sizeof wanted, weight_order);

    return found == NULL ? 1 : found->weight;
}
