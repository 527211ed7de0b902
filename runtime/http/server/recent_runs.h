/*
 * Fresh runs: those triggered here a moment ago that have not been seen to end.
 *
 * A client that has triggered a run and waits for it would have it read from the database only
 * to learn that it is not done. What is in this table need not be read for that. It holds as
 * many runs as it has places; the others are read.
 */
#ifndef FRESH_H
#define FRESH_H

#include <stdbool.h>
#include <stdint.h>

enum { FRESH_PLACES = 4096 };

struct fresh_run {
    int64_t id; /* 0: none */
    uint32_t environment;
};

struct fresh_runs {
    struct fresh_run places[FRESH_PLACES];
};

void fresh_add(struct fresh_runs *runs, int64_t id, uint32_t environment);
/* It has ended. */
void fresh_remove(struct fresh_runs *runs, int64_t id);
/* It is in this environment and has not ended; false: perhaps. */
bool fresh_is_known(const struct fresh_runs *runs, int64_t id, uint32_t environment);

#endif
