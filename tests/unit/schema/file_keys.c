/* What a schema file says beside input, output and tokens; and its hash. */
#include "helper.h"

static const char *hash_of(const char *text)
{
    unsigned char hash[SCHEMA_HASH_BYTES];
    struct schema_file *file = file_of(text);
    struct buffer hex = { 0 };

    schema_file_hash(file, hash);
    schema_file_destroy(file);
    for (size_t i = 0; i < sizeof hash; i++)
        buffer_format(&hex, "%02x", hash[i]);
    const char *said = arena_text(&arena, buffer_view(&hex));
    buffer_finish(&hex);
    return said;
}

Test(file_keys, children_say_what_is_expected_of_their_output)
{
    struct schema_file *file =
        file_of("children:\n"
                "  month-report: {output: {type: object, required: [total]}}\n"
                "  other: {output: true}\n");
    struct value good = value_of("{\"total\": 1}"), bad = value_of("{}");
    struct problems problems = { 0 };
    const struct schema *schema = schema_child(file, SLICE("month-report"));

    cr_assert_eq(schema_child_count(file), 2);
    cr_assert(slice_is(schema_child_name(file, 0), "month-report"));
    cr_assert(schema_check(schema, &good, &arena, &problems));
    cr_assert_not(schema_check(schema, &bad, &arena, &problems));
    cr_assert_null(schema_child(file, SLICE("nobody")));
    cr_assert_eq(schema_child_count(NULL), 0);
    schema_file_destroy(file);
}

Test(file_keys, a_child_that_is_written_wrong_is_refused)
{
    assert_has(file_complaints("children: {a: {type: object}}"),
               "x.yaml:1:15: the child \"a\" needs the key output, a schema, and no other\n");
    assert_has(file_complaints("children: {a: {output: true, input: true}}"), "no other\n");
    assert_has(file_complaints("children: [a]"), "children must be a map");
    assert_has(file_complaints("children: {a: {output: {tpye: object}}}"),
               "did you mean type?");
}

Test(file_keys, a_child_may_refer_and_be_referred_to)
{
    struct schema_file *file = file_of("children:\n"
                                       "  a: {output: {$anchor: here, type: integer}}\n"
                                       "  b: {output: {$ref: \"#here\"}}\n");
    struct value value = value_of("\"x\"");
    struct problems problems = { 0 };

    cr_assert_not(schema_check(schema_child(file, SLICE("b")), &value, &arena, &problems));
    schema_file_destroy(file);
}

Test(file_keys, on_invalid_is_fail_or_warn)
{
    struct schema_file *silent = file_of("output: true"),
                       *fail = file_of("on_invalid: fail\noutput: true"),
                       *warn = file_of("on_invalid: warn\noutput: true");

    cr_assert_eq(schema_on_invalid(silent), SCHEMA_FAIL);
    cr_assert_eq(schema_on_invalid(fail), SCHEMA_FAIL);
    cr_assert_eq(schema_on_invalid(warn), SCHEMA_WARN);
    cr_assert_eq(schema_on_invalid(NULL), SCHEMA_FAIL);
    assert_has(file_complaints("on_invalid: ignore"), "x.yaml:1:13: on_invalid must be");
    assert_has(file_complaints("on_invalid: false"), "must be fail or warn");
    schema_file_destroy(silent);
    schema_file_destroy(fail);
    schema_file_destroy(warn);
}

/* Each pair means the same. */
Test(file_keys, the_hash_does_not_see_what_only_people_read)
{
    static const char *const pairs[][2] = {
        { "input: {type: object, required: [a, b], properties: {a: {type: string}, b: true}}",
          "# a comment\ninput:\n  title: T\n  properties:\n    b: true\n    a:\n"
          "      description: D\n      message: M\n      examples: [x]\n      $comment: C\n"
          "      type: string\n  required: [b, a]\n  type: object\nversion: 2\n" },
        { "input: {enum: [a, 1, {x: 1, y: 2}]}", "input: {enum: [1.0, {y: 2, x: 1}, a]}" },
        { "input: {$ref: \"#/$defs/a\"}\n$defs: {a: {type: string}}",
          "input: {$ref: \"#/$defs/b\"}\n$defs: {c: {type: integer}, b: {type: string}}" },
        { "input: {type: [string, \"null\"]}", "input: {type: [\"null\", string]}" },
        { "tokens: {a: true, b: {type: string}}", "tokens: {b: {type: string}, a: true}" },
        { "input: {dependentRequired: {a: [x, y], b: [z]}}",
          "input: {dependentRequired: {b: [z], a: [y, x]}}" },
        { "input: {patternProperties: {a: {type: string}, b: {type: integer}}}",
          "input: {patternProperties: {b: {type: integer}, a: {type: string}}}" },
        { "output: true\non_invalid: fail", "output: true" },
        { "input: {default: {a: 1, b: [2]}}", "input: {default: {b: [2.0], a: 1}}" },
    };

    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        cr_assert_str_eq(hash_of(pairs[i][0]), hash_of(pairs[i][1]), "%s\n%s", pairs[i][0],
                         pairs[i][1]);
}

