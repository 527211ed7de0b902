/*
 * bide.yaml:
 *
 *   document ─▶ settings_value ─▶ own_schema_check     the schema says what is allowed
 *            ─▶ each key of the table (table.c) that is there is read by its kind (setting.c)
 *            ─▶ pairs_check                          what no schema can say
 *
 * What the file leaves out has its default already, which is the schema's. All mistakes are
 * collected before anybody is told.
 */
#include "base/duration.h"
#include "config/own_schema.h"
#include "config/setting.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

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

/* Of a text that looks right but is no number: 5m5m, or more bytes than there are. */
static void unread_report(const struct setting *setting, const struct node *node,
                          struct report *report)
{
    const char *noun = setting->kind == SETTING_DURATION ? "duration"
                       : setting->kind == SETTING_LISTEN ? "port (they end at 65535)"
                                                         : "size";

    report_add(report, node->line, node->column, "/%s%s%s: %.*s is too large, or no %s",
               setting->section == NULL ? "" : setting->section,
               setting->section == NULL ? "" : "/", setting->name,
               SLICE_ARG(text_quote(report->arena, node->text)), noun);
}

/* A key that stands in another section is a common mistake that no spelling explains. */
static void elsewhere_hint(struct problem *problem, struct arena *arena)
{
    for (size_t i = 0; problem->name.size > 0 && i < setting_count; i++) {
        const struct setting *setting = &settings[i];
        if (!slice_is(problem->name, setting->name))
            continue;
        problem->message =
            arena_format(arena, "%.*s; did you mean %s%s%s?", SLICE_ARG(problem->message),
                         setting->section == NULL ? "" : setting->section,
                         setting->section == NULL ? "" : ".", setting->name);
        return;
    }
}

static void keys_read(const struct node *root, struct config *config, struct slice base,
                      struct report *report)
{
    const struct entry *environments = node_find(root, "environments");

    for (size_t i = 0; i < setting_count; i++) {
        const struct node *node = setting_find(root, &settings[i]);
        if (node != NULL && !setting_read(&settings[i], node, config, base))
            unread_report(&settings[i], node, report);
    }
    if (environments != NULL)
        environments_read(&environments->node, config, base, report);
}

/* ---- what must hold between keys --------------------------------------------------------- */

/* One of two keys; a default that nobody wrote is said. */
struct side {
    const char *section, *name;
    int64_t value;
    bool is_count;
};

static const struct node *side_find(const struct node *root, const struct side *side)
{
    const struct entry *map = node_find(root, side->section);
    const struct entry *entry = map == NULL ? NULL : node_find(&map->node, side->name);

    return entry == NULL ? NULL : &entry->node;
}

static struct slice side_text(struct arena *arena, const struct side *side, bool is_written)
{
    char text[DURATION_TEXT_SIZE];

    if (is_written)
        return arena_format(arena, "%s.%s", side->section, side->name);
    if (side->is_count)
        return arena_format(arena, "%s.%s (its default, %" PRId64 ")", side->section,
                            side->name, side->value);
    return arena_format(arena, "%s.%s (its default, %s)", side->section, side->name,
                        duration_format(side->value, text));
}

/* Complains at the first if the file has it, else at the second. */
static void pair_check(const struct node *root, bool holds, struct side side,
                       const char *relation, struct side other, const char *why,
                       struct report *report)
{
    const struct node *node = side_find(root, &side), *other_node = side_find(root, &other);
    const struct node *at = node != NULL ? node : other_node;

    if (holds)
        return;
    report_add(report, at == NULL ? 0 : at->line, at == NULL ? 0 : at->column,
               "%.*s must not be %s %.*s%s",
               SLICE_ARG(side_text(report->arena, &side, node != NULL)), relation,
               SLICE_ARG(side_text(report->arena, &other, other_node != NULL)), why);
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
    struct side retry_min = { "retry", "min", config->retry_min_ms, false };
    struct side retry_max = { "retry", "max", config->retry_max_ms, false };
    struct side attempts = { "retry", "max_attempts", config->max_attempts, true };
    struct side most = { "limits", "max_attempts", config->limits.max_attempts, true };
    struct side time = { "workers", "segment_time", config->segment_time_ms, false };
    struct side early = { "retention", "early_answers", config->early_answers_ms, false };
    struct side tokens = { "retention", "tokens", config->retention.span_ms[RETAIN_TOKENS],
                           false };

