/* JSON text to values and back. */
#include "codec/json.h"

#include "codec/pack.h"

#include <criterion/criterion.h>
#include <math.h>

static struct arena arena;
static struct buffer out;
static struct err err;

static void finish(void)
{
    arena_finish(&arena);
    buffer_finish(&out);
}

TestSuite(json, .fini = finish);

static struct value parsed(const char *text)
{
    struct value value;

    cr_assert(json_read(&arena, slice_of(text), &value, &err), "%s: %s", text, err.text);
    return value;
}

static const char *written(const struct value *value)
{
    out.size = 0;
    json_write(&out, value);
    buffer_byte(&out, '\0');
    return out.data;
}

static const char *again(const char *text)
{
    struct value value = parsed(text);

    return written(&value);
}

static bool refused(struct slice text)
{
    struct value value;

    err = (struct err){ 0 };
    return !json_read(&arena, text, &value, &err) && err.code == ERR_BAD_REQUEST &&
           err.text[0] != '\0';
}

Test(json, compact_text_comes_back_unchanged)
{
    static const char *const texts[] = {
        "null",
        "true",
        "false",
        "0",
        "-1",
        "9223372036854775807",
        "-9223372036854775808",
        "0.5",
        "1e+100",
        "\"\"",
        "\"text\"",
        "[]",
        "{}",
        "[1,[2,[3,[]]],{}]",
        "{\"b\":1,\"a\":{\"c\":[null,true]}}",
        "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x99\x82\"",
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        cr_assert_str_eq(again(texts[i]), texts[i]);
}

Test(json, space_around_is_no_part_of_it)
{
    cr_assert_str_eq(again(" \t\r\n[ 1 , 2 ] \n"), "[1,2]");
}

Test(json, a_double_is_written_as_short_as_it_can_be)
{
    cr_assert_str_eq(again("0.1"), "0.1");
    cr_assert_str_eq(again("1.0"), "1.0");
    cr_assert_str_eq(again("-0.0"), "-0.0");
    cr_assert_str_eq(again("3.141592653589793"), "3.141592653589793");
    cr_assert_str_eq(again("1e300"), "1e+300");
    cr_assert_str_eq(again("0.30000000000000004"), "0.30000000000000004");
}

Test(json, every_double_comes_back_as_itself)
{
    uint64_t bits = 88172645463325252u;

    for (int i = 0; i < 20000; i++) {
        double number;
        struct value back;
        bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
        memcpy(&number, &bits, sizeof number);
        if (!isfinite(number))
            continue;
        struct value value = value_double(number);
        cr_assert(json_read(&arena, slice_of(written(&value)), &back, &err), "%s", out.data);
        cr_assert_eq(back.kind, VALUE_DOUBLE);
        cr_assert_eq(memcmp(&back.number, &number, sizeof number), 0, "%s", out.data);
        if (i % 1000 == 0)
            arena_reset(&arena);
    }
}

static const char *refusal(const char *text)
{
    static struct err err;
    struct value value;

    err = (struct err){ 0 };
    cr_expect_not(json_read(&arena, slice_of(text), &value, &err), "%s", text);
    return err.text;
}

Test(json, a_number_that_would_lose_a_digit_is_refused_with_its_place)
{
    static const struct {
        const char *text, *place;
    } cases[] = {
        { "18446744073709551616", "the number does" },
        { "[1,100000000000000000000]", " /1 " },
        { "[-9223372036854775809]", " /0 " },
        { "{\"a\":{\"b/c~\":[0.5,123456789012345678901234567890]}}", " /a/b~1c~0/1 " },
        { "{\"a\":0.12345678901234567890}", " /a " },
        { "{\"a\":3.14159265358979323846}", " /a " },
        { "{\"a\":9007199254740993.0}", " /a " },
        { "{\"a\":1.00000000000000000001}", " /a " },
        { "{\"a\":12345678901234567890.5}", " /a " },
        { "{\"a\":1e999}", " /a " },
        { "{\"a\":1e-999}", " /a " },
        { "[18446744073709551615,{\"a\":0.5,\"b\":1e400}]", " /1/b " },
        { "[0.5,9007199254740993e0]", " /1 " },
    };
    char long_one[2000] = "[0.5,0.";

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_expect_not_null(strstr(refusal(cases[i].text), cases[i].place), "%s: %s",
                           cases[i].text, refusal(cases[i].text));
    memset(long_one + strlen(long_one), '3', 1500);
    strcat(long_one, "]");
    cr_expect_not_null(strstr(refusal(long_one), " /1 "));
    memset(long_one, '7', 1500);
    long_one[1500] = '\0';
    cr_expect_not_null(strstr(refusal(long_one), "64 bits"));
}

Test(json, a_number_that_keeps_its_digits_is_taken)
{
    static const char *const texts[] = { "0.1",
                                         "-0.0",
                                         "1.5e300",
                                         "1e22",
                                         "1E+2",
                                         "0.10000000000000001",
                                         "0.1000000000000000055511151231257827",
                                         "1.7976931348623157e308",
                                         "5e-324",
                                         "4.9406564584124654e-324",
                                         "2.2250738585072014e-308",
                                         "0.30000000000000004",
                                         "9007199254740992.0",
                                         "1.10000000000000000000000000000",
                                         "100000.000000000000000000000001e-400000",
                                         "0.000000000000000000000000000000000000000000000001",
                                         "-9223372036854775808",
                                         "18446744073709551615",
                                         "1e19" };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct value value;
        struct err err = { 0 };
        bool is_lost = strstr(texts[i], "400000") != NULL;
        cr_expect_eq(json_read(&arena, slice_of(texts[i]), &value, &err), !is_lost, "%s: %s",
                     texts[i], err.text);
    }
}