/* No two of these mean the same. */
Test(file_keys, the_hash_sees_what_is_accepted_and_kept)
{
    static const char *const files[] = {
        "input: true",
        "input: false",
        "output: true",
        "output: true\non_invalid: warn",
        "tokens: {a: true}",
        "tokens: {b: true}",
        "children: {a: {output: true}}",
        "input: {type: string}",
        "input: {type: string, secret: true}",
        "input: {type: string, default: a}",
        "input: {type: string, default: b}",
        "input: {type: string, const: a}",
        "input: {type: string, enum: [a]}",
        "input: {type: string, enum: [a, b]}",
        "input: {minLength: 1}",
        "input: {maxLength: 1}",
        "input: {pattern: a}",
        "input: {pattern: b}",
        "input: {minimum: 1}",
        "input: {exclusiveMinimum: 1}",
        "input: {maximum: 1}",
        "input: {exclusiveMaximum: 1}",
        "input: {multipleOf: 1}",
        "input: {minimum: 1.5}",
        "input: {items: true}",
        "input: {items: false}",
        "input: {prefixItems: [false]}",
        "input: {contains: false}",
        "input: {contains: false, minContains: 2}",
        "input: {contains: false, maxContains: 2}",
        "input: {uniqueItems: true}",
        "input: {minItems: 1}",
        "input: {maxItems: 1}",
        "input: {unevaluatedItems: false}",
        "input: {required: [a]}",
        "input: {required: [a, b]}",
        "input: {properties: {a: false}}",
        "input: {properties: {a: false}, required: [a]}",
        "input: {patternProperties: {a: false}}",
        "input: {additionalProperties: false}",
        "input: {unevaluatedProperties: false}",
        "input: {propertyNames: false}",
        "input: {minProperties: 1}",
        "input: {maxProperties: 1}",
        "input: {dependentRequired: {a: [b]}}",
        "input: {dependentRequired: {b: [a]}}",
        "input: {dependentSchemas: {a: false}}",
        "input: {allOf: [false]}",
        "input: {anyOf: [false]}",
        "input: {oneOf: [false]}",
        "input: {not: false}",
        "input: {if: false}",
        "input: {if: false, then: false}",
        "input: {if: false, else: false}",
        "input: {$ref: \"#/$defs/a\"}\n$defs: {a: {type: string}}",
        "input: {$ref: \"#/$defs/a\"}\n$defs: {a: {type: integer}}",
    };
    enum { COUNT = sizeof files / sizeof files[0] };

    for (size_t i = 0; i < COUNT; i++)
        for (size_t j = 0; j < i; j++)
            cr_assert_str_neq(hash_of(files[i]), hash_of(files[j]), "%s\n%s", files[i],
                              files[j]);
}

/* The hash is kept with each run, so it must not change when the program does. */
Test(file_keys, the_hash_is_the_same_tomorrow)
{
    cr_assert_str_eq(hash_of("input: {type: object, properties: {a: {enum: [x, 1.5, null]}}}"),
                     "0fd29156b6f459f20d27a3c4471a64d6871ed7828463341400a41f79fe5d4aee");
}

Test(file_keys, a_file_that_is_referred_to_counts)
{
    char directory[] = "/tmp/bide-hash-XXXXXX";
    const char *said[2];

    cr_assert_not_null(mkdtemp(directory));
    struct slice one = arena_format(&arena, "%s/one.yaml", directory);
    struct slice two = arena_format(&arena, "%s/two.yaml", directory);
    for (int i = 0; i < 2; i++) {
        struct problems problems = { 0 };
        struct schema_file *file;
        unsigned char hash[SCHEMA_HASH_BYTES];
        FILE *out = fopen(one.data, "w");
        fputs("input: {$ref: \"two.yaml#/$defs/a\"}\n", out);
        fclose(out);
        out = fopen(two.data, "w");
        fprintf(out, "$defs: {a: {type: %s}}\n", i == 0 ? "string" : "integer");
        fclose(out);
        cr_assert(schema_file_load(one.data, &file, &arena, &problems), "%s",
                  problems_said(&problems));
        schema_file_hash(file, hash);
        said[i] = arena_copy(&arena, (struct slice){ (char *)hash, sizeof hash }).data;
        schema_file_destroy(file);
    }
    remove(one.data);
    remove(two.data);
    remove(directory);

    cr_assert_neq(memcmp(said[0], said[1], SCHEMA_HASH_BYTES), 0);
}
