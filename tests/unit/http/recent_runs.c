/* The table of fresh runs: it says so only of runs that it was told of and that have not ended.
 */
#include "http/server/recent_runs.h"

#include <criterion/criterion.h>

static struct fresh_runs runs;

Test(fresh, a_run_is_known_until_it_ends)
{
    cr_assert_not(fresh_is_known(&runs, 7, 1));
    fresh_add(&runs, 7, 1);
    cr_assert(fresh_is_known(&runs, 7, 1));
    fresh_remove(&runs, 8);
    cr_assert(fresh_is_known(&runs, 7, 1));
    fresh_remove(&runs, 7);
    cr_assert_not(fresh_is_known(&runs, 7, 1));
}

Test(fresh, another_environment_does_not_know_it)
{
    fresh_add(&runs, 7, 1);
    cr_assert_not(fresh_is_known(&runs, 7, 2));
}

Test(fresh, more_runs_than_places_are_forgotten_and_not_mixed_up)
{
    int64_t known = 0;

    for (int64_t id = 1; id <= 10 * FRESH_PLACES; id++)
        fresh_add(&runs, id << 22, 1);
    for (int64_t id = 1; id <= 10 * FRESH_PLACES; id++)
        known += fresh_is_known(&runs, id << 22, 1);
    cr_assert_leq(known, FRESH_PLACES);
    cr_assert(fresh_is_known(&runs, INT64_C(10) * FRESH_PLACES << 22, 1));
}
