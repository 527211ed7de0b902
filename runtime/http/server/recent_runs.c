#include "recent_runs.h"

static uint32_t place_of(int64_t id)
{
    return (uint32_t)((uint64_t)id * UINT64_C(0x9e3779b97f4a7c15) >> 52); /* twelve bits */
}

_Static_assert(FRESH_PLACES == 1 << 12, "place_of gives a place");

void fresh_add(struct fresh_runs *runs, int64_t id, uint32_t environment)
{
    runs->places[place_of(id)] = (struct fresh_run){ id, environment };
}

void fresh_remove(struct fresh_runs *runs, int64_t id)
{
    struct fresh_run *run = &runs->places[place_of(id)];

    if (run->id == id)
        run->id = 0;
}

bool fresh_is_known(const struct fresh_runs *runs, int64_t id, uint32_t environment)
{
    const struct fresh_run *run = &runs->places[place_of(id)];

    return run->id == id && run->environment == environment;
}
