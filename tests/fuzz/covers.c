/*
 * The input is two schema files with a line --- between them. Whether the first covers the
 * second is answered within bounds, and an example against it is one: the second accepts it and
 * the first does not.
 */
#include "schema/prove/covers.h"

#include "fuzz.h"

static bool fits(const struct schema *schema, const struct value *example)
{
    struct arena arena = { 0 };
    struct problems problems = { 0 };
    struct value value = value_copy(&arena, example);

    bool fine = schema_check(schema, &value, &arena, &problems);
    arena_finish(&arena);
    return fine;
}

static void files_compare(const struct schema_file *wide, const struct schema_file *narrow,
                          struct arena *arena)
{
    struct cover_gaps gaps;
    enum schema_answer answer =
        cover_gaps(schema_input(wide), schema_input(narrow), arena, &gaps);

    PROMISE((answer == SCHEMA_YES) == (gaps.first == NULL));
    PROMISE((answer == SCHEMA_NO) == (gaps.first != NULL && gaps.first->is_sure));
    for (const struct cover_gap *gap = gaps.first; gap != NULL && gap->is_sure; gap = gap->next)
        PROMISE(fits(schema_input(narrow), &gap->example) &&
                !fits(schema_input(wide), &gap->example));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char line[] = "\n---\n";
    const char *text = (const char *)data;
    const char *end = size == 0 ? NULL : memmem(text, size, line, sizeof line - 1);
    size_t head = end == NULL ? size : (size_t)(end - text), rest = head + sizeof line - 1;
    struct slice first = { text, head };
    struct slice second = { end == NULL ? text : text + rest,
                            end == NULL ? size : size - rest };
    struct arena arena = { 0 };
    struct problems problems = { 0 };
    struct schema_file *wide = NULL, *narrow = NULL;

    if (schema_file_parse("wide.yaml", first, &wide, &arena, &problems) &&
        schema_file_parse("narrow.yaml", second, &narrow, &arena, &problems))
        files_compare(wide, narrow, &arena);
    schema_file_destroy(wide);
    schema_file_destroy(narrow);
    arena_finish(&arena);
    return 0;
}
