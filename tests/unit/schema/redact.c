/* schema_redact: what people may look at of a value that holds secrets. */
#include "helper.h"

/* `value` as `schema` lets it be shown. */
static const char *shown(const char *schema, const char *json)
{
    struct slice text = arena_format(&arena, "input: %s\n", schema);
    struct schema_file *file = file_of(text.data);
    struct value value = value_of(json);
    struct slice before = slice_of(json_of(&value));
    struct value seen = value;

    cr_assert(schema_has_secrets(schema_input(file)));
    schema_redact(schema_input(file), &seen, &arena);
    cr_assert(slice_is(before, json_of(&value)), "what it was made of has changed");
    schema_file_destroy(file);
    return json_of(&seen);
}

struct row {
    const char *schema, *value, *shown;
};

static void assert_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cr_assert_str_eq(shown(rows[i].schema, rows[i].value), rows[i].shown,
                         "%s: %s became %s", rows[i].schema, rows[i].value,
                         shown(rows[i].schema, rows[i].value));
}

#define ASSERT_ROWS(rows) assert_rows(rows, sizeof rows / sizeof rows[0])

Test(redact, each_way_to_a_secret_is_found)
{
    static const struct row rows[] = {
        { "{secret: true}", "{\"a\":1}", "\"[secret]\"" },
        { "{properties: {a: {secret: true}}}", "{\"b\":1,\"a\":\"x\"}",
          "{\"b\":1,\"a\":\"[secret]\"}" },
        { "{properties: {a: {properties: {b: {secret: true}}}}}",
          "{\"a\":{\"b\":5,\"c\":[1]},\"d\":{}}",
          "{\"a\":{\"b\":\"[secret]\",\"c\":[1]},\"d\":{}}" },
        { "{patternProperties: {^x: {secret: true}}}", "{\"x1\":1,\"y\":2}",
          "{\"x1\":\"[secret]\",\"y\":2}" },
        { "{properties: {a: true}, additionalProperties: {secret: true}}", "{\"a\":1,\"b\":2}",
          "{\"a\":1,\"b\":\"[secret]\"}" },
        { "{items: {secret: true}}", "[1,[2]]", "[\"[secret]\",\"[secret]\"]" },
        { "{prefixItems: [true, {secret: true}]}", "[1,2,3]", "[1,\"[secret]\",3]" },
        { "{contains: {properties: {a: {secret: true}}}}", "[{\"a\":1},{\"b\":1}]",
          "[{\"a\":\"[secret]\"},{\"b\":1}]" },
        { "{allOf: [{properties: {a: {secret: true}}}]}", "{\"a\":1}", "{\"a\":\"[secret]\"}" },
        { "{anyOf: [{required: [b]}, {properties: {a: {secret: true}}}]}", "{\"a\":1,\"b\":2}",
          "{\"a\":\"[secret]\",\"b\":2}" },
        { "{oneOf: [{properties: {a: {secret: true}}}, true]}", "{\"a\":1}",
          "{\"a\":\"[secret]\"}" },
        { "{if: {required: [b]}, then: {properties: {a: {secret: true}}}}", "{\"a\":1}",
          "{\"a\":\"[secret]\"}" },
        { "{if: {required: [b]}, then: true, else: {properties: {a: {secret: true}}}}",
          "{\"a\":1,\"b\":1}", "{\"a\":\"[secret]\",\"b\":1}" },
        { "{not: {properties: {a: {secret: true, const: 1}}}}", "{\"a\":2}",
          "{\"a\":\"[secret]\"}" },
        { "{dependentSchemas: {b: {properties: {a: {secret: true}}}}}", "{\"a\":1}",
          "{\"a\":\"[secret]\"}" },
        { "{unevaluatedProperties: {secret: true}}", "{\"a\":1}", "{\"a\":\"[secret]\"}" },
        { "{unevaluatedItems: {secret: true}}", "[1]", "[\"[secret]\"]" },
        { "{$ref: \"#/$defs/a\"}\n$defs: {a: {properties: {a: {$ref: \"#/$defs/b\"}}}, b: "
          "{secret: true}}",
          "{\"a\":1}", "{\"a\":\"[secret]\"}" },
        { "{$ref: \"#/$defs/list\"}\n$defs: {list: {properties: {value: {secret: true}, next: "
          "{$ref: \"#/$defs/list\"}}}}",
          "{\"value\":1,\"next\":{\"value\":2,\"next\":{\"value\":3}}}",
          "{\"value\":\"[secret]\",\"next\":{\"value\":\"[secret]\",\"next\":{\"value\":"
          "\"[secret]\"}}}" },
        { "{$id: tree, $dynamicAnchor: node, properties: {leaf: {$dynamicRef: \"#node\"}, pin: "
          "{secret: true}}}",
          "{\"leaf\":{\"leaf\":{\"pin\":1}}}", "{\"leaf\":{\"leaf\":{\"pin\":\"[secret]\"}}}" },
    };

    ASSERT_ROWS(rows);
}

