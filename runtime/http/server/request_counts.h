/* Request counts: how many requests of which route were answered with which status; for
 * /metrics. */
#ifndef HTTP_REQUEST_COUNTS_H
#define HTTP_REQUEST_COUNTS_H

#include <stdint.h>

enum { REQUEST_COUNTS_STATUSES = 20 };

struct request_counts {
    /* The last row is "no such route". */
    uint64_t (*by_route)[REQUEST_COUNTS_STATUSES];
    uint32_t rows;
};

void request_counts_init(struct request_counts *counts, uint32_t routes);
void request_counts_finish(struct request_counts *counts);
void request_counts_add(struct request_counts *counts, uint32_t row, unsigned status);
/* The status of a column; 0 in the last, which counts all others. */
unsigned request_counts_status(uint32_t column);

#endif
