/*
 * Out: JSON written straight into a buffer, without a tree in between.
 *
 * `key` is NULL for the items of a list and for the root. Commas come by themselves.
 */
#ifndef OUT_H
#define OUT_H

#include "base/buffer.h"
#include "codec/value.h"

#include <stdbool.h>
#include <stdint.h>

struct out {
    struct buffer *buffer;
    bool comma; /* before whatever comes next */
};

void out_map(struct out *out, const char *key);
void out_list(struct out *out, const char *key);
void out_end_map(struct out *out);
void out_end_list(struct out *out);

void out_text(struct out *out, const char *key, struct slice text);
void out_word(struct out *out, const char *key, const char *word); /* nothing to escape in it */
void out_int(struct out *out, const char *key, int64_t number);
void out_double(struct out *out, const char *key, double number);
void out_bool(struct out *out, const char *key, bool boolean);
void out_time(struct out *out, const char *key,
              int64_t at_ms); /* ISO 8601; nothing at all for 0, and for what is no date */
/* When something that is due is, by the wall clock as it is now. */
int64_t due_date(int64_t due_ms, bool is_span);
/* When a token times out, or was to; 0: never. */
struct waitpoint;
int64_t token_due_date(const struct waitpoint *token);
void out_id(struct out *out, const char *key, const char *prefix, int64_t id);
void out_packed(struct out *out, const char *key,
                struct slice packed); /* msgpack; empty: null */
void out_value(struct out *out, const char *key, const struct value *value);

#endif