Test(redact, what_may_be_a_secret_is_one)
{
    static const struct row rows[] = {
        /* the object as text, or a list of it */
        { "{type: object, properties: {a: {secret: true}}}", "\"{a: 1}\"", "\"[secret]\"" },
        { "{properties: {a: {secret: true}}}", "\"{a: 1}\"", "\"[secret]\"" },
        { "{properties: {a: {secret: true}}}", "[{\"a\":1}]", "\"[secret]\"" },
        { "{properties: {a: {secret: true}}}", "null", "null" },
        /* a text that is allowed is none */
        { "{type: [object, string], properties: {a: {secret: true}}}", "\"x\"", "\"x\"" },
        { "{anyOf: [{type: string}, {type: object, properties: {a: {secret: true}}}]}", "\"x\"",
          "\"x\"" },
        { "{anyOf: [{type: integer}, {type: object, properties: {a: {secret: true}}}]}",
          "\"x\"", "\"[secret]\"" },
        /* misspelt */
        { "{properties: {password: {secret: true}, name: true}}",
          "{\"pasword\":1,\"name\":2,\"colour\":3}",
          "{\"pasword\":\"[secret]\",\"name\":2,\"colour\":3}" },
        { "{properties: {password: {secret: true}}, additionalProperties: false}",
          "{\"pwd\":1}", "{\"pwd\":\"[secret]\"}" },
        /* what is foreign to one branch may be at home in another */
        { "{oneOf: [{type: object, properties: {iban: {secret: true}}, additionalProperties: "
          "false}, {type: object, properties: {card: true}, additionalProperties: false}]}",
          "{\"card\":1}", "{\"card\":1}" },
    };

    ASSERT_ROWS(rows);
}

Test(redact, a_schema_without_secrets_changes_nothing)
{
    struct schema_file *file = file_of("input: {properties: {a: {secret: false}}}\n");
    struct value value = value_of("{\"a\":1}"), same = value;

    cr_assert_not(schema_has_secrets(schema_input(file)));
    cr_assert_not(schema_has_secrets(NULL));
    schema_redact(schema_input(file), &same, &arena);
    cr_assert_eq(same.members, value.members);
    schema_redact(NULL, &same, &arena);
    cr_assert_eq(same.members, value.members);
    schema_file_destroy(file);
}

/* Two branches at each of many levels would be 2^60 ways. */
Test(redact, many_ways_to_one_part_are_one_look)
{
    struct buffer json = { 0 };

    for (int i = 0; i < 60; i++)
        buffer_text(&json, "{\"a\":");
    buffer_text(&json, "{\"pin\":\"x\"}");
    for (int i = 0; i < 60; i++)
        buffer_byte(&json, '}');
    buffer_byte(&json, '\0');
    const char *said =
        shown("{$ref: \"#/$defs/n\"}\n$defs: {n: {properties: {pin: {secret: true}}, anyOf: "
              "[{properties: {a: {$ref: \"#/$defs/n\"}}}, {properties: {a: {$ref: "
              "\"#/$defs/n\"}}}]}}",
              json.data);
    buffer_finish(&json);

    assert_has(said, "{\"pin\":\"[secret]\"}}");
}

Test(redact, the_name_of_a_property_cannot_be_secret)
{
    assert_has(file_complaints("input: {propertyNames: {secret: true}}"),
               "x.yaml:1:24: the name of a property cannot be secret");
}
