/*
 * What the tasks declare, beside their schemas and the limits. All of it is in the tables of
 * the plugin; what its code does is not looked at.
 *
 * A field of the state is taken for the part of the input that has its name, as the server
 * takes it. What its kind cannot hold is found by a schema of just what it holds, which has to
 * cover what the task's own allows.
 */
#include "cli/client/member.h"
#include "cli/plugins/lint.h"
#include "schema/schema.h"

#include <inttypes.h>
#include <unistd.h>

/* What a kind can hold, as a schema; null is for the plugin to handle. */
static const struct {
    const char *kind, *schema;
} kinds[] = {
    { "BOOL", "{type: [boolean, 'null']}" },
    { "I32", "{type: [integer, 'null'], minimum: -2147483648, maximum: 2147483647}" },
    { "U32", "{type: [integer, 'null'], minimum: 0, maximum: 4294967295}" },
    { "I64", "{type: [integer, 'null']}" },
    { "U64", "{type: [integer, 'null'], minimum: 0}" },
    { "F64", "{type: [number, 'null']}" },
    { "STR", "{type: [string, 'null']}" },
};

struct task_schema {
    struct lint *lint;
    struct slice task, path;
    struct schema_file *file;
};

/* ---- schema ------------------------------------------------------------------------------ */

static void bounds_check(const struct task_schema *schema, struct slice field, uint64_t size)
{
    struct lint *lint = schema->lint;
    struct slice flaw = schema_text_flaw(schema_input(schema->file), schema->path, field, size,
                                         &lint->call->arena);

    if (flaw.size > 0)
        lint_add(lint, LINT_RULE_BOUNDS,
                 (struct lint_finding){ .task = schema->task, .field = field }, "%.*s",
                 SLICE_ARG(flaw));
}

static const char *kind_schema(struct slice kind)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (slice_is(kind, kinds[i].kind))
            return kinds[i].schema;
    return NULL;
}

static void type_check(const struct task_schema *schema, struct slice field, struct slice kind)
{
    struct arena *arena = &schema->lint->call->arena;
    const struct schema *input = schema_input(schema->file);
    const char *holds = kind_schema(kind);
    struct schema_text text;
    struct schema_file *file = NULL;
    struct problems problems = { 0 }, found = { 0 };

    (void)schema_longest_text(input, field, &text); /* for the line alone */
    if (holds == NULL || text.line == 0)
        return;
    struct slice own =
        arena_format(arena, "input: {properties: {'%.*s': %s}}\n", SLICE_ARG(field), holds);
    if (!schema_file_parse("kind.yaml", own, &file, arena, &problems))
        return;
    if (schema_covers(schema_input(file), input, arena, &found) == SCHEMA_NO)
        lint_add(schema->lint, LINT_RULE_TYPE,
                 (struct lint_finding){ .task = schema->task, .field = field },
                 "%.*s:%u allows an input of %.*s, and the field %.*s of the state, %.*s, "
                 "cannot hold that",
                 SLICE_ARG(schema->path), text.line, SLICE_ARG(found.first->got),
                 SLICE_ARG(field), SLICE_ARG(kind));
    schema_file_destroy(file);
}

static void fields_check(const struct task_schema *schema, const struct value *task)
{
    uint32_t count;
    const struct value *fields = member_list(task, "fields", &count);

    for (uint32_t i = 0; i < count; i++) {
        struct slice name = member_text(&fields[i], "name"),
                     kind = member_text(&fields[i], "kind");
        if (slice_is(kind, "STR"))
            bounds_check(schema, name, (uint64_t)member_int(&fields[i], "size"));
        type_check(schema, name, kind);
    }
}

