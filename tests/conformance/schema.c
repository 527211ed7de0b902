/*
 * Every case of the JSON Schema test suite for draft 2020-12, as TAP on stdout.
 *
 *   conformance_schema [FILE...]    names like `anyOf.json`; none: all of them
 *
 * The suite is looked for in $JSON_SCHEMA_TEST_SUITE, then where the build was told. Its remote
 * documents are served from its directory instead of over HTTP.
 */
#include "codec/json.h"
#include "schema/compile/compile.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define REMOTE "http://localhost:1234/"

static const char *suite;
static unsigned case_count, failed_count;

static struct slice file_text(struct arena *arena, const char *path)
{
    FILE *file = fopen(path, "re");
    struct buffer text = { 0 };

    if (file == NULL)
        return (struct slice){ 0 };
    for (size_t got = 1; got > 0; text.size += got)
        got = fread(buffer_reserve(&text, 4096), 1, 4096, file);
    fclose(file);
    struct slice copy = arena_copy(arena, buffer_view(&text));
    buffer_finish(&text);
    return copy;
}

/* http://localhost:1234/x is remotes/x. */
static bool remote_find(void *context, struct arena *arena, struct slice uri, struct node *root,
                        struct slice *file, struct slice *reason)
{
    struct value *value = ARENA_NEW(arena, struct value);
    struct err err = { 0 };

    (void)context;
    (void)file;
    if (!slice_starts(uri, REMOTE))
        return false;
    struct slice path =
        arena_format(arena, "%s/remotes/%.*s", suite, (int)(uri.size - strlen(REMOTE)),
                     uri.data + strlen(REMOTE));
    struct slice text = file_text(arena, path.data);
    if (text.data == NULL || !json_read(arena, text, value, &err)) {
        *reason = arena_format(arena, "%s", err.text);
        return false;
    }
    *root = node_of_value(arena, value);
    return true;
}

static struct slice text_of(const struct value *map, const char *key)
{
    const struct value *value = value_find(map, key);
    return value == NULL ? SLICE("?") : value->bytes;
}

static void result_print(const char *name, const struct value *group, const struct value *test,
                         bool passed, const char *why)
{
    case_count++;
    failed_count += !passed;
    printf("%sok %u - %s: %.*s: %.*s%s%s\n", passed ? "" : "not ", case_count, name,
           SLICE_ARG(text_of(group, "description")), SLICE_ARG(text_of(test, "description")),
           passed ? "" : ": ", passed ? "" : why);
}

static void test_run(const char *name, const struct value *group, const struct value *test,
                     const struct schema_file *file, struct arena *arena)
{
    struct value data = value_copy(arena, value_find(test, "data"));
    bool wanted = value_find(test, "valid")->boolean;
    struct problems problems = { 0 };
    struct buffer text = { 0 };

    bool valid = schema_check(schema_input(file), &data, arena, &problems);
    problems_text(&text, &problems);
    buffer_byte(&text, '\0');
    bool told = valid == (problems.count == 0); /* a refusal has a reason */
    result_print(name, group, test, valid == wanted && told,
                 valid == wanted ? "no problem was reported"
                 : valid         ? "was accepted"
                                 : text.data);
    buffer_finish(&text);
}

static void group_run(const char *name, const struct value *group, struct arena *arena)
{
    const struct value *tests = value_find(group, "tests");
    struct problems problems = { 0 };
    struct schema_file *file;
    struct buffer text = { 0 };

    bool compiled = schema_file_of_value(value_find(group, "schema"), remote_find, NULL, &file,
                                         arena, &problems);
    problems_text(&text, &problems);
    buffer_byte(&text, '\0');
    for (uint32_t i = 0; i < tests->count; i++)
        if (compiled)
            test_run(name, group, &tests->items[i], file, arena);
        else
            result_print(name, group, &tests->items[i], false, text.data);
    schema_file_destroy(file);
    buffer_finish(&text);
}

static void file_run(const char *name)
{
    struct arena arena = { 0 };
    struct value groups;
    struct err err;
    struct slice path = arena_format(&arena, "%s/tests/draft2020-12/%s", suite, name);

    if (!json_read(&arena, file_text(&arena, path.data), &groups, &err)) {
        printf("not ok %u - %s: %s\n", ++case_count, name, err.text);
        failed_count++;
    } else {
        for (uint32_t i = 0; i < groups.count; i++)
            group_run(name, &groups.items[i], &arena);
    }
    arena_finish(&arena);
}

static int json_is(const struct dirent *entry)
{
    size_t size = strlen(entry->d_name);
    return size > 5 && strcmp(entry->d_name + size - 5, ".json") == 0;
}

int main(int argc, char **argv)
{
    struct dirent **files;
    char directory[4096];

    suite =
        getenv("JSON_SCHEMA_TEST_SUITE") != NULL ? getenv("JSON_SCHEMA_TEST_SUITE") : SUITE_DIR;
    snprintf(directory, sizeof directory, "%s/tests/draft2020-12", suite);
    int count = scandir(directory, &files, json_is, alphasort);
    if (count <= 0) {
        printf("1..0 # SKIP no JSON Schema test suite here; JSON_SCHEMA_TEST_SUITE names it\n");
        return 0;
    }
    for (int i = 1; i < argc; i++)
        file_run(argv[i]);
    for (int i = 0; i < count; i++) {
        if (argc == 1)
            file_run(files[i]->d_name);
        free(files[i]);
    }
    free(files);
    printf("1..%u\n", case_count);
    return failed_count == 0 && case_count > 0 ? 0 : 1;
}
