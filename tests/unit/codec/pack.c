/* msgpack bytes to values and back. */
#include "codec/pack.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static struct arena arena;
static struct buffer out;
static struct err err;

static void finish(void)
{
    arena_finish(&arena);
    buffer_finish(&out);
}

TestSuite(pack, .fini = finish);

static bool refused(struct slice packed, const char *why)
{
    struct value value;

    err = (struct err){ 0 };
    return !pack_read(&arena, packed, &value, &err) && err.code == ERR_BAD_REQUEST &&
           strstr(err.text, why) != NULL;
}

static struct value again(const struct value *value)
{
    struct value back;

    cr_assert(pack_read(&arena, pack_value(&arena, value), &back, &err), "%s", err.text);
    return back;
}

/* One of everything, at every size that has a format of its own. */
static struct value everything(void)
{
    static const int64_t numbers[] = {
        0,         1,  127, 128, 255,  256,  65535,  65536,  UINT32_MAX, INT64_C(1) << 32,
        INT64_MAX, -1, -32, -33, -128, -129, -32768, -32769, INT32_MIN,  (int64_t)INT32_MIN - 1,
        INT64_MIN
    };
    static const size_t sizes[] = { 0, 1, 31, 32, 255, 256, 65535, 65536 };
    struct value map = value_map(), list = value_list();

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        value_add(&arena, &list, value_int(numbers[i]));
    value_add(&arena, &list, (struct value){ .kind = VALUE_UINT, .big = UINT64_MAX });
    value_add(&arena, &list, (struct value){ .kind = VALUE_UINT, .big = UINT64_C(1) << 63 });
    value_add(&arena, &list, value_double(-0.5));
    value_add(&arena, &list, value_double(1e300));
    value_add(&arena, &list, value_bool(true));
    value_add(&arena, &list, value_bool(false));
    value_add(&arena, &list, (struct value){ .kind = VALUE_NULL });
    value_put(&arena, &map, "numbers", list);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct slice text = { memset(arena_alloc(&arena, sizes[i] + 1), 'x', sizes[i]),
                              sizes[i] };
        struct value items = value_list(), members = value_map();
        value_put_slice(&arena, &map, arena_format(&arena, "text%zu", i), value_string(text));
        value_put_slice(&arena, &map, arena_format(&arena, "bytes%zu", i),
                        (struct value){ .kind = VALUE_BYTES, .bytes = text });
        for (size_t k = 0; k < sizes[i] && k < 300; k++) {
            value_add(&arena, &items, value_int((int64_t)k));
            value_put_slice(&arena, &members, arena_format(&arena, "%zu", k), value_int(1));
        }
        value_put_slice(&arena, &map, arena_format(&arena, "items%zu", i), items);
        value_put_slice(&arena, &map, arena_format(&arena, "members%zu", i), members);
    }
    return map;
}

Test(pack, every_kind_at_every_size_comes_back)
{
    struct value value = everything(), back = again(&value);

    cr_assert(value_equal(&value, &back));
    for (uint32_t i = 0; i < value.members[0].value.count; i++)
        cr_assert_eq(back.members[0].value.items[i].kind, value.members[0].value.items[i].kind);
}

Test(pack, bytes_and_text_stay_apart)
{
    struct value bytes = { .kind = VALUE_BYTES, .bytes = SLICE("\xff\x00\xfe") };
    struct value back = again(&bytes);

    cr_assert_eq(back.kind, VALUE_BYTES);
    cr_assert(slice_equal(back.bytes, bytes.bytes));
}

Test(pack, numbers_take_the_fewest_bytes)
{
    static const struct {
        int64_t number;
        size_t size;
    } cases[] = { { 0, 1 },   { 127, 1 }, { -32, 1 },   { 128, 2 },
                  { -33, 2 }, { 256, 3 }, { 65536, 5 }, { INT64_MAX, 9 } };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        out.size = 0;
        pack_int(&out, cases[i].number);
        cr_assert_eq(out.size, cases[i].size, "%lld", (long long)cases[i].number);
    }
}

