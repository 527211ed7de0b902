/* Values against schemas: what passes, and what is said about the rest. */
#include "helper.h"

struct row {
    const char *schema, *good, *bad; /* good and bad: values of a JSON list, all of a kind */
};

static void assert_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct value good = value_of(rows[i].good), bad = value_of(rows[i].bad);
        for (uint32_t j = 0; j < good.count; j++) {
            const char *said = complaints(rows[i].schema, json_of(&good.items[j]));
            cr_assert_str_empty(said, "%s: %s: %s", rows[i].schema, json_of(&good.items[j]),
                                said);
        }
        for (uint32_t j = 0; j < bad.count; j++)
            cr_assert(complaints(rows[i].schema, json_of(&bad.items[j]))[0] != '\0',
                      "%s accepts %s", rows[i].schema, json_of(&bad.items[j]));
    }
}

Test(validate, each_keyword_takes_and_refuses)
{
    static const struct row rows[] = {
        { "true", "[null, 1]", "[]" },
        { "false", "[]", "[null, 1]" },
        { "{type: integer}", "[1, 1.0, -5, 1e300]", "[1.5, \"1\", null]" },
        { "{type: number}", "[1, 1.5]", "[\"1\", true]" },
        { "{type: [string, \"null\"]}", "[\"a\", null]", "[1, []]" },
        { "{enum: [a, 1, {x: [2]}]}", "[\"a\", 1.0, {\"x\": [2]}]",
          "[\"b\", 2, {\"x\": [3]}]" },
        { "{const: {a: 1, b: 2}}", "[{\"b\": 2, \"a\": 1.0}]", "[{\"a\": 1}, null]" },
        { "{minimum: 1, maximum: 3}", "[1, 3, 2.5, \"x\"]", "[0, 3.01]" },
        { "{exclusiveMinimum: 1, exclusiveMaximum: 3}", "[1.01, 2]", "[1, 3]" },
        { "{multipleOf: 0.01}", "[19.99, 0, 5]", "[0.001]" },
        { "{minLength: 2, maxLength: 3}", "[\"ab\", \"äöü\", 5]", "[\"a\", \"abcd\"]" },
        { "{pattern: \"^[a-z]+$\"}", "[\"ab\", 5]", "[\"A\", \"\"]" },
        { "{items: {type: integer}}", "[[], [1, 2], 5]", "[[1, \"x\"]]" },
        { "{prefixItems: [{type: integer}], items: false}", "[[], [1]]", "[[\"a\"], [1, 2]]" },
        { "{minItems: 1, maxItems: 2}", "[[1], [1, 2]]", "[[], [1, 2, 3]]" },
        { "{uniqueItems: true}", "[[1, \"1\", [1], {\"a\": 1}]]",
          "[[1, 1.0], [{\"a\": 1, \"b\": 2}, {\"b\": 2, \"a\": 1}]]" },
        { "{contains: {const: 1}, maxContains: 2}", "[[1], [1, 1, 2]]",
          "[[], [2], [1, 1, 1]]" },
        { "{required: [a]}", "[{\"a\": null}, 5]", "[{}]" },
        { "{properties: {a: {type: string}}}", "[{}, {\"a\": \"x\"}, {\"b\": 1}]",
          "[{\"a\": 1}]" },
        { "{properties: {a: true}, patternProperties: {^x: {type: integer}}, "
          "additionalProperties: false}",
          "[{\"a\": 1, \"x1\": 2}]", "[{\"b\": 1}, {\"x1\": \"s\"}]" },
        { "{minProperties: 1, maxProperties: 2}", "[{\"a\": 1}]",
          "[{}, {\"a\": 1, \"b\": 2, \"c\": 3}]" },
        { "{propertyNames: {maxLength: 2}}", "[{\"ab\": 1}]", "[{\"abc\": 1}]" },
        { "{dependentRequired: {a: [b]}}", "[{\"b\": 1}, {\"a\": 1, \"b\": 2}]",
          "[{\"a\": 1}]" },
        { "{dependentSchemas: {a: {maxProperties: 1}}}", "[{\"a\": 1}]",
          "[{\"a\": 1, \"b\": 1}]" },
        { "{allOf: [{minimum: 1}, {maximum: 2}]}", "[1, 2]", "[0, 3]" },
        { "{anyOf: [{type: string}, {minimum: 5}]}", "[\"a\", 5]", "[4]" },
        { "{oneOf: [{multipleOf: 2}, {multipleOf: 3}]}", "[2, 3]", "[6, 5]" },
        { "{not: {type: string}}", "[1]", "[\"a\"]" },
        { "{if: {properties: {k: {const: a}}, required: [k]}, then: {required: [x]}, "
          "else: {required: [y]}}",
          "[{\"k\": \"a\", \"x\": 1}, {\"y\": 1}]",
          "[{\"k\": \"a\"}, {\"k\": \"b\", \"x\": 1}]" },
        { "{allOf: [{properties: {a: true}}], unevaluatedProperties: false}", "[{\"a\": 1}]",
          "[{\"b\": 1}]" },
        { "{prefixItems: [true], unevaluatedItems: {type: integer}}", "[[\"a\", 1]]",
          "[[1, \"a\"]]" },
    };

    assert_rows(rows, sizeof rows / sizeof rows[0]);
}

