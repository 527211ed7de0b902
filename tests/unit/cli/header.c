/* Headers: names, types and comments. That they compile and do what they say is seen by
 * tests/plugins/headers_compile and tests/integration/types.c. */
#include "cli/header/header.h"

#include "unit/schema/helper.h"

/* The header of a schema file, which must be right. */
static const char *header_of(const char *path, const char *text)
{
    struct problems problems = { 0 };
    struct buffer out = { 0 };
    struct schema_file *file = file_of(text);

    cr_assert(schema_header_write(file, path, SLICE(""), &out, &arena, &problems), "%s",
              problems_said(&problems));
    const char *header = arena_text(&arena, buffer_view(&out));
    buffer_finish(&out);
    schema_file_destroy(file);
    return header;
}

/* What is said about a schema that C cannot express. */
static const char *refusal_of(const char *path, const char *prefix, const char *text)
{
    struct problems problems = { 0 };
    struct buffer out = { 0 };
    struct schema_file *file = file_of(text);

    cr_assert_not(schema_header_write(file, path, slice_of(prefix), &out, &arena, &problems));
    cr_expect_eq(out.size, 0, "something was written");
    schema_file_destroy(file);
    return problems_said(&problems);
}

#define INPUT(properties) "input: { type: object, properties: { " properties " } }"

Test(header, names_start_with_the_files_name)
{
    const char *schema = INPUT("a: { type: integer }");

    assert_has(header_of("schemas/approve-refund.yaml", schema), "approve_refund_input_read(");
    assert_has(header_of("approve-refund.yml", schema), "#ifndef APPROVE_REFUND_SCHEMA_H");
    assert_has(header_of("/tmp/2fa.v2.yaml", schema), "n_2fa_v2_input_read(");
}

Test(header, the_same_file_gives_the_same_header_anywhere)
{
    const char *schema = INPUT("a: { enum: [x, y] }, b: { oneOf: [{ type: string }, true] }");
    const char *here = header_of("schemas/x.yaml", schema);

    cr_assert_str_eq(here, header_of("/elsewhere/x.yaml", schema));
    cr_assert_null(strstr(here, "elsewhere"));
}

Test(header, what_may_be_missing_can_say_so)
{
    const char *header =
        header_of("x.yaml", "input:\n"
                            "  type: object\n"
                            "  required: [a, n, o]\n"
                            "  properties:\n"
                            "    a: { type: integer }\n"
                            "    b: { type: integer }\n"
                            "    n: { type: [integer, \"null\"] }\n"
                            "    s: { type: string }\n"
                            "    e: { enum: [up] }\n"
                            "    o: { type: object, properties: { q: true } }\n"
                            "    p: { type: object, properties: { q: true } }\n");

    assert_has(header, "    int64_t a;\n");
    cr_expect_null(strstr(header, "has_a"), "it is required");
    assert_has(header, "    bool has_b;\n    int64_t b;\n");
    assert_has(header, "    bool has_n;\n    int64_t n;\n");
    cr_expect_null(strstr(header, "has_s"), "NULL says it");
    cr_expect_null(strstr(header, "has_e"), "UNSET says it");
    cr_expect_null(strstr(header, "has_o"));
    assert_has(header, "    bool has_p;\n    struct x_input_p p;\n");
}

Test(header, a_name_that_is_right_is_never_taken_away)
{
    const char *header = header_of("x.yaml", "input:\n"
                                             "  type: object\n"
                                             "  required: [\"a-b\", a_b, \"a b\"]\n"
                                             "  properties:\n"
                                             "    \"a-b\": { type: string }\n"
                                             "    a_b: { type: boolean }\n"
                                             "    \"a b\": { type: number }\n");

    assert_has(header, "bool a_b;");
    assert_has(header, "const char *a_b_2;");
    assert_has(header, "double a_b_3;");
    assert_has(header, "/* \"a-b\" in the document */");
}

Test(header, comments_hold_description_and_limits)
{
    const char *header = header_of(
        "x.yaml", INPUT("a: { type: integer, minimum: 1, maximum: 9, description: How many. },"
                        "b: { type: string, format: date, description: \"ends */ here\" },"
                        "c: { type: number, default: 0.5 },"
                        "d: { type: string, secret: true }"));

    assert_has(header, "/* How many (1 to 9) */");
    assert_has(header, "/* ends * / here (a date");
    assert_has(header, "/* default 0.5 */");
    assert_has(header, "/* secret */");
}

