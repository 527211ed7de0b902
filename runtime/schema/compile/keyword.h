/* Keywords: every word a schema may contain, in one table. */
#ifndef KEYWORD_H
#define KEYWORD_H

#include "base/slice.h"

#include <stdbool.h>

/* Where a keyword's value has schemas in it. */
enum keyword_shape { HOLDS_NONE, HOLDS_SCHEMA, HOLDS_LIST, HOLDS_MAP };

// clang-format off
#define KEYWORD_MAP(X)                                            \
    X(ID,                     "$id",                   NONE)      \
    X(SCHEMA,                 "$schema",               NONE)      \
    X(ANCHOR,                 "$anchor",               NONE)      \
    X(DYNAMIC_ANCHOR,         "$dynamicAnchor",        NONE)      \
    X(REF,                    "$ref",                  NONE)      \
    X(DYNAMIC_REF,            "$dynamicRef",           NONE)      \
    X(DEFS,                   "$defs",                 MAP)       \
    X(VOCABULARY,             "$vocabulary",           NONE)      \
    X(COMMENT,                "$comment",              NONE)      \
    X(TYPE,                   "type",                  NONE)      \
    X(ENUM,                   "enum",                  NONE)      \
    X(CONST,                  "const",                 NONE)      \
    X(MINIMUM,                "minimum",               NONE)      \
    X(MAXIMUM,                "maximum",               NONE)      \
    X(EXCLUSIVE_MINIMUM,      "exclusiveMinimum",      NONE)      \
    X(EXCLUSIVE_MAXIMUM,      "exclusiveMaximum",      NONE)      \
    X(MULTIPLE_OF,            "multipleOf",            NONE)      \
    X(MIN_LENGTH,             "minLength",             NONE)      \
    X(MAX_LENGTH,             "maxLength",             NONE)      \
    X(PATTERN,                "pattern",               NONE)      \
    X(FORMAT,                 "format",                NONE)      \
    X(MIN_ITEMS,              "minItems",              NONE)      \
    X(MAX_ITEMS,              "maxItems",              NONE)      \
    X(UNIQUE_ITEMS,           "uniqueItems",           NONE)      \
    X(PREFIX_ITEMS,           "prefixItems",           LIST)      \
    X(ITEMS,                  "items",                 SCHEMA)    \
    X(CONTAINS,               "contains",              SCHEMA)    \
    X(MIN_CONTAINS,           "minContains",           NONE)      \
    X(MAX_CONTAINS,           "maxContains",           NONE)      \
    X(MIN_PROPERTIES,         "minProperties",         NONE)      \
    X(MAX_PROPERTIES,         "maxProperties",         NONE)      \
    X(REQUIRED,               "required",              NONE)      \
    X(PROPERTIES,             "properties",            MAP)       \
    X(PATTERN_PROPERTIES,     "patternProperties",     MAP)       \
    X(ADDITIONAL_PROPERTIES,  "additionalProperties",  SCHEMA)    \
    X(PROPERTY_NAMES,         "propertyNames",         SCHEMA)    \
    X(DEPENDENT_REQUIRED,     "dependentRequired",     NONE)      \
    X(DEPENDENT_SCHEMAS,      "dependentSchemas",      MAP)       \
    X(ALL_OF,                 "allOf",                 LIST)      \
    X(ANY_OF,                 "anyOf",                 LIST)      \
    X(ONE_OF,                 "oneOf",                 LIST)      \
    X(NOT,                    "not",                   SCHEMA)    \
    X(IF,                     "if",                    SCHEMA)    \
    X(THEN,                   "then",                  SCHEMA)    \
    X(ELSE,                   "else",                  SCHEMA)    \
    X(UNEVALUATED_ITEMS,      "unevaluatedItems",      SCHEMA)    \
    X(UNEVALUATED_PROPERTIES, "unevaluatedProperties", SCHEMA)    \
    X(TITLE,                  "title",                 NONE)      \
    X(DESCRIPTION,            "description",           NONE)      \
    X(MESSAGE,                "message",               NONE)      \
    X(DEFAULT,                "default",               NONE)      \
    X(EXAMPLES,               "examples",              NONE)      \
    X(DEPRECATED,             "deprecated",            NONE)      \
    X(READ_ONLY,              "readOnly",              NONE)      \
    X(WRITE_ONLY,             "writeOnly",             NONE)      \
    X(SECRET,                 "secret",                NONE)      \
    X(CONTENT_ENCODING,       "contentEncoding",       NONE)      \
    X(CONTENT_MEDIA_TYPE,     "contentMediaType",      NONE)      \
    X(CONTENT_SCHEMA,         "contentSchema",         SCHEMA)
// clang-format on

enum keyword {
    KEYWORD_NONE, /* a schema that is `false` */
#define X(name, text, shape) KEYWORD_##name,
    KEYWORD_MAP(X)
#undef X
        KEYWORD_COUNT
};

/* KEYWORD_NONE when it is none. */
enum keyword keyword_find(struct slice text);
struct slice keyword_text(enum keyword keyword);
enum keyword_shape keyword_shape(enum keyword keyword);

/* Does it belong to the validation vocabulary, which a dialect may leave out? */
bool keyword_is_validation(enum keyword keyword);

/* What somebody who wrote `text` may want: "; did you mean pattern?" or nothing. */
const char *keyword_hint(struct slice text, char *hint, size_t size);

#endif