/* What other writers may send, and ours does not. */
Test(pack, longer_forms_than_needed_are_read)
{
    struct value value;

    cr_assert(pack_read(&arena, SLICE("\xcf\0\0\0\0\0\0\0\x05"), &value, &err));
    cr_assert_eq(value.integer, 5);
    cr_assert(pack_read(&arena, SLICE("\xd3\0\0\0\0\0\0\0\x05"), &value, &err));
    cr_assert_eq(value.integer, 5);
    cr_assert(pack_read(&arena, SLICE("\xdb\0\0\0\x02hi"), &value, &err));
    cr_assert(slice_is(value.bytes, "hi"));
    cr_assert(pack_read(&arena, SLICE("\xdd\0\0\0\x01\x07"), &value, &err));
    cr_assert_eq(value.items[0].integer, 7);
    cr_assert(pack_read(&arena, SLICE("\xca\x3f\x80\0\0"), &value, &err));
    cr_assert_eq(value.number, 1.0, "a float");
}

Test(pack, numbers_that_are_none_become_null)
{
    double numbers[] = { NAN, INFINITY, -INFINITY };

    for (int i = 0; i < 3; i++) {
        struct value value = value_double(numbers[i]), back = again(&value);
        cr_assert_eq(back.kind, VALUE_NULL);
    }
}

Test(pack, parts_write_what_a_tree_would)
{
    struct value map = value_map(), list = value_list();
    value_add(&arena, &list, (struct value){ .kind = VALUE_NULL });
    value_add(&arena, &list, value_bool(true));
    value_add(&arena, &list, value_int(-5));
    value_add(&arena, &list, value_double(0.5));
    value_put(&arena, &map, "list", list);
    value_put(&arena, &map, "bytes",
              (struct value){ .kind = VALUE_BYTES, .bytes = SLICE("b") });

    pack_map(&out, 2);
    pack_string(&out, SLICE("list"));
    pack_list(&out, 4);
    pack_nil(&out);
    pack_bool(&out, true);
    pack_int(&out, -5);
    pack_double(&out, 0.5);
    pack_string(&out, SLICE("bytes"));
    pack_bytes(&out, SLICE("b"));

    cr_assert(slice_equal(buffer_view(&out), pack_value(&arena, &map)));
}

Test(pack, a_value_cut_at_any_byte_is_refused)
{
    struct value list = value_list(), map = value_map();
    value_add(&arena, &list, value_int(INT64_MAX));
    value_add(&arena, &list, value_double(0.5));
    value_add(&arena, &list, value_text("a text of more than thirty-one characters"));
    value_put(&arena, &map, "key", list);
    value_put(&arena, &map, "more", value_text("x"));
    struct slice whole = pack_value(&arena, &map);

    for (size_t size = 0; size < whole.size; size++) {
        /* In memory of its own, so that reading past the end is seen. */
        char *cut = memcpy(malloc(size + 1), whole.data, size);
        cr_assert(refused((struct slice){ cut, size }, "cut short"), "%zu: %s", size, err.text);
        free(cut);
    }
    cr_assert(refused((struct slice){ NULL, 0 }, "cut short"));
}

Test(pack, bytes_left_over_are_refused)
{
    cr_assert(refused(SLICE("\x01\x02"), "1 bytes left over"));
    cr_assert(refused(SLICE("\x90\xc0\xc0\xc0"), "3 bytes left over"));
}

/* `depth` lists inside each other around `inside`. */
static struct slice nested(size_t depth, const char *inside)
{
    char *bytes = arena_alloc(&arena, depth + strlen(inside) + 1);

    memset(bytes, 0x91, depth);
    memcpy(bytes + depth, inside, strlen(inside));
    return (struct slice){ bytes, depth + strlen(inside) };
}

