#include "request_counts.h"

#include "base/memory.h"

#include <stdlib.h>

static const uint16_t statuses[TALLY_STATUSES] = { 200, 202, 204, 400, 401, 403, 404, 405,
                                                   408, 413, 415, 422, 429, 431, 500, 503 };

void tally_init(struct tally *tally, uint32_t routes)
{
    tally->rows = routes + 1;
    tally->counts = memory_zeroed(tally->rows, sizeof *tally->counts);
}

void tally_finish(struct tally *tally)
{
    free(tally->counts);
    *tally = (struct tally){ 0 };
}

void tally_add(struct tally *tally, uint32_t row, unsigned status)
{
    uint32_t column = 0;

    while (column < TALLY_STATUSES - 1 && statuses[column] != status)
        column++;
    tally->counts[row][column]++;
}

unsigned tally_status(uint32_t column)
{
    return statuses[column];
}
