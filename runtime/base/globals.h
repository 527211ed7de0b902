/* Globals: variables of a shared object that code can change, and that outlive whatever changed
 * them. */
#ifndef GLOBALS_H
#define GLOBALS_H

#include "base/buffer.h"

/*
 * How many there are in the ELF file, and the names of the first, "calls, cache", as far as it
 * has kept them. What compilers and sanitizers put there of their own is not counted. 0 for a
 * file that cannot be read.
 */
uint32_t globals_find(int fd, struct buffer *names);

#endif
