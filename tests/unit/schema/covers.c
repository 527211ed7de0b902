/* Covering: proofs, examples that refute, and what is not decided. */
#include "helper.h"

static struct problems found;

/* Does a schema accept whatever another accepts? Both are the text below `input:`. */
static enum schema_answer covers(const char *wide, const char *narrow)
{
    struct slice wide_text =
        arena_format(&arena, "input:%s%s\n", wide[0] == '\n' ? "" : " ", wide);
    struct slice narrow_text =
        arena_format(&arena, "input:%s%s\n", narrow[0] == '\n' ? "" : " ", narrow);
    struct schema_file *wide_file = file_of(wide_text.data);
    struct schema_file *narrow_file = file_of(narrow_text.data);

    found = (struct problems){ 0 };
    enum schema_answer answer =
        schema_covers(schema_input(wide_file), schema_input(narrow_file), &arena, &found);
    cr_assert_eq(answer == SCHEMA_YES, found.count == 0,
                 "the answer and the problems must agree");
    schema_file_destroy(wide_file);
    schema_file_destroy(narrow_file);
    return answer;
}

static const char *answer_name(enum schema_answer answer)
{
    return answer == SCHEMA_YES ? "yes" : answer == SCHEMA_NO ? "no" : "unknown";
}

struct row {
    const char *wide, *narrow;
};

static void rows_check(const struct row *rows, size_t count, enum schema_answer wanted)
{
    for (size_t i = 0; i < count; i++) {
        enum schema_answer answer = covers(rows[i].wide, rows[i].narrow);
        cr_expect_eq(answer, wanted, "%s\n  over %s\n  is %s\n%s", rows[i].wide, rows[i].narrow,
                     answer_name(answer), problems_said(&found));
    }
}

#define ROWS(rows, wanted) rows_check((rows), sizeof(rows) / sizeof(rows)[0], (wanted))

