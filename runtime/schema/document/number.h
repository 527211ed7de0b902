/* Numbers: comparing and dividing values without losing what a double would lose. */
#ifndef NUMBER_H
#define NUMBER_H

#include "codec/value.h"

bool number_is(const struct value *value);
/* 1.0 is an integer too. */
bool number_is_integer(const struct value *value);
/* Negative, 0 or positive. */
int number_compare(const struct value *a, const struct value *b);
/* Is `value` a whole multiple of `of` (above 0), as the decimals they are written as? */
bool number_is_multiple(const struct value *value, const struct value *of);

#endif
