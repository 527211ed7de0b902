/* Buffers: bytes that grow at the end and own their memory. */
#include "base/buffer.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>

static struct buffer buffer;

static void finish(void)
{
    buffer_finish(&buffer);
}

TestSuite(buffer, .fini = finish);

Test(buffer, grows_by_what_is_added)
{
    for (int i = 0; i < 1000; i++)
        buffer_byte(&buffer, (char)i);

    cr_assert_eq(buffer.size, 1000);
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(buffer.data[i], (char)i);
}

Test(buffer, adding_nothing_needs_no_memory)
{
    buffer_add(&buffer, NULL, 0);
    buffer_text(&buffer, "");
    buffer_slice(&buffer, (struct slice){ 0 });

    cr_assert_null(buffer.data);
    cr_assert_eq(buffer_view(&buffer).size, 0);
}

Test(buffer, format_adds_at_the_end_and_leaves_no_zero)
{
    buffer_text(&buffer, "a");
    buffer_format(&buffer, "%d-%s", 42, "b");
    buffer_byte(&buffer, '!');

    cr_assert(slice_is(buffer_view(&buffer), "a42-b!"));
}

Test(buffer, format_is_not_limited_by_the_room_there_is)
{
    for (int size = 0; size < 300; size++) {
        buffer.size = 0;
        buffer_format(&buffer, "%0*d", size, 0);
        cr_assert_eq(buffer.size, size == 0 ? 1 : (size_t)size);
        cr_assert_eq(buffer.data[buffer.size - 1], '0');
        buffer_finish(&buffer);
    }
}

Test(buffer, numbers_are_written_as_printf_does)
{
    static const int64_t numbers[] = { 0,   1,         -1,        9,         10,
                                       -10, 123456789, INT64_MAX, INT64_MIN, INT64_MIN + 1 };
    char text[32];

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        snprintf(text, sizeof text, "%" PRId64, numbers[i]);
        buffer.size = 0;
        buffer_int(&buffer, numbers[i]);
        cr_assert(slice_is(buffer_view(&buffer), text), "%s", text);
    }
}

Test(buffer, reserve_gives_room_that_counts_only_when_it_is_taken)
{
    char *room = buffer_reserve(&buffer, 500);

    memset(room, 'x', 500);
    cr_assert_eq(buffer.size, 0);
    buffer.size += 3;

    cr_assert(slice_is(buffer_view(&buffer), "xxx"));
}

Test(buffer, consume_drops_the_front)
{
    buffer_text(&buffer, "abcdef");

    buffer_consume(&buffer, 2);
    buffer_consume(&buffer, 0);

    cr_assert(slice_is(buffer_view(&buffer), "cdef"));
}

Test(buffer, consuming_everything_leaves_an_empty_buffer_that_works)
{
    buffer_text(&buffer, "abc");

    buffer_consume(&buffer, 3);
    buffer_text(&buffer, "d");

    cr_assert(slice_is(buffer_view(&buffer), "d"));
}

/* A reader that got nothing yet consumes nothing. */
Test(buffer, consuming_nothing_of_nothing_is_fine)
{
    buffer_consume(&buffer, 0);

    cr_assert_eq(buffer.size, 0);
}

Test(buffer, consuming_more_than_there_is_is_a_mistake, .signal = SIGABRT)
{
    buffer_text(&buffer, "abc");
    buffer_consume(&buffer, 4);
}

Test(buffer, a_finished_buffer_may_be_used_again)
{
    buffer_text(&buffer, "abc");
    buffer_finish(&buffer);

    buffer_text(&buffer, "d");

    cr_assert(slice_is(buffer_view(&buffer), "d"));
}

Test(buffer, a_size_that_cannot_be_ends_the_process, .signal = SIGABRT)
{
    buffer_reserve(&buffer, SIZE_MAX / 2);
}
