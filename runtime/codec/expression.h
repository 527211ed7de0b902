/*
 * Expressions over a payload: a small part of CEL, the Common Expression Language.
 *
 *   payload.vip ? 60 : 0
 *   has(payload.tenant) ? payload.tenant : "none"
 *   payload.country in ["de", "at"] && size(payload.items) > 10
 *
 * They are total: no loops, no functions of one's own, at most so many terms, so deep, in so
 * many steps. What they are compiled to is immutable, and may be used by many threads.
 */
#ifndef EXPRESSION_H
#define EXPRESSION_H

#include "codec/value.h"

enum {
    EXPRESSION_MAX_BYTES = 2000,
    EXPRESSION_MAX_TERMS = 400,
    EXPRESSION_MAX_DEPTH = 32,      /* parentheses, lists and signs inside each other */
    EXPRESSION_MAX_STEPS = 1000000, /* members and items looked at, bytes of texts */
};

/* What it must give. */
enum expression_want {
    EXPRESSION_NUMBER, /* integer or double */
    EXPRESSION_TEXT,   /* integers become decimal digits */
    EXPRESSION_BOOL,
    EXPRESSION_ANY
};

struct expression;

/* What is wrong, for a person, and where in the text: from 1, columns in characters. */
struct expression_flaw {
    int line, column;
    char text[200];
};

/* NULL with `flaw` filled when it is no expression, or can never give what is wanted. Lives in
 * `arena` and borrows nothing. */
const struct expression *expression_compile(struct arena *arena, struct slice text,
                                            enum expression_want want,
                                            struct expression_flaw *flaw);

const struct expression *expression_copy(struct arena *arena,
                                         const struct expression *expression);

/* As it was written. */
struct slice expression_text(const struct expression *expression);

/* False with `flaw` filled when there is no value: a member is absent, a sum has strings and
 * numbers, … The value may borrow from the payload (NULL: null), the expression and `arena`. */
bool expression_value(const struct expression *expression, const struct value *payload,
                      struct arena *arena, struct value *value, struct expression_flaw *flaw);

#endif
