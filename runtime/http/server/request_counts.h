/* Tallies: how many requests of which route were answered with which status; for /metrics. */
#ifndef TALLY_H
#define TALLY_H

#include <stdint.h>

enum { TALLY_STATUSES = 20 };

struct tally {
    uint64_t (*counts)[TALLY_STATUSES]; /* by route; the last row is "no such route" */
    uint32_t rows;
};

void tally_init(struct tally *tally, uint32_t routes);
void tally_finish(struct tally *tally);
void tally_add(struct tally *tally, uint32_t row, unsigned status);
/* The status of a column; 0 in the last, which counts all others. */
unsigned tally_status(uint32_t column);

#endif