Test(covers, what_is_proven)
{
    static const struct row rows[] = {
        { "{}", "{ type: string }" },
        { "true", "true" },
        { "{ type: string }", "false" },
        { "{ type: [string, 'null'] }", "{ type: string }" },
        { "{ type: number }", "{ type: integer }" },
        { "{ enum: [a, b, c] }", "{ enum: [c, a] }" },
        { "{ type: string, maxLength: 3 }", "{ enum: [a, abc] }" },
        { "{ enum: [1, 2, 3] }", "{ type: integer, minimum: 1, maximum: 3 }" },
        { "{ enum: [true, false, null] }", "{ type: [boolean, 'null'] }" },
        { "{ const: 1 }", "{ const: 1.0 }" },
        { "{ minimum: 1 }", "{ type: integer, exclusiveMinimum: 0 }" },
        { "{ exclusiveMinimum: 0 }", "{ type: integer, minimum: 0.5 }" },
        { "{ exclusiveMaximum: 5 }", "{ exclusiveMaximum: 5 }" },
        { "{ multipleOf: 0.01 }", "{ multipleOf: 0.05 }" },
        { "{ multipleOf: 0.5 }", "{ type: integer }" },
        { "{ type: string, minLength: 1 }", "{ type: string, minLength: 2, maxLength: 9 }" },
        { "{ type: string, pattern: ^a }", "{ type: string, pattern: ^a, minLength: 3 }" },
        { "{ type: string, format: date }", "{ type: string, format: date }" },
        { "{ type: array, items: { type: number } }",
          "{ type: array, items: { type: integer } }" },
        { "{ type: array, items: { type: number } }",
          "{ type: array, prefixItems: [{ type: integer }, { const: 2 }], items: false }" },
        { "{ type: array, maxItems: 3, uniqueItems: true }", "{ type: array, maxItems: 1 }" },
        { "{ type: array, items: { type: string } }", "{ type: array, maxItems: 0 }" },
        { "{ contains: { type: number } }",
          "{ type: array, contains: { type: integer }, minContains: 2 }" },
        { "{ contains: { type: integer }, minContains: 2 }",
          "{ type: array, minItems: 2, items: { type: integer } }" },
        { "{ type: object, properties: { a: { type: number } } }",
          "{ type: object, properties: { a: { type: integer } }, required: [a] }" },
        { "{ type: object, required: [a] }", "{ type: object, required: [b, a] }" },
        { "{ type: object, additionalProperties: { type: string } }",
          "{ type: object, properties: { a: { type: string } }, additionalProperties: false "
          "}" },
        { "{ type: object, properties: { a: true, b: true }, additionalProperties: false }",
          "{ type: object, properties: { a: true }, additionalProperties: false }" },
        { "{ type: object, patternProperties: { ^x-: { type: string } } }",
          "{ type: object, patternProperties: { ^x-: { type: string, minLength: 1 } } }" },
        { "{ type: object, patternProperties: { ^x-: true }, additionalProperties: false }",
          "{ type: object, properties: { x-a: true }, additionalProperties: false }" },
        { "{ type: object, maxProperties: 2 }",
          "{ type: object, properties: { a: true, b: true }, additionalProperties: false }" },
        { "{ type: object, minProperties: 1 }", "{ type: object, required: [a] }" },
        { "{ propertyNames: { maxLength: 5 } }",
          "{ type: object, propertyNames: { maxLength: 3 } }" },
        { "{ dependentRequired: { a: [b] } }", "{ type: object, required: [b] }" },
        { "{ dependentRequired: { a: [b] } }", "{ type: object, properties: { a: false } }" },
        { "{ dependentSchemas: { a: { required: [b] } } }",
          "{ type: object, dependentSchemas: { a: { required: [b, c] } } }" },
        { "{ anyOf: [{ type: string }, { type: number }] }", "{ type: [string, integer] }" },
        { "{ type: [string, number] }", "{ anyOf: [{ type: string }, { type: integer }] }" },
        { "{ anyOf: [{ type: string }, { type: number }, { type: 'null' }] }",
          "{ anyOf: [{ type: 'null' }, { type: string, minLength: 2 }] }" },
        { "{ allOf: [{ minimum: 1 }, { maximum: 5 }] }",
          "{ type: number, minimum: 2, maximum: 4 }" },
        { "{ type: number, minimum: 1 }", "{ allOf: [{ type: integer }, { minimum: 2 }] }" },
        { "{ oneOf: [{ type: string }, { type: number }] }",
          "{ oneOf: [{ type: string, minLength: 1 }, { type: integer }] }" },
        { "{ oneOf: [{ type: object, required: [k], properties: { k: { const: a }, v: { type: "
          "number } } },"
          " { type: object, required: [k], properties: { k: { const: b } } }] }",
          "{ oneOf: [{ type: object, required: [k], properties: { k: { const: a }, v: { type: "
          "integer } } },"
          " { type: object, required: [k], properties: { k: { const: b } } }] }" },
        { "{ not: { type: string } }", "{ type: [integer, object] }" },
        { "{ not: { minimum: 10 } }", "{ type: number, maximum: 9 }" },
        { "{ not: { required: [a] } }", "{ type: object, properties: { a: false } }" },
        { "{ type: number }", "{ type: [number, string], not: { type: string } }" },
        { "{ if: { type: string }, then: { minLength: 1 }, else: { type: number } }",
          "{ anyOf: [{ type: integer }, { type: string, minLength: 4 }] }" },
        { "{ type: object, required: [b] }",
          "{ type: object, required: [a], if: { required: [a] }, then: { required: [b] } }" },
        { "{ type: string }", "{ type: integer, allOf: [{ minimum: 5 }, { maximum: 4 }] }" },
        { "{ type: string }", "{ type: object, required: [a], properties: { a: false } }" },
        { "{ unevaluatedProperties: true }", "{ type: object }" },
        { "{ allOf: [{ properties: { a: true } }], properties: { b: true },"
          " unevaluatedProperties: false }",
          "{ type: object, properties: { a: { type: string } }, additionalProperties: false "
          "}" },
        { "{ allOf: [{ properties: { a: true } }], properties: { b: { minLength: 1 } },"
          " unevaluatedProperties: false }",
          "{ type: object, allOf: [{ properties: { a: true } }],"
          " properties: { b: { type: string, minLength: 2 } }, unevaluatedProperties: false "
          "}" },
        { "{ type: array, prefixItems: [true], unevaluatedItems: { type: number } }",
          "{ type: array, prefixItems: [{ type: string }], items: { type: integer } }" },
        { "{ type: array, items: { type: number } }",
          "{ type: array, unevaluatedItems: { type: integer } }" },
    };

    ROWS(rows, SCHEMA_YES);
}

