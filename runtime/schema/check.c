#include "schema/check.h"

#include "codec/json.h"
#include "schema/program.h"

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
    buffer_text(checking->out, ")\n");
}

static void json_report(struct checking *checking, const char *path,
                        const struct schema_file *file, const struct problems *problems)
{
    struct arena *arena = &checking->arena;
    struct value map = value_map(), tokens = value_list();
    struct value found = problems_value(arena, problems);

    value_put(arena, &map, "file", value_string(arena_copy(arena, slice_of(path))));
    value_put(arena, &map, "valid", value_bool(file != NULL));
    if (file != NULL) {
        value_put(arena, &map, "input", value_bool(file->input != NULL));
        value_put(arena, &map, "output", value_bool(file->output != NULL));
        for (uint32_t i = 0; i < file->token_count; i++)
            value_add(arena, &tokens, value_string(arena_copy(arena, file->tokens[i].name)));
        value_put(arena, &map, "tokens", tokens);
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
    for (int i = 0; i < count; i++) {
        struct slice name = arena_format(
            &checking->arena, "%s%s%s", path,
            path[0] != '\0' && path[strlen(path) - 1] == '/' ? "" : "/", entries[i]->d_name);
        file_check(checking, name.data);
        free(entries[i]);
    }
    free(entries);
}

int schemas_check(const char *const *paths, int count, bool json, struct buffer *out)
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
