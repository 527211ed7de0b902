#include "recent_runs.h"

static uint32_t place_of(int64_t id)
{
    return (uint32_t)((uint64_t)id * UINT64_C(0x9e3779b97f4a7c15) >> 52); /* twelve bits */
}

_Static_assert(RECENT_RUNS_PLACES == 1 << 12, "place_of gives a place");

void recent_runs_add(struct recent_runs *runs, int64_t id, uint32_t environment)
{
    runs->places[place_of(id)] = (struct recent_run){ id, environment };
}

void recent_runs_remove(struct recent_runs *runs, int64_t id)
{
    struct recent_run *run = &runs->places[place_of(id)];

    if (run->id == id)
        run->id = 0;
}

bool recent_runs_know(const struct recent_runs *runs, int64_t id, uint32_t environment)
{
    const struct recent_run *run = &runs->places[place_of(id)];

    return run->id == id && run->environment == environment;
}
