/* Schema files: what is wrong with one is told with its place, all at once. */
#include "base/clock.h"
#include "helper.h"

/* A file whose `input` is the given text, one line. */
static const char *input_complaints(const char *schema)
{
    return file_complaints(arena_format(&arena, "input: %s\n", schema).data);
}

Test(compile, the_sample_schemas_are_right)
{
    static const char *const names[] = { "hello",  "approve-refund", "render-image",
                                         "remind", "monthly-digest", "month-report" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct slice path = arena_format(&arena, "%s/schemas/%s.yaml", SOURCE_DIR, names[i]);
        struct problems problems = { 0 };
        struct schema_file *file;
        cr_assert(schema_file_load(path.data, &file, &arena, &problems), "%s",
                  problems_said(&problems));
        cr_assert_not_null(schema_input(file));
        schema_file_destroy(file);
    }
}

Test(compile, what_a_file_declares_is_found)
{
    struct schema_file *file =
        file_of("input: {type: object}\ntokens:\n  approval: {type: string}\n  any: true\n");

    cr_assert_not_null(schema_input(file));
    cr_assert_null(schema_output(file));
    cr_assert_not_null(schema_token(file, SLICE("approval")));
    cr_assert(schema_has_token(file, SLICE("any")));
    cr_assert_not(schema_has_token(file, SLICE("other")));
    cr_assert_null(schema_input(NULL));
    schema_file_destroy(file);
}

Test(compile, no_schema_accepts_everything)
{
    struct problems problems = { 0 };
    struct value value = value_int(1);

    cr_assert(schema_check(NULL, &value, &arena, &problems));
}

Test(compile, top_level_keys_are_known)
{
    assert_has(file_complaints("inptu: {}\n"),
               "x.yaml:1:1: \"inptu\" is no key of a schema file; did you mean input?");
    assert_has(file_complaints("type: object\n"), "keywords stand below input");
    assert_has(file_complaints("- a\n"), "x.yaml:1:1: a schema file is a map");
    assert_has(file_complaints(""), "the file is empty");
    assert_has(file_complaints("tokens: [a]\n"), "x.yaml:1:9: tokens must be a map");
    assert_has(file_complaints("version: [1]\n"), "version must be text");
    cr_assert_str_eq(file_complaints("description: d\nversion: 1.2\nx-mine: 1\ninput: true\n"),
                     "");
}