Test(pack, a_hundred_and_twenty_eight_levels_are_the_most)
{
    struct value value;

    cr_assert(pack_read(&arena, nested(VALUE_MAX_DEPTH, "\x01"), &value, &err), "%s", err.text);
    cr_assert(pack_read(&arena, nested(VALUE_MAX_DEPTH - 1, "\x90"), &value, &err));
    cr_assert(refused(nested(VALUE_MAX_DEPTH + 1, "\x01"), "nested too deep"));
    cr_assert(refused(nested(VALUE_MAX_DEPTH, "\x90"), "nested too deep"));
    cr_assert(refused(nested(VALUE_MAX_DEPTH, "\x80"), "nested too deep"));
    cr_assert(refused(nested(1000000, "\x01"), "nested too deep"));
}

Test(pack, maps_count_as_levels_too)
{
    struct value value;

    for (int depth = VALUE_MAX_DEPTH; depth <= VALUE_MAX_DEPTH + 1; depth++) {
        out.size = 0;
        for (int i = 0; i < depth; i++)
            buffer_add(&out, "\x81\xa1k", 3);
        buffer_byte(&out, 1);
        cr_assert_eq(pack_read(&arena, buffer_view(&out), &value, &err),
                     depth == VALUE_MAX_DEPTH);
    }
}

Test(pack, a_count_that_cannot_be_true_is_refused_before_there_is_room_for_it)
{
    cr_assert(refused(SLICE("\xdd\xff\xff\xff\xff"), "cut short"), "%s", err.text);
    cr_assert(refused(SLICE("\xdf\xff\xff\xff\xff"), "cut short"), "%s", err.text);
    cr_assert(refused(SLICE("\xdc\xff\xff"), "cut short"));
    cr_assert(refused(SLICE("\xde\xff\xff"), "cut short"));
    cr_assert(refused(SLICE("\xdb\xff\xff\xff\xff"), "cut short"));
    cr_assert(refused(SLICE("\xc6\xff\xff\xff\xff"), "cut short"));

    cr_assert_lt(arena.used_bytes, 1 << 16);
}

/* Each level alone looks possible, and all together would take a hundred times the memory. */
Test(pack, counts_that_cannot_all_be_true_take_no_memory)
{
    enum { SIZE = 100000, LEVELS = 100 };
    char *bytes = memset(malloc(SIZE), 0xc0, SIZE);
    for (int i = 0; i < LEVELS; i++)
        memcpy(bytes + 5 * i, "\xdd\x00\x01\x80\x00", 5); /* 98304 items each */

    cr_assert(refused((struct slice){ bytes, SIZE }, "cut short"), "%s", err.text);

    cr_assert_lt(arena.used_bytes, (size_t)SIZE * 64);
    free(bytes);
}

Test(pack, a_key_must_be_a_string)
{
    cr_assert(refused(SLICE("\x81\x01\x02"), "key is not a string"));
    cr_assert(refused(SLICE("\x81\xc4\x01"
                            "a\x02"),
                      "key is not a string"));
    cr_assert(refused(SLICE("\x81\x90\x02"), "key is not a string"));
    cr_assert(refused(SLICE("\x81\xc0\x02"), "key is not a string"));
}

/* JSON has no way to say it, and its readers do not agree on who wins. */
Test(pack, a_key_that_comes_twice_is_refused)
{
    struct value value;

    cr_assert(refused(SLICE("\x82\xa1"
                            "a\x01\xa1"
                            "a\x02"),
                      "key comes twice"),
              "%s", err.text);
    pack_map(&out, 1000);
    for (int i = 0; i < 1000; i++) {
        char key[16];
        snprintf(key, sizeof key, "key%d", i == 999 ? 0 : i);
        pack_string(&out, slice_of(key));
        pack_nil(&out);
    }
    cr_assert(refused(buffer_view(&out), "key comes twice"));
    cr_assert(pack_read(&arena,
                        SLICE("\x92\x81\xa1"
                              "a\x01\x81\xa1"
                              "a\x02"),
                        &value, &err),
              "in two maps it is fine");
}

