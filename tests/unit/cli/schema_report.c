/* `bide schemas check`. */
#include "cli/check/schema_report.h"

#include "unit/schema/helper.h"

static const char *check(const char *path, bool json, int wanted)
{
    struct buffer out = { 0 };

    int code = schema_report(&path, 1, json, &out);
    struct slice text = arena_copy(&arena, buffer_view(&out));
    buffer_finish(&out);
    cr_assert_eq(code, wanted, "%d: %s", code, text.data);
    return text.data;
}

Test(check, right_files_are_listed_with_what_they_declare)
{
    const char *said = check(SOURCE_DIR "/schemas", false, 0);

    assert_has(said, "approve-refund.yaml: fine (input, output, token approval)\n");
    assert_has(said, "hello.yaml: fine (input, output)\n");
}

Test(check, a_wrong_file_ends_with_code_2)
{
    char path[] = "/tmp/bide-check-XXXXXX";
    int fd = mkstemp(path);
    FILE *out = fdopen(fd, "w");
    fputs("input:\n  tpye: string\n", out);
    fclose(out);

    const char *text = check(path, false, 2);
    const char *json = check(path, true, 2);
    remove(path);

    assert_has(text, ":2:3: \"tpye\" is no keyword of a schema; did you mean type?");
    struct value value = value_of(json);
    cr_assert_not(value_find(&value, "valid")->boolean);
    const struct value *file = &value_find(&value, "files")->items[0];
    cr_assert_eq(value_find(file, "problems")->count, 1);
}

Test(check, json_names_what_is_declared)
{
    struct value value = value_of(check(SOURCE_DIR "/schemas/approve-refund.yaml", true, 0));
    const struct value *file = &value_find(&value, "files")->items[0];

    cr_assert(value_find(&value, "valid")->boolean);
    cr_assert(value_find(file, "input")->boolean);
    cr_assert(slice_is(value_find(file, "tokens")->items[0].bytes, "approval"));
}

Test(check, a_file_that_is_not_there_is_a_problem)
{
    assert_has(check("/nowhere/x.yaml", false, 2), "/nowhere/x.yaml: cannot be opened");
}

/* ---- values ------------------------------------------------------------------------------ */

static const char *written(const char *text)
{
    char path[] = "/tmp/bide-value-XXXXXX";
    int fd = mkstemp(path);
    FILE *out = fdopen(fd, "w");

    fputs(text, out);
    fclose(out);
    return arena_text(&arena, slice_of(path));
}

/* What a schema file says of a value file. */
static const char *trial(const char *schema, const char *part, const char *value, bool json,
                         int wanted)
{
    const char *path = written(schema), *value_path = written(value);
    struct buffer out = { 0 };

    int code = schema_report_value(path, part, value_path, json, &out);
    struct slice text = arena_copy(&arena, buffer_view(&out));
    buffer_finish(&out);
    remove(path);
    remove(value_path);
    cr_assert_eq(code, wanted, "%d: %s", code, text.data);
    return text.data;
}

static const char schema[] = "input:\n"
                             "  properties:\n"
                             "    list: {items: {type: integer}}\n"
                             "    size: {default: 5}\n"
                             "    pin: {secret: true, type: string}\n"
                             "  additionalProperties: false\n"
                             "tokens: {done: {type: boolean}}\n"
                             "children: {other: {output: {type: string}}}\n";

Test(check, a_wrong_value_is_told_with_its_line)
{
    const char *said = trial(schema, "input", "list:\n  - 1\n  - two\nlst: []\n", false, 2);

    assert_has(said, ":3:5: /list/1: expected an integer, got the string \"two\" [/tmp/");
    assert_has(said, ":3:20]\n");
    assert_has(said, ":4:1: expected no properties but list, size, pin, got \"lst\"; did you");
}

Test(check, each_part_can_be_tried)
{
    assert_has(trial(schema, "input", "list: [1]", false, 0), ": fits input of /tmp/");
    trial(schema, "output", "anything", false, 0);
    trial(schema, "tokens.done", "true", false, 0);
    trial(schema, "tokens.done", "1", false, 2);
    trial(schema, "children.other", "a", false, 0);
    trial(schema, "children.other", "1", false, 2);
    assert_has(trial(schema, "tokens.no", "1", false, 2), "there is no part tokens.no");
    assert_has(trial(schema, "children.no", "1", false, 2), "there is no part children.no");
    assert_has(trial(schema, "inputs", "1", false, 2), "there is no part inputs");
    assert_has(trial(schema, "input", "[1", false, 2), ": no valid YAML");
    assert_has(trial("inpt: true", "input", "1", false, 2), "did you mean input?");
}

