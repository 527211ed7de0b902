/* Slices: borrowed bytes with a length. They never own, and need not end in a zero. */
#ifndef SLICE_H
#define SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
    const char *data; /* may be NULL when size is 0 */
    size_t size;
};

#define SLICE(literal) ((struct slice){ (literal), sizeof(literal) - 1 })

/* For printf's "%.*s". */
#define SLICE_ARG(s) (int)(s).size, (s).data == NULL ? "" : (s).data

static inline struct slice slice_of(const char *text)
{
    return (struct slice){ text, text == NULL ? 0 : strlen(text) };
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool slice_is(struct slice a, const char *text)
{
    return slice_equal(a, slice_of(text));
}

static inline bool slice_starts(struct slice a, const char *prefix)
{
    size_t size = strlen(prefix);
    return a.size >= size && (size == 0 || memcmp(a.data, prefix, size) == 0);
}

/* Bytewise order, the shorter first when one is a prefix: negative, 0 or positive. */
static inline int slice_compare(struct slice a, struct slice b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size == 0 ? 0 : memcmp(a.data, b.data, size);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

#endif