Test(compile, unknown_keywords_are_refused_with_a_hint)
{
    static const char *const cases[][2] = {
        { "{additionalPropertes: false}", "did you mean additionalProperties?" },
        { "{propertys: {}}", "did you mean properties?" },
        { "{Type: string}", "did you mean type?" },
        { "{definitions: {}}", "the word for it is $defs" },
        { "{min: 1}", "minimum, minLength" },
        { "{nullable: true}", "null" },
        { "{zzzzzzzzz: 1}", "x.yaml:1:9: \"zzzzzzzzz\" is no keyword of a schema\n" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_has(input_complaints(cases[i][0]), cases[i][1]);
    cr_assert_str_eq(
        input_complaints("{title: t, $comment: c, deprecated: true, readOnly: true, "
                         "writeOnly: false, examples: [1], format: email, "
                         "secret: true, x-mine: 1, contentEncoding: base64}"),
        "");
}

Test(compile, keywords_want_the_right_values)
{
    static const char *const cases[][2] = {
        { "{type: objct}", "x.yaml:1:15: \"objct\" is no type; did you mean object?" },
        { "{type: 5}", "type must be the name of a type, or a list of them, not 5" },
        { "{type: []}", "type must not be empty" },
        { "{type: [string, integer, string]}", "the type \"string\" stands twice" },
        { "{enum: a}", "enum must be a list of values" },
        { "{enum: []}", "enum must not be empty" },
        { "{enum: [1, 2, 1.0]}", "this value is here twice" },
        { "{minimum: x}", "minimum must be a number, not the string \"x\"" },
        { "{multipleOf: 0}", "multipleOf must be above 0" },
        { "{minLength: -1}", "minLength must be a whole number of at least 0, not -1" },
        { "{maxLength: 1.5}", "maxLength must be a whole number" },
        { "{pattern: \"(\"}", "x.yaml:1:18: no valid regular expression: this ( has no )" },
        { "{pattern: 5}", "pattern must be text" },
        { "{patternProperties: {\"[\": true}}", "no valid regular expression" },
        { "{uniqueItems: 1}", "uniqueItems must be true or false" },
        { "{items: [true]}", "a list of schemas is prefixItems" },
        { "{items: 5}", "a schema is a map of keywords, or true, or false; not 5" },
        { "{required: true}", "stands beside properties" },
        { "{required: [1]}", "required must be a list of names" },
        { "{required: [a, a]}", "a is required twice" },
        { "{properties: []}", "properties must be a map" },
        { "{allOf: {}}", "allOf must be a list of schemas" },
        { "{anyOf: []}", "anyOf must not be empty" },
        { "{not: 1}", "a schema is a map" },
        { "{dependentRequired: {a: b}}", "a map from names to lists of names" },
        { "{description: 5}", "description must be text" },
        { "{deprecated: 1}", "deprecated must be true or false" },
        { "{then: true}", "mean nothing without if" },
        { "{minLength: 5, maxLength: 2}", "minLength is above maxLength" },
        { "{minimum: 5, maximum: 4.5}", "minimum is above maximum" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_has(input_complaints(cases[i][0]), cases[i][1]);
}

/* What YAML 1.1 took for booleans, and null without quotes, which YAML takes for its own. */
Test(compile, words_that_yaml_reads_differently_get_a_hint)
{
    assert_has(input_complaints("{additionalProperties: no}"), "did you mean false?");
    assert_has(input_complaints("{uniqueItems: yes}"), "did you mean true?");
    assert_has(input_complaints("{uniqueItems: 'yes'}"), "not the string \"yes\"\n");
    assert_has(input_complaints("{type: null}"), "the type is \"null\", with quotes");
    assert_has(input_complaints("{type: [string, null]}"), "the type is \"null\", with quotes");
}

Test(compile, what_can_never_match_is_told)
{
    assert_has(input_complaints("{properties: {order_id: true}, required: [orderid], "
                                "additionalProperties: false}"),
               "\"orderid\" is required but is not among properties, and additionalProperties "
               "is false; "
               "did you mean order_id?");
}

Test(compile, defaults_and_examples_must_fit)
{
    assert_has(input_complaints("{type: integer, default: x}"),
               "this default does not fit its own schema: expected an integer");
    assert_has(input_complaints("{type: integer, examples: [1, y]}"),
               "this example does not fit");
    cr_assert_str_eq(input_complaints("{type: integer, default: 5, examples: [1, 2]}"), "");
}

Test(compile, references_lead_somewhere)
{
    assert_has(
        file_complaints("input: {$ref: \"#/$defs/adress\"}\n$defs: {address: true}\n"),
        "x.yaml:1:15: $ref leads nowhere: there is no \"adress\"; did you mean address?");
    assert_has(file_complaints("input:\n  $ref: #/$defs/a\n"),
               "text that starts with # needs quotes");
    assert_has(file_complaints("input: {$ref: \"#nope\"}\n"), "there is no $anchor \"nope\"");
    assert_has(file_complaints("input: {$ref: \"#\"}\n"), "means the whole file");
    assert_has(file_complaints("input: {$ref: \"http://example.com/a\"}\n"), "not known here");
    assert_has(file_complaints("input: {$ref: \"none.yaml#/$defs/a\"}\n"), "cannot be opened");
    assert_has(file_complaints("input: {$ref: \"../x.yaml\"}\n"), "not out of the directory");
    assert_has(file_complaints("$defs: {a: {$id: u}, b: {$id: u}}\n"),
               "is taken by another schema");
}

Test(compile, a_circle_that_never_looks_into_the_value_is_refused)
{
    assert_has(
        file_complaints(
            "input: {$ref: \"#/$defs/a\"}\n"
            "$defs:\n  a: {$ref: \"#/$defs/b\"}\n  b: {allOf: [{$ref: \"#/$defs/a\"}]}\n"),
        "leads back to itself");
    cr_assert_str_eq(file_complaints("input: {properties: {child: {$ref: \"#/input\"}}}\n"),
                     "");
}

/* A chain of references as long as the file may be: no recursion while compiling. */
Test(compile, a_long_chain_of_references_is_fine)
{
    struct buffer text = { 0 };

    buffer_text(&text, "$defs:\n  a0: {type: string}\n");
    for (int i = 1; i < 20000; i++)
        buffer_format(&text, "  a%d: {$ref: \"#/$defs/a%d\"}\n", i, i - 1);
    buffer_text(&text, "input: {type: integer}\n");
    struct slice copy = arena_copy(&arena, buffer_view(&text));
    buffer_finish(&text);

    cr_assert_str_eq(file_complaints(copy.data), "");
}

Test(compile, all_mistakes_are_told_at_once)
{
    const char *said =
        file_complaints("input:\n  type: objct\n  minimum: x\n  properties:\n"
                        "    a: {pattern: \"[\"}\n    b: {$ref: \"#/$defs/no\"}\n");

    assert_has(said, "x.yaml:2:9:");
    assert_has(said, "x.yaml:3:12:");
    assert_has(said, "x.yaml:5:18:");
    assert_has(said, "x.yaml:6:15:");
}

Test(compile, mistakes_are_counted_to_a_limit)
{
    struct buffer text = { 0 };

    buffer_text(&text, "input:\n");
    for (int i = 0; i < 500; i++)
        buffer_format(&text, "  wrong%d: 1\n", i);
    struct slice copy = arena_copy(&arena, buffer_view(&text));
    buffer_finish(&text);

    assert_has(file_complaints(copy.data), "only the first 100 problems are shown");
}

/* A file of the largest size, full of what costs a search each: seconds, not hours. */
Test(compile, large_files_take_no_more_than_their_size)
{
    struct buffer ids = { 0 }, references = { 0 }, names = { 0 };

    buffer_text(&ids, "$defs:\n");
    buffer_text(&references, "$defs:\n");
    buffer_text(&names, "input:\n  additionalProperties: false\n  required:\n");
    for (int i = 0; i < 15000; i++) {
        buffer_format(&ids, "  s%d: {$id: \"id%d\", $anchor: a%d}\n", i, i, i);
        buffer_format(&references, "  s%d: {$ref: \"#/$defs/x%d\"}\n", i, i);
        buffer_format(&names, "    - property%d\n", i);
    }
    for (int i = 0; i < 5000; i++)
        buffer_format(&ids, "  r%d: {$ref: \"id%d#a%d\"}\n", i, i, i);
    buffer_byte(&ids, '\0');
    buffer_byte(&references, '\0');
    buffer_byte(&names, '\0');

    uint64_t start = clock_monotonic_ns();
    cr_assert_str_eq(file_complaints(ids.data), "");
    assert_has(file_complaints(references.data), "only the first 100");
    assert_has(file_complaints(names.data), "only the first 100");
    uint64_t took_ms = (clock_monotonic_ns() - start) / 1000000;
    cr_assert_lt(took_ms, 60000, "%llu ms", (unsigned long long)took_ms);
    buffer_finish(&ids);
    buffer_finish(&references);
    buffer_finish(&names);
}
