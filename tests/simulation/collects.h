/* What is known of triggers that are collected. World.h has it. */
#ifndef SIMULATION_COLLECTS_H
#define SIMULATION_COLLECTS_H

#include <stdint.h>

enum { COLLECT_MOST = 3, COLLECT_MS = 900, COLLECTED_MAX = 4096 };

/* Payloads that were told to be taken, in that order: each has another number. */
struct known_collected {
    struct known_item {
        int64_t number, run, at_ms; /* by the steady clock */
    } items[COLLECTED_MAX];
    uint32_t count;
    int64_t last; /* number that was given */
};

#endif
