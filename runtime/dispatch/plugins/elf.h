/* ELF: is a plugin's file all there? Whether it is a good plugin is for its nursery to say. */
#ifndef DISPATCH_ELF_H
#define DISPATCH_ELF_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* Errors (PLUGIN): no ELF file, or shorter than its headers say. `fd` is read with pread. */
bool elf_is_whole(int fd, uint64_t size_bytes, struct err *err);

#endif
