/* Slices and lists: what is small enough to live in a header. */
#include "base/slice.h"

#include "base/list.h"

#include <criterion/criterion.h>

static const struct slice nothing = { NULL, 0 };

Test(slice, equality_looks_at_bytes_and_length)
{
    cr_assert(slice_equal(SLICE("ab"), SLICE("ab")));
    cr_assert_not(slice_equal(SLICE("ab"), SLICE("abc")));
    cr_assert_not(slice_equal(SLICE("ab"), SLICE("aB")));
    cr_assert(slice_equal(SLICE("a\0b"), SLICE("a\0b")));
    cr_assert_not(slice_equal(SLICE("a\0b"), SLICE("a\0c")));
    cr_assert(slice_equal(nothing, SLICE("")));
}

Test(slice, no_text_is_an_empty_slice)
{
    cr_assert_eq(slice_of(NULL).size, 0);
    cr_assert(slice_is(nothing, ""));
    cr_assert(slice_starts(nothing, ""));
    cr_assert_not(slice_starts(nothing, "a"));
}

Test(slice, a_prefix_is_found_only_when_there_is_room_for_it)
{
    cr_assert(slice_starts(SLICE("run_1"), "run_"));
    cr_assert_not(slice_starts(SLICE("run"), "run_"));
}

Test(slice, order_is_bytewise_with_the_shorter_first)
{
    cr_assert_lt(slice_compare(SLICE("a"), SLICE("b")), 0);
    cr_assert_lt(slice_compare(SLICE("a"), SLICE("ab")), 0);
    cr_assert_gt(slice_compare(SLICE("\xff"), SLICE("a")), 0);
    cr_assert_eq(slice_compare(SLICE("ab"), SLICE("ab")), 0);
    cr_assert_lt(slice_compare(nothing, SLICE("a")), 0);
    cr_assert_eq(slice_compare(nothing, nothing), 0);
}

struct item {
    int number;
    struct list node;
};

Test(list, shifts_what_was_pushed_in_order)
{
    struct item items[3] = { { .number = 1 }, { .number = 2 }, { .number = 3 } };
    struct list list;
    list_init(&list);

    for (int i = 0; i < 3; i++)
        list_push(&list, &items[i].node);

    for (int i = 1; i <= 3; i++)
        cr_assert_eq(container_of(list_shift(&list), struct item, node)->number, i);
    cr_assert(list_is_empty(&list));
    cr_assert_null(list_shift(&list));
}

Test(list, a_node_may_be_removed_while_walking)
{
    struct item items[4] = {
        { .number = 1 }, { .number = 2 }, { .number = 3 }, { .number = 4 }
    };
    struct list list;
    int sum = 0;
    list_init(&list);
    for (int i = 0; i < 4; i++)
        list_push(&list, &items[i].node);

    LIST_EACH(&list, node, after)
    if (container_of(node, struct item, node)->number % 2 == 0)
        list_remove(node);

    LIST_EACH(&list, node, after)
    sum += container_of(node, struct item, node)->number;
    cr_assert_eq(sum, 1 + 3);
}

Test(list, removing_a_node_twice_is_harmless)
{
    struct item item = { .number = 1 };
    struct list list;
    list_init(&list);
    list_push(&list, &item.node);

    list_remove(&item.node);
    list_remove(&item.node);

    cr_assert(list_is_empty(&list));
}