Test(pack, invalid_utf8_is_refused)
{
    cr_assert(refused(SLICE("\xa1\xff"), "not UTF-8"));
    cr_assert(refused(SLICE("\xa2\xc0\x80"), "not UTF-8"));
    cr_assert(refused(SLICE("\x81\xa1\x80\x01"), "not UTF-8"));
}

Test(pack, extensions_are_refused)
{
    cr_assert(refused(SLICE("\xd4\x01\x02"), "extension"));
    cr_assert(refused(SLICE("\xd6\xff\0\0\0\0"), "extension"), "a timestamp");
    cr_assert(refused(SLICE("\xc7\x01\x01\x02"), "extension"));
    cr_assert(refused(SLICE("\x91\xd8\x01xxxxxxxxxxxxxxxx"), "extension"));
}

Test(pack, the_one_unused_byte_is_refused)
{
    cr_assert(refused(SLICE("\xc1"), "unknown type"));
    cr_assert(refused(SLICE("\x91\xc1"), "unknown type"));
}

Test(pack, what_was_read_can_grow)
{
    for (int size = 0; size < 20; size++) {
        struct value list = value_list(), map = value_map();
        for (int i = 0; i < size; i++) {
            value_add(&arena, &list, value_int(i));
            value_put_slice(&arena, &map, arena_format(&arena, "%d", i), value_int(i));
        }
        struct value list_back = again(&list), map_back = again(&map);

        for (int i = 0; i < 20; i++) {
            value_add(&arena, &list_back, value_int(i));
            value_put_slice(&arena, &map_back, arena_format(&arena, "new%d", i), value_int(i));
        }

        cr_assert_eq((int)list_back.count, size + 20);
        cr_assert_eq((int)map_back.count, size + 20);
    }
}

/* Whatever the bytes: they are read or refused, and what was read comes back the same. */
Test(pack, random_bytes_never_break_it)
{
    uint64_t random = 7;
    int accepted = 0;

    for (int round = 0; round < 300000; round++) {
        char bytes[32];
        struct value value, back;
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        size_t size = random % sizeof bytes;
        for (size_t i = 0; i < size; i++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            /* Half of them start a small container, so that there is something to get into. */
            bytes[i] = (char)(random % 2 ? 0x80 | (random >> 8 & 0x33) : random >> 16);
        }
        if (pack_read(&arena, (struct slice){ bytes, size }, &value, &err)) {
            accepted++;
            cr_assert(pack_read(&arena, pack_value(&arena, &value), &back, &err), "%s",
                      err.text);
            cr_assert(value_equal(&value, &back));
        }
        if (round % 64 == 0)
            arena_reset(&arena);
    }
    cr_assert_gt(accepted, 1000, "%d", accepted);
}

/* One byte of a good message changed: most of the shape is still there to be misled by. */
Test(pack, damaged_messages_never_break_it)
{
    struct value good = value_map(), list = value_list();
    for (int i = 0; i < 5; i++)
        value_add(&arena, &list, value_text("some text"));
    value_put(&arena, &good, "list", list);
    value_put(&arena, &good, "number", value_double(1.5));
    struct slice whole = pack_value(&arena, &good);
    char *bytes = malloc(whole.size);
    struct arena other = { 0 };

    for (size_t at = 0; at < whole.size; at++)
        for (int byte = 0; byte < 256; byte++) {
            struct value value;
            memcpy(bytes, whole.data, whole.size);
            bytes[at] = (char)byte;
            if (pack_read(&other, (struct slice){ bytes, whole.size }, &value, &err))
                (void)pack_value(&other, &value);
            arena_reset(&other);
        }

    arena_finish(&other);
    free(bytes);
}
