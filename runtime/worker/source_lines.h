/* Source lines: what stands around the place of a crash. */
#ifndef WORKER_SOURCE_LINES_H
#define WORKER_SOURCE_LINES_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Append the lines around `line` of the file, each with its number, when it lies below one of
 * `directories` (end with NULL; absolute). It was compiled in `from`, which may be NULL. The
 * file's name comes from a plugin, so nothing else is read: no link leads out, "..", neither,
 * and it is a plain file. False: nothing was appended.
 */
bool source_lines_add(const char *const *directories, const char *from, const char *file,
                      uint32_t line, struct buffer *out);

#endif
