/* Values: trees, equality and UTF-8. */
#include "codec/value.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct arena arena;

static void finish(void)
{
    arena_finish(&arena);
}

TestSuite(value, .fini = finish);

static struct value numbers(int count)
{
    struct value list = value_list();

    for (int i = 0; i < count; i++)
        value_add(&arena, &list, value_int(i));
    return list;
}

Test(value, a_list_keeps_its_items_while_it_grows)
{
    struct value list = numbers(1000);

    cr_assert_eq(list.count, 1000);
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(list.items[i].integer, i);
}

Test(value, a_map_keeps_its_members_in_the_order_they_came)
{
    struct value map = value_map();

    for (int i = 0; i < 100; i++)
        value_put_slice(&arena, &map, arena_format(&arena, "key%d", 99 - i), value_int(i));

    cr_assert_eq(map.count, 100);
    for (uint32_t i = 0; i < 100; i++)
        cr_assert_eq(map.members[i].value.integer, i);
    cr_assert_eq(value_find(&map, "key0")->integer, 99);
}

Test(value, putting_a_key_again_replaces_its_value_in_place)
{
    struct value map = value_map();
    value_put(&arena, &map, "a", value_int(1));
    value_put(&arena, &map, "b", value_int(2));

    value_put(&arena, &map, "a", value_text("new"));

    cr_assert_eq(map.count, 2);
    cr_assert(slice_is(map.members[0].value.bytes, "new"));
}

Test(value, a_removed_member_leaves_room_that_is_used_again)
{
    struct value map = value_map();
    for (int i = 0; i < 9; i++)
        value_put_slice(&arena, &map, arena_format(&arena, "k%d", i), value_int(i));

    value_remove(&map, SLICE("k3"));
    value_remove(&map, SLICE("k8"));
    value_remove(&map, SLICE("absent"));
    for (int i = 10; i < 20; i++)
        value_put_slice(&arena, &map, arena_format(&arena, "k%d", i), value_int(i));

    cr_assert_eq(map.count, 17);
    cr_assert_null(value_find(&map, "k3"));
    cr_assert_eq(value_find(&map, "k19")->integer, 19);
    cr_assert_eq(value_find(&map, "k4")->integer, 4);
}

Test(value, nothing_is_found_in_what_is_no_map)
{
    struct value list = numbers(3);

    cr_assert_null(value_find(NULL, "a"));
    cr_assert_null(value_find(&list, "a"));
}

Test(value, a_copy_borrows_nothing)
{
    char text[] = "text", key[] = "key";
    struct value map = value_map(), list = numbers(3);
    value_add(&arena, &list, value_string((struct slice){ text, 4 }));
    value_put(&arena, &map, key, list);

    struct value copy = value_copy(&arena, &map);
    text[0] = key[0] = 'X';
    value_add(&arena, &map.members[0].value, value_int(9));

    const struct value *inner = value_find(&copy, "key");
    cr_assert_not_null(inner);
    cr_assert_eq(inner->count, 4);
    cr_assert(slice_is(inner->items[3].bytes, "text"));
}

Test(value, a_copy_can_grow)
{
    for (int size = 0; size < 20; size++) {
        struct value list = numbers(size), copy = value_copy(&arena, &list);
        for (int i = 0; i < 20; i++)
            value_add(&arena, &copy, value_int(100 + i));
        cr_assert_eq((int)copy.count, size + 20);
        cr_assert_eq(copy.items[size + 19].integer, 119);
        cr_assert_eq((int)list.count, size);
    }
}

Test(value, whole_numbers_are_equal_whatever_their_kind)
{
    struct value one = value_int(1), also = value_double(1.0), half = value_double(0.5);

    cr_assert(value_equal(&one, &also));
    cr_assert(value_equal(&also, &one));
    cr_assert_not(value_equal(&one, &half));
}

/* A double cannot hold 2^53 + 1: comparing as doubles would call them equal. */
Test(value, large_integers_compare_exactly)
{
    struct value a = value_int((INT64_C(1) << 53) + 1), b = value_double(0x1p53);
    struct value c = value_int(INT64_MAX), d = value_double(0x1p63);
    struct value e = { .kind = VALUE_UINT, .big = UINT64_C(1) << 63 };
    struct value f = { .kind = VALUE_UINT, .big = UINT64_MAX }, g = value_double(0x1p64);
    struct value h = value_int(INT64_MIN), i = value_double(-0x1p63);

    cr_assert_not(value_equal(&a, &b));
    cr_assert_not(value_equal(&c, &d));
    cr_assert(value_equal(&e, &d));
    cr_assert_not(value_equal(&f, &g));
    cr_assert(value_equal(&h, &i));
    cr_assert_not(value_equal(&h, &e), "the same bits, another number");
}

