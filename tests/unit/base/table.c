/* Tables: 64-bit keys to pointers, for the time of a batch. */
#include "base/table.h"

#include <criterion/criterion.h>

static struct arena arena;
static struct table table;
static int things[20000];

static void begin(void)
{
    table_init(&table, &arena);
}

static void finish(void)
{
    arena_finish(&arena);
}

TestSuite(table, .init = begin, .fini = finish);

Test(table, an_empty_table_has_nothing)
{
    cr_assert_null(table_find(&table, 0));
    cr_assert_not(table_has(&table, 0));
}

/* Zero is a key like any other: a free entry is marked, not guessed from its key. */
Test(table, zero_and_the_largest_number_are_keys)
{
    table_set(&table, 0, &things[0]);
    table_set(&table, UINT64_MAX, &things[1]);

    cr_assert_eq(table_find(&table, 0), &things[0]);
    cr_assert_eq(table_find(&table, UINT64_MAX), &things[1]);
    cr_assert_not(table_has(&table, 1));
}

Test(table, finds_every_key_after_it_has_grown_many_times)
{
    for (uint64_t i = 0; i < 20000; i++)
        table_set(&table, i << 22, &things[i]);

    cr_assert_eq(table.count, 20000);
    for (uint64_t i = 0; i < 20000; i++)
        cr_assert_eq(table_find(&table, i << 22), &things[i]);
    cr_assert_null(table_find(&table, 20000ull << 22));
}

Test(table, setting_a_key_again_replaces_its_pointer)
{
    table_set(&table, 7, &things[0]);
    table_set(&table, 7, &things[1]);

    cr_assert_eq(table_find(&table, 7), &things[1]);
    cr_assert_eq(table.count, 1);
}

Test(table, a_key_that_was_set_to_nothing_is_still_there)
{
    table_set(&table, 7, NULL);

    cr_assert_null(table_find(&table, 7));
    cr_assert(table_has(&table, 7));
}

Test(table, a_hash_depends_on_the_bytes_and_the_seed)
{
    uint64_t hash = table_hash(SLICE("fast"), 1);

    cr_assert_eq(table_hash(SLICE("fast"), 1), hash);
    cr_assert_neq(table_hash(SLICE("fast"), 2), hash);
    cr_assert_neq(table_hash(SLICE("fasu"), 1), hash);
    cr_assert_neq(table_hash(SLICE("fast\0"), 1), hash);
    for (char other = 'a'; other <= 'z'; other++)
        for (uint64_t seed = 2; seed < 256; seed++) {
            char text[] = { other, 'a', 's', 't' };
            cr_assert_neq(table_hash((struct slice){ text, 4 }, seed), hash, "%c %d", other,
                          (int)seed);
        }
}
