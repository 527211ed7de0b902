/*
 * Waits: why a run is asleep and what wakes it.
 *
 *   RUNNING ──bide_wait_*──▶ WAITING ──edge fires | due_ms comes──▶ QUEUED
 *
 * A wait names tokens or runs and how many of them must end; each that has not yet ended is an
 * edge. A time is the run's own due_ms, and so is the moment at which a wait for others gives
 * up.
 */
#ifndef WAIT_H
#define WAIT_H

#include "base/arena.h"
#include "codec/frame.h"

struct wait {
    uint32_t kind;   /* enum wait_kind */
    uint32_t needed; /* how many of ids; at most count */
    int64_t due_ms;  /* TIME: when; others: gives up then, 0: never */
    int64_t *ids;
    uint32_t count;
    bool gave_up; /* due_ms came first */
};

struct slice wait_pack(struct arena *arena, const struct wait *wait);
/* False for empty or damaged bytes: no wait. */
bool wait_read(struct arena *arena, struct slice packed, struct wait *wait);
/* Each id once: waiting for the same thing twice is waiting for it. */
uint32_t wait_distinct(struct arena *arena, const int64_t *all, uint32_t count, int64_t **ids);
bool wait_has(const struct wait *wait, int64_t id);

#endif
