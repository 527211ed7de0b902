#include "config/schedules_file.h"

#include "base/name.h"
#include "base/suggest.h"
#include "schema/document/document.h"

#include <unistd.h>

enum { SCHEDULES_MOST = 10000 };

struct reading {
    const struct config *config;
    const struct zone_source *zones;
    struct config_schedules *schedules;
    struct report *report;
};

/* What is wrong with a text that stands in the file: where in it. */
static bool flaw_report(struct report *report, const struct node *node, uint32_t line,
                        uint32_t column, const struct cron_flaw *flaw)
{
    if (flaw->column > 0 && node != NULL) {
        line = node->line;
        column = node->column + (node->is_plain ? 0 : 1) + flaw->column - 1;
    }
    return report_add(report, line, column, "%s", flaw->text);
}

static bool environments_read(const struct reading *reading, const struct node *node,
                              struct config_schedule *schedule)
{
    struct report *report = reading->report;

    if (node->kind != VALUE_LIST || node->count == 0)
        return report_add(report, node->line, node->column,
                          "environments is a list of names, like [prod]");
    schedule->environments = ARENA_ARRAY(&reading->schedules->arena, struct slice, node->count);
    for (uint32_t i = 0; i < node->count; i++) {
        const struct node *item = &node->items[i];
        struct suggestion near;
        bool is_known = false;
        suggestion_init(&near, item->text);
        for (uint32_t k = 0; k < reading->config->environment_count; k++) {
            struct slice name = slice_of(reading->config->environments[k].name);
            is_known |= slice_equal(item->text, name);
            suggestion_offer(&near, name);
        }
        if (!is_known)
            return report_add(report, item->line, item->column,
                              "there is no environment \"%.*s\"%.*s%.*s%s",
                              SLICE_ARG(item->text), SUGGESTION_ARG(&near));
        schedule->environments[schedule->environment_count++] = item->text;
    }
    return true;
}

static bool words_read(const struct reading *reading, const struct node *map,
                       struct config_schedule *schedule)
{
    struct arena *arena = &reading->schedules->arena;
    struct cron_flaw flaw;
    bool fine = true;

    for (uint32_t i = 0; i < map->count; i++) {
        const struct entry *entry = &map->entries[i];
        if (slice_is(entry->key, "environments")) {
            fine &= environments_read(reading, &entry->node, schedule);
            continue;
        }
        struct value value = node_value(arena, &entry->node);
        if (!schedule_rules_set(arena, &schedule->rules, entry->key, &value, &flaw))
            fine =
                flaw_report(reading->report, &entry->node, entry->line, entry->column, &flaw);
    }
    return fine;
}

static bool schedule_read(const struct reading *reading, const struct entry *entry)
{
    struct config_schedules *schedules = reading->schedules;
    struct config_schedule *schedule = &schedules->items[schedules->count++];
    struct report *report = reading->report;
    const struct node *map = &entry->node;
    struct plan plan;
    struct cron_flaw flaw;
    const char *key;
    struct err err;

    *schedule =
        (struct config_schedule){ .name = entry->key, .rules = schedule_rules_standard() };
    if (!name_check(NAME_QUEUE, entry->key, &err))
        return report_add(report, entry->line, entry->column, "the name of a schedule: %s",
                          err.text);
    if (map->kind != VALUE_MAP)
        return report_add(report, entry->line, entry->column,
                          "a schedule is a map with task and cron in it");
    if (!words_read(reading, map, schedule))
        return false;
    const struct entry *said = node_find(map, "zone");
    const struct zone *zone = NULL;
    if (zone_name_check(schedule->rules.zone, &err)) {
        zone = reading->zones->find(reading->zones->context, schedule->rules.zone);
        if (zone == NULL)
            err_set(&err, ERR_RULE, "there is no time zone %.*s on this system",
                    SLICE_ARG(schedule->rules.zone));
    }
    if (zone == NULL)
        return report_add(report, said == NULL ? entry->line : said->node.line,
                          said == NULL ? entry->column : said->node.column, "%s", err.text);
    /* From the beginning of time: one that has fired for the last time is no reason not to
     * start. */
    if (schedule_rules_check(&schedule->rules, zone, 0, &plan, &key, &flaw))
        return true;
    said = node_find(map, key);
    return flaw_report(report, said == NULL ? NULL : &said->node,
                       said == NULL ? entry->line : said->line,
                       said == NULL ? entry->column : said->column, &flaw);
}

static bool root_read(const struct reading *reading, const struct node *root)
{
    struct report *report = reading->report;
    const struct entry *named = node_find(root, "schedules");
    bool fine = true;

    if (root->kind == VALUE_NULL)
        return true;
    if (root->kind != VALUE_MAP || root->count != (named == NULL ? 0u : 1u))
        return report_add(
            report, root->line, root->column,
            "the file has one key, schedules, with the schedules by name below it");
    if (named == NULL || named->node.kind == VALUE_NULL)
        return true;
    if (named->node.kind != VALUE_MAP || named->node.count > SCHEDULES_MOST)
        return report_add(report, named->line, named->column,
                          "schedules is a map of at most %d schedules by their names",
                          SCHEDULES_MOST);
    reading->schedules->items =
        ARENA_ARRAY(&reading->schedules->arena, struct config_schedule, named->node.count);
    for (uint32_t i = 0; i < named->node.count; i++)
        fine &= schedule_read(reading, &named->node.entries[i]);
    return fine;
}

static bool schedules_make(const char *path, const struct slice *text, struct reading *reading,
                           struct arena *arena, struct problems *problems)
{
    struct report report = { arena, problems, slice_of(path) };
    struct config_schedules *schedules = reading->schedules;
    struct node root;
    bool fine = true;

    *schedules = (struct config_schedules){ 0 };
    reading->report = &report;
    if (text != NULL || access(path, F_OK) == 0)
        fine = (text == NULL ? document_load(&schedules->arena, path, &root, &report)
                             : document_read(&schedules->arena, *text, &root, &report)) &&
               root_read(reading, &root);
    if (!fine)
        config_schedules_finish(schedules);
    return fine;
}

bool config_schedules_load(const char *path, const struct config *config,
                           const struct zone_source *zones, struct config_schedules *schedules,
                           struct arena *arena, struct problems *problems)
{
    struct reading reading = { config, zones, schedules, NULL };
    return schedules_make(path, NULL, &reading, arena, problems);
}

bool config_schedules_parse(const char *path, struct slice text, const struct config *config,
                            const struct zone_source *zones, struct config_schedules *schedules,
                            struct arena *arena, struct problems *problems)
{
    struct reading reading = { config, zones, schedules, NULL };
    return schedules_make(path, &text, &reading, arena, problems);
}

void config_schedules_finish(struct config_schedules *schedules)
{
    arena_finish(&schedules->arena);
    *schedules = (struct config_schedules){ 0 };
}

bool config_schedule_is_for(const struct config_schedule *schedule, const char *environment)
{
    for (uint32_t i = 0; i < schedule->environment_count; i++)
        if (slice_is(schedule->environments[i], environment))
            return true;
    return schedule->environments == NULL;
}
