/* Numbers of a JSON text that the JSON library cannot give us as they are. */
#ifndef JSON_NUMBER_H
#define JSON_NUMBER_H

#include "base/arena.h"
#include "base/buffer.h"

#include <stdint.h>

/* One of the reals of a text. */
struct json_mark {
    uint32_t at;      /* which one, from 0 */
    uint64_t number;  /* an integer that only uint64_t can hold … */
    const char *flaw; /* … or, when not NULL, why it is refused: digits.h */
};

struct json_marks {
    struct json_mark *items; /* in the order of the text */
    uint32_t count, capacity;
};

/* Mark what needs it. Into `out`, unless it is NULL, goes the text with everything that the
 * library refuses written as a real. */
void json_numbers_mark(struct arena *arena, struct slice text, struct buffer *out,
                       struct json_marks *marks);

#endif
