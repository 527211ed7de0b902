/* One schema at a time: its keywords, each handed to the function that knows it. */
#include "schema/compile/compile.h"

#include "base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void compile_defs(struct draft *draft, const struct entry *entry);
static void compile_content(struct draft *draft, const struct entry *entry);
static void compile_text(struct draft *draft, const struct entry *entry);
static void compile_flag(struct draft *draft, const struct entry *entry);
static void compile_default(struct draft *draft, const struct entry *entry);
static void compile_examples(struct draft *draft, const struct entry *entry);

/* NULL: read elsewhere ($id, $anchor). */
static void (*const compilers[KEYWORD_COUNT])(struct draft *, const struct entry *) = {
    [KEYWORD_REF] = compile_branch,
    [KEYWORD_DYNAMIC_REF] = compile_branch,
    [KEYWORD_DEFS] = compile_defs,
    [KEYWORD_COMMENT] = compile_text,
    [KEYWORD_TYPE] = compile_type,
    [KEYWORD_ENUM] = compile_values,
    [KEYWORD_CONST] = compile_values,
    [KEYWORD_MINIMUM] = compile_number,
    [KEYWORD_MAXIMUM] = compile_number,
    [KEYWORD_EXCLUSIVE_MINIMUM] = compile_number,
    [KEYWORD_EXCLUSIVE_MAXIMUM] = compile_number,
    [KEYWORD_MULTIPLE_OF] = compile_number,
    [KEYWORD_MIN_LENGTH] = compile_string,
    [KEYWORD_MAX_LENGTH] = compile_string,
    [KEYWORD_PATTERN] = compile_string,
    [KEYWORD_FORMAT] = compile_string,
    [KEYWORD_MIN_ITEMS] = compile_list,
    [KEYWORD_MAX_ITEMS] = compile_list,
    [KEYWORD_UNIQUE_ITEMS] = compile_list,
    [KEYWORD_PREFIX_ITEMS] = compile_list,
    [KEYWORD_ITEMS] = compile_list,
    [KEYWORD_CONTAINS] = compile_list,
    [KEYWORD_MIN_CONTAINS] = compile_list,
    [KEYWORD_MAX_CONTAINS] = compile_list,
    [KEYWORD_MIN_PROPERTIES] = compile_map,
    [KEYWORD_MAX_PROPERTIES] = compile_map,
    [KEYWORD_REQUIRED] = compile_map,
    [KEYWORD_PROPERTIES] = compile_map,
    [KEYWORD_PATTERN_PROPERTIES] = compile_map,
    [KEYWORD_ADDITIONAL_PROPERTIES] = compile_map,
    [KEYWORD_PROPERTY_NAMES] = compile_map,
    [KEYWORD_DEPENDENT_REQUIRED] = compile_map,
    [KEYWORD_DEPENDENT_SCHEMAS] = compile_map,
    [KEYWORD_ALL_OF] = compile_branch,
    [KEYWORD_ANY_OF] = compile_branch,
    [KEYWORD_ONE_OF] = compile_branch,
    [KEYWORD_NOT] = compile_branch,
    [KEYWORD_IF] = compile_branch,
    [KEYWORD_THEN] = compile_branch,
    [KEYWORD_ELSE] = compile_branch,
    [KEYWORD_UNEVALUATED_ITEMS] = compile_branch,
    [KEYWORD_UNEVALUATED_PROPERTIES] = compile_branch,
    [KEYWORD_TITLE] = compile_text,
    [KEYWORD_DESCRIPTION] = compile_text,
    [KEYWORD_MESSAGE] = compile_text,
    [KEYWORD_DEFAULT] = compile_default,
    [KEYWORD_EXAMPLES] = compile_examples,
    [KEYWORD_DEPRECATED] = compile_flag,
    [KEYWORD_READ_ONLY] = compile_flag,
    [KEYWORD_WRITE_ONLY] = compile_flag,
    [KEYWORD_SECRET] = compile_flag,
    [KEYWORD_CONTENT_ENCODING] = compile_text,
    [KEYWORD_CONTENT_MEDIA_TYPE] = compile_text,
    [KEYWORD_CONTENT_SCHEMA] = compile_content,
};

