/*
 * Schema files: schemas/<task>.yaml.
 *
 *   input, output   a schema each
 *   tokens          name → schema of what completes the token
 *   messages        name → schema of what is sent to a run under it; others are refused
 *   children        task → {output: schema}, what this task expects of those that it triggers
 *   on_invalid      fail or warn: what becomes of an output that does not match
 *   $defs           schemas that the others refer to
 *   description, version
 *
 * A reference may lead to a file beside this one, or below: "common.yaml#/$defs/address". Names
 * of files go through URIs without dots, so no reference leads out of the directory.
 */
#include "base/memory.h"
#include "base/name.h"
#include "base/suggest.h"
#include "schema/compile/compile.h"
#include "schema/document/uri.h"

#include <assert.h>
#include <stdlib.h>

enum { PATH_MAX_BYTES = 4000 };

#define FILE_KEYS \
    "input, output, tokens, messages, children, on_invalid, $defs, description, version"

/* ---- one file's keys --------------------------------------------------------------------- */

static void input_read(struct compiler *compiler, const struct entry *entry)
{
    compiler->program->input = schema_at(compiler, &entry->node);
}

static void output_read(struct compiler *compiler, const struct entry *entry)
{
    compiler->program->output = schema_at(compiler, &entry->node);
}

static bool map_wants(struct compiler *compiler, const struct entry *entry)
{
    if (entry->node.kind == VALUE_MAP)
        return true;
    return report_add(&compiler->report, entry->node.line, entry->node.column,
                      "%.*s must be a map from names to schemas", SLICE_ARG(entry->key));
}

static uint32_t names_read(struct compiler *compiler, const struct entry *entry,
                           struct token_schema **list)
{
    uint32_t count = map_wants(compiler, entry) ? entry->node.count : 0;

    *list = ARENA_ARRAY(compiler->arena, struct token_schema, count + 1);
    for (uint32_t i = 0; i < count; i++)
        (*list)[i] = (struct token_schema){
            entry->node.entries[i].key,
            schema_at(compiler, &entry->node.entries[i].node),
        };
    return count;
}

static void tokens_read(struct compiler *compiler, const struct entry *entry)
{
    compiler->program->token_count = names_read(compiler, entry, &compiler->program->tokens);
}

static void messages_read(struct compiler *compiler, const struct entry *entry)
{
    struct err err = { 0 };

    compiler->program->message_count =
        names_read(compiler, entry, &compiler->program->messages);
    for (uint32_t i = 0; i < compiler->program->message_count; i++)
        if (!name_check(NAME_MESSAGE, entry->node.entries[i].key, &err))
            report_add(&compiler->report, entry->node.entries[i].line,
                       entry->node.entries[i].column, "%s", err.text);
}

static bool child_wants(struct compiler *compiler, const struct entry *child)
{
    if (child->node.kind == VALUE_MAP && child->node.count == 1 &&
        node_find(&child->node, "output") != NULL)
        return true;
    return report_add(&compiler->report, child->node.line, child->node.column,
                      "the child %.*s needs the key output, a schema, and no other",
                      SLICE_ARG(text_quote(&compiler->scratch, child->key)));
}

static void children_read(struct compiler *compiler, const struct entry *entry)
{
    struct schema_file *program = compiler->program;

    if (!map_wants(compiler, entry))
        return;
    program->children = ARENA_ARRAY(compiler->arena, struct child_schema, entry->node.count);
    for (uint32_t i = 0; i < entry->node.count; i++) {
        const struct entry *child = &entry->node.entries[i];
        if (child_wants(compiler, child))
            program->children[program->child_count++] = (struct child_schema){
                child->key,
                schema_at(compiler, &node_find(&child->node, "output")->node),
            };
    }
}

static void on_invalid_read(struct compiler *compiler, const struct entry *entry)
{
    const struct node *node = &entry->node;

    if (node->kind == VALUE_STRING && slice_is(node->text, "warn"))
        compiler->program->on_invalid = SCHEMA_WARN;
    else if (node->kind != VALUE_STRING || !slice_is(node->text, "fail"))
        report_add(&compiler->report, node->line, node->column,
                   "on_invalid must be fail or warn");
}

/* Compiled even when nobody refers to them, so that their mistakes are found today. */
static void defs_read(struct compiler *compiler, const struct entry *entry)
{
    if (!map_wants(compiler, entry))
        return;
    for (uint32_t i = 0; i < entry->node.count; i++)
        (void)schema_at(compiler, &entry->node.entries[i].node);
}

static void note_read(struct compiler *compiler, const struct entry *entry)
{
    if (entry->node.kind == VALUE_LIST || entry->node.kind == VALUE_MAP)
        report_add(&compiler->report, entry->node.line, entry->node.column, "%.*s must be text",
                   SLICE_ARG(entry->key));
}

static const struct {
    const char *key;
    void (*read)(struct compiler *, const struct entry *);
} keys[] = {
    { "input", input_read },           { "output", output_read },     { "tokens", tokens_read },
    { "messages", messages_read },     { "children", children_read }, { "$defs", defs_read },
    { "on_invalid", on_invalid_read }, { "description", note_read },  { "version", note_read },
};