Test(covers, what_is_refuted)
{
    static const struct row rows[] = {
        { "false", "{ type: string }" },
        { "{ type: string }", "{}" },
        /* Only objects must have members. */
        { "{ maxLength: 0 }", "{ required: [c], dependentSchemas: { c: { type: number } } }" },
        { "{ type: integer }", "{ type: number }" },
        { "{ type: string }", "{ type: [string, 'null'] }" },
        { "{ enum: [a, b] }", "{ enum: [a, b, c] }" },
        { "{ enum: [a, b] }", "{ type: string }" },
        { "{ minimum: 1 }", "{ type: integer, minimum: 0 }" },
        { "{ exclusiveMinimum: 0 }", "{ type: number, minimum: 0 }" },
        { "{ maximum: 100 }", "{ type: integer, maximum: 101, minimum: 50 }" },
        { "{ multipleOf: 5 }", "{ type: integer, multipleOf: 2 }" },
        { "{ minLength: 2 }", "{ type: string, minLength: 1 }" },
        { "{ maxLength: 63 }", "{ type: string, maxLength: 64 }" },
        { "{ pattern: '^[a-z]+$' }", "{ type: string, pattern: '^[a-z0-9]+$' }" },
        { "{ pattern: '^https://' }",
          "{ type: string, pattern: '^https?://', maxLength: 100 }" },
        { "{ format: uuid }", "{ type: string, format: date }" },
        { "{ maxItems: 2 }", "{ type: array, items: { type: integer } }" },
        { "{ minItems: 1 }", "{ type: array }" },
        { "{ uniqueItems: true }", "{ type: array, items: { type: string }, minItems: 2 }" },
        { "{ items: { type: string } }", "{ type: array, items: { type: [string, 'null'] } }" },
        { "{ contains: { const: 5 } }", "{ type: array }" },
        { "{ type: object, required: [a] }", "{ type: object, properties: { a: true } }" },
        { "{ properties: { a: { minimum: 1 } } }",
          "{ type: object, required: [a, b], properties: { a: { type: integer, minimum: 0 }, "
          "b: { type: string, format: uuid } }, additionalProperties: false }" },
        { "{ type: object, properties: { a: true }, additionalProperties: false }",
          "{ type: object, properties: { a: true, b: true }, additionalProperties: false }" },
        { "{ type: object, properties: { a: true }, additionalProperties: false }",
          "{ type: object }" },
        { "{ patternProperties: { ^x-: { type: string } } }", "{ type: object }" },
        { "{ propertyNames: { pattern: '^[a-z]+$' } }", "{ type: object }" },
        { "{ maxProperties: 1 }", "{ type: object, maxProperties: 3 }" },
        { "{ dependentRequired: { a: [b] } }", "{ type: object }" },
        { "{ anyOf: [{ type: string }, { type: integer }] }", "{ type: [string, number] }" },
        { "{ oneOf: [{ type: number }, { type: integer }] }", "{ type: number }" },
        { "{ oneOf: [{ type: object, required: [k], properties: { k: { const: a }, v: { type: "
          "integer } } },"
          " { type: object, required: [k], properties: { k: { const: b } } }] }",
          "{ oneOf: [{ type: object, required: [k], properties: { k: { const: a }, v: { type: "
          "number } } },"
          " { type: object, required: [k], properties: { k: { const: b } } }] }" },
        { "{ not: { type: string } }", "{ type: [integer, string] }" },
        { "{ if: { type: string }, then: { minLength: 2 } }", "{ type: string }" },
        { "{ type: object, required: [a, b] }",
          "{ type: object, required: [a], if: { required: [c] }, then: { required: [b] } }" },
        { "{ type: object, properties: { a: true }, unevaluatedProperties: false }",
          "{ type: object }" },
        { "{ type: object, allOf: [{ properties: { a: true } }], unevaluatedProperties: false "
          "}",
          "{ type: object, properties: { a: true, b: true }, unevaluatedProperties: false }" },
    };

    ROWS(rows, SCHEMA_NO);
}

