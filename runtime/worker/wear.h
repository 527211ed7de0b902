/* Wear: what segments have left in their slot. A slot that has grown makes room for a new one.
 */
#ifndef WORKER_WEAR_H
#define WORKER_WEAR_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

/* Beyond what there was at the fork; 0: not looked at. */
struct wear_limits {
    int64_t segments, descriptors, threads, memory_bytes;
};

struct wear {
    int64_t segments;
    int descriptor; /* the lowest that is free */
    int64_t memory_bytes;
    unsigned mask; /* of files */
    int folder;    /* to work in; -1: whatever it is */
    struct rlimit descriptors;
    sigset_t signals;
};

void wear_init(struct wear *wear);

/* The processor time that this process has used so far. The same call to the system tells how
 * much memory it took: what wear_is_over() looks at. */
uint64_t wear_measure(void);

/* After a segment: what it has set of the process is as it was, its timers are off. Is this as
 * far as the slot goes? Then `reason` says why. */
bool wear_is_over(struct wear *wear, const struct wear_limits *limits, char reason[120]);

#endif