Test(validate, many_items_are_compared_by_hash)
{
    struct buffer text = { 0 };

    buffer_text(&text, "[");
    for (int i = 0; i < 1000; i++)
        buffer_format(&text, "{\"id\":%d,\"name\":\"n%d\"},", i, i % 10);
    size_t size = text.size;
    buffer_text(&text, "{\"name\":\"n7\",\"id\":1000}]");
    buffer_byte(&text, '\0');
    assert_valid("{uniqueItems: true}", text.data);
    text.size = size;
    buffer_text(&text, "{\"name\":\"n7\",\"id\":507.0}]");
    buffer_byte(&text, '\0');

    assert_has(complaints("{uniqueItems: true}", text.data),
               "got items 507 and 1000 that are equal");
    buffer_finish(&text);
}

Test(validate, recursion_follows_the_value)
{
    struct schema_file *file =
        file_of("input: {$ref: \"#/$defs/tree\"}\n"
                "$defs:\n  tree:\n    type: object\n    required: [name]\n    properties:\n"
                "      name: {type: string}\n      children: {type: array, items: {$ref: "
                "\"#/$defs/tree\"}}\n");
    struct value good =
        value_of("{\"name\":\"a\",\"children\":[{\"name\":\"b\",\"children\":[]}]}");
    struct value bad =
        value_of("{\"name\":\"a\",\"children\":[{\"name\":\"b\"},{\"children\":[{}]}]}");
    struct problems problems = { 0 };

    cr_assert(schema_check(schema_input(file), &good, &arena, &problems));
    cr_assert_not(schema_check(schema_input(file), &bad, &arena, &problems));

    cr_assert_eq(problems.count, 2);
    assert_has(problems_said(&problems), "/children/1: expected the property \"name\"");
    assert_has(problems_said(&problems),
               "/children/1/children/0: expected the property \"name\"");
    schema_file_destroy(file);
}

Test(validate, a_reference_leads_to_the_file_beside)
{
    char directory[] = "/tmp/bide-schema-XXXXXX";
    cr_assert_not_null(mkdtemp(directory));
    struct slice common = arena_format(&arena, "%s/common.yaml", directory);
    struct slice main = arena_format(&arena, "%s/main.yaml", directory);
    FILE *out = fopen(common.data, "w");
    fputs("$defs:\n  id: {type: string, maxLength: 3}\n", out);
    fclose(out);
    out = fopen(main.data, "w");
    fputs("input: {properties: {id: {$ref: \"common.yaml#/$defs/id\"}}}\n", out);
    fclose(out);
    struct problems problems = { 0 };
    struct schema_file *file;
    struct value value = value_of("{\"id\":\"long\"}");

    bool loaded = schema_file_load(main.data, &file, &arena, &problems);
    remove(common.data);
    remove(main.data);
    remove(directory);

    cr_assert(loaded, "%s", problems_said(&problems));
    cr_assert_not(schema_check(schema_input(file), &value, &arena, &problems));
    assert_has(problems_said(&problems),
               "common.yaml:2:22: /id: expected at most 3 characters");
    schema_file_destroy(file);
}

