/* Secrets do not appear in messages, whatever is wrong with them or around them. */
#include "helper.h"

struct row {
    const char *schema, *value, *said; /* in each value the secret is "s3cret" */
};

static const char *all_said(const struct schema *schema, struct value *value)
{
    struct problems problems = { 0 };

    (void)schema_check(schema, value, &arena, &problems);
    struct value told = problems_value(&arena, &problems);
    struct slice both = arena_format(&arena, "%s%s", problems_said(&problems), json_of(&told));
    return both.data;
}

Test(secret, no_keyword_tells)
{
    static const struct row rows[] = {
        { "{secret: true, type: integer}", "\"s3cret\"",
          "expected an integer, got a secret string\n" },
        { "{secret: true, type: string}", "[\"s3cret\"]",
          "expected a string, got a secret array\n" },
        { "{secret: true, minLength: 8}", "\"s3cret\"",
          "expected at least 8 characters, got a secret string\n" },
        { "{secret: true, maxLength: 3}", "\"s3cret\"",
          "expected at most 3 characters, got a secret string\n" },
        { "{secret: true, pattern: ^x}", "\"s3cret\"",
          "expected a string that matches ^x, got a secret string\n" },
        { "{secret: true, format: date}", "\"s3cret\"", "got a secret string\n" },
        { "{secret: true, const: right}", "\"s3cret\"",
          "expected the one value that is right, got a secret string\n" },
        { "{secret: true, enum: [a, b, c]}", "\"s3cret\"",
          "expected one of the 3 values that are right, got a secret string\n" },
        { "{secret: true, not: {const: s3cret}}", "\"s3cret\"",
          "expected anything but the one value that is right, got a secret string\n" },
        { "{secret: true, not: {enum: [s3cret, x]}}", "\"s3cret\"", "got a secret string\n" },
        { "{secret: true, uniqueItems: true}", "[\"s3cret\", \"s3cret\"]",
          "items 0 and 1 that are equal" },
        { "{secret: true, contains: {const: x}}", "[\"s3cret\"]", "at least 1 item" },
        { "{items: {secret: true}, maxContains: 1, contains: {const: s3cret}}",
          "[\"s3cret\", \"s3cret\"]", "at most 1 item that is the one value that is right" },
        { "{secret: true, anyOf: [{const: a}, {type: integer}]}", "\"s3cret\"",
          "got a secret string\n" },
        { "{secret: true, oneOf: [{minLength: 9}, {pattern: ^q}]}", "\"s3cret\"",
          "got a secret string\n" },
        { "{secret: true, if: {type: string}, then: {minLength: 9}}", "\"s3cret\"",
          "got a secret string\n" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *said = complaints(rows[i].schema, rows[i].value);
        assert_has(said, rows[i].said);
        cr_assert_null(strstr(said, "s3cret"), "%s: %s", rows[i].schema, said);
    }
}

/* Names below a secret object are a part of it. */
Test(secret, the_inside_of_a_secret_object_is_not_named)
{
    static const struct row rows[] = {
        { "{properties: {c: {secret: true, additionalProperties: {type: integer}}}}",
          "{\"c\": {\"s3cret\": \"x\"}}", ": /c: expected an integer, got a secret string\n" },
        { "{properties: {c: {secret: true, additionalProperties: false, properties: {s4cret: "
          "true}}}}",
          "{\"c\": {\"s3cret\": \"x\"}}",
          "expected no properties but s4cret, got a member of a secret object\n" },
        { "{properties: {c: {secret: true, propertyNames: {maxLength: 2}}}}",
          "{\"c\": {\"s3cret\": \"x\"}}", "got a member of a secret object\n" },
        { "{properties: {c: {secret: true, unevaluatedProperties: false}}}",
          "{\"c\": {\"s3cret\": \"x\"}}", "got a member of a secret object\n" },
        { "{properties: {c: {secret: true, required: [a]}}}", "{\"c\": {\"s3cret\": 1}}",
          ": /c: expected the property \"a\", got nothing\n" },
        { "{properties: {c: {secret: true, items: {items: {type: integer}}}}}",
          "{\"c\": [[\"s3cret\"]]}", ": /c: expected an integer, got a secret string\n" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *said = complaints(rows[i].schema, rows[i].value);
        assert_has(said, rows[i].said);
        cr_assert_null(strstr(said, "s3cret"), "%s: %s", rows[i].schema, said);
    }
}

/* The part is secret to one schema and wrong to another. */
Test(secret, each_way_to_a_secret_hides_it)
{
    static const struct row rows[] = {
        { "{properties: {a: {secret: true}}, additionalProperties: {type: integer}, allOf: "
          "[{properties: {a: {type: integer}}}]}",
          "{\"a\": \"s3cret\"}", "/a: expected an integer, got a secret string\n" },
        { "{allOf: [{properties: {a: {type: integer}}}, {properties: {a: {secret: true}}}]}",
          "{\"a\": \"s3cret\"}", "got a secret string\n" },
        { "{anyOf: [{properties: {a: {type: integer}}}, {required: [b], properties: {a: "
          "{secret: true}}}]}",
          "{\"a\": \"s3cret\"}", "" },
        { "{properties: {a: {$ref: \"#/$defs/pin\"}}}\n$defs: {pin: {secret: true, type: "
          "integer}}",
          "{\"a\": \"s3cret\"}", "/a: expected an integer, got a secret string\n" },
        { "{patternProperties: {a: {secret: true}}, properties: {a: {type: integer}}}",
          "{\"a\": \"s3cret\"}", "got a secret string\n" },
        { "{additionalProperties: {secret: true, type: integer}}", "{\"a\": \"s3cret\"}",
          "got a secret string\n" },
        { "{items: {secret: true, type: integer}}", "[\"s3cret\"]", "got a secret string\n" },
        { "{if: {properties: {a: {secret: true}}}, then: {properties: {a: {type: integer}}}}",
          "{\"a\": \"s3cret\"}", "got a secret string\n" },
        { "{$id: tree, $dynamicAnchor: n, properties: {c: {$dynamicRef: \"#n\"}, a: {secret: "
          "true, type: integer}}}",
          "{\"c\": {\"c\": {\"a\": \"s3cret\"}}}",
          "/c/c/a: expected an integer, got a secret string\n" },
        /* where the object should be, there is its text */
        { "{type: object, properties: {a: {secret: true}}}", "\"s3cret\"",
          "expected an object, got a secret string\n" },
        { "{anyOf: [{type: integer}, {type: object, properties: {a: {secret: true}}}]}",
          "\"s3cret\"", "expected an integer or an object, got a secret string\n" },
        /* what is not secret is told, right beside it */
        { "{properties: {a: {secret: true}, b: {type: integer}}}",
          "{\"a\": \"s3cret\", \"b\": \"open\"}",
          "/b: expected an integer, got the string \"open\"\n" },
        { "{minProperties: 3, properties: {a: {secret: true}}}", "{\"a\": \"s3cret\"}",
          "got an object with 1 member\n" },
        { "{required: [a], properties: {a: {secret: true, const: s3cret}}}", "{}",
          "the property \"a\" (the one value that is right), got nothing\n" },
        { "{properties: {a: {secret: true, type: integer, message: a is a number}}}",
          "{\"a\": \"s3cret\"}",
          "/a: a is a number (expected an integer, got a secret string)\n" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *said = complaints(rows[i].schema, rows[i].value);
        assert_has(said, rows[i].said);
        cr_assert_null(strstr(said, "s3cret"), "%s: %s", rows[i].schema, said);
    }
}

/* ---- anything at all --------------------------------------------------------------------- */

static uint64_t random_state;

static uint32_t random_below(uint32_t count)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(random_state >> 33) % count;
}

/* Every text and number in a random value is there once, so that it can be looked for. */
static uint32_t mark_count;

static void value_write(struct buffer *out, unsigned depth)
{
    uint32_t kind = random_below(depth == 0 ? 3 : 6), count = random_below(4);

    if (kind == 0)
        buffer_format(out, "77%u77", 1000 + mark_count++);
    else if (kind <= 2)
        buffer_format(out, "\"mark%ux\"", mark_count++);
    else if (kind == 3) {
        buffer_byte(out, '[');
        for (uint32_t i = 0; i < count; i++) {
            buffer_text(out, i == 0 ? "" : ",");
            value_write(out, depth - 1);
        }
        buffer_byte(out, ']');
    } else {
        buffer_byte(out, '{');
        for (uint32_t i = 0; i < count; i++) {
            buffer_format(out, "%s\"%c%s\":", i == 0 ? "" : ",", "abcd"[i],
                          random_below(6) == 0 ? "x" : "");
            value_write(out, depth - 1);
        }
        if (random_below(4) == 0) {
            buffer_format(out, "%s\"mark%ux\":5", count == 0 ? "" : ",", mark_count++);
        }
        buffer_byte(out, '}');
    }
}

static void schema_write(struct buffer *out, unsigned depth);

static void list_write(struct buffer *out, const char *keyword, unsigned depth)
{
    buffer_format(out, "%s: [", keyword);
    for (uint32_t i = 0, count = 1 + random_below(3); i < count; i++) {
        buffer_text(out, i == 0 ? "" : ", ");
        schema_write(out, depth - 1);
    }
    buffer_text(out, "], ");
}

static void map_write(struct buffer *out, const char *keyword, const char *const *names,
                      unsigned depth)
{
    buffer_format(out, "%s: {", keyword);
    for (uint32_t i = 0, count = 1 + random_below(3); i < count; i++) {
        buffer_format(out, "%s\"%s\": ", i == 0 ? "" : ", ", names[i]);
        schema_write(out, depth - 1);
    }
    buffer_text(out, "}, ");
}

static void part_write(struct buffer *out, unsigned depth)
{
    static const char *const single[] = {
        "additionalProperties", "items", "contains", "not", "unevaluatedItems",
        "unevaluatedProperties"
    };
    static const char *const names[] = { "a", "b", "c" };
    static const char *const patterns[] = { "a", "^[bc]", "x$" };
    uint32_t kind = random_below(14);

    if (kind < 6) {
        buffer_format(out, "%s: ", single[kind]);
        schema_write(out, depth - 1);
        buffer_text(out, ", ");
    } else if (kind == 6)
        list_write(out, "anyOf", depth);
    else if (kind == 7)
        list_write(out, "oneOf", depth);
    else if (kind == 8)
        list_write(out, "allOf", depth);
    else if (kind == 9)
        list_write(out, "prefixItems", depth);
    else if (kind == 10)
        map_write(out, "patternProperties", patterns, depth);
    else if (kind == 11)
        map_write(out, "dependentSchemas", names, depth);
    else
        map_write(out, "properties", names, depth);
}

static void schema_write(struct buffer *out, unsigned depth)
{
    static const char *const plain[] = {
        "type: integer, ",        "type: string, ",     "type: object, ",
        "type: array, ",          "minLength: 9, ",     "maxLength: 2, ",
        "enum: [one, two, {}], ", "const: [1], ",       "pattern: ^q, ",
        "minimum: 1e9, ",         "maxProperties: 1, ", "propertyNames: false, ",
        "minProperties: 9, ",     "maxItems: 0, ",      "uniqueItems: true, ",
        "format: date, ",
    };

    if (random_below(12) == 0) {
        buffer_text(out, random_below(2) == 0 ? "false" : "{$ref: \"#/$defs/r\"}");
        return;
    }
    buffer_text(out, "{");
    if (random_below(6) == 0)
        buffer_text(out, "secret: true, ");
    if (random_below(2) == 0)
        buffer_text(out, plain[random_below(sizeof plain / sizeof plain[0])]);
    if (depth > 0)
        part_write(out, depth);
    buffer_text(out, "x-end: 1}");
}

/* The marks in `text` that the shown value lacks are secret, and must not be said. */
static void assert_marks_are_not_said(const char *text, const char *seen, const char *said,
                                      uint32_t *secrets)
{
    for (uint32_t i = 0; i < mark_count; i++) {
        char mark[2][32];
        snprintf(mark[0], sizeof mark[0], "mark%ux", i);
        snprintf(mark[1], sizeof mark[1], "77%u77", 1000 + i);
        for (int j = 0; j < 2; j++) {
            if (strstr(text, mark[j]) == NULL || strstr(seen, mark[j]) != NULL)
                continue;
            ++*secrets;
            cr_assert_null(strstr(said, mark[j]), "%s is said:\n%s", mark[j], said);
        }
    }
}

Test(secret, random_schemas_do_not_tell_random_secrets)
{
    uint32_t secrets = 0, refusals = 0;

    for (uint64_t seed = 0; seed < 4000; seed++) {
        struct buffer schema = { 0 }, json = { 0 };
        random_state = seed * 7919 + 1;
        mark_count = 0;
        buffer_text(&schema, "input: ");
        schema_write(&schema, 3);
        buffer_text(&schema, "\n$defs: {r: {properties: {a: {secret: true, type: integer}, b: "
                             "{$ref: \"#/$defs/r\"}}, maxProperties: 2}}\n");
        buffer_byte(&schema, '\0');
        value_write(&json, 3);
        buffer_byte(&json, '\0');
        struct schema_file *file = file_of(schema.data);
        struct value value = value_of(json.data), seen = value;
        schema_redact(schema_input(file), &seen, &arena);
        const char *said = all_said(schema_input(file), &value);
        refusals += strstr(said, "expected") != NULL;
        assert_marks_are_not_said(json.data, json_of(&seen), said, &secrets);
        schema_file_destroy(file);
        buffer_finish(&schema);
        buffer_finish(&json);
        arena_reset(&arena);
    }

    cr_assert_gt(secrets, 1000, "only %u secrets were tried", secrets);
    cr_assert_gt(refusals, 1000, "only %u values were refused", refusals);
}
