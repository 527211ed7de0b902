/* How long a text may be, by its schema. */
#include "helper.h"

#include <criterion/criterion.h>

enum { ANY = -1, UNTOLD = -2 };

static const struct row {
    const char *property;
    int64_t characters, bytes;
} rows[] = {
    { "{}", ANY, ANY },
    { "{ type: string }", ANY, ANY },
    { "{ maxLength: 63 }", 63, 252 },
    { "{ type: integer, maxLength: 63 }", 0, 0 },
    { "false", 0, 0 },
    { "{ enum: [é, abc, 7] }", 3, 3 },
    { "{ const: é }", 2, 2 },
    { "{ format: uuid }", 36, 36 },
    { "{ format: uri }", ANY, ANY },
    { "{ format: uri, maxLength: 9 }", 9, 9 },
    { "{ format: idn-email, maxLength: 9 }", 9, 36 },
    { "{ pattern: ^a*$, maxLength: 9 }", UNTOLD, 0 },
    { "{ type: integer, pattern: ^a*$ }", 0, 0 },
    { "{ not: { const: a } }", UNTOLD, 0 },
    { "{ maxLength: 9, allOf: [{ maxLength: 5 }, {}] }", 5, 20 },
    { "{ anyOf: [{ maxLength: 5 }, { type: 'null' }, { const: abcdefg }] }", 7, 20 },
    { "{ oneOf: [{ maxLength: 5 }, {}] }", ANY, ANY },
    { "{ $ref: '#/$defs/short' }", 4, 16 },
};

Test(longest, a_text_is_as_long_as_every_rule_lets_it_be)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[400];
        (void)snprintf(
            text, sizeof text,
            "$defs: { short: { maxLength: 4 } }\n"
            "input:\n  allOf: [{ properties: { x: {} } }]\n  properties:\n    p: %s\n",
            rows[i].property);
        struct schema_file *file = file_of(text);
        struct schema_text longest;
        bool is_told = schema_longest_text(schema_input(file), SLICE("p"), &longest);
        cr_expect_eq(is_told, rows[i].characters != UNTOLD, "%s", rows[i].property);
        if (is_told) {
            cr_expect_eq(longest.characters, (uint64_t)rows[i].characters, "%s: %llu",
                         rows[i].property, (unsigned long long)longest.characters);
            cr_expect_eq(longest.bytes, (uint64_t)rows[i].bytes, "%s: %llu", rows[i].property,
                         (unsigned long long)longest.bytes);
            cr_expect_eq(longest.line, 5);
        }
        cr_expect_not(schema_longest_text(schema_input(file), SLICE("q"), &longest));
        schema_file_destroy(file);
    }
    struct schema_text longest;
    cr_assert_not(schema_longest_text(NULL, SLICE("p"), &longest));
}
