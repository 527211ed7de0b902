/* Regexes: ECMAScript's, as the `u` flag reads them, written again in the words of PCRE2. */
#ifndef REGEX_H
#define REGEX_H

#include "base/buffer.h"

enum {
    REGEX_MAX_BYTES = 16384,
    REGEX_MAX_DEPTH = 200,     /* of groups inside groups */
    REGEX_MAX_REPEATS = 65535, /* PCRE2's own */
};

struct regex_fault {
    size_t offset;  /* in the pattern, in bytes */
    bool is_syntax; /* false: JavaScript would take it, we cannot */
    char text[160]; /* "" when all is well */
};

/* Append to `out` what means the same to PCRE2 (with the options of pattern.c), else say why
 * not. `text` is valid UTF-8. `is_stepping`: look-behinds may be of any length, but for those
 * with groups that are referred to, and take longer. */
bool regex_translate(struct buffer *out, struct slice text, bool is_stepping,
                     struct regex_fault *fault);

/* Where in `text` that begins which has become the byte at `written` of that translation. */
size_t regex_place(struct slice text, bool is_stepping, size_t written);

#endif