Test(json, a_byte_order_mark_is_skipped)
{
    cr_assert_str_eq(again("\xef\xbb\xbf[0.5,1]"), "[0.5,1]");
    cr_assert(refused(SLICE("\xef\xbb\xbf")));
    cr_assert(refused(SLICE("1\xef\xbb\xbf")));
}

Test(json, unsigned_integers_of_64_bits_stay_exact)
{
    cr_assert_str_eq(again("18446744073709551615"), "18446744073709551615");
    cr_assert_str_eq(again("[9223372036854775808,0.5,9223372036854775809,1e19,5]"),
                     "[9223372036854775808,0.5,9223372036854775809,1e+19,5]");
    cr_assert_eq(parsed("18446744073709551615").kind, VALUE_UINT);
}

Test(json, digits_in_strings_are_no_numbers)
{
    cr_assert_str_eq(again("[\"99999999999999999999\",18446744073709551615,"
                           "\"a\\\"99999999999999999999\",{\"99999999999999999999\":1}]"),
                     "[\"99999999999999999999\",18446744073709551615,"
                     "\"a\\\"99999999999999999999\",{\"99999999999999999999\":1}]");
}

Test(json, a_number_that_no_double_holds_is_refused)
{
    cr_assert(refused(SLICE("1e999")));
    cr_assert(refused(SLICE("[-1e400]")));
}

Test(json, escapes_are_read)
{
    struct value value =
        parsed("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20ac\\ud83d\\ude42\"");

    cr_assert(slice_is(value.bytes, "\"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x99\x82"));
}

Test(json, control_characters_are_written_escaped)
{
    struct value value = value_string(SLICE("\"\\\n\t\x01\x1f\x7f/"));

    cr_assert_str_eq(written(&value), "\"\\\"\\\\\\n\\u0009\\u0001\\u001f\\u007f/\"");
}

Test(json, a_zero_in_a_string_is_kept)
{
    struct value value = parsed("\"a\\u0000b\"");

    cr_assert_eq(value.bytes.size, 3);
    cr_assert_eq(memcmp(value.bytes.data, "a\0b", 3), 0);
    cr_assert_str_eq(written(&value), "\"a\\u0000b\"");
}

Test(json, a_zero_in_a_key_is_refused)
{
    cr_assert(refused(SLICE("{\"a\\u0000b\":1}")));
}

Test(json, a_key_that_comes_twice_is_refused)
{
    cr_assert(refused(SLICE("{\"a\":1,\"b\":2,\"a\":3}")));
    cr_assert_not_null(strstr(err.text, "duplicate"), "%s", err.text);
    cr_assert_str_eq(again("[{\"a\":1},{\"a\":2}]"), "[{\"a\":1},{\"a\":2}]");
}

