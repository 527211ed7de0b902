/*
 * Tar: a few files in one, as POSIX ustar. Its format is blocks of 512 bytes, and two functions
 * are less than a library that reads twenty formats; whatever unpacks tar can read what is
 * written, and what any tar has packed again can be read.
 */
#ifndef TAR_FILE_H
#define TAR_FILE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/err.h"

enum { TAR_FILES_MAX = 16 };

struct tar_file {
    struct slice name, bytes;
};

void tar_add(struct buffer *out, const char *name, struct slice bytes, int64_t at_ms);
void tar_end(struct buffer *out);

/* The plain files in it; slices borrow from `bytes`. Errors (BAD_REQUEST): no tar, cut short,
 * more than TAR_FILES_MAX. */
bool tar_read(struct slice bytes, struct tar_file files[TAR_FILES_MAX], uint32_t *count,
              struct err *err);

#endif
