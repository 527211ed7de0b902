/*
 * Schemas and values that mean harm: each ends after a bounded number of steps, with an answer
 * or a refusal. Steps are counted rather than seconds, since machines differ.
 */
#include "helper.h"
#include "schema/check/validate.h"

static struct buffer text;

static const char *text_end(void)
{
    buffer_byte(&text, '\0');
    const char *copy = arena_text(&arena, (struct slice){ text.data, text.size - 1 });
    buffer_finish(&text);
    return copy;
}

static void text_repeat(const char *part, int count)
{
    for (int i = 0; i < count; i++)
        buffer_text(&text, part);
}

struct outcome {
    bool fine;
    int64_t steps;
};

/* One pass of yes or no. */
static struct outcome outcome_of(const char *schema, const struct value *value)
{
    struct schema_file *file = file_of(arena_format(&arena, "input: %s\n", schema).data);
    struct spot root = { .value = value };
    struct check check;

    check_init(&check, &arena);
    bool fine = schema_visit(&check, schema_input(file), &root, NULL, NULL) && !check.is_over;
    int64_t steps = CHECK_MAX_STEPS - check.steps;
    check_finish(&check);
    schema_file_destroy(file);
    return (struct outcome){ fine, steps };
}

static struct value list_of(uint32_t count, struct value (*item)(uint32_t))
{
    struct value list = value_list();

    for (uint32_t i = 0; i < count; i++)
        value_add(&arena, &list, item(i));
    return list;
}

static struct value number_item(uint32_t i)
{
    return value_int(i);
}

static struct value nested_item(uint32_t i)
{
    struct value map = value_map();

    value_put(&arena, &map, "id", value_int(i));
    value_put(&arena, &map, "same", value_text("the same in each"));
    return map;
}

/* ---- documents --------------------------------------------------------------------------- */

/* Each anchor holds the one before it, deeper: written out this would be 5,000 levels. */
Test(hostile, aliases_in_aliases_are_not_deep)
{
    buffer_text(&text, "input: true\nx-0: &a0 1\n");
    for (int i = 1; i < 100; i++) {
        buffer_format(&text, "x-%d: &a%d ", i, i);
        text_repeat("[", 50);
        buffer_format(&text, "*a%d", i - 1);
        text_repeat("]", 50);
        buffer_byte(&text, '\n');
    }

    assert_has(file_complaints(text_end()), "nested too deep: more than 100 levels");
}

Test(hostile, a_billion_laughs_are_refused)
{
    buffer_text(&text, "x-0: &a0 [1,1,1,1,1,1,1,1,1,1]\n");
    for (int i = 1; i < 10; i++) {
        buffer_format(&text, "x-%d: &a%d [", i, i);
        for (int j = 0; j < 10; j++)
            buffer_format(&text, "%s*a%d", j == 0 ? "" : ",", i - 1);
        buffer_text(&text, "]\n");
    }

    assert_has(file_complaints(text_end()), "too large: more than 100000 values");
}

Test(hostile, giant_numbers_are_refused_or_rounded)
{
    text_repeat("9", 100000);
    struct slice digits = slice_of(text_end());

    assert_has(file_complaints("input: {maximum: 1e400}"), "no finite number");
    assert_has(file_complaints("input: {maximum: -1e400}"), "no finite number");
    assert_has(
        file_complaints(arena_format(&arena, "input: {maximum: %.*s}", SLICE_ARG(digits)).data),
        "no finite number");
    assert_has(file_complaints("input: {minLength: 1e300}"), "a whole number of at least 0");
    cr_assert_str_eq(file_complaints("input: {multipleOf: 1e-300, maximum: 1e300}"), "");
    assert_valid("{multipleOf: 1e-300}", "1e300");
    assert_invalid("{multipleOf: 1e300}", "1e-300");
}

/* ---- schemas ----------------------------------------------------------------------------- */

