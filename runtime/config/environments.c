/* Environments: worlds of their own, each with a name and where its key comes from. */
#include "config/setting.h"
#include "schema/suggest.h"

enum { ENVIRONMENT_NAME_MAX = 32, ENVIRONMENTS_MAX = 100, VALUE_MAX_BYTES = 1024 };

bool environment_name_is_valid(struct slice name)
{
    for (size_t i = 0; i < name.size; i++) {
        bool is_letter = name.data[i] >= 'a' && name.data[i] <= 'z';
        bool is_other = name.data[i] == '-' || (name.data[i] >= '0' && name.data[i] <= '9');
        if (!is_letter && (i == 0 || !is_other))
            return false;
    }
    return name.size > 0 && name.size <= ENVIRONMENT_NAME_MAX;
}

/* What names a variable or a file: text without zeroes. */
static bool text_wants(const struct entry *entry, struct report *report)
{
    const struct node *node = &entry->node;

    if (node->kind == VALUE_STRING && node->text.size > 0 &&
        node->text.size < VALUE_MAX_BYTES && strlen(node->text.data) == node->text.size)
        return true;
    return report_add(report, node->line, node->column, "%.*s must be text",
                      SLICE_ARG(entry->key));
}

static void key_read(const struct entry *entry, struct config_environment *environment,
                     struct config *config, struct slice base, struct report *report)
{
    static const char env[] = "key_env", file[] = "key_file";
    struct suggestion near;

    suggestion_init(&near, entry->key);
    suggestion_offer(&near, slice_of(env));
    suggestion_offer(&near, slice_of(file));
    if (slice_is(entry->key, env) && text_wants(entry, report))
        environment->key_env = arena_text(&config->arena, entry->node.text);
    else if (slice_is(entry->key, file) && text_wants(entry, report))
        environment->key_file = path_join(&config->arena, base, entry->node.text).data;
    else if (!slice_is(entry->key, env) && !slice_is(entry->key, file))
        report_add(report, entry->line, entry->column,
                   "%.*s is no key of an environment%.*s%.*s%s (keys are key_env, key_file)%s",
                   SLICE_ARG(text_quote(report->arena, entry->key)), SUGGESTION_ARG(&near),
                   slice_is(entry->key, "key") ? "; a key itself has no place in this file"
                                               : "");
}

static void environment_read(const struct entry *entry, struct config *config,
                             struct slice base, struct report *report)
{
    struct config_environment *environment = &config->environments[config->environment_count++];
    const struct node *node = &entry->node;

    environment->name = arena_text(&config->arena, entry->key);
    if (!environment_name_is_valid(entry->key))
        report_add(
            report, entry->line, entry->column,
            "%.*s is no name of an environment: lower-case letters, digits and -, a letter "
            "first, at most %d",
            SLICE_ARG(text_quote(report->arena, entry->key)), ENVIRONMENT_NAME_MAX);
    if (node->kind != VALUE_MAP && node->kind != VALUE_NULL)
        report_add(report, node->line, node->column,
                   "an environment is a map with the keys key_env and key_file, or {}");
    for (uint32_t i = 0; node->kind == VALUE_MAP && i < node->count; i++)
        key_read(&node->entries[i], environment, config, base, report);
    if (environment->key_env != NULL && environment->key_file != NULL)
        report_add(report, entry->line, entry->column,
                   "%s has key_env and key_file; one of them is enough", environment->name);
}

void environments_read(const struct entry *entry, struct config *config, struct slice base,
                       struct report *report)
{
    const struct node *node = &entry->node;

    if (node->kind != VALUE_MAP || node->count == 0 || node->count > ENVIRONMENTS_MAX) {
        report_add(
            report, node->line, node->column,
            "environments must be a map from names to keys, with 1 to %d of them, like dev: {}",
            ENVIRONMENTS_MAX);
        return;
    }
    config->environments = ARENA_ARRAY(&config->arena, struct config_environment, node->count);
    config->environment_count = 0;
    for (uint32_t i = 0; i < node->count; i++)
        environment_read(&node->entries[i], config, base, report);
}