void compiler_init(struct compiler *compiler, struct schema_file *program, struct report report)
{
    *compiler = (struct compiler){
        .program = program,
        .arena = &program->arena,
        .report = report,
        .is_strict = true,
    };
    table_init(&compiler->schemas, &compiler->scratch);
    table_init(&compiler->homes, &compiler->scratch);
    table_init(&compiler->children, &compiler->scratch);
    table_init(&compiler->names, &compiler->scratch);
    table_init(&compiler->uris, &compiler->scratch);
}

void compiler_finish(struct compiler *compiler)
{
    arena_finish(&compiler->scratch);
}

const struct schema *schema_at(struct compiler *compiler, const struct node *node)
{
    uint64_t address = (uint64_t)(uintptr_t)node;
    struct schema *schema = table_find(&compiler->schemas, address);

    if (schema != NULL)
        return schema;
    schema = ARENA_NEW(compiler->arena, struct schema);
    schema->resource = resource_of(compiler, node);
    schema->line = node->line;
    schema->column = node->column;
    schema->next = compiler->program->schemas;
    compiler->program->schemas = schema;
    compiler->program->schema_count++;
    table_set(&compiler->schemas, address, schema);

    struct work *work = ARENA_NEW(&compiler->scratch, struct work);
    *work = (struct work){ schema, node, compiler->todo };
    compiler->todo = work;
    return schema;
}

/* ---- complaints -------------------------------------------------------------------------- */

bool compiler_complains(const struct compiler *compiler)
{
    struct problems *problems = compiler->report.problems;

    if (problems->count >= PROBLEMS_MAX)
        problems->cut = true;
    return !problems->cut;
}

static bool __attribute__((format(printf, 5, 0)))
complain(struct compiler *compiler, const struct schema *schema, uint32_t line, uint32_t column,
         const char *format, va_list arguments)
{
    if (!compiler_complains(compiler))
        return false;
    struct slice text = arena_vformat(compiler->report.arena, format, arguments);
    compiler->report.file = schema->resource->file;
    return report_add(&compiler->report, line, column, "%.*s", SLICE_ARG(text));
}

bool schema_complain(struct compiler *compiler, const struct schema *schema, uint32_t line,
                     uint32_t column, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)complain(compiler, schema, line, column, format, arguments);
    va_end(arguments);
    return false;
}

bool draft_complain(struct draft *draft, const struct node *node, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)complain(draft->compiler, draft->schema, node->line, node->column, format, arguments);
    va_end(arguments);
    return false;
}

/* What other YAML readers take for true and false is text here. */
static const char *flag_hint(const struct node *node)
{
    static const char *const words[][2] = { { "no", "false" }, { "off", "false" },
                                            { "yes", "true" }, { "on", "true" },
                                            { "No", "false" }, { "Off", "false" },
                                            { "Yes", "true" }, { "On", "true" } };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (node->kind == VALUE_STRING && node->is_plain && slice_is(node->text, words[i][0]))
            return words[i][1][0] == 't' ? "; did you mean true?" : "; did you mean false?";
    return "";
}

bool draft_wants(struct draft *draft, const struct node *node, enum value_kind kind,
                 const char *wanted)
{
    if (node->kind == kind)
        return true;
    struct arena *arena = &draft->compiler->scratch;
    struct value value = node_value(arena, node);
    /* `$ref: #/x` is the mistake that everybody makes once: the rest of the line is a comment.
     */
    bool is_comment = node->kind == VALUE_NULL && kind == VALUE_STRING && node->text.size == 0;
    return draft_complain(draft, node, "%.*s must be %s, not %.*s%s%s",
                          SLICE_ARG(keyword_text(draft->keyword)), wanted,
                          SLICE_ARG(value_describe(arena, &value)),
                          is_comment ? "; text that starts with # needs quotes" : "",
                          kind == VALUE_BOOL ? flag_hint(node) : "");
}

