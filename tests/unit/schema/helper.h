/* What the tests of this folder share: schemas and values from text, problems as text. */
#ifndef HELPER_H
#define HELPER_H

#include "codec/json.h"
#include "schema/compile/compile.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

extern struct arena arena; /* each test runs in a process of its own */

/* "x.yaml:1:2: message\n…", or "" when there are none. */
const char *problems_said(const struct problems *problems);

/* The schema file, which must be right. */
struct schema_file *file_of(const char *text);
/* What is said about a schema file that is wrong; "" when it is right. */
const char *file_complaints(const char *text);

struct value value_of(const char *json);
const char *json_of(const struct value *value);

/* What is said about a value by a schema that is written as the text below `input:`. */
const char *complaints(const char *schema, const char *json);

#define assert_has(text, part)                                                           \
    do {                                                                                 \
        const char *said_ = (text);                                                      \
        cr_assert(strstr(said_, (part)) != NULL, "wanted: %s\nsaid: %s", (part), said_); \
    } while (0)

#define assert_valid(schema, json)                            \
    do {                                                      \
        const char *said_ = complaints((schema), (json));     \
        cr_assert(said_[0] == '\0', "%s: %s", (json), said_); \
    } while (0)

#define assert_invalid(schema, json) \
    cr_assert(complaints((schema), (json))[0] != '\0', "%s was accepted", (json))

#endif
