/* State within one version: struct to msgpack and back. */
#include "state_fixture.h"

#include <math.h>

TestSuite(state, .init = state_begin, .fini = state_end);

Test(state, comes_back_as_it_was)
{
    struct old before = full(), after;
    memset(&after, 0xee, sizeof after);

    encode("old", &before);
    decode("old", &after);

    cr_assert(after.yes && after.low == INT32_MIN && after.high == UINT32_MAX);
    cr_assert(after.lower == INT64_MIN && after.higher == UINT64_MAX);
    cr_assert_float_eq(after.half, -0.5, 1e-9);
    cr_assert_str_eq(after.text, "seven77");
    cr_assert(after.bytes.size == 2 && memcmp(after.bytes.data, "\0\xff\0\0", 4) == 0);
    cr_assert(after.token.id == 77 && after.run.id == 78);
    cr_assert_str_eq(after.token.url, "http://here/callback");
    cr_assert(slice_is(((const struct value *)(const void *)after.value)->bytes, "any"));
    cr_assert_str_eq(after.home.city, "Bern");
    cr_assert_eq(after.home.zip, 3000);
    cr_assert(after.words.count == 2 && after.words.item[0][0] == 0);
    cr_assert_str_eq(after.words.item[1], "two");
    cr_assert(after.places.count == 1 && after.places.item[0].zip == 3000);
    cr_assert(after.runs.count == 1 && after.runs.item[0].id == 79);
    cr_assert_eq(kept.count, 0);
}

Test(state, reads_well_in_json)
{
    struct old s = full();

    encode("old", &s);

    cr_assert_str_eq(
        as_json(),
        "{\"yes\":true,\"low\":-2147483648,\"high\":4294967295,\"lower\":-9223372036854775808,"
        "\"higher\":18446744073709551615,\"half\":-0.5,\"text\":\"seven77\",\"bytes\":\"AP8=\","
        "\"token\":{\"id\":\"waitpoint_000000000002d\",\"url\":\"http://here/callback\"},"
        "\"run\":\"run_000000000002e\",\"value\":\"any\",\"home\":{\"city\":\"Bern\",\"zip\":"
        "3000},"
        "\"words\":[\"\",\"two\"],\"places\":[{\"city\":\"Bern\",\"zip\":3000}],"
        "\"runs\":[\"run_000000000002f\"]}");
}

Test(state, starts_from_zeroes)
{
    struct old s, zero;
    memset(&s, 0xee, sizeof s);
    memset(&zero, 0, sizeof zero);

    decode("old", &s);

    cr_assert_eq(memcmp(&s, &zero, sizeof s), 0);
}

/* Zeroes are told from nothing: they come back as zeroes. */
Test(state, of_zeroes_comes_back_as_zeroes)
{
    struct old before, after;
    memset(&before, 0, sizeof before);

    encode("old", &before);
    decode("old", &after);

    cr_assert_eq(memcmp(&before, &after, sizeof before), 0);
}

Test(state, of_a_task_without_any_is_an_empty_map)
{
    struct nothing s = { 0 };

    encode("nothing", &s);
    decode("nothing", &s);

    cr_assert_str_eq(as_json(), "{}");
}

/* What stands behind the end of a text, and padding, is nobody's business. */
Test(state, does_not_leak_what_was_not_declared)
{
    struct old s = full();
    strcpy(s.text, "secret");
    strcpy(s.text, "a");

    encode("old", &s);

    cr_assert_null(memmem(packed.data, packed.size, "cret", 4));
}

Test(state, keeps_doubles_that_are_no_numbers)
{
    struct doubles before = { (double)NAN, (double)INFINITY, -(double)INFINITY, 3.0, 0 }, after;

    encode("doubles", &before);
    decode("doubles", &after);

    cr_assert(isnan(after.a));
    cr_assert(isinf(after.b) && after.b > 0);
    cr_assert(isinf(after.c) && after.c < 0);
    cr_assert_float_eq(after.d, 3.0, 1e-9);
}

/* ---- what an author can get wrong ----------------------------------------------------- */

static void assert_refused(const struct old *s, const char *reason)
{
    packed.size = 0;
    buffer_text(&packed, "before");

    cr_assert_not(state_encode(task("old"), s, &kept, &packed, &err));

    cr_assert_eq(err.code, ERR_RULE);
    cr_assert_not_null(strstr(err.text, reason), "%s", err.text);
    cr_assert_eq(packed.size, 6, "nothing is left of it");
}

Test(state, with_a_text_without_an_end_is_refused)
{
    struct old s = full();
    memset(s.text, 'x', sizeof s.text);

    assert_refused(&s, "state field text has no zero at its end");
}

Test(state, with_a_text_that_is_not_utf8_is_refused)
{
    struct old s = full();
    strcpy(s.home.city, "\xff");

    assert_refused(&s, "state field city is not UTF-8");
}

Test(state, with_a_count_over_its_capacity_is_refused)
{
    struct old s = full();
    s.runs.count = 4;

    assert_refused(&s, "state field runs has a count over its capacity");
}

Test(state, with_a_size_over_its_capacity_is_refused)
{
    struct old s = full();
    s.bytes.size = 5;

    assert_refused(&s, "state field bytes has a size over its capacity");
}

/* A value that could be written but not read again would lose the run. */
Test(state, with_a_value_nested_too_deep_is_refused)
{
    struct old s = full();
    struct value lists[VALUE_MAX_DEPTH + 1];
    lists[0] = value_int(1);
    for (int i = 1; i <= VALUE_MAX_DEPTH; i++) {
        lists[i] = value_list();
        lists[i].items = &lists[i - 1];
        lists[i].count = 1;
    }

    s.value = (const bide_value *)&lists[VALUE_MAX_DEPTH];
    assert_refused(&s, "state field value is nested too deep");

    s.value = (const bide_value *)&lists[VALUE_MAX_DEPTH - 1];
    encode("old", &s);
    decode("old", &s);
}