bool draft_wants_count(struct draft *draft, const struct node *node, uint64_t *count)
{
    static const char wanted[] = "a whole number of at least 0";

    if (node->kind == VALUE_DOUBLE && node->number >= 0 && node->number < 0x1p63 &&
        node->number == (double)(uint64_t)node->number) {
        *count = (uint64_t)node->number;
        return true;
    }
    if (node->kind == VALUE_INT && node->integer < 0)
        return draft_complain(draft, node, "%.*s must be %s, not %" PRId64,
                              SLICE_ARG(keyword_text(draft->keyword)), wanted, node->integer);
    if (!draft_wants(draft, node, VALUE_INT, wanted))
        return false;
    *count = (uint64_t)node->integer;
    return true;
}

/* ---- what several keywords need ---------------------------------------------------------- */

static void pattern_keep(struct schema_file *program, struct pattern *pattern)
{
    if (program->pattern_count == program->pattern_capacity) {
        program->pattern_capacity =
            program->pattern_capacity == 0 ? 8 : program->pattern_capacity * 2;
        program->patterns = memory_grow(program->patterns,
                                        program->pattern_capacity * sizeof *program->patterns);
    }
    program->patterns[program->pattern_count++] = pattern;
    program->pattern_bytes += pattern_bytes(pattern);
}

const struct pattern *draft_pattern(struct draft *draft, struct slice text, uint32_t line,
                                    uint32_t column)
{
    struct compiler *compiler = draft->compiler;
    struct schema_file *program = compiler->program;
    struct regex_fault fault;

    if (program->pattern_count == PROGRAM_MAX_PATTERNS) {
        schema_complain(compiler, draft->schema, line, column, "too many patterns: at most %d",
                        PROGRAM_MAX_PATTERNS);
        return NULL;
    }
    if (program->pattern_bytes > PROGRAM_MAX_PATTERN_BYTES) {
        if (!compiler->has_many_patterns)
            schema_complain(compiler, draft->schema, line, column,
                            "the regular expressions up to here are too large together; "
                            "counted repeats like {1,500} are what makes them so");
        compiler->has_many_patterns = true;
        return NULL;
    }
    struct pattern *pattern = pattern_create(text, &fault);
    if (pattern == NULL) {
        schema_complain(compiler, draft->schema, line, column,
                        "no valid regular expression%s: %s (after %zu of %zu bytes of %.*s)",
                        fault.is_syntax ? "" : " here, though JavaScript takes it", fault.text,
                        fault.offset, text.size,
                        SLICE_ARG(text_quote(&compiler->scratch, text)));
        return NULL;
    }
    pattern_keep(program, pattern);
    return pattern;
}

struct schema_list draft_schemas(struct draft *draft, const struct node *node)
{
    struct schema_list list = { 0 };

    if (!draft_wants(draft, node, VALUE_LIST, "a list of schemas"))
        return list;
    if (node->count == 0 && draft->compiler->is_strict)
        draft_complain(draft, node, "%.*s must not be empty",
                       SLICE_ARG(keyword_text(draft->keyword)));
    list.items = ARENA_ARRAY(draft->compiler->arena, const struct schema *, node->count);
    for (; list.count < node->count; list.count++)
        list.items[list.count] = schema_at(draft->compiler, &node->items[list.count]);
    return list;
}

/* Also those that nobody refers to, so that their mistakes are found today. */
static void compile_defs(struct draft *draft, const struct entry *entry)
{
    if (!draft->compiler->is_strict ||
        !draft_wants(draft, &entry->node, VALUE_MAP, "a map from names to schemas"))
        return;
    for (uint32_t i = 0; i < entry->node.count; i++)
        (void)schema_at(draft->compiler, &entry->node.entries[i].node);
}

/* ---- notes ------------------------------------------------------------------------------- */

