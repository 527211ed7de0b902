/*
 * Pools of tokens, and what the runs of a queue take of them:
 *
 *   pools: { gpu: 4, licence: 2 }
 *   queues:
 *     train: { uses: { gpu: 1, licence: 2 } }
 */
#include "base/suggest.h"
#include "config/queue_rules_read.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static uint32_t tokens_of(const struct node *node)
{
    return (uint32_t)(node->kind == VALUE_DOUBLE ? (int64_t)node->number : node->integer);
}

static int use_order(const void *a, const void *b)
{
    return slice_compare(((const struct queue_use *)a)->pool,
                         ((const struct queue_use *)b)->pool);
}

void queue_uses_read(const struct node *map, struct queue_uses *uses, struct arena *arena)
{
    *uses = (struct queue_uses){ 0 };
    if (map->kind != VALUE_MAP || map->count == 0)
        return;
    uses->items = ARENA_ARRAY(arena, struct queue_use, map->count);
    for (uint32_t i = 0; i < map->count; i++)
        uses->items[uses->count++] =
            (struct queue_use){ map->entries[i].key, tokens_of(&map->entries[i].node) };
    qsort(uses->items, uses->count, sizeof *uses->items, use_order);
}

void queue_uses_own(struct arena *arena, struct queue_uses *uses)
{
    struct queue_use *items = ARENA_ARRAY(arena, struct queue_use, uses->count);

    for (uint32_t i = 0; i < uses->count; i++)
        items[i] =
            (struct queue_use){ arena_copy(arena, uses->items[i].pool), uses->items[i].tokens };
    uses->items = items;
}

void queue_uses_text(const struct queue_uses *uses, char text[QUEUE_RULE_TEXT_SIZE])
{
    size_t used = 0;

    text[0] = '\0';
    for (uint32_t i = 0; i < uses->count; i++) {
        char one[QUEUE_RULE_TEXT_SIZE];
        int size = snprintf(one, sizeof one, "%s%.*s %" PRIu32, i == 0 ? "" : ", ",
                            SLICE_ARG(uses->items[i].pool), uses->items[i].tokens);
        if (used + (size_t)size + sizeof ", …" > QUEUE_RULE_TEXT_SIZE) {
            (void)snprintf(text + used, QUEUE_RULE_TEXT_SIZE - used, ", …");
            return;
        }
        memcpy(text + used, one, (size_t)size + 1);
        used += (size_t)size;
    }
}

/* ---- the pools --------------------------------------------------------------------------- */

static int pool_order(const void *a, const void *b)
{
    return slice_compare(((const struct config_pool *)a)->name,
                         ((const struct config_pool *)b)->name);
}

static bool use_check(const struct entry *use, const struct config_queues *config,
                      struct report *report)
{
    struct suggestion near;
    const struct config_pool *pool = NULL;

    suggestion_init(&near, use->key);
    for (uint32_t i = 0; i < config->pool_count; i++) {
        suggestion_offer(&near, config->pools[i].name);
        if (slice_equal(config->pools[i].name, use->key))
            pool = &config->pools[i];
    }
    if (pool == NULL)
        return report_add(report, use->line, use->column,
                          "uses: there is no pool %.*s under pools%.*s%.*s%s",
                          SLICE_ARG(use->key), SUGGESTION_ARG(&near));
    return tokens_of(&use->node) <= pool->tokens ||
           report_add(report, use->node.line, use->node.column,
                      "uses: pool %.*s has %" PRIu32 " in all, so no run could ever get "
                      "%" PRIu32 " of it",
                      SLICE_ARG(use->key), pool->tokens, tokens_of(&use->node));
}

bool pools_read(const struct node *pools, const struct node *queues,
                struct config_queues *config, struct report *report)
{
    bool fine = true;

    if (pools != NULL) {
        config->pools = ARENA_ARRAY(&config->arena, struct config_pool, pools->count);
        for (uint32_t i = 0; i < pools->count; i++)
            config->pools[config->pool_count++] =
                (struct config_pool){ pools->entries[i].key,
                                      tokens_of(&pools->entries[i].node) };
    }
    if (config->pool_count > 0)
        qsort(config->pools, config->pool_count, sizeof *config->pools, pool_order);
    for (uint32_t i = 0; queues != NULL && i < queues->count; i++) {
        const struct node *queue = &queues->entries[i].node;
        const struct entry *uses = queue->kind == VALUE_MAP ? node_find(queue, "uses") : NULL;
        for (uint32_t k = 0;
             uses != NULL && uses->node.kind == VALUE_MAP && k < uses->node.count; k++)
            fine &= use_check(&uses->node.entries[k], config, report);
    }
    return fine;
}
