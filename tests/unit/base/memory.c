/* Memory: there is some, or the process ends with a plain line. */
#include "base/memory.h"

#include "base/clock.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

Test(memory, nothing_wanted_is_still_a_pointer)
{
    void *a = memory_get(0), *b = memory_zeroed(0, 8), *c = memory_grow(NULL, 0);

    cr_assert(a != NULL && b != NULL && c != NULL);
    free(a);
    free(b);
    free(c);
}

Test(memory, growing_keeps_what_was_there)
{
    char *text = memory_text("hello");

    text = memory_grow(text, 1 << 20);

    cr_assert_str_eq(text, "hello");
    free(text);
}

Test(memory, running_out_ends_the_process, .signal = SIGABRT)
{
    memory_die(12);
}

Test(clock, both_clocks_move_forward)
{
    int64_t now = clock_now_ms();
    uint64_t start = clock_monotonic_ns();

    while (clock_monotonic_ns() == start)
        ;

    cr_assert_gt(now, INT64_C(1704067200000), "it is past 2024");
    cr_assert_leq(clock_now_ms() - now, 60000);
}