static void schema_check_task(struct lint *lint, const struct value *task, struct slice id)
{
    struct arena *arena = &lint->call->arena;
    struct slice named = member_text(task, "input_schema");
    struct slice path = arena_format(arena, "%s/%.*s.yaml", lint->schemas,
                                     SLICE_ARG(named.size > 0 ? named : id));
    struct task_schema schema = { .lint = lint, .task = id, .path = path };
    struct lint_finding where = { .task = id };
    struct problems problems = { 0 };

    if (access(path.data, F_OK) != 0) {
        lint_add(lint, named.size > 0 ? LINT_RULE_SCHEMA_MISSING : LINT_RULE_NO_SCHEMA, where,
                 named.size > 0 ? "it names a schema, and there is no %.*s"
                                : "there is no %.*s: any input is taken",
                 SLICE_ARG(path));
        return;
    }
    if (schema_file_load(path.data, &schema.file, arena, &problems))
        fields_check(&schema, task);
    else {
        struct buffer text = { 0 };
        problems_text(&text, &problems);
        while (text.size > 0 && text.data[text.size - 1] == '\n')
            text.size--;
        lint_add(lint, LINT_RULE_SCHEMA_WRONG, where, "%.*s", SLICE_ARG(buffer_view(&text)));
        buffer_finish(&text);
    }
    schema_file_destroy(schema.file);
}

/* ---- limits ------------------------------------------------------------------------------ */

/* Its fields in memory: a bound from above of what is stored, but for VALUEs. */
static int64_t state_bytes(const struct value *task)
{
    uint32_t count;
    const struct value *fields = member_list(task, "fields", &count);
    int64_t bytes = 0;

    for (uint32_t i = 0; i < count; i++)
        bytes += member_int(&fields[i], "size");
    return bytes;
}

static void limits_check(struct lint *lint, const struct value *task, struct slice id)
{
    const struct config_limits *limits = lint->limits;
    struct lint_finding where = { .task = id };
    int64_t attempts = member_int(task, "max_attempts"), bytes = state_bytes(task);
    const struct value *classes = value_find(task, "retry");

    for (uint32_t i = 0; classes != NULL && i < classes->count; i++) {
        int64_t said = member_int(&classes->members[i].value, "max_attempts");
        attempts = said > attempts ? said : attempts;
    }
    if (attempts > limits->max_attempts)
        lint_add(lint, LINT_RULE_ATTEMPTS, where,
                 "it asks for %" PRId64 " attempts, %" PRIu32
                 " are allowed (limits.max_attempts)",
                 attempts, limits->max_attempts);
    if (bytes > limits->state_bytes)
        lint_add(lint, LINT_RULE_STATE_SIZE, where,
                 "its state can take %" PRId64 " bytes, %" PRId64
                 " are stored at most (limits.state); a run that has more fails",
                 bytes, limits->state_bytes);
}

static void times_check(struct lint *lint, const struct value *task, struct slice id)
{
    int64_t limit_ms = member_int(task, "limit_ms"),
            total_ms = member_int(task, "total_time_ms");
    struct lint_finding where = { .task = id };
    uint32_t segments;

    (void)member_list(task, "segments", &segments);
    if (total_ms > 0 && limit_ms > total_ms)
        lint_add(lint, LINT_RULE_TIMES, where,
                 "a segment may run for %" PRId64 " ms (.limit_ms), the whole run for %" PRId64
                 " ms (.total_time_ms)",
                 limit_ms, total_ms);
    if (total_ms == 0 && segments > 1)
        lint_add(lint, LINT_RULE_ENDLESS, where,
                 "it has %u segments, so it can wait, and no .total_time_ms: a wait without a "
                 "timeout of its own lasts until it is answered",
                 segments);
}

/* ---- all --------------------------------------------------------------------------------- */

static void abi_check(struct lint *lint)
{
    const struct value *about = &lint->inspected.about;
    int64_t minor = member_int(about, "abi_minor"), newest = member_int(about, "abi_newest");

    if (minor < newest)
        lint_add(lint, LINT_RULE_OLD_ABI, (struct lint_finding){ 0 },
                 "made for plugin ABI %" PRId64 ".%" PRId64 ", this bide has %" PRId64
                 ".%" PRId64 " and runs it as before",
                 member_int(about, "abi_major"), minor, member_int(about, "abi_major"), newest);
}

void lint_tasks(struct lint *lint)
{
    uint32_t count;
    const struct value *tasks = member_list(&lint->inspected.about, "tasks", &count);

    abi_check(lint);
    for (uint32_t i = 0; i < count; i++) {
        struct slice id = member_text(&tasks[i], "id");
        if (lint->limits != NULL)
            limits_check(lint, &tasks[i], id);
        times_check(lint, &tasks[i], id);
        if (lint->schemas != NULL)
            schema_check_task(lint, &tasks[i], id);
    }
}