/* Schemas that lead back to themselves. */
Test(covers, recursion_ends)
{
    static const char tree[] =
        "\n  $ref: '#/$defs/tree'\n$defs:\n  tree:\n    type: object\n"
        "    required: [value]\n    properties:\n"
        "      value: { type: number }\n"
        "      children: { type: array, items: { $ref: '#/$defs/tree' } }";
    static const char whole[] = "\n  $ref: '#/$defs/node'\n$defs:\n  node:\n    type: object\n"
                                "    required: [value]\n    properties:\n"
                                "      value: { type: integer }\n"
                                "      children:\n        type: array\n        maxItems: 3\n"
                                "        items: { $ref: '#/$defs/node' }";

    cr_assert_eq(covers(tree, tree), SCHEMA_YES, "%s", problems_said(&found));
    cr_assert_eq(covers(tree, whole), SCHEMA_YES, "%s", problems_said(&found));
    cr_assert_eq(covers(whole, tree), SCHEMA_NO, "%s", problems_said(&found));
    assert_has(problems_said(&found), "value");
}

/* No value is without end, so this one has none. */
Test(covers, what_never_ends_has_no_values)
{
    static const char endless[] = "\n  $ref: '#/$defs/a'\n$defs:\n  a:\n    type: object\n"
                                  "    required: [next]\n    properties:\n"
                                  "      next: { $ref: '#/$defs/a' }";

    cr_assert_eq(covers("{ type: string }", endless), SCHEMA_YES, "%s", problems_said(&found));
}

Test(covers, the_problem_says_where_and_for_which_value)
{
    cr_assert_eq(
        covers("\n  type: object\n  properties:\n    amount: { type: integer, minimum: 5 }",
               "\n  type: object\n  required: [amount]\n  properties:\n"
               "    amount: { type: integer, minimum: 1 }"),
        SCHEMA_NO);

    cr_assert(slice_is(found.first->pointer, "/amount"));
    cr_assert(slice_is(found.first->keyword, "minimum"));
    cr_assert_eq(found.first->line, 4);
    cr_assert(slice_is(found.first->got, "{\"amount\":1}"), "%.*s",
              SLICE_ARG(found.first->got));
    cr_assert_eq(found.count, 1, "%s", problems_said(&found));
}

Test(covers, all_differences_are_told)
{
    cr_assert_eq(covers("{ type: object, required: [a], properties: { a: { type: string },"
                        " b: { type: string } }, additionalProperties: false }",
                        "{ type: object, properties: { a: { type: [string, 'null'] },"
                        " b: { type: integer }, c: true } }"),
                 SCHEMA_NO);

    assert_has(problems_said(&found), "\"a\"");
    assert_has(problems_said(&found), "/a");
    assert_has(problems_said(&found), "/b");
    assert_has(problems_said(&found), "\"c\"");
}

/* Absent schemas accept everything. */
Test(covers, no_schema_is_a_wide_one)
{
    struct schema_file *file = file_of("input: { type: string }\n");

    found = (struct problems){ 0 };
    cr_assert_eq(schema_covers(NULL, schema_input(file), &arena, &found), SCHEMA_YES);
    cr_assert_eq(schema_covers(NULL, NULL, &arena, &found), SCHEMA_YES);
    cr_assert_eq(schema_covers(schema_input(file), NULL, &arena, &found), SCHEMA_NO);
    cr_assert_geq(found.count, 1);
    schema_file_destroy(file);
}

Test(covers, what_cannot_be_told_says_so)
{
    cr_assert_eq(covers("{ type: string, pattern: '^(a|b)+$' }",
                        "{ type: string, pattern: '^(b|a)+$' }"),
                 SCHEMA_UNKNOWN);
    assert_has(problems_said(&found), "cannot tell");
}