    pair_check(root, retry_min.value <= retry_max.value, retry_min, "above", retry_max, "",
               report);
    pair_check(root, attempts.value <= most.value, attempts, "above", most, "", report);
    pair_check(root, early.value >= time.value, early, "below", time,
               ": a token may come as late", report);
    pair_check(root, tokens.value >= early.value, tokens, "below", early, "", report);
}

/* An environment's tokens, as all of them, stay as long as an answer may come before its token.
 */
static void tokens_check(const struct node *environments, const struct config *config,
                         struct report *report)
{
    char early[DURATION_TEXT_SIZE];

    for (uint32_t i = 0; i < config->environment_count; i++) {
        int64_t kept_ms = config->environments[i].retention.span_ms[RETAIN_TOKENS];
        if (kept_ms == 0 || kept_ms >= config->early_answers_ms)
            continue;
        const struct entry *retention = node_find(&environments->entries[i].node, "retention");
        const struct node *tokens = &node_find(&retention->node, "tokens")->node;
        report_add(report, tokens->line, tokens->column,
                   "environments.%s.retention.tokens must not be below "
                   "retention.early_answers, which is %s",
                   config->environments[i].name,
                   duration_format(config->early_answers_ms, early));
    }
}

/* ---- the file ---------------------------------------------------------------------------- */

static const char *beside(struct arena *arena, const char *path, struct slice name)
{
    struct slice directory = slice_of(path);

    while (directory.size > 0 && directory.data[directory.size - 1] != '/')
        directory.size--;
    return path_join(arena, directory, name).data;
}

const char *config_queues_beside(struct arena *arena, const char *path)
{
    return beside(arena, path, SLICE("queues.yaml"));
}

const char *config_schedules_beside(struct arena *arena, const char *path)
{
    return beside(arena, path, SLICE("schedules.yaml"));
}

static void environments_init(struct config *config)
{
    config->environments = ARENA_NEW(&config->arena, struct config_environment);
    config->environments[0].name = "dev";
    config->environments[0].share = 1;
    config->environment_count = 1;
}

/* An empty file is an empty map. */
static bool root_read(const struct node *root, const struct own_schema *own_schema,
                      struct config *config, struct slice base, struct report *report)
{
    struct value value = settings_value(report->arena, root);
    uint32_t before = report->problems->count;

    if (!own_schema_check(own_schema, &value, root, report)) {
        for (struct problem *one = report->problems->first; one != NULL; one = one->next)
            elsewhere_hint(one, report->arena);
        return false;
    }
    const struct entry *environments = node_find(root, "environments");
    if (environments != NULL &&
        !names_check(NAME_ENVIRONMENT, &environments->node, true, report))
        return false;
    keys_read(root, config, base, report);
    if (report->problems->count == before) {
        pairs_check(root, config, report);
        if (environments != NULL)
            tokens_check(&environments->node, config, report);
    }
    limits_fit(config);
    return report->problems->count == before;
}

static bool config_make(const char *path, const struct slice *text, struct config *config,
                        struct arena *arena, struct problems *problems)
{
    struct report report = { arena, problems, slice_of(path) };
    struct own_schema own_schema;
    struct node root;

    *config = (struct config){ 0 };
    config->path = arena_text(&config->arena, slice_of(path));
    struct slice base = base_find(&config->arena, path);
    config->base = arena_text(&config->arena, base);
    own_schema_open(&own_schema, OWN_SCHEMA_BIDE);
    settings_init(config, &own_schema.root, base);
    config->queues_path = config_queues_beside(&config->arena, path);
    config->schedules_path = config_schedules_beside(&config->arena, path);
    environments_init(config);
    bool fine = (text == NULL ? document_load(&config->arena, path, &root, &report)
                              : document_read(&config->arena, *text, &root, &report)) &&
                root_read(&root, &own_schema, config, base, &report);
    own_schema_close(&own_schema);
    if (!fine)
        config_finish(config);
    return fine;
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

size_t config_hidden(const struct config *config, const char *path)
{
    const char *base = config->base == NULL ? "" : config->base, *name = strrchr(path, '/');
    size_t size = strlen(base);

    if (size > 0 && strncmp(path, base, size) == 0 &&
        (base[size - 1] == '/' || path[size] == '/'))
        return size + (base[size - 1] != '/');
    return path[0] != '/' ? 0 : (size_t)(name - path) + 1;
}

void config_finish(struct config *config)
{
    arena_finish(&config->arena);
    *config = (struct config){ 0 };
}
