/* Memory from the system; running out of it ends the process, which the store survives. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stddef.h>

/* malloc, calloc and realloc that abort with a plain line on stderr instead of returning NULL.
 */
void *memory_get(size_t size_bytes);
void *memory_zeroed(size_t count, size_t size_bytes);
void *memory_grow(void *memory, size_t size_bytes);
char *memory_text(const char *text);
_Noreturn void memory_die(size_t size_bytes);

#endif
