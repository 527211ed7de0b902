/* bide plugins lint: what is wrong with a plugin's .so, or may go wrong, without a server. */
#include "cli/output/screen.h"
#include "cli/plugins/lint.h"
#include "codec/json.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

/* The configuration's limits, or those of one that says nothing. */
static bool config_read(struct call *call, struct config *config)
{
    const char *path = call_option(call, "config");
    struct problems problems = { 0 };
    struct buffer text = { 0 };
    bool is_good = path != NULL
                       ? config_load(path, config, &call->arena, &problems)
                       : config_parse("bide.yaml", SLICE(""), config, &call->arena, &problems);

    if (!is_good) {
        problems_text(&text, &problems);
        screen_report(stderr, &text, false);
    }
    return is_good;
}

static const char *schemas_find(struct call *call, const struct config *config, int *code)
{
    const char *directory = call_option(call, "schemas");
    struct stat stat_of;

    *code = CLI_DONE;
    if (directory == NULL && call_option(call, "config") != NULL)
        return stat(config->schemas, &stat_of) == 0 ? config->schemas : NULL;
    if (directory != NULL && stat(directory, &stat_of) != 0)
        *code = cli_fail(CLI_USAGE, "%s: %s", directory, strerror(errno));
    else if (directory != NULL && !S_ISDIR(stat_of.st_mode))
        *code = cli_fail(CLI_USAGE, "%s is no directory", directory);
    return directory;
}

static void where_write(struct buffer *out, const struct lint_finding *finding)
{
    if (finding->task.size > 0)
        buffer_format(out, "  task %.*s", SLICE_ARG(finding->task));
    if (finding->field.size > 0)
        buffer_format(out, "  field %.*s", SLICE_ARG(finding->field));
}

static void text_write(struct buffer *out, const struct lint *lint)
{
    static const enum lint_level order[] = { LINT_ERROR, LINT_WARNING, LINT_NOTE };

    for (int i = 0; i < LINT_LEVELS; i++)
        for (const struct lint_finding *one = lint->first; one != NULL; one = one->next) {
            if (lint_rule_level(one->rule) != order[i])
                continue;
            buffer_format(out, "%-7s  %s", lint_level_names[order[i]],
                          lint_rule_name(one->rule));
            where_write(out, one);
            buffer_format(out, "\n         %.*s\n         to do: %s\n", SLICE_ARG(one->what),
                          lint_rule_remedy(one->rule));
        }
    buffer_format(out, "%s: ", lint->path);
    if (lint->first == NULL)
        buffer_text(out, "nothing found");
    for (int i = 0, told = 0; i < LINT_LEVELS; i++) {
        uint32_t count = lint->counts[order[i]];
        if (count > 0)
            buffer_format(out, "%s%u %s%s", told++ > 0 ? ", " : "", count,
                          lint_level_names[order[i]], count == 1 ? "" : "s");
    }
    buffer_byte(out, '\n');
}

static void member_put(struct arena *arena, struct value *map, const char *name,
                       struct slice text)
{
    if (text.size > 0)
        value_put(arena, map, name, value_string(text));
}

static void json_report(struct buffer *out, const struct lint *lint, bool is_fine)
{
    struct arena *arena = &lint->call->arena;
    struct value map = value_map(), findings = value_list();

    for (const struct lint_finding *one = lint->first; one != NULL; one = one->next) {
        struct value entry = value_map();
        value_put(arena, &entry, "level",
                  value_text(lint_level_names[lint_rule_level(one->rule)]));
        value_put(arena, &entry, "name", value_text(lint_rule_name(one->rule)));
        member_put(arena, &entry, "task", one->task);
        member_put(arena, &entry, "field", one->field);
        member_put(arena, &entry, "symbol", one->symbol);
        member_put(arena, &entry, "what", one->what);
        value_put(arena, &entry, "todo", value_text(lint_rule_remedy(one->rule)));
        value_add(arena, &findings, entry);
    }
    value_put(arena, &map, "file", value_text(lint->path));
    value_put(arena, &map, "sha256", value_text(lint->inspected.sha256));
    value_put(arena, &map, "fine", value_bool(is_fine));
    value_put(arena, &map, "errors", value_int(lint->counts[LINT_ERROR]));
    value_put(arena, &map, "warnings", value_int(lint->counts[LINT_WARNING]));
    value_put(arena, &map, "notes", value_int(lint->counts[LINT_NOTE]));
    value_put(arena, &map, "findings", findings);
    json_write(out, &map);
    buffer_byte(out, '\n');
}

static int lint_tell(struct lint *lint, int64_t limit_ms)
{
    struct call *call = lint->call;
    struct buffer out = { 0 };

    lint_file(lint, limit_ms);
    bool is_fine = lint->counts[LINT_ERROR] == 0 &&
                   (call_option(call, "strict") == NULL || lint->counts[LINT_WARNING] == 0);
    if (call->json)
        json_report(&out, lint, is_fine);
    else
        text_write(&out, lint);
    screen_report(stdout, &out, call->json);
    return is_fine ? CLI_DONE : CLI_FAILED;
}

static int exec(struct call *call)
{
    struct config config;
    struct lint lint = { .call = call, .path = call->arguments[0] };
    struct err err = { 0 };
    int64_t limit_ms;
    int code;

    if (!call_duration(call, "timeout", INSPECT_TIME_MS, &limit_ms, &err))
        return cli_fail(CLI_USAGE, "%s", err.text);
    if (!config_read(call, &config))
        return CLI_USAGE;
    lint.limits = &config.limits;
    lint.schemas = schemas_find(call, &config, &code);
    if (code == CLI_DONE)
        code = lint_tell(&lint, limit_ms);
    config_finish(&config);
    return code;
}

static void more(struct buffer *out)
{
    buffer_text(out, "findings\n");
    for (int i = 0; i < LINT_RULES; i++)
        buffer_format(out, "  %-18s  %s\n", lint_rule_name((enum lint_rule)i),
                      lint_level_names[lint_rule_level((enum lint_rule)i)]);
}

static const struct cli_option options[] = {
    { "schemas", "DIR", "compare the tasks with their schemas in this directory" },
    { "config", "FILE", "its limits and schemas (default: limits of an empty one)" },
    { "strict", NULL, "exit 1 for warnings, too" },
    { "timeout", "DURATION", "how long it may take to load (default: 5s)" },
    { NULL, NULL, NULL },
};

const struct cli_command plugins_lint_command = {
    .name = "plugins lint",
    .arguments = "FILE",
    .summary = "Say what is wrong with a plugin's .so, or may go wrong",
    .help =
        "Needs no server. The plugin is loaded in a process of its own. Looked at are the file "
        "(ABI,\n"
        "libraries that ld.so does not find, symbols that nothing has, what it exports, "
        "variables that\n"
        "outlive a run) and its tables (segments, state, times and attempts beside the limits, "
        "texts in\n"
        "characters and bytes, and kinds beside the schema). Not looked at is what its code "
        "does: which\n"
        "segments wait, for what and how long is not in the tables, and neither are fields of "
        "structs and\n"
        "lists in the state. Each finding has a name that stays. Exits 1 when one is an error.",
    .more = more,
    .options = options,
    .least = 1,
    .most = 1,
    .exec = exec,
};
