/* Ids: time-ordered, unique whatever the clock does, and readable as text. */
#include "base/id.h"

#include <criterion/criterion.h>

#define NOW   INT64_C(1800000000000)
#define EPOCH INT64_C(1704067200000)

static struct id_source source;

static void begin(void)
{
    id_source_init(&source, 1);
}

TestSuite(id, .init = begin);

Test(id, ids_of_one_millisecond_rise)
{
    int64_t last = id_next(&source, NOW);

    for (int i = 0; i < 1000; i++) {
        int64_t id = id_next(&source, NOW);
        cr_assert_gt(id, last);
        last = id;
    }
}

Test(id, an_id_knows_when_it_was_made)
{
    cr_assert_eq(id_time_ms(id_next(&source, NOW)), NOW);
    cr_assert_eq(id_time_ms(id_next(&source, NOW + 5)), NOW + 5);
}

Test(id, a_clock_that_steps_back_makes_no_smaller_id)
{
    int64_t before = id_next(&source, NOW);

    int64_t after = id_next(&source, NOW - 3600000);

    cr_assert_gt(after, before);
}

Test(id, a_full_millisecond_borrows_from_the_next)
{
    int64_t last = 0;

    for (int i = 0; i < (1 << 22) + 10; i++) {
        int64_t id = id_next(&source, NOW);
        cr_assert(id > last);
        last = id;
    }

    cr_assert_eq(id_time_ms(last), NOW + 1);
    cr_assert_gt(id_next(&source, NOW + 1), last);
}

Test(id, a_block_is_aligned_and_nobody_else_gets_its_ids)
{
    int64_t single = id_next(&source, NOW);

    int64_t block = id_next_block(&source, NOW);
    int64_t next = id_next(&source, NOW);
    int64_t other = id_next_block(&source, NOW);

    cr_assert_eq(block % ID_BLOCK, 0);
    cr_assert_gt(block, single);
    cr_assert_geq(next, block + ID_BLOCK);
    cr_assert_eq(other % ID_BLOCK, 0);
    cr_assert_gt(other, next);
}

Test(id, blocks_stay_whole_at_the_end_of_a_millisecond)
{
    int64_t last = 0;

    for (int i = 0; i < (1 << 22) / ID_BLOCK + 10; i++) {
        int64_t block = id_next_block(&source, NOW);
        cr_assert(block >= last + ID_BLOCK || i == 0);
        cr_assert_eq(block % ID_BLOCK, 0);
        last = block;
        if (i % 1000 == 0)
            id_next(&source, NOW); /* makes the next block leave a gap */
    }
}

/* The clock of the machine has stepped back since another process made them. */
Test(id, ids_go_on_above_one_that_was_made_before)
{
    int64_t last = id_floor(NOW + 3600000) + 70;

    id_source_skip(&source, last);
    int64_t id = id_next(&source, NOW);

    cr_assert_gt(id, last);
    cr_assert_geq(id_next_block(&source, NOW), last + ID_BLOCK - 70 % ID_BLOCK);
    id_source_skip(&source, id_floor(NOW) + 5);
    cr_assert_gt(id_next(&source, NOW), id, "an older one changes nothing");
    id_source_skip(&source, 0);
    cr_assert_gt(id_next(&source, NOW), id);
}

Test(id, the_last_id_of_a_millisecond_is_followed_by_the_next_millisecond)
{
    int64_t last = id_floor(NOW + 1) - 1;

    id_source_skip(&source, last);

    cr_assert_eq(id_next(&source, NOW), last + 1);
}

/* A machine without a battery for its clock wakes up in 1970. */
Test(id, a_clock_before_the_epoch_still_gives_different_ids)
{
    int64_t first = id_next(&source, 1000);

    int64_t second = id_next(&source, 1001);
    int64_t third = id_next_block(&source, 1002);
    int64_t fourth = id_next(&source, NOW);

    cr_assert_lt(first, second);
    cr_assert_lt(second, third);
    cr_assert_lt(third, fourth);
}

