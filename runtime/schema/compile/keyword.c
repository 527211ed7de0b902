#include "schema/compile/keyword.h"

#include "base/suggest.h"

#include <stdio.h>

struct keyword_row {
    struct slice text;
    enum keyword_shape shape;
};

static const struct keyword_row keywords[KEYWORD_COUNT] = { { { "", 0 }, HOLDS_NONE },
#define X(name, text, shape) { { text, sizeof text - 1 }, HOLDS_##shape },
                                                            KEYWORD_MAP(X)
#undef X
};

/* Words of older drafts and of other languages, which no edit distance leads to the right one.
 */
static const struct {
    const char *wrong, *right;
} habits[] = {
    { "definitions", "$defs" },
    { "dependencies", "dependentRequired or dependentSchemas" },
    { "additionalItems", "items (and prefixItems for the first ones)" },
    { "$recursiveRef", "$dynamicRef" },
    { "$recursiveAnchor", "$dynamicAnchor" },
    { "id", "$id" },
    { "nullable", "type: [..., \"null\"]" },
    { "optional", "leaving it out of required" },
    { "regex", "pattern" },
    { "regexp", "pattern" },
    { "match", "pattern" },
    { "min", "minimum, minLength, minItems or minProperties" },
    { "max", "maximum, maxLength, maxItems or maxProperties" },
    { "length", "minLength and maxLength" },
    { "values", "enum" },
    { "oneof", "oneOf" },
    { "example", "examples (a list)" },
    { "fields", "properties" },
    { "elements", "items" },
    { "help", "description" },
};

enum keyword keyword_find(struct slice text)
{
    for (int i = 1; i < KEYWORD_COUNT; i++)
        if (slice_equal(keywords[i].text, text))
            return (enum keyword)i;
    return KEYWORD_NONE;
}

struct slice keyword_text(enum keyword keyword)
{
    return keywords[keyword].text;
}

enum keyword_shape keyword_shape(enum keyword keyword)
{
    return keywords[keyword].shape;
}

bool keyword_is_validation(enum keyword keyword)
{
    static const enum keyword all[] = { KEYWORD_TYPE,
                                        KEYWORD_ENUM,
                                        KEYWORD_CONST,
                                        KEYWORD_MINIMUM,
                                        KEYWORD_MAXIMUM,
                                        KEYWORD_EXCLUSIVE_MINIMUM,
                                        KEYWORD_EXCLUSIVE_MAXIMUM,
                                        KEYWORD_MULTIPLE_OF,
                                        KEYWORD_MIN_LENGTH,
                                        KEYWORD_MAX_LENGTH,
                                        KEYWORD_PATTERN,
                                        KEYWORD_MIN_ITEMS,
                                        KEYWORD_MAX_ITEMS,
                                        KEYWORD_UNIQUE_ITEMS,
                                        KEYWORD_MIN_CONTAINS,
                                        KEYWORD_MAX_CONTAINS,
                                        KEYWORD_MIN_PROPERTIES,
                                        KEYWORD_MAX_PROPERTIES,
                                        KEYWORD_REQUIRED,
                                        KEYWORD_DEPENDENT_REQUIRED };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (all[i] == keyword)
            return true;
    return false;
}

const char *keyword_hint(struct slice text, char *hint, size_t size)
{
    struct suggestion near;

    hint[0] = '\0';
    for (size_t i = 0; i < sizeof habits / sizeof habits[0]; i++)
        if (slice_is(text, habits[i].wrong)) {
            (void)snprintf(hint, size, "; the word for it is %s", habits[i].right);
            return hint;
        }
    suggestion_init(&near, text);
    for (int i = 1; i < KEYWORD_COUNT; i++)
        suggestion_offer(&near, keywords[i].text);
    if (near.best.size > 0)
        (void)snprintf(hint, size, "; did you mean %.*s?", SLICE_ARG(near.best));
    return hint;
}
