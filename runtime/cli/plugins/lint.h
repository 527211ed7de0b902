/*
 * Lint: what is wrong with a plugin's file, or may go wrong, before anybody deploys it.
 *
 *   lint_load       the file says what it is, in a process of its own
 *   lint_libraries  ld.so, asked itself: what it does not find
 *   lint_symbols    the file's tables: what it exports, what of it outlives a run
 *   lint_tasks      what the tasks declare, beside their schemas and the limits
 *
 * Each finding follows a rule of LINT_RULE_MAP; to add one: a row there, and who finds it.
 */
#ifndef LINT_H
#define LINT_H

#include "cli/plugins/plugins_inspect.h"
#include "config/config.h"

enum lint_level { LINT_NOTE, LINT_WARNING, LINT_ERROR, LINT_LEVELS };

/* id, level, name, what to do. */
/* clang-format off */
#define LINT_RULE_MAP(X)                                                                        \
    X(REFUSED, ERROR, "refused", "mend what it says, and build it again")                       \
    X(ABI, ERROR, "abi", "rebuild it with the header of the bide that is to run it")            \
    X(SEGMENTS, ERROR, "segments", "mend the list of segments of that task")                    \
    X(STATE, ERROR, "state", "declare the state with BIDE_TASK and its kinds alone")            \
    X(CRASH, ERROR, "load-crash", "leave out of constructors what can fail; do it in a segment") \
    X(HANG, ERROR, "load-hang", "leave out of constructors what can wait; do it in a segment")  \
    X(UNREAD, ERROR, "unreadable", "name a file that can be read")                              \
    X(LIBRARY, ERROR, "missing-library",                                                        \
      "install it where ld.so of the server looks, or link it in (-l:NAME.a)")                  \
    X(UNRESOLVED, ERROR, "unresolved-symbol", "link what defines it: its object file, or -lNAME") \
    X(BORROWED, WARNING, "borrowed-symbol",                                                     \
      "link the library that defines it; another bide may have none, or another one")           \
    X(CLASH, WARNING, "symbol-clash", "hide it: -fvisibility=hidden, or static")                \
    X(EXPORTED, WARNING, "exported-symbol",                                                     \
      "hide it: -fvisibility=hidden, static, or a version script like the template's")          \
    X(GLOBALS, WARNING, "writable-global",                                                      \
      "keep it in the state or on the stack, or make it const")                                 \
    X(OLD_ABI, NOTE, "older-abi", "nothing has to be done; a rebuild has what is new")          \
    X(ATTEMPTS, ERROR, "too-many-attempts", "say less, or raise limits.max_attempts")           \
    X(TIMES, WARNING, "time-limits", "raise .total_time_ms, or lower .limit_ms")                \
    X(ENDLESS, NOTE, "endless-wait",                                                            \
      "say .total_time_ms, or total_time of its queue, or give each wait a timeout")            \
    X(STATE_SIZE, WARNING, "state-size", "keep less in the state, or raise limits.state")       \
    X(NO_SCHEMA, NOTE, "no-schema", "write one, so that wrong input is refused at the trigger") \
    X(SCHEMA_MISSING, ERROR, "schema-missing", "write that file, or mend .input_schema")        \
    X(SCHEMA_WRONG, ERROR, "schema-wrong", "mend the schema; `bide schemas check` says the same") \
    X(BOUNDS, WARNING, "text-bounds", "give the schema or the field the other's bound")         \
    X(TYPE, WARNING, "schema-type", "let the schema allow what the field holds, and no more")
/* clang-format on */

enum lint_rule {
#define X(id, level, name, remedy) LINT_RULE_##id,
    LINT_RULE_MAP(X)
#undef X
        LINT_RULES
};

struct lint_finding {
    enum lint_rule rule;
    struct slice task, field, symbol; /* where; empty: not said */
    struct slice what;
    struct lint_finding *next;
};

struct lint {
    struct call *call; /* all lives in its arena */
    const char *path;
    const char *schemas;                /* a directory; NULL: they are not looked at */
    const struct config_limits *limits; /* NULL: not looked at */
    struct inspected inspected;
    struct lint_finding *first, *last;
    uint32_t counts[LINT_LEVELS];
};

extern const char *const lint_level_names[LINT_LEVELS];
const char *lint_rule_name(enum lint_rule rule);
enum lint_level lint_rule_level(enum lint_rule rule);
const char *lint_rule_remedy(enum lint_rule rule);

/* Borrows what `where` points at. */
void lint_add(struct lint *lint, enum lint_rule rule, struct lint_finding where,
              const char *format, ...) __attribute__((format(printf, 4, 5)));

/* All of it, within `limit_ms` for each process that is asked. */
void lint_file(struct lint *lint, int64_t limit_ms);

/* Names of symbols. */
struct lint_names {
    struct arena *arena;
    const char **items;
    uint32_t count, capacity;
};

void lint_name_add(struct lint_names *names, struct slice name);
/* Those that this program has, or a library that it has loaded: told once each. Sorts them. */
typedef void (*lint_host_fn)(void *context, const char *name, const char *library);
void lint_host_find(struct lint_names *names, lint_host_fn on_found, void *context);

/* Its parts. */
bool lint_load(struct lint *lint, int64_t limit_ms);
void lint_libraries(struct lint *lint, bool is_loaded, int64_t limit_ms);
void lint_symbols(struct lint *lint);
void lint_tasks(struct lint *lint);

#endif