Test(id, text_comes_back_as_the_same_id)
{
    int64_t ids[] = { 0, 1, 31, 32, id_next(&source, NOW), INT64_MAX };
    char text[ID_TEXT_SIZE];

    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        int64_t back = -1;
        cr_assert(id_parse("run", slice_of(id_format("run", ids[i], text)), &back));
        cr_assert_eq(back, ids[i]);
    }
}

Test(id, text_has_a_prefix_and_thirteen_digits)
{
    char text[ID_TEXT_SIZE];

    cr_assert_str_eq(id_format("run", 0, text), "run_0000000000000");
    cr_assert_str_eq(id_format("waitpoint", 33, text), "waitpoint_0000000000011");
    cr_assert_str_eq(id_format("run", INT64_MAX, text), "run_7zzzzzzzzzzzz");
}

Test(id, text_sorts_as_the_ids_do)
{
    char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE];
    int64_t last = 0;

    for (int i = 0; i < 500; i++) {
        int64_t id = id_next(&source, NOW + i * 7919);
        cr_assert_lt(strcmp(id_format("run", last, a), id_format("run", id, b)), 0);
        last = id;
    }
}

Test(id, what_is_not_an_id_is_refused)
{
    static const char *const texts[] = {
        "",
        "run_",
        "run",
        "0000000000000",
        "run_000000000000",   /* one short */
        "run_00000000000000", /* one long */
        "rum_0000000000000",
        "run-0000000000000",
        "RUN_0000000000000",
        "run_000000000000A", /* upper case is another text for the same id */
        "run_000000000000i", /* not in the alphabet: i l o u */
        "run_000000000000l",
        "run_000000000000o",
        "run_000000000000u",
        "run_000000000000 ",
        "run_00000000000\xc3\xa9",
        "run_8000000000000", /* beyond 63 bits */
        "run_zzzzzzzzzzzzz",
    };
    int64_t id = 42;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        cr_assert_not(id_parse("run", slice_of(texts[i]), &id), "\"%s\"", texts[i]);
    cr_assert_not(id_parse("run", (struct slice){ "run_000000000000", 17 }, &id),
                  "a zero byte is no digit");
    cr_assert_eq(id, 42, "a refusal leaves the result alone");
}

Test(id, the_floor_of_a_time_separates_the_ids_around_it)
{
    int64_t before = id_next(&source, NOW - 1);
    int64_t at = id_next(&source, NOW);

    cr_assert_lt(before, id_floor(NOW));
    cr_assert_geq(at, id_floor(NOW));
    cr_assert_eq(id_floor(0), 0);
    cr_assert_eq(id_floor(INT64_MIN), 0);
    cr_assert_eq(id_floor(EPOCH), 0);
}

/* Filters take any date that can be written, "9999-12-31" for one. */
Test(id, the_floor_of_a_time_beyond_all_ids_is_beyond_all_ids)
{
    cr_assert_eq(id_floor(INT64_C(253402300799000)), INT64_MAX);
    cr_assert_eq(id_floor(INT64_MAX), INT64_MAX);
    cr_assert_gt(id_floor(INT64_C(3900000000000)), id_floor(NOW));
}

Test(id, random_numbers_stay_below_their_limit_and_reach_it)
{
    bool seen[10] = { false };

    for (int i = 0; i < 1000; i++) {
        uint64_t number = id_random(&source, 10);
        cr_assert_lt(number, 10);
        seen[number] = true;
    }

    for (int i = 0; i < 10; i++)
        cr_assert(seen[i]);
    cr_assert_eq(id_random(&source, 0), 0);
    cr_assert_eq(id_random(&source, 1), 0);
}

Test(id, the_same_seed_gives_the_same_numbers)
{
    struct id_source again, zero;
    id_source_init(&again, 1);
    id_source_init(&zero, 0);

    cr_assert_eq(id_random(&source, UINT64_MAX), id_random(&again, UINT64_MAX));
    cr_assert_neq(id_random(&zero, UINT64_MAX), 0, "a seed of zero is replaced");
}
