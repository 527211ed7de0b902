#include "arena.h"

#include "memory.h"

#include <assert.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_CHUNK_BYTES = 4096, MAX_CHUNK_BYTES = 1 << 20 };

struct arena_chunk {
    struct arena_chunk *next;
    size_t size;
    size_t used;
    alignas(max_align_t) char data[];
};

void arena_init(struct arena *arena)
{
    *arena = (struct arena){ 0 };
}

void arena_finish(struct arena *arena)
{
    while (arena->chunk != NULL) {
        struct arena_chunk *next = arena->chunk->next;
        free(arena->chunk);
        arena->chunk = next;
    }
    arena->used_bytes = 0;
}

void arena_trim(struct arena *arena, size_t most_bytes)
{
    struct arena_chunk *keep = arena->chunk;

    if (keep != NULL && keep->size <= most_bytes) {
        arena->chunk = keep->next;
        arena_finish(arena);
        keep->next = NULL;
        keep->used = 0;
        arena->chunk = keep;
    } else {
        arena_finish(arena);
    }
}

void arena_reset(struct arena *arena)
{
    arena_trim(arena, MAX_CHUNK_BYTES);
}

static struct arena_chunk *chunk_add(struct arena *arena, size_t at_least)
{
    size_t size = arena->chunk == NULL ? FIRST_CHUNK_BYTES : arena->chunk->size * 2;

    if (size > MAX_CHUNK_BYTES)
        size = MAX_CHUNK_BYTES;
    if (size < at_least)
        size = at_least;
    struct arena_chunk *chunk = memory_get(sizeof *chunk + size);
    chunk->next = arena->chunk;
    chunk->size = size;
    chunk->used = 0;
    arena->chunk = chunk;
    return chunk;
}

static void *arena_take(struct arena *arena, size_t size_bytes)
{
    const size_t align = alignof(max_align_t);
    struct arena_chunk *chunk = arena->chunk;

    if (size_bytes > SIZE_MAX / 2)
        memory_die(size_bytes);
    size_bytes = (size_bytes + align - 1) & ~(align - 1);
    if (chunk == NULL || chunk->size - chunk->used < size_bytes)
        chunk = chunk_add(arena, size_bytes);
    void *memory = chunk->data + chunk->used;
    chunk->used += size_bytes;
    arena->used_bytes += size_bytes;
    return memory;
}

void *arena_alloc(struct arena *arena, size_t size_bytes)
{
    return memset(arena_take(arena, size_bytes), 0, size_bytes);
}

struct slice arena_copy(struct arena *arena, struct slice bytes)
{
    char *copy = arena_take(arena, bytes.size + 1);

    if (bytes.size > 0)
        memcpy(copy, bytes.data, bytes.size);
    copy[bytes.size] = '\0';
    return (struct slice){ copy, bytes.size };
}

char *arena_text(struct arena *arena, struct slice text)
{
    char *copy = arena_take(arena, text.size + 1);

    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}

struct slice arena_vformat(struct arena *arena, const char *format, va_list arguments)
{
    va_list again;

    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    assert(size >= 0);
    char *text = arena_take(arena, (size_t)size + 1);
    (void)vsnprintf(text, (size_t)size + 1, format, again); /* measured just above */
    va_end(again);
    return (struct slice){ text, (size_t)size };
}

struct slice arena_format(struct arena *arena, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    struct slice text = arena_vformat(arena, format, arguments);
    va_end(arguments);
    return text;
}
