/*
 * Recent runs: those triggered here a moment ago that have not been seen to end.
 *
 * A client that has triggered a run and waits for it would have it read from the database only
 * to learn that it is not done. What is in this table need not be read for that. It holds as
 * many runs as it has places; the others are read.
 */
#ifndef HTTP_RECENT_RUNS_H
#define HTTP_RECENT_RUNS_H

#include <stdbool.h>
#include <stdint.h>

enum { RECENT_RUNS_PLACES = 4096 };

struct recent_run {
    int64_t id; /* 0: none */
    uint32_t environment;
};

struct recent_runs {
    struct recent_run places[RECENT_RUNS_PLACES];
};

void recent_runs_add(struct recent_runs *runs, int64_t id, uint32_t environment);
/* It has ended. */
void recent_runs_remove(struct recent_runs *runs, int64_t id);
/* It is in this environment and has not ended; false: perhaps. */
bool recent_runs_know(const struct recent_runs *runs, int64_t id, uint32_t environment);

#endif
