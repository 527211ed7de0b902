/* Stored as the last times, eight bytes each, the oldest first. */
#include "engine/deaths.h"

#define DEATHS_SPAN_MS (INT64_C(3600) * 1000)

enum { DEATH_BYTES = 8 };

static int64_t time_take(struct slice deaths, uint32_t at)
{
    uint64_t time = 0;

    for (int i = 0; i < DEATH_BYTES; i++)
        time |= (uint64_t)(unsigned char)deaths.data[at * DEATH_BYTES + (uint32_t)i] << 8 * i;
    return (int64_t)time;
}

bool deaths_add(struct batch *batch, struct run *run)
{
    size_t kept = run->deaths.size - run->deaths.size % DEATH_BYTES;

    if (kept >= DEATHS_PARKED * DEATH_BYTES)
        kept = (DEATHS_PARKED - 1) * DEATH_BYTES;
    char *bytes = arena_alloc(batch->arena, kept + DEATH_BYTES);
    if (kept > 0)
        memcpy(bytes, run->deaths.data + run->deaths.size - kept, kept);
    for (int i = 0; i < DEATH_BYTES; i++)
        bytes[kept + (size_t)i] = (char)((uint64_t)batch->now_ms >> 8 * i);
    run->deaths = (struct slice){ bytes, kept + DEATH_BYTES };
    return deaths_are_too_many(run);
}

bool deaths_are_too_many(const struct run *run)
{
    return run->deaths.size >= DEATHS_PARKED * DEATH_BYTES &&
           time_take(run->deaths, DEATHS_PARKED - 1) - time_take(run->deaths, 0) <
               DEATHS_SPAN_MS;
}

uint32_t deaths_recent(const struct batch *batch, const struct run *run)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < run->deaths.size / DEATH_BYTES; i++)
        count += batch->now_ms - time_take(run->deaths, i) < DEATHS_SPAN_MS;
    return count;
}
