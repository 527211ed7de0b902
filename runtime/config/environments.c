/* Environments: worlds of their own, each with a name and where its key comes from. */
#include "config/retention.h"
#include "config/setting.h"

static double number_of(const struct entry *entry, double standard)
{
    return entry == NULL                      ? standard
           : entry->node.kind == VALUE_DOUBLE ? entry->node.number
                                              : (double)entry->node.integer;
}

static void environment_read(const struct entry *entry, struct config *config,
                             struct slice base, struct report *report)
{
    struct config_environment *environment = &config->environments[config->environment_count++];
    const struct entry *env = node_find(&entry->node, "key_env");
    const struct entry *file = node_find(&entry->node, "key_file");

    environment->name = arena_text(&config->arena, entry->key);
    double limit = number_of(node_find(&entry->node, "limit"), 0);
    double burst = number_of(node_find(&entry->node, "burst"), 1);
    environment->share = (uint32_t)number_of(node_find(&entry->node, "share"), 1);
    environment->limit = (struct config_burst){ (uint32_t)limit, (uint32_t)(limit * burst) };
    if (env != NULL)
        environment->key_env = arena_text(&config->arena, env->node.text);
    if (file != NULL)
        environment->key_file = path_join(&config->arena, base, file->node.text).data;
    (void)retention_read(&entry->node, &environment->retention, report); /* it tells */
}

/* The schema has seen to their names and their keys. */
void environments_read(const struct node *map, struct config *config, struct slice base,
                       struct report *report)
{
    config->environments = ARENA_ARRAY(&config->arena, struct config_environment, map->count);
    config->environment_count = 0;
    for (uint32_t i = 0; i < map->count; i++)
        environment_read(&map->entries[i], config, base, report);
}