Test(json, what_is_no_json_is_refused)
{
    static const char *const texts[] = {
        "",          " ",           "{",           "}",
        "[1,]",      "[1 2]",       "{\"a\"}",     "{\"a\":}",
        "{a:1}",     "{'a':1}",     "{\"a\":1,}",  "nul",
        "True",      "+1",          "01",          ".5",
        "1.",        "1e",          "0x10",        "NaN",
        "Infinity",  "-",           "\"a",         "\"\\x\"",
        "\"\\u12\"", "\"\n\"",      "1 2",         "[]]",
        "// a\n1",   "\"\\ud800\"", "\"\\udc00\"", "\"\\ud83d\\u0041\"",
        "[1],",      "undefined",
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        cr_assert(refused(slice_of(texts[i])), "\"%s\"", texts[i]);
    cr_assert(refused((struct slice){ NULL, 0 }));
    cr_assert(refused((struct slice){ "1\0", 2 }), "a zero byte after it");
    cr_assert(refused((struct slice){ "[\0]", 3 }));
}

Test(json, invalid_utf8_is_refused)
{
    static const char *const texts[] = { "\"\xff\"",
                                         "\"\xc3\"",
                                         "\"\xc0\x80\"",
                                         "\"\xed\xa0\x80\"",
                                         "\"\xf5\x80\x80\x80\"",
                                         "{\"\xe2\x82\":1}" };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        cr_assert(refused(slice_of(texts[i])), "text %zu", i);
    cr_assert(utf8_is_valid(slice_of(err.text)), "the message is text itself");
}

Test(json, a_refusal_says_where)
{
    cr_assert(refused(SLICE("{\n  \"a\": 1,\n  \"b\": x\n}")));

    cr_assert_not_null(strstr(err.text, "line 3"), "%s", err.text);
    cr_assert_not_null(strstr(err.text, "column"), "%s", err.text);
}

/* `depth` arrays inside each other around a 1. */
static struct slice nested(size_t depth)
{
    struct buffer text = { 0 };

    for (size_t i = 0; i < depth; i++)
        buffer_byte(&text, '[');
    buffer_byte(&text, '1');
    for (size_t i = 0; i < depth; i++)
        buffer_byte(&text, ']');
    struct slice copy = arena_copy(&arena, buffer_view(&text));
    buffer_finish(&text);
    return copy;
}

Test(json, a_hundred_and_twenty_eight_levels_are_the_most)
{
    struct value value;

    cr_assert(json_read(&arena, nested(VALUE_MAX_DEPTH), &value, &err), "%s", err.text);
    cr_assert(refused(nested(VALUE_MAX_DEPTH + 1)));
    cr_assert_not_null(strstr(err.text, "deeper than 128"), "%s", err.text);
}

Test(json, the_same_depth_goes_through_msgpack)
{
    struct value value, back;
    cr_assert(json_read(&arena, nested(VALUE_MAX_DEPTH), &value, &err));

    struct slice packed = pack_value(&arena, &value);

    cr_assert(pack_read(&arena, packed, &back, &err), "%s", err.text);
    cr_assert(value_equal(&value, &back));
}

Test(json, ten_thousand_levels_are_refused_as_clearly)
{
    cr_assert(refused(nested(10000)));
    cr_assert_not_null(strstr(err.text, "deep"), "%s", err.text);
    cr_assert(refused(nested(1000000)));
    char *open = memset(arena_alloc(&arena, 100000), '[', 100000);
    cr_assert(refused((struct slice){ open, 100000 }));
}

Test(json, the_tree_borrows_nothing_from_the_text)
{
    char text[] = "{\"key\":[\"value\"]}";
    struct value value;
    cr_assert(json_read(&arena, slice_of(text), &value, &err));

    memset(text, 'x', sizeof text);

    cr_assert_str_eq(written(&value), "{\"key\":[\"value\"]}");
}

Test(json, what_was_read_can_grow)
{
    for (int size = 0; size < 20; size++) {
        struct buffer text = { 0 };
        struct value list, map;
        buffer_byte(&text, '[');
        for (int i = 0; i < size; i++)
            buffer_format(&text, "%s%d", i > 0 ? "," : "", i);
        buffer_byte(&text, ']');
        cr_assert(json_read(&arena, buffer_view(&text), &list, &err));
        text.size = 0;
        buffer_byte(&text, '{');
        for (int i = 0; i < size; i++)
            buffer_format(&text, "%s\"%d\":%d", i > 0 ? "," : "", i, i);
        buffer_byte(&text, '}');
        cr_assert(json_read(&arena, buffer_view(&text), &map, &err));

        for (int i = 0; i < 20; i++) {
            value_add(&arena, &list, value_int(i));
            value_put_slice(&arena, &map, arena_format(&arena, "new%d", i), value_int(i));
        }

        cr_assert_eq((int)list.count, size + 20);
        cr_assert_eq((int)map.count, size + 20);
        buffer_finish(&text);
    }
}

Test(json, bytes_become_base64)
{
    static const struct {
        struct slice bytes;
        const char *text;
    } cases[] = {
        { { "", 0 }, "\"\"" },
        { { "f", 1 }, "\"Zg==\"" },
        { { "fo", 2 }, "\"Zm8=\"" },
        { { "foo", 3 }, "\"Zm9v\"" },
        { { "foob", 4 }, "\"Zm9vYg==\"" },
        { { "\xff\xfe\xfd", 3 }, "\"//79\"" },
        { { "\0\0", 2 }, "\"AAA=\"" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct value value = { .kind = VALUE_BYTES, .bytes = cases[i].bytes };
        cr_assert_str_eq(written(&value), cases[i].text);
    }
}

Test(json, a_number_that_is_none_is_written_as_null)
{
    struct value values[] = { value_double(NAN), value_double(INFINITY),
                              value_double(-INFINITY) };

    for (int i = 0; i < 3; i++)
        cr_assert_str_eq(written(&values[i]), "null");
}

Test(json, pretty_text_is_indented_and_reads_back)
{
    struct value value = parsed("{\"a\":[1,{\"b\":[]}],\"c\":{}}"), back;
    out.size = 0;

    json_write_pretty(&out, &value);

    cr_assert(slice_is(buffer_view(&out),
                       "{\n  \"a\": [\n    1,\n    {\n      \"b\": []\n    }\n  ],\n"
                       "  \"c\": {}\n}"));
    cr_assert(json_read(&arena, buffer_view(&out), &back, &err));
    cr_assert(value_equal(&value, &back));
}

Test(json, packed_bytes_go_straight_to_text)
{
    json_write_packed(&out, SLICE("\x82\xa1"
                                  "a\x01\xa1"
                                  "b\x92\xc3\xc0"));
    buffer_byte(&out, ' ');
    json_write_packed(&out, (struct slice){ 0 });
    buffer_byte(&out, ' ');
    json_write_packed(&out, SLICE("\xc1"));

    cr_assert(slice_is(buffer_view(&out), "{\"a\":1,\"b\":[true,null]} null null"));
}

/* Whatever the bytes: it is read or refused, and what was read can be written and read again.
 */
Test(json, random_text_never_breaks_it)
{
    static const char alphabet[] = "[]{},:\"\\u0019eE+-.truefalsn \n\xc3\xa9\x80\x01";
    uint64_t random = 42;
    int accepted = 0;

    for (int round = 0; round < 200000; round++) {
        char text[24];
        struct value value, back;
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        size_t size = random % sizeof text;
        for (size_t i = 0; i < size; i++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            text[i] = alphabet[random / 7 % (sizeof alphabet - 1)];
        }
        if (!json_read(&arena, (struct slice){ text, size }, &value, &err)) {
            cr_assert(utf8_is_valid(slice_of(err.text)), "%s", err.text);
        } else {
            accepted++;
            struct slice first = slice_of(written(&value));
            cr_assert(json_read(&arena, first, &back, &err), "%s: %s", out.data, err.text);
            cr_assert(value_equal(&value, &back), "%s", out.data);
        }
        if (round % 256 == 0)
            arena_reset(&arena);
    }
    cr_assert_gt(accepted, 1000, "the alphabet makes too little JSON to test anything: %d",
                 accepted);
}

Test(json, short_text_ends_between_two_characters)
{
    static const struct {
        size_t limit;
        const char *text;
    } cases[] = { { 100, "[\"aäb\"]" }, { 8, "[\"aäb\"]" }, { 7, "[\"aäb\"…" },
                  { 4, "[\"a…" },       { 5, "[\"aä…" },    { 0, "…" } };
    struct value value = parsed("[\"aäb\"]");

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        out.size = 0;
        buffer_text(&out, "x");
        json_write_short(&out, &value, cases[i].limit);
        buffer_byte(&out, '\0');
        cr_expect_str_eq(out.data + 1, cases[i].text, "%zu: %s", cases[i].limit, out.data);
    }
}