Test(value, maps_are_equal_in_any_order)
{
    struct value a = value_map(), b = value_map();
    value_put(&arena, &a, "x", value_int(1));
    value_put(&arena, &a, "y", value_int(2));
    value_put(&arena, &b, "y", value_int(2));
    value_put(&arena, &b, "x", value_double(1));

    cr_assert(value_equal(&a, &b));
    value_put(&arena, &b, "x", value_int(3));
    cr_assert_not(value_equal(&a, &b));
    value_put(&arena, &a, "x", value_int(3));
    value_put(&arena, &a, "z", value_int(3));
    cr_assert_not(value_equal(&a, &b));
}

Test(value, kinds_do_not_mix)
{
    struct value text = value_text("1"), number = value_int(1), yes = value_bool(true);
    struct value bytes = { .kind = VALUE_BYTES, .bytes = SLICE("1") };
    struct value none = { .kind = VALUE_NULL };

    cr_assert_not(value_equal(&text, &number));
    cr_assert_not(value_equal(&yes, &number));
    cr_assert_not(value_equal(&text, &bytes));
    cr_assert_not(value_equal(&none, &number));
    cr_assert(value_equal(&none, &none));
}

Test(value, kinds_have_the_names_that_schemas_use)
{
    cr_assert_str_eq(value_kind_name(VALUE_NULL), "null");
    cr_assert_str_eq(value_kind_name(VALUE_UINT), "integer");
    cr_assert_str_eq(value_kind_name(VALUE_DOUBLE), "number");
    cr_assert_str_eq(value_kind_name(VALUE_LIST), "array");
    cr_assert_str_eq(value_kind_name(VALUE_MAP), "object");
}

Test(utf8, well_formed_text_is_accepted)
{
    cr_assert(utf8_is_valid((struct slice){ NULL, 0 }));
    cr_assert(utf8_is_valid(SLICE("plain")));
    cr_assert(utf8_is_valid(SLICE("a\0b")));
    cr_assert(utf8_is_valid(SLICE("\xc2\x80 \xdf\xbf")));
    cr_assert(utf8_is_valid(SLICE("\xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf")));
    cr_assert(utf8_is_valid(SLICE("\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf")));
}

Test(utf8, everything_else_is_refused)
{
    static const char *const texts[] = {
        "\x80", /* a continuation alone */
        "\xbf",
        "\xc0\xaf", /* overlong "/" */
        "\xc1\xbf",
        "\xe0\x9f\xbf",
        "\xf0\x8f\xbf\xbf",
        "\xed\xa0\x80", /* surrogates */
        "\xed\xbf\xbf",
        "\xf4\x90\x80\x80", /* beyond U+10FFFF */
        "\xf5\x80\x80\x80",
        "\xff",
        "\xc3", /* cut short */
        "\xe2\x82",
        "\xf0\x9f\x99",
        "\xc3(", /* continued by something else */
        "\xe2(\xa1",
        "ok until \xfe here",
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        cr_assert_not(utf8_is_valid(slice_of(texts[i])), "text %zu", i);
}

/* Against a slow decoder that follows the definition, over every sequence of up to three bytes
 * and the interesting ones of four. */
static bool valid_by_definition(const unsigned char *at, size_t size)
{
    while (size > 0) {
        unsigned code = at[0];
        size_t more = at[0] < 0x80       ? 0
                      : at[0] >> 5 == 6  ? 1
                      : at[0] >> 4 == 14 ? 2
                      : at[0] >> 3 == 30 ? 3
                                         : 9;
        static const unsigned least[] = { 0, 0x80, 0x800, 0x10000 };
        if (more == 9 || size < more + 1)
            return false;
        if (more > 0)
            code = at[0] & (0x3fu >> more);
        for (size_t i = 1; i <= more; i++) {
            if ((at[i] & 0xc0) != 0x80)
                return false;
            code = code << 6 | (at[i] & 0x3fu);
        }
        if (code < least[more] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
            return false;
        at += more + 1;
        size -= more + 1;
    }
    return true;
}

Test(utf8, agrees_with_the_definition_on_every_short_sequence)
{
    static const unsigned char tails[] = { 0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90,
                                           0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xff };

    for (unsigned a = 0; a < 256; a++)
        for (unsigned b = 0; b < 256; b++)
            for (size_t c = 0; c < sizeof tails; c++)
                for (size_t d = 0; d < sizeof tails; d++) {
                    const unsigned char text[] = { (unsigned char)a, (unsigned char)b, tails[c],
                                                   tails[d] };
                    for (size_t size = 1; size <= 4; size++)
                        if (utf8_is_valid((struct slice){ (const char *)text, size }) !=
                            valid_by_definition(text, size))
                            cr_assert_fail("%02x %02x %02x %02x, %zu bytes", a, b, tails[c],
                                           tails[d], size);
                }
}