/* ---- what is said -------------------------------------------------------------------------
 */

Test(validate, every_problem_is_told_with_its_place)
{
    struct schema_file *file =
        file_of("input:\n  type: object\n  required: [id]\n  properties:\n"
                "    n:\n      type: integer\n      minimum: 1\n"
                "    list: {items: {type: string}}\n");
    struct value value = value_of("{\"n\":0,\"list\":[\"a\",5,null]}");
    struct problems problems = { 0 };

    cr_assert_not(schema_check(schema_input(file), &value, &arena, &problems));

    cr_assert_eq(problems.count, 4);
    const struct problem *first = problems.first;
    cr_assert(slice_is(first->pointer, "/n"));
    cr_assert(slice_is(first->expected, "an integer >= 1"));
    cr_assert(slice_is(first->got, "0"));
    cr_assert(slice_is(first->keyword, "minimum"));
    cr_assert(slice_is(first->file, "x.yaml"));
    cr_assert_eq(first->line, 7);
    cr_assert_eq(first->column, 7);
    cr_assert(slice_is(first->message, "/n: expected an integer >= 1, got 0"));
    cr_assert(slice_is(first->next->pointer, "/list/1"));
    schema_file_destroy(file);
}

Test(validate, problems_become_a_value_and_text)
{
    struct schema_file *file = file_of("input: {type: string}\n");
    struct value value = value_int(5);
    struct problems problems = { 0 };

    cr_assert_not(schema_check(schema_input(file), &value, &arena, &problems));
    struct value told = problems_value(&arena, &problems);

    cr_assert_str_eq(json_of(&told),
                     "{\"problems\":[{\"pointer\":\"\",\"expected\":\"a string\",\"got\":\"5\","
                     "\"message\":\"expected a string, got "
                     "5\",\"keyword\":\"type\",\"schema\":\"x.yaml:1:9\"}]}");
    cr_assert_str_eq(problems_said(&problems), "x.yaml:1:9: expected a string, got 5\n");
    schema_file_destroy(file);
}

