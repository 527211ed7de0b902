#include "cli/check/schema_report.h"

#include "codec/json.h"
#include "schema/compile/program.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

enum { FILES_MAX = 10000 };

struct checking {
    struct arena arena;
    struct buffer *out; /* text; NULL: as JSON */
    struct value files;
    uint32_t count;
    bool fine;
};

static void text_report(struct checking *checking, const char *path,
                        const struct schema_file *file, const struct problems *problems)
{
    if (file == NULL) {
        problems_text(checking->out, problems);
        return;
    }
    buffer_format(checking->out, "%s: fine (%s%s%s", path, file->input != NULL ? "input" : "",
                  file->input != NULL && file->output != NULL ? ", " : "",
                  file->output != NULL ? "output" : "");
    for (uint32_t i = 0; i < file->token_count; i++)
        buffer_format(checking->out, "%stoken %.*s",
                      i > 0 || file->input != NULL || file->output != NULL ? ", " : "",
                      SLICE_ARG(file->tokens[i].name));
    bool is_first = file->input == NULL && file->output == NULL && file->token_count == 0;
    for (uint32_t i = 0; i < file->message_count; i++)
        buffer_format(checking->out, "%smessage %.*s", i > 0 || !is_first ? ", " : "",
                      SLICE_ARG(file->messages[i].name));
    is_first &= file->message_count == 0;
    for (uint32_t i = 0; i < file->child_count; i++)
        buffer_format(checking->out, "%schild %.*s", i > 0 || !is_first ? ", " : "",
                      SLICE_ARG(file->children[i].task));
    buffer_text(checking->out, ")\n");
}

static void json_report(struct checking *checking, const char *path,
                        const struct schema_file *file, const struct problems *problems)
{
    struct arena *arena = &checking->arena;
    struct value map = value_map(), tokens = value_list(), messages = value_list(),
                 children = value_list();
    struct value found = problems_value(arena, problems);

    value_put(arena, &map, "file", value_string(arena_copy(arena, slice_of(path))));
    value_put(arena, &map, "valid", value_bool(file != NULL));
    if (file != NULL) {
        value_put(arena, &map, "input", value_bool(file->input != NULL));
        value_put(arena, &map, "output", value_bool(file->output != NULL));
        for (uint32_t i = 0; i < file->token_count; i++)
            value_add(arena, &tokens, value_string(arena_copy(arena, file->tokens[i].name)));
        value_put(arena, &map, "tokens", tokens);
        for (uint32_t i = 0; i < file->message_count; i++)
            value_add(arena, &messages,
                      value_string(arena_copy(arena, file->messages[i].name)));
        value_put(arena, &map, "messages", messages);
        for (uint32_t i = 0; i < file->child_count; i++)
            value_add(arena, &children,
                      value_string(arena_copy(arena, file->children[i].task)));
        value_put(arena, &map, "children", children);
    }
    value_put(arena, &map, "problems", *value_find(&found, "problems"));
    value_add(arena, &checking->files, map);
}

static void file_check(struct checking *checking, const char *path)
{
    struct problems problems = { 0 };
    struct schema_file *file = NULL;

    if (checking->count++ >= FILES_MAX)
        return;
    if (!schema_file_load(path, &file, &checking->arena, &problems))
        checking->fine = false;
    if (checking->out != NULL)
        text_report(checking, path, file, &problems);
    else
        json_report(checking, path, file, &problems);
    schema_file_destroy(file);
}

static int yaml_is(const struct dirent *entry)
{
    size_t size = strlen(entry->d_name);

    return entry->d_name[0] != '.' && size > 5 &&
           strcmp(entry->d_name + size - 5, ".yaml") == 0;
}

static void path_check(struct checking *checking, const char *path)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, yaml_is, alphasort);

    if (count < 0) { /* no directory, or one that the file's reader will complain about */
        file_check(checking, path);
        return;
    }
    if (count == 0 && checking->out != NULL)
        buffer_format(checking->out, "%s: no .yaml files are in it\n", path);
    for (int i = 0; i < count; i++) {
        struct slice name = arena_format(
            &checking->arena, "%s%s%s", path,
            path[0] != '\0' && path[strlen(path) - 1] == '/' ? "" : "/", entries[i]->d_name);
        file_check(checking, name.data);
        free(entries[i]);
    }
    free(entries);
}

