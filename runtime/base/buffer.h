/* Buffers: bytes that grow at the end and own their memory. */
#ifndef BUFFER_H
#define BUFFER_H

#include "slice.h"

#include <stddef.h>
#include <stdint.h>

struct buffer {
    char *data; /* NULL until something is added; not zero-terminated */
    size_t size;
    size_t capacity;
};

/* A buffer of all zeroes is ready to use. */
void buffer_finish(struct buffer *buffer);

/* Room for `size_bytes` more at data + size; the caller adds to size what it wrote. */
char *buffer_reserve(struct buffer *buffer, size_t size_bytes);
void buffer_add(struct buffer *buffer, const void *bytes, size_t size_bytes);
void buffer_text(struct buffer *buffer, const char *text);
void buffer_format(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* As "%d" would. */
void buffer_int(struct buffer *buffer, int64_t number);

/* Drop the first `size_bytes`. */
void buffer_consume(struct buffer *buffer, size_t size_bytes);

static inline void buffer_slice(struct buffer *buffer, struct slice bytes)
{
    buffer_add(buffer, bytes.data, bytes.size);
}

static inline void buffer_byte(struct buffer *buffer, char byte)
{
    buffer_add(buffer, &byte, 1);
}

static inline struct slice buffer_view(const struct buffer *buffer)
{
    return (struct slice){ buffer->data, buffer->size };
}

#endif
