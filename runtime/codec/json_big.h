/* Integers in JSON that int64_t cannot hold. */
#ifndef JSON_BIG_H
#define JSON_BIG_H

#include "base/arena.h"
#include "base/buffer.h"

#include <stdint.h>

/* One that uint64_t can hold, and which of the text's reals it has become. */
struct json_big {
    uint32_t at;
    uint64_t number;
};

struct json_bigs {
    struct json_big *items; /* in the order of the text */
    uint32_t count, capacity;
};

/* `text` into `out`, each integer beyond int64_t as a real. */
void json_big_rewrite(struct arena *arena, struct slice text, struct buffer *out,
                      struct json_bigs *bigs);

#endif
