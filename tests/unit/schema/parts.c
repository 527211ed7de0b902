/* Small parts: URIs, numbers, suggestions, patterns. */
#include "base/clock.h"
#include "base/suggest.h"
#include "helper.h"
#include "schema/document/number.h"
#include "schema/document/uri.h"

/* RFC 3986, section 5.4. */
Test(uri, references_resolve_as_the_standard_says)
{
    static const char *const cases[][2] = {
        { "g:h", "g:h" },
        { "g", "http://a/b/c/g" },
        { "./g", "http://a/b/c/g" },
        { "g/", "http://a/b/c/g/" },
        { "/g", "http://a/g" },
        { "//g", "http://g" },
        { "?y", "http://a/b/c/d;p?y" },
        { "g?y", "http://a/b/c/g?y" },
        { "#s", "http://a/b/c/d;p?q" },
        { "g#s", "http://a/b/c/g" },
        { ";x", "http://a/b/c/;x" },
        { "", "http://a/b/c/d;p?q" },
        { ".", "http://a/b/c/" },
        { "./", "http://a/b/c/" },
        { "..", "http://a/b/" },
        { "../g", "http://a/b/g" },
        { "../..", "http://a/" },
        { "../../g", "http://a/g" },
        { "../../../g", "http://a/g" },
        { "/./g", "http://a/g" },
        { "/../g", "http://a/g" },
        { "g.", "http://a/b/c/g." },
        { "..g", "http://a/b/c/..g" },
        { "./../g", "http://a/b/g" },
        { "./g/.", "http://a/b/c/g/" },
        { "g/./h", "http://a/b/c/g/h" },
        { "g/../h", "http://a/b/c/h" },
        { "g;x=1/../y", "http://a/b/c/y" },
        { "g?y/../x", "http://a/b/c/g?y/../x" },
        { "urn:uuid:1", "urn:uuid:1" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct slice got =
            uri_resolve(&arena, SLICE("http://a/b/c/d;p?q"), slice_of(cases[i][0]));
        cr_assert(slice_is(got, cases[i][1]), "%s became %.*s", cases[i][0], SLICE_ARG(got));
    }
}

Test(uri, percent_signs_are_decoded)
{
    cr_assert(slice_is(uri_decode(&arena, SLICE("%2Fa%20b%")), "/a b%"));
    cr_assert(slice_is(uri_decode(&arena, SLICE("%zz%4")), "%zz%4"));
    cr_assert(slice_is(uri_of_path(&arena, SLICE("a b#c")), "a%20b%23c"));
}

static bool is_multiple(const char *value, const char *of)
{
    struct value a = value_of(value), b = value_of(of);
    return number_is_multiple(&a, &b);
}

Test(number, multiples_are_those_of_the_decimals)
{
    cr_assert(is_multiple("0.3", "0.1"));
    cr_assert(is_multiple("19.99", "0.01"));
    cr_assert(is_multiple("0.0075", "0.0001"));
    cr_assert(is_multiple("12391239123", "1e-8"));
    cr_assert(is_multiple("0", "7"));
    cr_assert(is_multiple("-9", "3"));
    cr_assert(is_multiple("-9223372036854775808", "2"));
    struct value huge = { .kind = VALUE_UINT, .big = UINT64_MAX }, five = value_int(5);
    cr_assert(number_is_multiple(&huge, &five));
    cr_assert(is_multiple("1e308", "1e300"));
    cr_assert(is_multiple("4.5", "1.5"));
    cr_assert_not(is_multiple("0.00751", "0.0001"));
    cr_assert_not(is_multiple("1e308", "0.123456789"));
    cr_assert_not(is_multiple("35", "1.5"));
    cr_assert_not(is_multiple("1", "3"));
    cr_assert_not(is_multiple("9007199254740993", "2"));
    cr_assert_not(is_multiple("1e-300", "1"));
}

Test(number, comparing_loses_nothing)
{
    struct value big = value_of("9223372036854775807"),
                 near = value_of("9223372036854775808.0");
    struct value huge = { .kind = VALUE_UINT, .big = UINT64_MAX }, one = value_of("1");
    struct value same = value_of("1.0");

    cr_assert_lt(number_compare(&big, &near), 0);
    cr_assert_gt(number_compare(&huge, &big), 0);
    cr_assert_eq(number_compare(&one, &same), 0);
}

Test(number, equal_values_have_equal_hashes)
{
    struct value a = value_of("{\"x\":[1,2.0,{\"p\":1,\"q\":\"z\"}],\"y\":null}");
    struct value b = value_of("{\"y\":null,\"x\":[1.0,2,{\"q\":\"z\",\"p\":1}]}");
    struct value c = value_of("{\"y\":null,\"x\":[1.0,2,{\"q\":\"z\",\"p\":2}]}");
    int64_t steps = 1000;

    cr_assert_eq(value_hash(&a, &steps), value_hash(&b, &steps));
    cr_assert(value_same(&a, &b, &steps));
    cr_assert_neq(value_hash(&a, &steps), value_hash(&c, &steps));
    cr_assert_not(value_same(&a, &c, &steps));
}

static const char *nearest(const char *wanted, const char *const *known)
{
    struct suggestion near;

    suggestion_init(&near, slice_of(wanted));
    for (; *known != NULL; known++)
        suggestion_offer(&near, slice_of(*known));
    return arena_text(&arena, near.best);
}

Test(suggest, near_names_are_found_and_far_ones_are_not)
{
    static const char *const known[] = { "required", "properties", "pattern", "items", NULL };

    cr_assert_str_eq(nearest("requierd", known), "required");
    cr_assert_str_eq(nearest("Items", known), "items");
    cr_assert_str_eq(nearest("patern", known), "pattern");
    cr_assert_str_eq(nearest("colour", known), "");
    cr_assert_str_eq(nearest("", known), "");
    cr_assert_str_eq(
        nearest("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", known), "");
}

static enum match match_of(const char *regex, struct slice text)
{
    struct regex_fault fault;
    struct matcher matcher;
    struct pattern *pattern = pattern_create(slice_of(regex), &fault);

    cr_assert_not_null(pattern, "%s: %s", regex, fault.text);
    matcher_init(&matcher);
    enum match match = pattern_match(pattern, &matcher, text);
    matcher_finish(&matcher);
    pattern_destroy(pattern);
    return match;
}

Test(pattern, matching_is_unanchored_and_knows_unicode)
{
    cr_assert_eq(match_of("b", SLICE("abc")), MATCH_YES);
    cr_assert_eq(match_of("^b", SLICE("abc")), MATCH_NO);
    cr_assert_eq(match_of("^.$", SLICE("ä")), MATCH_YES);
    cr_assert_eq(match_of("^a$", SLICE("a\n")), MATCH_NO);
    cr_assert_eq(match_of("^\\u00e4$", SLICE("ä")), MATCH_YES);
    cr_assert_eq(match_of("^\\d$", SLICE("٣")), MATCH_NO);
    cr_assert_eq(match_of("[]", SLICE("a")), MATCH_NO);
    cr_assert_eq(match_of("", (struct slice){ 0 }), MATCH_YES);
}

Test(pattern, longer_texts_take_the_same_answer)
{
    static char text[5000];
    memset(text, 'a', sizeof text);

    cr_assert_eq(match_of("^a+$", (struct slice){ text, sizeof text }), MATCH_YES);
    cr_assert_eq(match_of("^(?:aa)*$", (struct slice){ text, sizeof text }), MATCH_YES);
    cr_assert_eq(match_of("b", (struct slice){ text, sizeof text }), MATCH_NO);
}

/* More groups than JIT's stack holds: the interpreter goes on. */
Test(pattern, a_megabyte_of_groups_is_matched)
{
    size_t size = 1 << 20;
    char *text = arena_alloc(&arena, size);
    memset(text, 'A', size);

    cr_assert_eq(match_of("^(?:[A-Za-z0-9+/]{4})*$", (struct slice){ text, size }), MATCH_YES);
}

/* Exponential and polynomial: both would run for years, or for minutes. */
Test(pattern, matching_ends_in_time)
{
    static const char *const regexes[] = { "^(a+)+$",          "(a*)*b",
                                           "a*a*a*a*b",        "^a*a*a*b",
                                           "(x+x+)+y|(a|a)+b", "^(([a-z])+.)+[A-Z]([a-z])+$" };
    size_t size = 1 << 20;
    char *text = arena_alloc(&arena, size);
    memset(text, 'a', size);
    text[size - 1] = '!';

    for (size_t i = 0; i < sizeof regexes / sizeof regexes[0]; i++) {
        uint64_t start = clock_thread_ns();
        enum match match = match_of(regexes[i], (struct slice){ text, size });
        uint64_t took_ms = (clock_thread_ns() - start) / 1000000;
        cr_assert_neq(match, MATCH_YES, "%s", regexes[i]);
        cr_assert_lt(took_ms, 10 * MATCH_TIME_MS, "%s took %llu ms", regexes[i],
                     (unsigned long long)took_ms);
    }
    cr_assert_neq(match_of("^(a+)+$", (struct slice){ text + size - 40, 40 }), MATCH_YES);
}
