/* The file: whose it is, and whether it is ours to open. Looks before anything is written. */
#ifndef DATABASE_FILE_H
#define DATABASE_FILE_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum { FILE_PATH_BYTES = 4096 };

/* `base` and `suffix` joined; false with ERR_STORE when that is too long. */
bool file_name(char path[FILE_PATH_BYTES], const char *base, const char *suffix,
               struct err *err);

/*
 * Take the database for this process until file_unlock, or until the process ends however it
 * ends. The lock is on the file itself, so nothing that is put beside it, or taken away, lets a
 * second server in; where there is no file yet it is on the one that file_create fills.
 * Errors: STORE, naming the process that has it.
 */
bool file_lock(const char *path, int *lock_fd, struct err *err);
void file_unlock(int lock_fd);

/* Nobody else may read it, nor its log. */
bool file_private(const char *path, struct err *err);

/*
 * Look at the first 100 bytes, reading only. *is_new: there is no file, or an empty one.
 * Errors: STORE, saying what is wrong: no database, not bide's, a newer version's, damaged, cut
 * short, log without file.
 */
bool file_check(const char *path, bool *is_new, struct err *err);

/*
 * Write zeros behind the end of `path`-wal until it has `size_bytes`: a commit that overwrites
 * needs one write of the disk, one that makes the file longer needs two. SQLite stops reading a
 * log at the first frame that is none, so what is in it stays as it is. Where there is little
 * room, or none at all, nothing is done: it is only faster.
 */
void file_ready_log(const char *path, int64_t size_bytes);

/* The file `from` takes the place of `to`, durably. */
bool file_rename(const char *from, const char *to, struct err *err);

/* Make `path` whole or not at all: a complete database beside it, which file_lock has taken,
 * synced, then renamed. */
bool file_create(const char *path, struct err *err);

#endif
