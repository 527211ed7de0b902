/* Regexes: what ECMA-262 writes differently from PCRE2. */
#ifndef REGEX_H
#define REGEX_H

#include "base/buffer.h"

/* Append `text` with \p{Letter} as \p{L} and the like; everything else as it is. */
void regex_translate(struct buffer *out, struct slice text);

#endif
