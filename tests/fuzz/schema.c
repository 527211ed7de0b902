/*
 * The input is a schema file and, behind the first zero byte, a JSON value. Whatever both are:
 * a wrong file has problems, a right one checks the value within bounds, and a refusal has a
 * reason in valid UTF-8.
 */
#include "schema/schema.h"

#include "codec/json.h"
#include "fuzz.h"

static void problems_hold(const struct problems *problems, bool fine)
{
    struct buffer text = { 0 };

    PROMISE((problems->count == 0) == fine);
    problems_text(&text, problems);
    PROMISE(utf8_is_valid(buffer_view(&text)));
    buffer_finish(&text);
}

static void value_check(const struct schema *schema, struct slice text, struct arena *arena)
{
    struct problems problems = { 0 };
    struct value value;

    if (!json_read(arena, text, &value, NULL))
        return;
    bool fine = schema_check(schema, &value, arena, &problems);
    problems_hold(&problems, fine);
    struct value told = problems_value(arena, &problems);
    PROMISE(value_find(&told, "problems") != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size == 0 ? NULL : memchr(data, 0, size);
    size_t head = end == NULL ? size : (size_t)(end - data);
    struct slice schema = { (const char *)data, head };
    struct slice value = { (const char *)data + head + 1, end == NULL ? 0 : size - head - 1 };
    struct arena arena = { 0 };
    struct problems problems = { 0 };
    struct schema_file *file;

    bool fine = schema_file_parse("fuzz.yaml", schema, &file, &arena, &problems);
    problems_hold(&problems, fine);
    if (fine) {
        value_check(schema_input(file), value, &arena);
        value_check(schema_token(file, SLICE("t")), value, &arena);
    }
    schema_file_destroy(file);
    arena_finish(&arena);
    return 0;
}