Test(check, a_value_comes_back_as_the_task_would_get_it)
{
    struct value value = value_of(trial(schema, "input", "{pin: '1234'}", true, 0));

    cr_assert(value_find(&value, "valid")->boolean);
    cr_assert_str_eq(json_of(value_find(&value, "value")), "{\"pin\":\"[secret]\",\"size\":5}");
    value = value_of(trial(schema, "input", "{pin: 1234}", true, 2));
    const struct value *problem = &value_find(&value, "problems")->items[0];
    assert_has(json_of(value_find(problem, "place")), ":1:7\"");
}

Test(check, a_json_file_is_read_as_json)
{
    static const char text[] =
        "input: {type: object, properties: {x: {const: \"\xf0\x9d\x95\x8f\"},"
        " n: {maximum: 18446744073709551614}}}\n";
    char long_key[1200] = "{\"";

    trial(text, "input", "{\"x\": \"\\ud835\\udd4f\"}", false, 0);
    trial(text, "input", "{\"x\": \"\xf0\x9d\x95\x8f\"}", false, 0);
    trial(text, "input", "\xef\xbb\xbf{\"x\": \"\xf0\x9d\x95\x8f\"}", false, 0);
    trial(text, "input", "{\n\t\"x\": \"\\ud835\\udd4f\",\n\t\"del\\u0000\": \"\x7f\\/\"\n}",
          false, 2);
    trial(text, "input", "{\n\t\"x\": \"\\ud835\\udd4f\",\n\t\"del\": \"\x7f\\/\"\n}", false,
          0);
    memset(long_key + 2, 'k', 1100);
    strcat(long_key, "\": 1}");
    trial(text, "input", long_key, false, 0);
    assert_has(trial(text, "input", "{\n\t\"x\": \"\\ud835\\udd50\"}", false, 2),
               "/x: expected");
    assert_has(trial(text, "input", "{\"x\": \"\\ud835\"}", false, 2), "no valid YAML");
    trial(text, "input", "{\"n\": 18446744073709551614}", false, 0);
    trial(text, "input", "{\"n\": 18446744073709551615}", false, 2);
    assert_has(trial(text, "input", "{\"n\": 18446744073709551616}", false, 2),
               ":1:7: the number does not fit into 64 bits");
}

/* What a loop thread may do: never longer than a moment, and never another answer. */
Test(check, in_a_hurry_is_the_same_or_later)
{
    static const char text[] =
        "input:\n  properties:\n    n: {type: integer, minimum: 1}\n"
        "    slow: {type: string, pattern: '^(a|aa)+$'}\n    d: {default: 5}\n"
        "    list: {items: {type: integer}}\n";
    static const struct {
        const char *value;
        enum schema_quick answer;
    } cases[] = {
        { "{\"n\":1}", SCHEMA_FITS },
        { "{\"n\":0}", SCHEMA_REFUSES },
        { "{\"slow\":\"aaaa\"}", SCHEMA_FITS },
        { "{\"slow\":\"b\"}", SCHEMA_REFUSES },
        { "{\"slow\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"}",
          SCHEMA_LATER },
    };
    struct schema_file *file;
    struct problems problems = { 0 };

    cr_assert(schema_file_parse("a.yaml", SLICE(text), &file, &arena, &problems));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct problems found = { 0 };
        struct value value = value_of(cases[i].value);
        cr_expect_eq(schema_check_quick(schema_input(file), &value, &arena, &found),
                     cases[i].answer, "%s", cases[i].value);
        cr_expect_eq(found.count > 0, cases[i].answer == SCHEMA_REFUSES, "%s", cases[i].value);
        cr_expect(cases[i].answer != SCHEMA_FITS || value_find(&value, "d") != NULL);
    }
    struct buffer large = { 0 };
    buffer_text(&large, "{\"list\":[1");
    for (int i = 0; i < 100000; i++)
        buffer_text(&large, ",1");
    buffer_text(&large, "]}");
    struct value value = value_of(arena_text(&arena, buffer_view(&large)));
    cr_assert_eq(schema_check_quick(schema_input(file), &value, &arena, &problems),
                 SCHEMA_LATER);
    cr_assert_eq(problems.count, 0);
    cr_assert(schema_check(schema_input(file), &value, &arena, &problems));
    buffer_finish(&large);
    schema_file_destroy(file);
}