static void compile_text(struct draft *draft, const struct entry *entry)
{
    if (!draft_wants(draft, &entry->node, VALUE_STRING, "text"))
        return;
    if (draft->keyword == KEYWORD_DESCRIPTION)
        draft->schema->description = entry->node.text;
    if (draft->keyword == KEYWORD_MESSAGE)
        draft->schema->message = entry->node.text;
}

static void compile_content(struct draft *draft, const struct entry *entry)
{
    draft->schema->content = schema_at(draft->compiler, &entry->node);
}

static void compile_flag(struct draft *draft, const struct entry *entry)
{
    if (draft_wants(draft, &entry->node, VALUE_BOOL, "true or false") &&
        draft->keyword == KEYWORD_SECRET)
        draft->schema->is_secret = entry->node.boolean;
}

static void sample_add(struct draft *draft, const struct node *node)
{
    struct sample *sample = ARENA_NEW(&draft->compiler->scratch, struct sample);

    *sample = (struct sample){ draft->schema, node, draft->keyword, draft->compiler->samples };
    draft->compiler->samples = sample;
}

static void compile_default(struct draft *draft, const struct entry *entry)
{
    struct value *value = ARENA_NEW(draft->compiler->arena, struct value);

    *value = node_value(draft->compiler->arena, &entry->node);
    draft->schema->standard = value;
    sample_add(draft, &entry->node);
}

static void compile_examples(struct draft *draft, const struct entry *entry)
{
    if (!draft_wants(draft, &entry->node, VALUE_LIST, "a list"))
        return;
    for (uint32_t i = 0; i < entry->node.count; i++)
        sample_add(draft, &entry->node.items[i]);
}

/* ---- the loop ---------------------------------------------------------------------------- */

/* "x-" is everybody's own; outside strict mode so is all that is unknown. */
static void unknown_refuse(struct draft *draft, const struct entry *entry)
{
    char hint[120];

    if (!draft->compiler->is_strict || slice_starts(entry->key, "x-"))
        return;
    schema_complain(draft->compiler, draft->schema, entry->line, entry->column,
                    "%.*s is no keyword of a schema%s",
                    SLICE_ARG(text_quote(&draft->compiler->scratch, entry->key)),
                    keyword_hint(entry->key, hint, sizeof hint));
}

static void keywords_compile(struct draft *draft)
{
    const struct node *node = draft->node;
    struct schema *schema = draft->schema;

    schema->marks = ARENA_ARRAY(draft->compiler->arena, struct mark, node->count);
    for (uint32_t i = 0; i < node->count; i++) {
        const struct entry *entry = &node->entries[i];
        draft->keyword = keyword_find(entry->key);
        if (draft->keyword == KEYWORD_NONE) {
            unknown_refuse(draft, entry);
            continue;
        }
        schema->marks[schema->mark_count++] =
            (struct mark){ draft->keyword, entry->line, entry->column };
        if (schema->resource->skips_validation && keyword_is_validation(draft->keyword))
            continue;
        if (compilers[draft->keyword] != NULL)
            compilers[draft->keyword](draft, entry);
    }
    rules_finish(draft);
}

static void schema_compile(struct compiler *compiler, struct schema *schema,
                           const struct node *node)
{
    struct draft draft = { .compiler = compiler, .schema = schema, .node = node };

    if (node->kind == VALUE_MAP) {
        keywords_compile(&draft);
    } else if (node->kind == VALUE_BOOL) {
        schema->is_never = !node->boolean;
    } else {
        struct value value = node_value(&compiler->scratch, node);
        draft_complain(&draft, node,
                       "a schema is a map of keywords, or true, or false; not %.*s%s",
                       SLICE_ARG(value_describe(&compiler->scratch, &value)), flag_hint(node));
    }
}

void compile_all(struct compiler *compiler)
{
    while (compiler->todo != NULL) {
        struct work work = *compiler->todo;
        compiler->todo = compiler->todo->next;
        schema_compile(compiler, work.schema, work.node);
    }
}
