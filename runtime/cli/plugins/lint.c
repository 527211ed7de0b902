#include "cli/plugins/lint.h"

#include <stdarg.h>

const char *const lint_level_names[LINT_LEVELS] = { "note", "warning", "error" };

static const struct {
    enum lint_level level;
    const char *name, *remedy;
} rules[] = {
#define X(id, level, name, remedy) { LINT_##level, name, remedy },
    LINT_RULE_MAP(X)
#undef X
};

const char *lint_rule_name(enum lint_rule rule)
{
    return rules[rule].name;
}

enum lint_level lint_rule_level(enum lint_rule rule)
{
    return rules[rule].level;
}

const char *lint_rule_remedy(enum lint_rule rule)
{
    return rules[rule].remedy;
}

void lint_add(struct lint *lint, enum lint_rule rule, struct lint_finding where,
              const char *format, ...)
{
    struct lint_finding *finding = ARENA_NEW(&lint->call->arena, struct lint_finding);
    va_list arguments;

    *finding = where;
    finding->rule = rule;
    va_start(arguments, format);
    finding->what = arena_vformat(&lint->call->arena, format, arguments);
    va_end(arguments);
    if (lint->first == NULL)
        lint->first = finding;
    else
        lint->last->next = finding;
    lint->last = finding;
    lint->counts[rules[rule].level]++;
}

/* What a plugin was refused for, by the words that plugin/check.c has for it. */
static enum lint_rule refusal_rule(struct slice why)
{
    static const struct {
        const char *word;
        enum lint_rule rule;
    } words[] = {
        { "made for plugin ABI", LINT_RULE_ABI },
        { "segment", LINT_RULE_SEGMENTS },
        { "state", LINT_RULE_STATE },
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (memmem(why.data, why.size, words[i].word, strlen(words[i].word)) != NULL)
            return words[i].rule;
    return LINT_RULE_REFUSED;
}

bool lint_load(struct lint *lint, int64_t limit_ms)
{
    static const enum lint_rule ends[] = {
        [INSPECT_REFUSED] = LINT_RULE_REFUSED, [INSPECT_CRASHED] = LINT_RULE_CRASH,
        [INSPECT_HUNG] = LINT_RULE_HANG,       [INSPECT_NONSENSE] = LINT_RULE_REFUSED,
        [INSPECT_UNREAD] = LINT_RULE_UNREAD,
    };
    struct inspected *inspected = &lint->inspected;

    if (plugins_inspect(lint->call, lint->path, limit_ms, false, inspected) == CLI_DONE)
        return true;
    enum lint_rule rule =
        inspected->end == INSPECT_REFUSED ? refusal_rule(inspected->why) : ends[inspected->end];
    lint_add(lint, rule, (struct lint_finding){ 0 }, "%.*s", SLICE_ARG(inspected->why));
    return false;
}

void lint_file(struct lint *lint, int64_t limit_ms)
{
    bool is_loaded = lint_load(lint, limit_ms);

    if (lint->inspected.end == INSPECT_UNREAD)
        return;
    lint_libraries(lint, is_loaded, limit_ms);
    lint_symbols(lint);
    if (is_loaded)
        lint_tasks(lint);
}