Test(validate, messages_are_for_a_person)
{
    static const char *const cases[][3] = {
        { "{type: string, maxLength: 2, description: the code}", "\"abc\"",
          "expected at most 2 characters, got 3 (the string \"abc\") (the code)" },
        { "{enum: [red, green]}", "\"blue\"",
          "expected one of \"red\", \"green\", got the string \"blue\"" },
        { "{const: 5}", "6", "expected 5, got 6" },
        { "{pattern: \"^a\", message: must begin with a}", "\"b\"",
          "must begin with a (expected a string that matches ^a, got the string \"b\")\n" },
        { "{properties: {order_id: true}, additionalProperties: false}", "{\"orderid\": 1}",
          "expected no properties but order_id, got \"orderid\"; did you mean order_id?" },
        { "{required: [by], properties: {by: {type: string}}}", "{}",
          "expected the property \"by\" (a string), got nothing" },
        { "{anyOf: [{type: string}, {type: integer, minimum: 3}]}", "null",
          "expected a string or an integer >= 3, got null" },
        { "{oneOf: [{type: integer}, {minimum: 2}]}", "3", "number 1 and number 2" },
        { "{not: {type: string}}", "\"a\"", "expected anything but a string" },
        { "{type: string}", "[1, 2]", "got an array of 2 items" },
        { "{maxLength: 5}",
          "\"abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc\"",
          "abcdefghij\"…)" },
        { "{properties: {amount_cents: true}, additionalProperties: false}", "{\"amount\": 1}",
          "got \"amount\"; did you mean amount_cents?" },
        { "{allOf: [{properties: {items: true}}], unevaluatedProperties: false}",
          "{\"itmes\": 1}",
          "expected no properties but those that a schema here speaks of, got \"itmes\"; did "
          "you mean items?" },
        { "{prefixItems: [true], unevaluatedItems: false}", "[1, 2]",
          "expected no items but those that a schema here speaks of, got item 1" },
        { "{propertyNames: {pattern: ^x}}", "{\"a\": 1}",
          "expected every name to be a string that matches ^x, got the name \"a\"" },
        { "{propertyNames: {maxLength: 2, message: short names}}", "{\"abc\": 1}",
          "short names (expected every name to be a string of at most 2 characters" },
        { "{anyOf: [{type: string}, {type: integer}], message: a name or a number}", "null",
          "a name or a number (expected a string or an integer, got null)" },
        { "{$ref: \"#/$defs/a\", message: outer}\n$defs: {a: {type: string}}", "1",
          "outer (expected a string, got 1)" },
        { "{$ref: \"#/$defs/a\", message: outer}\n$defs: {a: {type: string, message: own}}",
          "1", "own (expected a string, got 1)" },
        { "{message: whole, properties: {a: {type: string}}}", "{\"a\": 1}",
          ": /a: expected a string, got 1\n" },
        { "{message: no shoes, required: [a, b]}", "{\"b\": 1}",
          "no shoes (expected the property \"a\", got nothing)" },
        { "{type: object}", "\"\\u0001\\\"\"", "the string \"\\u0001\\\"\"" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_has(complaints(cases[i][0], cases[i][1]), cases[i][2]);
}

/* The branch whose tag fits is the one that was meant. */
Test(validate, the_nearest_branch_is_explained)
{
    const char *schema =
        "{oneOf: [{type: object, required: [kind, url], properties: {kind: {const: http}, "
        "url: {type: string}}}, {type: object, required: [kind, to], properties: "
        "{kind: {const: mail}, to: {type: string}, cc: {type: string}}}]}";
    const char *said = complaints(schema, "{\"kind\": \"mail\", \"cc\": 5}");

    assert_has(said, "/cc: expected a string, got 5");
    assert_has(said, "expected the property \"to\"");
    cr_assert_null(strstr(said, "url"));
}

/* What is left over is told beside what is wrong, as long as no branch failed that might know
 * it. */
Test(validate, a_misspelt_property_is_told_with_the_others)
{
    const char *said = complaints("{properties: {a: {type: string}}, allOf: [{properties: {b: "
                                  "true}}], unevaluatedProperties: false}",
                                  "{\"a\": 1, \"b\": 1, \"c\": 1}");

    assert_has(said, "/a: expected a string, got 1\n");
    assert_has(said, "got \"c\"\n");
    cr_assert_null(strstr(said, "\"b\""), "%s", said);
}

Test(validate, pointers_are_escaped)
{
    assert_has(complaints("{additionalProperties: {type: string}}", "{\"a/b~c\": {}}"),
               ": /a~1b~0c: ");
}

Test(validate, problems_are_counted_to_a_limit)
{
    struct buffer text = { 0 };

    buffer_text(&text, "[");
    for (int i = 0; i < 1000; i++)
        buffer_text(&text, i == 0 ? "1" : ",1");
    buffer_text(&text, "]");
    buffer_byte(&text, '\0');

    assert_has(complaints("{items: {type: string}}", text.data), "only the first 100 problems");
    buffer_finish(&text);
}

/* What is thrown away must not have been written first: a payload may be wrong a million times.
 */
Test(validate, a_million_mistakes_cost_no_memory)
{
    enum { COUNT = 1000000, BYTES_AT_MOST = 1 << 20 };
    static const char *const schemas[] = {
        "{items: {type: string}}", "{items: {anyOf: [{type: string}, {required: [a]}]}}",
        "{items: {type: string, minLength: 5, pattern: x}}", "{items: {const: 1, not: true}}"
    };
    struct value list = value_list(), item = value_map();

    list.items = ARENA_ARRAY(&arena, struct value, COUNT);
    for (list.count = 0; list.count < COUNT; list.count++)
        list.items[list.count] = item;
    for (size_t i = 0; i < sizeof schemas / sizeof schemas[0]; i++) {
        struct slice text = arena_format(&arena, "input: %s\n", schemas[i]);
        struct schema_file *file = file_of(text.data);
        struct problems problems = { 0 };
        struct arena scratch = { 0 };

        cr_assert_not(schema_check(schema_input(file), &list, &scratch, &problems));
        cr_assert_eq(problems.count, PROBLEMS_MAX);
        cr_assert(problems.cut);
        cr_assert_lt(scratch.used_bytes, BYTES_AT_MOST, "%zu", scratch.used_bytes);
        arena_finish(&scratch);
        schema_file_destroy(file);
    }
}

Test(validate, binary_data_is_text_without_a_pattern)
{
    struct value bytes = { .kind = VALUE_BYTES, .bytes = SLICE("\xff\x00\x01") };
    struct problems problems = { 0 };
    struct schema_file *plain = file_of("input: {type: string, maxLength: 3}\n");
    struct schema_file *pattern = file_of("input: {pattern: .}\n");

    cr_assert(schema_check(schema_input(plain), &bytes, &arena, &problems));
    cr_assert_not(schema_check(schema_input(pattern), &bytes, &arena, &problems));
    schema_file_destroy(plain);
    schema_file_destroy(pattern);
}

/* ---- limits -------------------------------------------------------------------------------
 */

/* 2^40 visits, were nobody counting. */
Test(validate, steps_are_bounded)
{
    struct buffer text = { 0 };

    buffer_text(&text, "$defs:\n  a0: {type: string}\n");
    for (int i = 1; i < 40; i++)
        buffer_format(&text,
                      "  a%d: {allOf: [{$ref: \"#/$defs/a%d\"}, {$ref: \"#/$defs/a%d\"}]}\n", i,
                      i - 1, i - 1);
    buffer_text(&text, "input: {$ref: \"#/$defs/a39\"}\n");
    struct slice copy = arena_copy(&arena, buffer_view(&text));
    struct schema_file *file = file_of(copy.data);
    struct value value = value_text("x");
    struct problems problems = { 0 };

    cr_assert_not(schema_check(schema_input(file), &value, &arena, &problems));
    assert_has(problems_said(&problems), "takes too long to check");
    schema_file_destroy(file);
    buffer_finish(&text);
}

/* Neither may a limit inside `not` turn into a yes. */
Test(validate, a_limit_inside_not_is_no_yes)
{
    struct buffer json = { 0 };

    buffer_byte(&json, '"');
    for (int i = 0; i < 5000; i++)
        buffer_byte(&json, 'a');
    buffer_text(&json, "!\"");
    buffer_byte(&json, '\0');

    assert_invalid("{not: {pattern: \"^(a+)+$\"}}", json.data);
    assert_invalid("{pattern: \"^(a+)+$\"}", json.data);
    buffer_finish(&json);
}

Test(validate, a_chain_of_references_deeper_than_the_limit_is_refused)
{
    struct buffer text = { 0 };

    buffer_text(&text, "$defs:\n  a0: true\n");
    for (int i = 1; i < 3000; i++)
        buffer_format(&text, "  a%d: {$ref: \"#/$defs/a%d\"}\n", i, i - 1);
    buffer_text(&text, "input: {$ref: \"#/$defs/a2999\"}\n");
    struct slice copy = arena_copy(&arena, buffer_view(&text));
    struct schema_file *file = file_of(copy.data);
    struct value value = value_text("x");
    struct problems problems = { 0 };

    cr_assert_not(schema_check(schema_input(file), &value, &arena, &problems));
    schema_file_destroy(file);
    buffer_finish(&text);
}

/* ---- defaults -----------------------------------------------------------------------------
 */

static void assert_defaults(const char *schema, const char *json, const char *wanted)
{
    struct slice text = arena_format(&arena, "input: %s\n", schema);
    struct schema_file *file = file_of(text.data);
    struct value value = value_of(json);
    struct problems problems = { 0 };

    cr_assert(schema_check(schema_input(file), &value, &arena, &problems), "%s",
              problems_said(&problems));
    cr_assert_str_eq(json_of(&value), wanted, "%s: %s", schema, json_of(&value));
    schema_file_destroy(file);
}

Test(defaults, absent_properties_get_theirs)
{
    static const char *const cases[][3] = {
        { "{properties: {a: {default: 1}, b: {default: [x]}}}", "{}",
          "{\"a\":1,\"b\":[\"x\"]}" },
        { "{properties: {a: {default: 1}}}", "{\"a\":null}", "{\"a\":null}" },
        { "{properties: {a: {default: 1}}}", "5", "5" },
        { "{properties: {a: {default: {}, properties: {b: {default: 2}}}}}", "{}",
          "{\"a\":{\"b\":2}}" },
        { "{properties: {a: {properties: {b: {default: 2}}}}}", "{}", "{}" },
        { "{properties: {a: {properties: {b: {default: 2}}}}}", "{\"a\":{}}",
          "{\"a\":{\"b\":2}}" },
        { "{items: {properties: {a: {default: 1}}}}", "[{},{\"a\":2}]",
          "[{\"a\":1},{\"a\":2}]" },
        { "{additionalProperties: {properties: {a: {default: 1}}}}", "{\"x\":{}}",
          "{\"x\":{\"a\":1}}" },
        { "{patternProperties: {^x: {properties: {a: {default: 1}}}}}", "{\"x\":{}}",
          "{\"x\":{\"a\":1}}" },
        { "{allOf: [{properties: {a: {default: 1}}}]}", "{}", "{\"a\":1}" },
        { "{anyOf: [{required: [q]}, {properties: {a: {default: 1}}}]}", "{}", "{\"a\":1}" },
        { "{oneOf: [{properties: {k: {const: 1}, a: {default: 1}}}, {properties: {k: {const: "
          "2}, "
          "b: {default: 2}}, required: [k]}]}",
          "{\"k\":2}", "{\"k\":2,\"b\":2}" },
        { "{if: {required: [q]}, then: {properties: {a: {default: 1}}}, else: {properties: {b: "
          "{default: 2}}}}",
          "{}", "{\"b\":2}" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_defaults(cases[i][0], cases[i][1], cases[i][2]);
}

Test(defaults, many_more_than_there_is_room_for)
{
    struct buffer schema = { 0 }, json = { 0 };

    buffer_text(&schema, "{properties: {");
    buffer_text(&json, "{\"x\":1,\"y\":2,\"z\":3");
    for (int i = 0; i < 100; i++) {
        buffer_format(&schema, "p%d: {default: %d}, ", i, i);
        buffer_format(&json, ",\"p%d\":%d", i, i);
    }
    buffer_text(&schema, "}}");
    buffer_byte(&schema, '\0');
    buffer_text(&json, "}");
    buffer_byte(&json, '\0');

    assert_defaults(schema.data, "{\"x\":1,\"y\":2,\"z\":3}", json.data);
    buffer_finish(&schema);
    buffer_finish(&json);
}

Test(defaults, a_default_behind_a_reference_counts)
{
    struct schema_file *file = file_of("input: {properties: {a: {$ref: \"#/$defs/n\"}}}\n"
                                       "$defs: {n: {type: integer, default: 7}}\n");
    struct value value = value_of("{}");
    struct problems problems = { 0 };

    cr_assert(schema_check(schema_input(file), &value, &arena, &problems));
    cr_assert_str_eq(json_of(&value), "{\"a\":7}");
    schema_file_destroy(file);
}

/* A value that is refused stays as it came. */
Test(defaults, nothing_is_put_into_a_wrong_value)
{
    struct schema_file *file =
        file_of("input: {required: [q], properties: {a: {default: 1}}}\n");
    struct value value = value_of("{}");
    struct problems problems = { 0 };

    cr_assert_not(schema_check(schema_input(file), &value, &arena, &problems));
    cr_assert_str_eq(json_of(&value), "{}");
    schema_file_destroy(file);
}
