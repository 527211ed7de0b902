#include "helper.h"

struct arena arena;

const char *problems_said(const struct problems *problems)
{
    struct buffer out = { 0 };

    problems_text(&out, problems);
    struct slice text = arena_copy(&arena, buffer_view(&out));
    buffer_finish(&out);
    return text.size == 0 ? "" : text.data;
}

struct schema_file *file_of(const char *text)
{
    struct problems problems = { 0 };
    struct schema_file *file;

    cr_assert(schema_file_parse("x.yaml", slice_of(text), &file, &arena, &problems), "%s",
              problems_said(&problems));
    cr_assert_eq(problems.count, 0);
    return file;
}

const char *file_complaints(const char *text)
{
    struct problems problems = { 0 };
    struct schema_file *file = NULL;

    bool fine = schema_file_parse("x.yaml", slice_of(text), &file, &arena, &problems);
    cr_assert_eq(fine, problems.count == 0, "the result and the problems must agree");
    cr_assert_eq(fine, file != NULL);
    schema_file_destroy(file);
    return problems_said(&problems);
}

struct value value_of(const char *json)
{
    struct value value;
    struct err err;

    cr_assert(json_read(&arena, slice_of(json), &value, &err), "%s: %s", json, err.text);
    return value;
}

const char *json_of(const struct value *value)
{
    struct buffer out = { 0 };

    json_write(&out, value);
    struct slice text = arena_copy(&arena, buffer_view(&out));
    buffer_finish(&out);
    return text.data;
}

const char *complaints(const char *schema, const char *json)
{
    struct slice text = arena_format(&arena, "input: %s\n", schema);
    struct schema_file *file = file_of(text.data);
    struct value value = value_of(json);
    struct problems problems = { 0 };

    bool fine = schema_check(schema_input(file), &value, &arena, &problems);
    cr_assert_eq(fine, problems.count == 0, "the result and the problems must agree");
    schema_file_destroy(file);
    return problems_said(&problems);
}
