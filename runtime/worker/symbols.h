/* Symbols: addresses of a slot's stack as lines for a person. */
#ifndef WORKER_SYMBOLS_H
#define WORKER_SYMBOLS_H

#include "base/buffer.h"

#include <stdint.h>

/*
 * Append one line a frame, "decided at refund.c:42", of a process that has the same things
 * mapped as this one; below the first ones the lines around it, where the file lies in one of
 * the directories `sources`, which end with NULL. Frames of the worker itself below the
 * plugin's are left out. Parses the plugin's debug information, which may be broken: for a
 * process of its own, under a time limit.
 */
void symbols_find(const char *plugin_path, const char *const *sources, const uint64_t *stack,
                  uint32_t depth, struct buffer *lines);

#endif
