#include "buffer.h"

#include "memory.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    LIKELY_BYTES = 64 /* of what is formatted */,
    DIGITS_MAX = 20 /* and a sign, of 64 bits */
};

void buffer_finish(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){ 0 };
}

char *buffer_reserve(struct buffer *buffer, size_t size_bytes)
{
    if (size_bytes > SIZE_MAX / 4)
        memory_die(size_bytes);
    if (buffer->capacity - buffer->size < size_bytes) {
        size_t capacity = buffer->capacity < 128 ? 128 : buffer->capacity * 2;
        if (capacity < buffer->size + size_bytes)
            capacity = buffer->size + size_bytes;
        buffer->data = memory_grow(buffer->data, capacity);
        buffer->capacity = capacity;
    }
    return buffer->data + buffer->size;
}

void buffer_add(struct buffer *buffer, const void *bytes, size_t size_bytes)
{
    if (size_bytes == 0)
        return;
    memcpy(buffer_reserve(buffer, size_bytes), bytes, size_bytes);
    buffer->size += size_bytes;
}

void buffer_text(struct buffer *buffer, const char *text)
{
    buffer_add(buffer, text, strlen(text));
}

void buffer_format(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;

    char *room = buffer_reserve(buffer, LIKELY_BYTES);
    size_t left = buffer->capacity - buffer->size;
    va_start(arguments, format);
    int size = vsnprintf(room, left, format, arguments);
    va_end(arguments);
    assert(size >= 0);
    if ((size_t)size >= left) {
        room = buffer_reserve(buffer, (size_t)size + 1);
        va_start(arguments, format);
        (void)vsnprintf(room, (size_t)size + 1, format, arguments); /* measured just above */
        va_end(arguments);
    }
    buffer->size += (size_t)size;
}

void buffer_int(struct buffer *buffer, int64_t number)
{
    char digits[DIGITS_MAX];
    size_t at = sizeof digits;
    uint64_t left = number < 0 ? -(uint64_t)number : (uint64_t)number;

    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (number < 0)
        digits[--at] = '-';
    buffer_add(buffer, digits + at, sizeof digits - at);
}

void buffer_consume(struct buffer *buffer, size_t size_bytes)
{
    assert(size_bytes <= buffer->size);
    if (size_bytes == 0)
        return;
    memmove(buffer->data, buffer->data + size_bytes, buffer->size - size_bytes);
    buffer->size -= size_bytes;
}