Test(header, a_secret_word_is_in_no_message)
{
    const char *open = header_of("x.yaml", INPUT("a: { enum: [up, down] }"));
    const char *secret = header_of("x.yaml", INPUT("a: { enum: [up, down], secret: true }"));

    assert_has(open, "is no %s\", text,");
    cr_assert_null(strstr(secret, "is no %s\", text,"));
}

Test(header, integers_beyond_int64_are_unsigned)
{
    const char *header = header_of(
        "x.yaml", INPUT("a: { type: integer, minimum: 0, maximum: 18446744073709551615 },"
                        "b: { type: integer, minimum: 0 },"
                        "c: { type: integer, minimum: -1, maximum: 18446744073709551615 }"));

    assert_has(header, "uint64_t a;");
    assert_has(header, "    int64_t b;");
    assert_has(header, "    int64_t c;");
}

Test(header, branches_are_told_apart_or_left_as_a_value)
{
    const char *header = header_of(
        "x.yaml",
        INPUT("told: { oneOf: ["
              "{ type: object, required: [k], properties: { k: { const: one } } },"
              "{ type: object, required: [k], properties: { k: { enum: [two, three] } } }] },"
              "optional: { oneOf: ["
              "{ type: object, properties: { k: { const: one } } },"
              "{ type: object, properties: { k: { const: two } } }] },"
              "same: { oneOf: ["
              "{ type: object, required: [k], properties: { k: { enum: [one, two] } } },"
              "{ type: object, required: [k], properties: { k: { enum: [two] } } }] }"));

    assert_has(header, "struct x_input_told told;");
    assert_has(header, "X_INPUT_TOLD_ONE,");
    assert_has(header, "x_is_(t, value, \"k\", \"two\") ||");
    assert_has(header, "const bide_value *optional;");
    assert_has(header, "const bide_value *same;");
}

Test(header, what_contains_itself_is_read_on_demand)
{
    const char *header = header_of("x.yaml", "input: { $ref: \"#/$defs/node\" }\n"
                                             "$defs:\n"
                                             "  node:\n"
                                             "    type: object\n"
                                             "    properties:\n"
                                             "      next: { $ref: \"#/$defs/node\" }\n"
                                             "      all: { type: array, items: "
                                             "{ $ref: \"#/$defs/node\" } }\n");

    assert_has(header, "/* x_node_of() reads it */\n    const bide_value *next;");
    assert_has(header, "const struct x_node *item;");
    assert_has(header, "struct x_node x_input_read(bide_task *t)");
}

Test(header, a_child_is_read_as_its_parent_expects_it)
{
    const char *header =
        header_of("x.yaml", "children:\n"
                            "  month-report:\n"
                            "    output:\n"
                            "      type: object\n"
                            "      properties: { total: { type: integer } }\n");

    assert_has(header, "x_child_month_report_read(");
}

Test(header, what_c_cannot_say_is_refused_with_its_place)
{
    assert_has(refusal_of("x.yaml", "", INPUT("\"a\\0b\": true")), "x.yaml:1");
    assert_has(refusal_of("x.yaml", "", INPUT("\"a\\0b\": true")), "a zero in its name");
    assert_has(refusal_of("bide.yaml", "", INPUT("a: true")), "choose another prefix");
    assert_has(refusal_of("x.yaml", "a-b", INPUT("a: true")), "\"a_b\" would be one");
    assert_has(refusal_of("x.yaml", "class", INPUT("a: true")), "no C identifier");
}

Test(header, sources_are_all_files_once)
{
    struct schema_file *file =
        file_of(INPUT("a: { $ref: \"https://json-schema.org/draft/2020-12/schema\" }"));
    uint32_t count;

    const struct slice *sources = schema_file_sources(file, &arena, &count);

    cr_assert_eq(count, 1, "what is built in is no file");
    cr_assert(slice_is(sources[0], "x.yaml"), "%.*s", SLICE_ARG(sources[0]));
    schema_file_destroy(file);
}

/* What a value is, only `type` and what always applies can say: other kinds are valid, too. */
Test(header, branches_that_may_not_apply_do_not_make_an_object)
{
    const char *header =
        header_of("x.yaml", INPUT("a: { if: { const: 1 }, then: { properties: { b: true } } },"
                                  "c: { properties: { d: true } }"));

    assert_has(header, "const bide_value *a;");
    assert_has(header, "struct x_input_c c;");
}