int schema_report(const char *const *paths, int count, bool json, struct buffer *out)
{
    struct checking checking = { .out = json ? NULL : out, .fine = true };
    struct value root = value_map();

    checking.files = value_list();
    for (int i = 0; i < count; i++)
        path_check(&checking, paths[i]);
    if (json) {
        value_put(&checking.arena, &root, "valid", value_bool(checking.fine));
        value_put(&checking.arena, &root, "files", checking.files);
        json_write_pretty(out, &root);
        buffer_byte(out, '\n');
    }
    arena_finish(&checking.arena);
    return checking.fine ? 0 : 2;
}

/* ---- a value ----------------------------------------------------------------------------- */

struct trial {
    struct arena arena;
    struct schema_file *file;
    const struct schema *schema;
    struct value value;
    struct problems problems;
};

/* False: the file has no such part. NULL, which accepts everything, is for parts that need not
 * be there. */
static bool part_find(const struct schema_file *file, struct slice part,
                      const struct schema **schema)
{
    struct slice rest = part;

    *schema = slice_is(part, "output") ? file->output : file->input;
    if (slice_is(part, "input") || slice_is(part, "output"))
        return true;
    while (rest.size > 0 && rest.data[0] != '.')
        rest = (struct slice){ rest.data + 1, rest.size - 1 };
    if (rest.size == 0)
        return false;
    rest = (struct slice){ rest.data + 1, rest.size - 1 };
    if (slice_starts(part, "tokens.")) {
        *schema = schema_token(file, rest);
        return schema_has_token(file, rest);
    }
    if (slice_starts(part, "messages.")) {
        *schema = schema_message(file, rest);
        return schema_has_message(file, rest);
    }
    *schema = schema_child(file, rest);
    return slice_starts(part, "children.") && *schema != NULL;
}

/* A JSON file is read as JSON, which YAML is not in every escape; then the tree is only for the
 * places, and has line 0 when YAML cannot read it. */
static bool value_load(struct trial *trial, const char *path, struct node *root,
                       struct report *report)
{
    struct arena *arena = &trial->arena;
    struct problems unread = { 0 };
    struct report places = { arena, &unread, report->file };
    struct slice text;

    if (!document_bytes(arena, path, &text, report))
        return false;
    if (!json_read(arena, text, &trial->value, NULL)) {
        if (!document_read(arena, text, root, report))
            return false;
        trial->value = node_value(arena, root);
    } else if (!document_read(arena, text, root, &places)) {
        root->line = 0;
    }
    return true;
}

static bool value_try(struct trial *trial, const char *path, const char *part,
                      const char *value_path)
{
    struct arena *arena = &trial->arena;
    struct report report = { arena, &trial->problems, slice_of(path) };
    struct node *root = ARENA_NEW(arena, struct node);

    if (!schema_file_load(path, &trial->file, arena, &trial->problems))
        return false;
    if (!part_find(trial->file, slice_of(part), &trial->schema))
        return report_add(&report, 0, 0,
                          "there is no part %s; parts are input, output, tokens.NAME, "
                          "messages.NAME and children.TASK",
                          part);
    report.file = slice_of(value_path);
    if (!value_load(trial, value_path, root, &report))
        return false;
    bool fine = schema_check(trial->schema, &trial->value, arena, &trial->problems);
    if (root->line != 0)
        problems_locate(&trial->problems, root, report.file);
    schema_redact(trial->schema, &trial->value, arena);
    return fine;
}

int schema_report_value(const char *path, const char *part, const char *value_path, bool json,
                        struct buffer *out)
{
    struct trial trial = { 0 };
    bool fine = value_try(&trial, path, part, value_path);
    struct value found = problems_value(&trial.arena, &trial.problems), root = value_map();

    if (json) {
        value_put(&trial.arena, &root, "valid", value_bool(fine));
        value_put(&trial.arena, &root, "value", trial.value);
        value_put(&trial.arena, &root, "problems", *value_find(&found, "problems"));
        json_write_pretty(out, &root);
        buffer_byte(out, '\n');
    } else if (fine) {
        buffer_format(out, "%s: fits %s of %s\n", value_path, part, path);
    } else {
        problems_text(out, &trial.problems);
    }
    schema_file_destroy(trial.file);
    arena_finish(&trial.arena);
    return fine ? 0 : 2;
}