Test(hostile, a_schema_that_is_itself_is_refused)
{
    static const char *const files[] = {
        "input: {$ref: \"#/input\"}",
        "input: {allOf: [{$ref: \"#/input\"}]}",
        "input: {not: {$ref: \"#/input\"}}",
        "input: {if: {$ref: \"#/input\"}}",
        "input: {$dynamicAnchor: a, $dynamicRef: \"#a\"}",
        "input: {dependentSchemas: {a: {$ref: \"#/input\"}}}",
        "output: {$ref: \"#/$defs/a\"}\n$defs: {a: {anyOf: [{$ref: \"#/$defs/a\"}]}}",
    };

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        assert_has(file_complaints(files[i]), "leads back to itself");
}

/* Who calls decides what it means, so only the check can see that it never ends. */
Test(hostile, a_dynamic_reference_to_itself_ends)
{
    struct value value = value_of("{\"a\": {}}");
    struct outcome outcome = outcome_of(
        "{$id: outer, $dynamicAnchor: a, $ref: inner, $defs: {i: {$id: inner, properties: {a: "
        "{$dynamicRef: \"#a\"}}, $defs: {x: {$dynamicAnchor: a}}}}}",
        &value);

    cr_assert(outcome.fine);
    cr_assert_lt(outcome.steps, 100);
}

Test(hostile, a_hundred_thousand_properties_are_one_lookup_each)
{
    struct value value = value_map();

    buffer_text(&text, "{properties: {");
    for (int i = 0; i < 45000; i++)
        buffer_format(&text, "%sp%d: true", i == 0 ? "" : ", ", i);
    buffer_text(&text, "}, additionalProperties: false}");
    const char *schema = text_end();
    for (int i = 0; i < 3000; i++)
        value_put(&arena, &value, arena_format(&arena, "p%d", i).data, value_int(i));

    struct outcome outcome = outcome_of(schema, &value);

    cr_assert(outcome.fine);
    cr_assert_lt(outcome.steps, 10000);
}

Test(hostile, many_required_properties_and_members_are_bounded)
{
    struct value value = value_map();
    struct problems problems = { 0 };

    value.members = ARENA_ARRAY(&arena, struct member, 1 << 18);
    value.count = 1 << 18;
    for (uint32_t i = 0; i < value.count; i++)
        value.members[i] = (struct member){ arena_format(&arena, "m%05u", i), value_int(1) };
    buffer_text(&text, "input: {required: [");
    for (int i = 0; i < 45000; i++)
        buffer_format(&text, "%sr%05d", i == 0 ? "" : ", ", i);
    buffer_text(&text, "]}");
    struct schema_file *file = file_of(text_end());

    cr_assert_not(schema_check(schema_input(file), &value, &arena, &problems));
    cr_assert_leq(problems.count, PROBLEMS_MAX);
    schema_file_destroy(file);
}

Test(hostile, a_large_enum_is_searched_by_hash)
{
    struct value value = value_text("v39999"), wrong = value_text("v40000");

    buffer_text(&text, "{enum: [");
    for (int i = 0; i < 40000; i++)
        buffer_format(&text, "%sv%d", i == 0 ? "" : ", ", i);
    buffer_text(&text, "]}");
    const char *schema = text_end();

    cr_assert(outcome_of(schema, &value).fine);
    cr_assert_lt(outcome_of(schema, &value).steps, 10);
    cr_assert_not(outcome_of(schema, &wrong).fine);
    assert_has(complaints(schema, "\"v40000\""), "and 39988 more");
}

/* ---- values ------------------------------------------------------------------------------ */

Test(hostile, unique_items_are_compared_by_hash)
{
    struct value numbers = list_of(100000, number_item), maps = list_of(100000, nested_item);

    cr_assert(outcome_of("{uniqueItems: true}", &numbers).fine);
    cr_assert_lt(outcome_of("{uniqueItems: true}", &numbers).steps, 500000);
    cr_assert(outcome_of("{uniqueItems: true}", &maps).fine);
    cr_assert_lt(outcome_of("{uniqueItems: true}", &maps).steps, 1000000);
    value_add(&arena, &maps, nested_item(50000));
    cr_assert_not(outcome_of("{uniqueItems: true}", &maps).fine);
}

