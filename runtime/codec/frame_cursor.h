/* A walk over the items of a frame's body that remembers the first mismatch. */
#ifndef FRAME_CURSOR_H
#define FRAME_CURSOR_H

#include "codec/value.h"

struct cursor {
    struct arena *arena;
    const struct value *items;
    uint32_t count, at;
    bool broken;
};

/* Each takes the next item; what is missing or of another kind breaks the cursor and reads as
 * zero. */
const struct value *cursor_take(struct cursor *cursor);
int64_t cursor_int(struct cursor *cursor);
uint32_t cursor_u32(struct cursor *cursor);
bool cursor_bool(struct cursor *cursor);
struct slice cursor_bytes(struct cursor *cursor);
struct slice cursor_text(struct cursor *cursor);
struct cursor cursor_list(struct cursor *cursor);
/* A list of groups of `size` items each; *count is how many groups. */
struct cursor cursor_groups(struct cursor *cursor, uint32_t size, uint32_t *count);

#endif