enum { KEY_COUNT = sizeof keys / sizeof keys[0] };

static void key_read(struct compiler *compiler, const struct entry *entry)
{
    struct suggestion near;

    suggestion_init(&near, entry->key);
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (slice_is(entry->key, keys[i].key)) {
            keys[i].read(compiler, entry);
            return;
        }
        suggestion_offer(&near, slice_of(keys[i].key));
    }
    if (slice_starts(entry->key, "x-"))
        return;
    bool is_keyword = near.best.size == 0 && keyword_find(entry->key) != KEYWORD_NONE;
    report_add(&compiler->report, entry->line, entry->column,
               "%.*s is no key of a schema file%.*s%.*s%s%s (keys are " FILE_KEYS ")",
               SLICE_ARG(text_quote(&compiler->scratch, entry->key)), SUGGESTION_ARG(&near),
               is_keyword ? "; keywords stand below input, output or a token" : "");
}

static void root_read(struct compiler *compiler, const struct node *root)
{
    if (root->kind != VALUE_MAP) {
        report_add(&compiler->report, root->line, root->column,
                   root->kind == VALUE_NULL
                       ? "the file is empty; it needs input, output or tokens"
                       : "a schema file is a map with the keys " FILE_KEYS);
        return;
    }
    for (uint32_t i = 0; i < root->count; i++)
        key_read(compiler, &root->entries[i]);
}

/* ---- files that are referred to ---------------------------------------------------------- */

/* The real file must stand in the real directory: a symbolic link may lead anywhere. */
static bool is_below(const char *directory, const char *file)
{
    char *outer = realpath(directory, NULL), *inner = realpath(file, NULL);
    size_t size = outer == NULL ? 0 : strlen(outer);
    bool is_root = size == 1 && outer[0] == '/';

    /* One that is not there is for the reader to tell. */
    bool fine = inner == NULL || outer == NULL || is_root ||
                (strncmp(inner, outer, size) == 0 && inner[size] == '/');
    free(outer);
    free(inner);
    return fine;
}

/* The path of the file that `uri` means, beside `path` or below. */
static bool path_find(struct arena *arena, struct slice path, struct slice uri,
                      struct slice *file)
{
    size_t directory = path.size;
    struct uri parts = uri_split(uri);
    struct slice name = uri_decode(arena, parts.path);

    while (directory > 0 && path.data[directory - 1] != '/')
        directory--;
    if (parts.has_scheme || parts.has_authority || name.size == 0 || name.data[0] == '/' ||
        directory + name.size > PATH_MAX_BYTES || memchr(name.data, 0, name.size) != NULL ||
        !utf8_is_valid(name))
        return false;
    *file = arena_format(arena, "%.*s%.*s", (int)directory, path.data, SLICE_ARG(name));
    struct slice beside = arena_format(arena, "%.*s.", (int)directory, path.data);
    return is_below(beside.data, file->data);
}

/* The file that was asked for, and how much of its path is nobody's business. */
struct home {
    struct slice path;
    size_t hidden;
};

static struct slice shown(struct slice path, size_t hidden)
{
    return (struct slice){ path.data + hidden, path.size - hidden };
}

static bool find_beside(void *context, struct arena *arena, struct slice uri, struct node *root,
                        struct slice *file, struct slice *reason)
{
    const struct home *home = context;
    struct problems problems = { 0 };
    struct slice path;

    if (!path_find(arena, home->path, uri, &path)) {
        *reason = SLICE("a reference leads to this file or one in its directory");
        return false;
    }
    *file = shown(path, home->hidden);
    struct report report = { arena, &problems, *file };
    if (document_load(arena, path.data, root, &report))
        return true;
    if (problems.first != NULL)
        *reason = problems.first->line == 0
                      ? problems.first->message
                      : arena_format(arena, "line %u: %.*s", (unsigned)problems.first->line,
                                     SLICE_ARG(problems.first->message));
    return false;
}

/* ---- load, parse, destroy ---------------------------------------------------------------- */

/* The last part of the path is the file's own URI, which is what its neighbours call it. */
static struct slice file_uri(struct arena *arena, struct slice path)
{
    size_t start = path.size;

    while (start > 0 && path.data[start - 1] != '/')
        start--;
    return uri_of_path(arena, (struct slice){ path.data + start, path.size - start });
}

static bool program_make(struct schema_file *program, const struct node *root,
                         struct home *home, struct report report)
{
    struct compiler compiler;

    compiler_init(&compiler, program, report);
    compiler.find = find_beside;
    compiler.find_context = home;
    resource_add(&compiler, file_uri(&program->arena, home->path), report.file, root, true);
    root_read(&compiler, root);
    compile_all(&compiler);
    program_finish(&compiler);
    compiler_finish(&compiler);
    return report.problems->count == 0;
}