/* Each level asks each branch: 2^100 ways without a limit. */
Test(hostile, branches_that_multiply_are_refused)
{
    struct problems problems = { 0 };

    text_repeat("{\"a\":", 100);
    buffer_text(&text, "1");
    text_repeat("}", 100);
    struct value value = value_of(text_end());
    struct schema_file *file = file_of("input: {anyOf: [{properties: {a: {$ref: \"#/input\"}}, "
                                       "required: [b]}, {properties: {a: {$ref: "
                                       "\"#/input\"}}, required: [c]}]}");

    cr_assert_not(schema_check(schema_input(file), &value, &arena, &problems));
    assert_has(problems_said(&problems), "takes too long to check against its schema");
    schema_file_destroy(file);
}

Test(hostile, a_catastrophic_expression_is_cut_off)
{
    text_repeat("a", 5000);
    struct slice as = slice_of(text_end());
    static const char *const patterns[] = { "^(a+)+$", "^(a|aa)+$", "^(a|a?)+$",
                                            "(a*)*(a*)*(a*)*b", "^(?:(?:a+)+)+$" };

    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        struct slice schema = arena_format(&arena, "{pattern: \"%s\"}", patterns[i]);
        struct slice json = arena_format(&arena, "\"%.*s!\"", SLICE_ARG(as));
        assert_has(complaints(schema.data, json.data), "expected a string that matches");
        if (i == 0) /* some are clever enough to be answered */
            assert_has(complaints(schema.data, json.data), "the check was given up\n");
    }
}

/* {} gets a, which gets a, which… */
Test(hostile, a_default_of_itself_is_refused)
{
    assert_has(file_complaints("input: {properties: {a: {$ref: \"#/input\", default: {}}}}"),
               "this default does not fit its own schema: the value takes too long to check");
}

Test(hostile, large_defaults_are_not_multiplied)
{
    struct problems problems = { 0 };

    buffer_text(&text, "input: {items: {properties: {a: {default: [");
    for (int i = 0; i < 10000; i++)
        buffer_text(&text, i == 0 ? "1" : ",1");
    buffer_text(&text, "]}}}}");
    struct schema_file *file = file_of(text_end());
    buffer_text(&text, "[{}");
    text_repeat(",{}", 20000);
    buffer_text(&text, "]");
    struct value value = value_of(text_end());
    size_t before = arena.used_bytes;

    cr_assert_not(schema_check(schema_input(file), &value, &arena, &problems));
    cr_assert_lt(arena.used_bytes - before, (size_t)64 << 20);
    assert_has(problems_said(&problems), "takes too long to check");
    schema_file_destroy(file);
}

/* Thousands of expressions that each unfold to much. */
Test(hostile, expressions_are_counted_and_bounded)
{
    buffer_text(&text, "input: {patternProperties: {");
    for (int i = 0; i < 5001; i++)
        buffer_format(&text, "%sa%d: true", i == 0 ? "" : ", ", i);
    buffer_text(&text, "}}");

    assert_has(file_complaints(text_end()), "too many patterns: at most 5000");
    buffer_text(&text, "input: {patternProperties: {");
    for (int i = 0; i < 4000; i++)
        buffer_format(&text, "%s\"x%d([^a-z]{1,9}|b{1,40}|(c|d)?){1,90}\": true",
                      i == 0 ? "" : ", ", i);
    buffer_text(&text, "}}");
    assert_has(file_complaints(text_end()), "are too large together");
    assert_has(file_complaints("input: {pattern: \"((a{1,999}){1,999}){1,999}\"}"),
               "no valid regular expression");
}
