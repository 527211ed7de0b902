/*
 * Room: how much of the disk is kept for what was accepted.
 *
 * A file of that size lies beside the database. When others fill the disk all the same, it is
 * given back, and completions, cancels and ends of segments have that much; nothing new is
 * taken until there is room for it again.
 */
#ifndef DISK_ROOM_H
#define DISK_ROOM_H

#include "store/store.h"

#include <stdatomic.h>

struct room_keeper {
    char *path;        /* of the file */
    char *folder;      /* that it is in */
    int64_t low_bytes; /* 0: nothing is kept */
    bool has_reserve, cannot_reserve;
    atomic_bool is_low;
    uint64_t next_ns; /* when to try again to have one */
};

/* `path` is the database's. */
void room_open(struct room_keeper *keeper, const char *path, int64_t low_bytes);
void room_close(struct room_keeper *keeper);
/* Before a batch: is there room enough to write it? */
void room_look(struct room_keeper *keeper);
/* A change could not be written. */
void room_release(struct room_keeper *keeper);
/* Any thread. */
void room_tell(const struct room_keeper *keeper, struct room *room);

#endif
