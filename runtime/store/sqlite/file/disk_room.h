/*
 * Room: how much of the disk is kept for what was accepted.
 *
 * A file of that size lies beside the database. When others fill the disk all the same, it is
 * given back, and completions, cancels and ends of segments have that much; nothing new is
 * taken until there is room for it again.
 *
 * Free pages of the database are room like any other: what is written goes there first. Only
 * the log needs the disk, and it is overwritten, too, once it has its length.
 */
#ifndef DISK_ROOM_H
#define DISK_ROOM_H

#include "store/store.h"

#include <stdatomic.h>

#define ROOM_SUFFIX "-reserve" /* the file's name behind the database's */

struct room_keeper {
    char *path;        /* of the file */
    char *folder;      /* that it is in */
    int64_t low_bytes; /* 0: nothing is kept */
    bool has_reserve, cannot_reserve;
    atomic_bool is_low;
    atomic_int_least64_t page_bytes; /* in free pages; the owner's to set */
    uint64_t next_ns;                /* when to try again to have one */
    /* What the disk said last, and until when that is good. */
    atomic_int_least64_t free_bytes, all_bytes;
    atomic_uint_least64_t space_ns;
};

/* `path` is the database's. */
void room_open(struct room_keeper *keeper, const char *path, int64_t low_bytes);
void room_close(struct room_keeper *keeper);
/* Is it time to look at the disk again, and at the free pages before? */
bool room_is_due(const struct room_keeper *keeper);
/* Before a batch: is there room enough to write it? */
void room_look(struct room_keeper *keeper);
/* A change could not be written. */
void room_release(struct room_keeper *keeper);
/* Any thread. */
void room_tell(struct room_keeper *keeper, struct room *room);

#endif
