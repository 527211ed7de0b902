/*
 * Prints: what the code of a segment writes to its standard output and error, its libraries and
 * the processes it forks included, is its run's log.
 *
 * Both are one file in memory, so that lines stay in order and one that is silent costs nothing
 * but a look at where the file ends. The nursery has it open too, and reads what is left when a
 * slot has died: its last words. Log lines beyond what a segment may send at once lie there as
 * well, so that of a flood the end is kept.
 *
 * Lines that are not kept are counted: with those that are, they are all that were printed.
 *
 *   printf ─▶ file ─▶ at the next log line, and at the segment's end ─▶ NOTEs
 *                └──▶ when the slot has died, in EXITED
 */
#ifndef WORKER_PRINTS_H
#define WORKER_PRINTS_H

#include "base/buffer.h"

#include <stdint.h>

struct segment;

/* In the nursery, for a slot that is about to be forked; -1: it prints into the void. */
int prints_open(void);
void prints_close(int fd);
/* In the slot. */
void prints_begin(int fd);
/* What was printed since the last segment ended is nobody's. */
void prints_forget(void);
/* Send what is there; at the end of a segment, all of it. */
void prints_take(struct segment *segment, bool is_end);
/* Put a line there instead of sending it. */
void prints_keep(uint32_t level, struct slice line);
/* The last lines of a slot that is gone; how many were in front of them. */
uint32_t prints_rest(int fd, struct buffer *out);

#endif
