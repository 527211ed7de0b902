/* Problems: how readers of files and values say what is wrong, and how people and clients see
 * it. */
#ifndef PROBLEM_H
#define PROBLEM_H

#include "schema/schema.h"

/* Who reads which file, and where its problems go. */
struct report {
    struct arena *arena; /* keeps the problems */
    struct problems *problems;
    struct slice file; /* as it is named in messages */
};

/* Add one; from PROBLEMS_MAX on they are only counted. Texts are not copied. */
void problem_add(struct arena *arena, struct problems *problems, struct problem problem);
/* Move all of `from` to the end of `to`. */
void problems_join(struct problems *to, struct problems *from);

/* Order them by line and column, as one goes through a file. */
void problems_sort(struct problems *problems);

/* Something is wrong at a place of the file. Line 0: the file as a whole. Returns false. */
bool report_add(struct report *report, uint32_t line, uint32_t column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* "schemas/x.yaml:12:5", with as much as is known. */
void problem_place(struct buffer *out, const struct problem *problem);

/* What a value looks like in a message: "the string \"x\"", "an object with 3 members". */
struct slice value_describe(struct arena *arena, const struct value *value);
/* Text between double quotes, control characters escaped, cut after some 60 bytes. */
struct slice text_quote(struct arena *arena, struct slice text);

#endif
