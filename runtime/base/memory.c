#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void memory_die(size_t size_bytes)
{
    fprintf(stderr, "bide: out of memory, %zu bytes wanted\n", size_bytes);
    abort();
}

void *memory_get(size_t size_bytes)
{
    void *memory = malloc(size_bytes == 0 ? 1 : size_bytes);

    if (memory == NULL)
        memory_die(size_bytes);
    return memory;
}

void *memory_zeroed(size_t count, size_t size_bytes)
{
    void *memory = calloc(count == 0 ? 1 : count, size_bytes == 0 ? 1 : size_bytes);

    if (memory == NULL)
        memory_die(size_bytes);
    return memory;
}

void *memory_grow(void *memory, size_t size_bytes)
{
    void *grown = realloc(memory, size_bytes == 0 ? 1 : size_bytes);

    if (grown == NULL)
        memory_die(size_bytes);
    return grown;
}

char *memory_text(const char *text)
{
    size_t size = strlen(text) + 1;

    return memcpy(memory_get(size), text, size);
}
