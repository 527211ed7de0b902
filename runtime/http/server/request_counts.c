#include "request_counts.h"

#include "base/memory.h"

#include <stdlib.h>

static const uint16_t statuses[REQUEST_COUNTS_STATUSES] = { 200, 202, 204, 400, 401, 403,
                                                            404, 405, 408, 413, 415, 422,
                                                            429, 431, 500, 503 };

void request_counts_init(struct request_counts *counts, uint32_t routes)
{
    counts->rows = routes + 1;
    counts->by_route = memory_zeroed(counts->rows, sizeof *counts->by_route);
}

void request_counts_finish(struct request_counts *counts)
{
    free(counts->by_route);
    *counts = (struct request_counts){ 0 };
}

void request_counts_add(struct request_counts *counts, uint32_t row, unsigned status)
{
    uint32_t column = 0;

    while (column < REQUEST_COUNTS_STATUSES - 1 && statuses[column] != status)
        column++;
    counts->by_route[row][column]++;
}

unsigned request_counts_status(uint32_t column)
{
    return statuses[column];
}
