/* msgpack bytes ⇄ values. */
#ifndef PACK_H
#define PACK_H

#include "base/buffer.h"
#include "base/err.h"
#include "codec/value.h"

/*
 * Read exactly one msgpack value. Strings and bytes borrow from `packed`. Errors (BAD_REQUEST):
 * cut short, bytes left over, a key that is no string or comes twice, invalid UTF-8,
 * extension types, too deep. Floats that are not finite become null.
 */
bool pack_read(struct arena *arena, struct slice packed, struct value *value, struct err *err);

void pack_write(struct buffer *out, const struct value *value);
/* The same into an arena. */
struct slice pack_value(struct arena *arena, const struct value *value);

/* Parts of a message, for those who write one without building a tree. */
void pack_nil(struct buffer *out);
void pack_bool(struct buffer *out, bool boolean);
void pack_int(struct buffer *out, int64_t number);
void pack_double(struct buffer *out, double number);
void pack_string(struct buffer *out, struct slice text);
void pack_bytes(struct buffer *out, struct slice bytes);
void pack_list(struct buffer *out, uint32_t count); /* `count` values must follow */
void pack_map(struct buffer *out, uint32_t count);  /* `count` keys and values must follow */

#endif
