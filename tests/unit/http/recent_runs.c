/* The table of recent runs: it says so only of runs that it was told of and that have not
 * ended.
 */
#include "http/server/recent_runs.h"

#include <criterion/criterion.h>

static struct recent_runs runs;

Test(recent_runs, a_run_is_known_until_it_ends)
{
    cr_assert_not(recent_runs_know(&runs, 7, 1));
    recent_runs_add(&runs, 7, 1);
    cr_assert(recent_runs_know(&runs, 7, 1));
    recent_runs_remove(&runs, 8);
    cr_assert(recent_runs_know(&runs, 7, 1));
    recent_runs_remove(&runs, 7);
    cr_assert_not(recent_runs_know(&runs, 7, 1));
}

Test(recent_runs, another_environment_does_not_know_it)
{
    recent_runs_add(&runs, 7, 1);
    cr_assert_not(recent_runs_know(&runs, 7, 2));
}

Test(recent_runs, more_runs_than_places_are_forgotten_and_not_mixed_up)
{
    int64_t known = 0;

    for (int64_t id = 1; id <= 10 * RECENT_RUNS_PLACES; id++)
        recent_runs_add(&runs, id << 22, 1);
    for (int64_t id = 1; id <= 10 * RECENT_RUNS_PLACES; id++)
        known += recent_runs_know(&runs, id << 22, 1);
    cr_assert_leq(known, RECENT_RUNS_PLACES);
    cr_assert(recent_runs_know(&runs, INT64_C(10) * RECENT_RUNS_PLACES << 22, 1));
}
