#include "cpu_limit.h"

#include <signal.h>
#include <stdbool.h>
#include <time.h>

static timer_t timer; /* of this process: a fork has none */
static bool is_made;

static void timer_set(int64_t ms)
{
    const struct itimerspec when = { .it_value = { .tv_sec = ms / 1000,
                                                   .tv_nsec = ms % 1000 * 1000000 } };

    (void)timer_settime(timer, 0, &when, NULL); /* it is a timer, and a time */
}

void cpu_limit_begin(int64_t limit_ms)
{
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGXCPU };

    if (limit_ms == 0)
        return;
    if (!is_made) /* out of timers: its limit of time is left */
        is_made = timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &timer) == 0;
    if (is_made)
        timer_set(limit_ms);
}

void cpu_limit_end(void)
{
    if (is_made)
        timer_set(0);
}
