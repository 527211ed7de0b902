/*
 * bide.yaml: every key of the document is looked up in the table (table.c) and read by its kind
 * (setting.c); what the file leaves out has its default already. All mistakes are collected
 * before anybody is told.
 */
#include "config/setting.h"
#include "schema/suggest.h"

#include <limits.h>
#include <stdlib.h>

static const char environments_key[] = "environments";

/* ---- where relative paths begin ---------------------------------------------------------- */

static bool directory_is_config(struct slice directory)
{
    size_t start = directory.size;

    while (start > 0 && directory.data[start - 1] != '/')
        start--;
    return slice_is((struct slice){ directory.data + start, directory.size - start }, "config");
}

/* "" means the working directory. A name that ends in "." or ".." is asked of the system. */
static struct slice base_find(struct arena *arena, const char *path)
{
    struct slice directory = slice_of(path);
    char real[PATH_MAX];

    while (directory.size > 0 && directory.data[directory.size - 1] != '/')
        directory.size--;
    if (directory.size == 1)
        return SLICE("/");
    directory.size -= directory.size > 0;
    if (directory_is_config(directory)) {
        size_t size = directory.size - strlen("config");
        return arena_copy(arena, (struct slice){ directory.data, size });
    }
    const char *name = directory.size == 0 ? "." : arena_text(arena, directory);
    if (realpath(name, real) != NULL && directory_is_config(slice_of(real)))
        return arena_format(arena, "%s/..", name);
    return arena_copy(arena, directory);
}

/* ---- keys -------------------------------------------------------------------------------- */

static bool section_is(const struct setting *setting, struct slice section)
{
    return setting->section == NULL ? section.size == 0 : slice_is(section, setting->section);
}

static bool section_exists(struct slice name)
{
    for (size_t i = 0; i < setting_count; i++)
        if (settings[i].section != NULL && slice_is(name, settings[i].section))
            return true;
    return slice_is(name, environments_key);
}

/* Names of one section; at the top level the sections, too. */
static struct slice names_offer(struct arena *arena, struct slice section,
                                struct suggestion *suggestion)
{
    struct slice names = SLICE("");
    const char *last = NULL;

    for (size_t i = 0; i < setting_count; i++) {
        const struct setting *setting = &settings[i];
        const char *name = section_is(setting, section)                    ? setting->name
                           : section.size == 0 && setting->section != last ? setting->section
                                                                           : NULL;
        last = setting->section;
        if (name == NULL)
            continue;
        suggestion_offer(suggestion, slice_of(name));
        names =
            arena_format(arena, "%.*s%s%s", SLICE_ARG(names), names.size > 0 ? ", " : "", name);
    }
    if (section.size > 0)
        return names;
    suggestion_offer(suggestion, slice_of(environments_key));
    return arena_format(arena, "%.*s, %s", SLICE_ARG(names), environments_key);
}

/* A key that stands in another section is a common mistake that no spelling explains. */
static const struct setting *setting_elsewhere(struct slice name)
{
    for (size_t i = 0; i < setting_count; i++)
        if (slice_is(name, settings[i].name))
            return &settings[i];
    return NULL;
}

static void unknown_report(const struct entry *entry, struct slice section,
                           struct report *report)
{
    struct suggestion near;

    suggestion_init(&near, entry->key);
    struct slice names = names_offer(report->arena, section, &near);
    const struct setting *elsewhere = setting_elsewhere(entry->key);
    if (near.best.size == 0 && elsewhere != NULL)
        near.best = arena_format(report->arena, "%s%s%s",
                                 elsewhere->section == NULL ? "" : elsewhere->section,
                                 elsewhere->section == NULL ? "" : ".", elsewhere->name);
    report_add(report, entry->line, entry->column,
               "%.*s is no key of %s%.*s%.*s%.*s%s (keys are %.*s)",
               SLICE_ARG(text_quote(report->arena, entry->key)),
               section.size == 0 ? "the configuration" : "", SLICE_ARG(section),
               SUGGESTION_ARG(&near), SLICE_ARG(names));
}

static void key_read(const struct entry *entry, struct slice section, struct config *config,
                     struct slice base, struct report *report)
{
    for (size_t i = 0; i < setting_count; i++)
        if (section_is(&settings[i], section) && slice_is(entry->key, settings[i].name)) {
            (void)setting_read(&settings[i], &entry->node, config, base,
                               report); /* complains */
            return;
        }
    unknown_report(entry, section, report);
}

/* A section without anything below it is null and says nothing. */
static void section_read(const struct entry *entry, struct config *config, struct slice base,
                         struct report *report)
{
    const struct node *node = &entry->node;