static bool file_make(const char *path, size_t hidden, const struct slice *text,
                      struct schema_file **file, struct arena *arena, struct problems *problems)
{
    struct schema_file *program = memory_zeroed(1, sizeof *program);
    struct home home = { arena_copy(&program->arena, slice_of(path)), hidden };
    struct problems found = { 0 };
    struct report report = { arena, &found, shown(home.path, hidden) };
    struct node *root = ARENA_NEW(&program->arena, struct node);

    bool fine = (text == NULL ? document_load(&program->arena, path, root, &report)
                              : document_read(&program->arena, *text, root, &report)) &&
                program_make(program, root, &home, report);
    *file = fine ? program : NULL;
    if (fine)
        return true;
    schema_file_destroy(program);
    problems_sort(&found);
    problems_join(problems, &found);
    return false;
}

bool schema_file_load(const char *path, struct schema_file **file, struct arena *arena,
                      struct problems *problems)
{
    return file_make(path, 0, NULL, file, arena, problems);
}

bool schema_file_load_below(const char *path, size_t hidden, struct schema_file **file,
                            struct arena *arena, struct problems *problems)
{
    return file_make(path, hidden, NULL, file, arena, problems);
}

bool schema_file_parse(const char *path, struct slice text, struct schema_file **file,
                       struct arena *arena, struct problems *problems)
{
    return file_make(path, 0, &text, file, arena, problems);
}

bool schema_file_of_value(const struct value *value, document_find *find, void *find_context,
                          struct schema_file **file, struct arena *arena,
                          struct problems *problems)
{
    struct schema_file *program = memory_zeroed(1, sizeof *program);
    struct report report = { arena, problems, SLICE("") };
    struct node *root = ARENA_NEW(&program->arena, struct node);
    struct compiler compiler;

    *root = node_of_value(&program->arena, value);
    compiler_init(&compiler, program, report);
    compiler.is_strict = false;
    compiler.find = find;
    compiler.find_context = find_context;
    resource_add(&compiler, SLICE(""), SLICE(""), root, false);
    program->input = schema_at(&compiler, root);
    compile_all(&compiler);
    program_finish(&compiler);
    compiler_finish(&compiler);
    bool fine = problems->count == 0;
    if (!fine)
        schema_file_destroy(program);
    *file = fine ? program : NULL;
    return fine;
}

void schema_file_destroy(struct schema_file *file)
{
    if (file == NULL)
        return;
    for (uint32_t i = 0; i < file->pattern_count; i++)
        pattern_destroy(file->patterns[i]);
    free(file->patterns);
    arena_finish(&file->arena);
    free(file);
}

/* ---- what a file declares ---------------------------------------------------------------- */

const struct schema *schema_input(const struct schema_file *file)
{
    return file == NULL ? NULL : file->input;
}

const struct schema *schema_output(const struct schema_file *file)
{
    return file == NULL ? NULL : file->output;
}

uint32_t schema_line(const struct schema *schema)
{
    return schema == NULL ? 0 : schema->line;
}

static const struct token_schema *name_find(const struct token_schema *list, uint32_t count,
                                            struct slice name)
{
    for (uint32_t i = 0; i < count; i++)
        if (slice_equal(list[i].name, name))
            return &list[i];
    return NULL;
}

static const struct token_schema *token_find(const struct schema_file *file, struct slice name)
{
    return file == NULL ? NULL : name_find(file->tokens, file->token_count, name);
}

static const struct token_schema *message_find(const struct schema_file *file,
                                               struct slice name)
{
    return file == NULL ? NULL : name_find(file->messages, file->message_count, name);
}

const struct schema *schema_token(const struct schema_file *file, struct slice name)
{
    const struct token_schema *token = token_find(file, name);
    return token == NULL ? NULL : token->schema;
}

bool schema_has_token(const struct schema_file *file, struct slice name)
{
    return token_find(file, name) != NULL;
}

const struct schema *schema_message(const struct schema_file *file, struct slice name)
{
    const struct token_schema *message = message_find(file, name);
    return message == NULL ? NULL : message->schema;
}

bool schema_has_message(const struct schema_file *file, struct slice name)
{
    return message_find(file, name) != NULL;
}

bool schema_has_messages(const struct schema_file *file)
{
    return file != NULL && file->messages != NULL;
}

uint32_t schema_child_count(const struct schema_file *file)
{
    return file == NULL ? 0 : file->child_count;
}

struct slice schema_child_name(const struct schema_file *file, uint32_t index)
{
    assert(index < schema_child_count(file));
    return file->children[index].task;
}

const struct schema *schema_child(const struct schema_file *file, struct slice task)
{
    for (uint32_t i = 0; i < schema_child_count(file); i++)
        if (slice_equal(file->children[i].task, task))
            return file->children[i].output;
    return NULL;
}

enum schema_on_invalid schema_on_invalid(const struct schema_file *file)
{
    return file == NULL ? SCHEMA_FAIL : file->on_invalid;
}

void schema_file_hash(const struct schema_file *file, unsigned char hash[SCHEMA_HASH_BYTES])
{
    if (file == NULL)
        memset(hash, 0, SCHEMA_HASH_BYTES);
    else
        memcpy(hash, file->hash, SCHEMA_HASH_BYTES);
}
