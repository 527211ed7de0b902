/* JSON text ⇄ values. */
#ifndef JSON_H
#define JSON_H

#include "base/buffer.h"
#include "base/err.h"
#include "codec/value.h"

/*
 * Read one JSON text: UTF-8, with or without its mark, any root, at most VALUE_MAX_DEPTH deep.
 * Duplicate keys are refused, and numbers that would lose a digit. The tree borrows nothing
 * from `text`. Errors: BAD_REQUEST with line and column, or a number's JSON pointer.
 */
bool json_read(struct arena *arena, struct slice text, struct value *value, struct err *err);

/* Compact text without a trailing newline. Bytes become base64 text. */
void json_write(struct buffer *out, const struct value *value);
/* The same, indented by two spaces a level, for people. */
void json_write_pretty(struct buffer *out, const struct value *value);
/* Compact, and cut after `limit` bytes at the border of a character, with "…" for the rest. */
void json_write_short(struct buffer *out, const struct value *value, size_t limit);
/* A quoted and escaped string. */
void json_write_string(struct buffer *out, struct slice text);
/* A JSON pointer grows by a level: "/" and the key, escaped. */
void json_pointer_add(struct buffer *out, struct slice key);
/* msgpack bytes straight to JSON text; "null" for what is no msgpack. */
void json_write_packed(struct buffer *out, struct slice packed);

#endif