    if (node->kind != VALUE_MAP && node->kind != VALUE_NULL)
        report_add(report, node->line, node->column, "%.*s must be a map of keys",
                   SLICE_ARG(entry->key));
    for (uint32_t i = 0; node->kind == VALUE_MAP && i < node->count; i++)
        key_read(&node->entries[i], entry->key, config, base, report);
}

static void root_read(const struct node *root, struct config *config, struct slice base,
                      struct report *report)
{
    if (root->kind != VALUE_MAP && root->kind != VALUE_NULL)
        report_add(report, root->line, root->column, "the configuration must be a map of keys");
    for (uint32_t i = 0; root->kind == VALUE_MAP && i < root->count; i++) {
        const struct entry *entry = &root->entries[i];
        if (slice_is(entry->key, environments_key))
            environments_read(entry, config, base, report);
        else if (section_exists(entry->key))
            section_read(entry, config, base, report);
        else
            key_read(entry, SLICE(""), config, base, report);
    }
}

/* ---- what must hold between keys --------------------------------------------------------- */

/* Complain at the key if the file has it, else at the one it is compared with. */
static void pair_check(const struct node *root, bool holds, const char *section,
                       const char *name, const char *other, const char *text,
                       struct report *report)
{
    const struct entry *map = node_find(root, section);
    const struct entry *entry = map == NULL ? NULL : node_find(&map->node, name);

    if (holds)
        return;
    if (entry == NULL && map != NULL)
        entry = node_find(&map->node, other);
    report_add(report, entry == NULL ? 0 : entry->node.line,
               entry == NULL ? 0 : entry->node.column, "%s.%s %s", section, name, text);
}

/* A payload that no request can carry is no payload: the smaller limit counts. */
static void limits_fit(struct config *config)
{
    struct config_limits *limits = &config->limits;

    if (limits->payload_bytes > config->max_body_bytes)
        limits->payload_bytes = config->max_body_bytes;
    if (limits->token_bytes > config->max_body_bytes)
        limits->token_bytes = config->max_body_bytes;
}

static void pairs_check(const struct node *root, const struct config *config,
                        struct report *report)
{
    pair_check(root, config->retry_min_ms <= config->retry_max_ms, "retry", "min", "max",
               "must not be above retry.max", report);
    pair_check(root, config->max_attempts <= config->limits.max_attempts, "retry",
               "max_attempts", "max_attempts", "must not be above limits.max_attempts", report);
    pair_check(root, config->memory_bytes == 0 || config->memory_bytes >= INT64_C(16) << 20,
               "workers", "memory", "memory", "must be at least 16MiB, or 0 for no limit",
               report);
}

/* ---- the file ---------------------------------------------------------------------------- */

/* Beside the configuration, unless that says something else. */
static void queues_init(struct config *config)
{
    struct slice directory = slice_of(config->path);

    while (directory.size > 0 && directory.data[directory.size - 1] != '/')
        directory.size--;
    config->queues_path = path_join(&config->arena, directory, SLICE("queues.yaml")).data;
}

static void environments_init(struct config *config)
{
    config->environments = ARENA_NEW(&config->arena, struct config_environment);
    config->environments[0].name = "dev";
    config->environment_count = 1;
}

static bool config_make(const char *path, const struct slice *text, struct config *config,
                        struct arena *arena, struct problems *problems)
{
    struct report report = { arena, problems, slice_of(path) };
    uint32_t before = problems->count;
    struct node root;

    *config = (struct config){ 0 };
    config->path = arena_text(&config->arena, slice_of(path));
    struct slice base = base_find(&config->arena, path);
    settings_init(config, base);
    queues_init(config);
    environments_init(config);
    bool is_read = text == NULL ? document_load(&config->arena, path, &root, &report)
                                : document_read(&config->arena, *text, &root, &report);
    if (is_read) {
        root_read(&root, config, base, &report);
        if (problems->count == before)
            pairs_check(&root, config, &report);
        limits_fit(config);
    }
    if (is_read && problems->count == before)
        return true;
    config_finish(config);
    return false;
}

bool config_load(const char *path, struct config *config, struct arena *arena,
                 struct problems *problems)
{
    return config_make(path, NULL, config, arena, problems);
}

bool config_parse(const char *path, struct slice text, struct config *config,
                  struct arena *arena, struct problems *problems)
{
    return config_make(path, &text, config, arena, problems);
}

void config_finish(struct config *config)
{
    arena_finish(&config->arena);
    *config = (struct config){ 0 };
}
