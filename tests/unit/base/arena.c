/* Arenas: memory that is freed all at once. */
#include "base/arena.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdalign.h>
#include <stdint.h>

static struct arena arena;

static void finish(void)
{
    arena_finish(&arena);
}

TestSuite(arena, .fini = finish);

static bool is_zero(const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

Test(arena, memory_is_zeroed_even_when_it_was_used_before)
{
    memset(arena_alloc(&arena, 1000), 'x', 1000);
    arena_reset(&arena);

    char *again = arena_alloc(&arena, 1000);

    cr_assert(is_zero(again, 1000));
}

Test(arena, every_piece_is_aligned_for_any_type)
{
    for (size_t size = 1; size < 200; size++)
        cr_assert_eq((uintptr_t)arena_alloc(&arena, size) % alignof(max_align_t), 0,
                     "a piece of %zu bytes", size);
}

Test(arena, pieces_do_not_overlap_however_large_they_are)
{
    enum { PIECES = 200 };
    char *pieces[PIECES];
    size_t sizes[PIECES];

    for (int i = 0; i < PIECES; i++) {
        sizes[i] = (size_t)(i * i * 37 % 90000) + 1;
        pieces[i] = arena_alloc(&arena, sizes[i]);
        memset(pieces[i], i, sizes[i]);
    }

    for (int i = 0; i < PIECES; i++)
        for (size_t k = 0; k < sizes[i]; k++)
            cr_assert_eq((unsigned char)pieces[i][k], i, "byte %zu of piece %d", k, i);
}

Test(arena, a_piece_larger_than_any_chunk_is_served)
{
    char *piece = arena_alloc(&arena, 10 << 20);

    piece[(10 << 20) - 1] = 'x';

    cr_assert_eq(piece[0], 0);
}

Test(arena, used_bytes_count_what_was_handed_out_since_the_reset)
{
    arena_alloc(&arena, 100);
    size_t before = arena.used_bytes;

    arena_reset(&arena);

    cr_assert_geq(before, 100);
    cr_assert_eq(arena.used_bytes, 0);
}

Test(arena, a_reset_arena_does_not_keep_its_largest_chunks)
{
    arena_alloc(&arena, 5 << 20);

    arena_reset(&arena);

    cr_assert_null(arena.chunk);
}

Test(arena, a_copy_ends_in_a_zero_and_is_its_own)
{
    char text[] = "hello";

    struct slice copy = arena_copy(&arena, (struct slice){ text, 5 });
    char *line = arena_text(&arena, (struct slice){ text, 4 });
    text[0] = 'J';

    cr_assert_str_eq(copy.data, "hello");
    cr_assert_eq(copy.size, 5);
    cr_assert_str_eq(line, "hell");
}

Test(arena, an_empty_slice_copies_to_an_empty_text)
{
    struct slice copy = arena_copy(&arena, (struct slice){ NULL, 0 });

    cr_assert_eq(copy.size, 0);
    cr_assert_str_eq(copy.data, "");
    cr_assert_str_eq(arena_text(&arena, (struct slice){ NULL, 0 }), "");
}

Test(arena, format_measures_before_it_writes)
{
    struct slice text = arena_format(&arena, "%s %0*d", "seven", 5000, 7);

    cr_assert_eq(text.size, 5006);
    cr_assert_eq(text.data[5005], '7');
    cr_assert_eq(text.data[5006], '\0');
}

Test(arena, a_size_that_cannot_be_ends_the_process, .signal = SIGABRT)
{
    arena_alloc(&arena, SIZE_MAX - 8);
}
