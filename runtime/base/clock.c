#include "clock.h"

#include <stdatomic.h>
#include <time.h>

static int64_t read_ns(clockid_t clock)
{
    struct timespec now;

    (void)clock_gettime(clock, &now); /* cannot fail with these clocks */
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_now_ms(void)
{
    return read_ns(CLOCK_REALTIME) / 1000000;
}

int64_t clock_steady_ms(void)
{
    static _Atomic int64_t highest_ns = INT64_MIN; /* offset of the wall clock so far */
    /* In this order: a pause between the two makes the offset smaller, never larger. */
    int64_t wall_ns = read_ns(CLOCK_REALTIME), monotonic_ns = read_ns(CLOCK_MONOTONIC);
    int64_t offset_ns = wall_ns - monotonic_ns, seen_ns = atomic_load(&highest_ns);

    while (offset_ns > seen_ns &&
           !atomic_compare_exchange_weak(&highest_ns, &seen_ns, offset_ns))
        ;
    if (offset_ns >= seen_ns)
        return wall_ns / 1000000;
    /* It was set back, or this thread had a pause: then it is no more than that. */
    return (monotonic_ns + seen_ns) / 1000000;
}

int64_t clock_lag_ms(void)
{
    enum { NOISE_MS = 20 };
    int64_t lag_ms = clock_steady_ms() - clock_now_ms();

    return lag_ms < NOISE_MS ? 0 : lag_ms;
}

bool clock_offset_ns(int64_t *offset_ns)
{
    enum { TRIES = 20, PAUSE_MOST_NS = 1000000 };

    for (int i = 0; i < TRIES; i++) {
        int64_t before_ns = read_ns(CLOCK_MONOTONIC);
        int64_t wall_ns = read_ns(CLOCK_REALTIME);
        if (read_ns(CLOCK_MONOTONIC) - before_ns > PAUSE_MOST_NS)
            continue; /* this thread had to wait in between */
        *offset_ns = wall_ns - before_ns;
        return true;
    }
    return false;
}

uint64_t clock_monotonic_ns(void)
{
    return (uint64_t)read_ns(CLOCK_MONOTONIC);
}

struct timespec clock_monotonic_in(int64_t ms)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_MONOTONIC, &at); /* cannot fail with this clock */
    at.tv_sec += (time_t)(ms / 1000);
    at.tv_nsec += (long)(ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

uint64_t clock_thread_ns(void)
{
    return (uint64_t)read_ns(CLOCK_THREAD_CPUTIME_ID);
}
