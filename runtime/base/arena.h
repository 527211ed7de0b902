/*
 * Arenas: memory that is freed all at once. One per request, per batch, per segment. An arena
 * is used by one thread at a time; handing it to another thread is fine when the first lets go.
 */
#ifndef ARENA_H
#define ARENA_H

#include "slice.h"

#include <stdarg.h>
#include <stddef.h>

struct arena_chunk;

struct arena {
    struct arena_chunk *chunk; /* newest first; NULL while nothing was asked for */
    size_t used_bytes;         /* handed out since the last reset */
};

/* An arena of all zeroes is ready to use; init is the same thing spelled out. */
void arena_init(struct arena *arena);

/* Free everything. The arena is ready to use again. */
void arena_finish(struct arena *arena);

/* Like finish, but keeps one chunk so that a busy loop does not go through malloc. */
void arena_reset(struct arena *arena);

/* Like reset, but what is kept is not above `most_bytes`: for spare ones, of which many lie
 * about. */
void arena_trim(struct arena *arena, size_t most_bytes);

/* Zeroed memory aligned for any type, valid until reset or finish. Aborts when there is none.
 */
void *arena_alloc(struct arena *arena, size_t size_bytes);

/* Copies, each with a terminating zero after its end. */
struct slice arena_copy(struct arena *arena, struct slice bytes);
char *arena_text(struct arena *arena, struct slice text);
struct slice arena_format(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
struct slice arena_vformat(struct arena *arena, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

#define ARENA_NEW(arena, type)          ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_alloc((arena), sizeof(type) * (count)))

#endif
