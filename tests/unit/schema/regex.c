/* Regular expressions: what JavaScript's `u` flag takes, what it means, and what is refused. */
#include "schema/format/regex.h"

#include "helper.h"
#include "schema/format/pattern.h"

static bool matches(const char *regex, const char *subject)
{
    struct regex_fault fault;
    struct matcher matcher;
    struct pattern *pattern = pattern_create(slice_of(regex), &fault);

    cr_assert_not_null(pattern, "%s: %s", regex, fault.text);
    matcher_init(&matcher);
    enum match match = pattern_match(pattern, &matcher, slice_of(subject));
    matcher_finish(&matcher);
    pattern_destroy(pattern);
    cr_assert_neq(match, MATCH_TOO_LONG);
    return match == MATCH_YES;
}

struct meaning {
    const char *regex;
    const char *yes[8], *no[8];
};

static void assert_meanings(const struct meaning *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (const char *const *text = rows[i].yes; *text != NULL; text++)
            cr_assert(matches(rows[i].regex, *text), "/%s/ on \"%s\"", rows[i].regex, *text);
        for (const char *const *text = rows[i].no; *text != NULL; text++)
            cr_assert_not(matches(rows[i].regex, *text), "/%s/ on \"%s\"", rows[i].regex,
                          *text);
    }
}

#define ASSERT_MEANINGS(rows) assert_meanings(rows, sizeof rows / sizeof rows[0])

Test(regex, sets_are_those_of_javascript)
{
    static const struct meaning rows[] = {
        { "^.$", { "a", "ä", "😀", "\xc2\x85", "\v" }, { "\n", "\r", "\u2028", "\u2029", "" } },
        { "^\\s$",
          { " ", "\t", "\u00a0", "\ufeff", "\u2028", "\u3000", "\u1680" },
          { "\xc2\x85", "\u180e", "\u200b", "a" } },
        { "^\\S$",
          { "\xc2\x85", "\u180e", "a", "😀", "\u200b" },
          { "\ufeff", "\u00a0", "\u2029" } },
        { "^[\\s]$", { "\ufeff", "\u205f" }, { "\xc2\x85" } },
        { "^[^\\S]$", { "\ufeff", "\u202f" }, { "a", "\xc2\x85" } },
        { "^[\\S]$", { "\xc2\x85", "😀" }, { "\ufeff" } },
        { "^\\d$", { "7" }, { "٣", "７", "a" } },
        { "^\\w+$", { "aZ_9" }, { "é", "ſ", "\u212a" } },
        { "^[\\W]$", { "é", "-", "😀" }, { "a", "_" } },
        { "^[\\D]$", { "٣", "a" }, { "7" } },
        { "\\bé", { "aé" }, { "é", " é" } },
        { "^a$", { "a" }, { "a\n", "\na", "a\r" } },
        { "^\\p{Lu}$", { "A", "Ω" }, { "a", "1" } },
        { "^[\\p{L}\\d_]+$", { "aΩ9_" }, { "-", "٣" } },
        { "^[^\\P{L}]$", { "a" }, { "1" } },
        { "^\\p{Script=Greek}$", { "Ω" }, { "a" } },
        { "^\\p{sc=Grek}\\p{scx=Grek}$", { "ΩΩ" }, { "a" } },
        { "^\\p{Alphabetic}\\P{ASCII}$", { "aß" }, { "ab" } },
        { "^\\p{Assigned}\\p{Any}\\p{LC}$", { "a!b" }, { "\U000e0fff!b", "a!1" } },
    };

    ASSERT_MEANINGS(rows);
}

Test(regex, characters_are_code_points)
{
    static const struct meaning rows[] = {
        { "^\\u{1F600}$", { "😀" }, { "a" } },
        { "^\\uD83D\\uDE00$", { "😀" }, { "a" } },
        { "^[\\uD83D\\uDE00-\\u{1F64F}]$", { "😀", "🙄" }, { "a" } },
        { "\\uD83D", { NULL }, { "😀", "a", "" } },
        { "\\u{D83D}\\u{DE00}", { NULL }, { "😀" } },
        { "^[\\uD800-\\uDFFF]*$", { "" }, { "a", "😀" } },
        { "^[^\\uD800-\\uDFFF]$", { "a", "😀" }, { "" } },
        { "^[\\u0000-\\uFFFF]$", { "a", "\ufffd", "\ue000" }, { "😀" } },
        { "^[^]$", { "a", "\n", "😀" }, { "" } },
        { "[]", { NULL }, { "a", "" } },
        { "^[]*$", { "" }, { "a" } },
        { "^\\cJ\\x41\\u0042\\0?\\v$", { "\nAB\v" }, { "JAB" } },
        { "^[\\b\\-\\]]+$", { "\b-]" }, { "b" } },
        { "^[--/]+$", { "-./" }, { "," } },
        { "^[&&~~]$", { "&", "~" }, { "a" } },
        { "^[[:alpha:]$", { "[", ":", "a" }, { "b" } },
        { "^# \\/[a ]$", { "# / " }, { "#/a" } },
        { "^.{2}$", { "😀a" }, { "😀" } },
    };

    ASSERT_MEANINGS(rows);
}

Test(regex, groups_and_references_are_those_of_javascript)
{
    static const struct meaning rows[] = {
        { "^(?<year>\\d{4})-\\k<year>$", { "2026-2026" }, { "2026-2025" } },
        { "^(?<\\u0061é>x)\\k<aé>$", { "xx" }, { "x" } },
        { "^(?:(a)|b)\\1$", { "b", "aa" }, { "a", "ba" } },
        { "^\\1(a)$", { "a" }, { "aa" } },
        { "^\\k<n>(?<n>a)\\1$", { "aa" }, { "a" } },
        { "^(a\\1)$", { "a" }, { "aa" } },
        { "^(?=(a+))\\1b$", { "aab" }, { "b" } },
        { "^(?!(b))\\1a$", { "a" }, { "ba" } },
        { "(?<=[$€])\\d", { "$5", "€5" }, { "5" } },
        { "(?<!a|bc)d", { "d", "cd" }, { "ad", "bcd" } },
        { "^(?:(a)(b)\\2)+$", { "abb", "abbabb" }, { "ab" } },
        { "^(?:\\1{1,}()a)$", { "a" }, { "" } },
        { "^(a|ab)(bc|c)$", { "abc", "ac" }, { "ab" } },
        { "(?:()\\p{LC}||)\\]*?.", { "c" }, { "" } },
    };

    ASSERT_MEANINGS(rows);
}

/* pattern, where it is wrong, in bytes, and what is said. */
Test(regex, what_javascript_refuses_is_refused_with_its_place)
{
    static const struct {
        const char *regex;
        size_t offset;
        const char *said;
    } rows[] = {
        { "a{", 1, "after a { comes" },
        { "a{,5}", 1, "after a { comes" },
        { "{1}", 0, "nothing here to repeat" },
        { "a{2,1}", 1, "out of order" },
        { "a}", 1, "a } or ] of its own needs a \\" },
        { "ä]", 2, "a } or ] of its own needs a \\" },
        { "a**", 2, "nothing here to repeat" },
        { "a*+", 2, "nothing here to repeat" },
        { "a|*", 2, "nothing here to repeat" },
        { "^*", 1, "cannot repeat" },
        { "\\b+", 2, "cannot repeat" },
        { "(?=a)*", 5, "cannot repeat" },
        { "(?<=a)?", 6, "cannot repeat" },
        { "a\\", 2, "a \\ at the end" },
        { "\\a", 1, "no such escape" },
        { "\\_", 1, "no such escape" },
        { "\\-", 1, "no such escape" },
        { "\\ ", 1, "no such escape" },
        { "\\é", 1, "no such escape" },
        { "\\A", 1, "no such escape" },
        { "\\Z", 1, "no such escape" },
        { "\\Qa\\E", 1, "no such escape" },
        { "\\h", 1, "no such escape" },
        { "\\C", 1, "no such escape" },
        { "\\K", 1, "no such escape" },
        { "[\\B]", 2, "no such escape in [ ]" },
        { "[\\k<a>]", 2, "no such escape in [ ]" },
        { "[\\1]", 2, "no such escape in [ ]" },
        { "\\01", 1, "octal" },
        { "[\\00]", 2, "octal" },
        { "\\1", 1, "a group that is not here" },
        { "(a)\\2", 4, "a group that is not here" },
        { "\\k<n>(?<m>a)", 1, "a group that is not here" },
        { "\\k", 2, "in < >" },
        { "(?<n>a)|(?<n>b)", 11, "two groups have this name" },
        { "(?<1>a)", 3, "a group's name" },
        { "(?<>a)", 3, "a group's name" },
        { "(?<n", 3, "a group's name" },
        { "\\c", 1, "\\c needs a letter" },
        { "\\c1", 1, "\\c needs a letter" },
        { "\\x4", 1, "\\x needs two" },
        { "\\u12", 2, "\\u needs four" },
        { "\\u{110000}", 2, "10FFFF" },
        { "\\u{}", 2, "10FFFF" },
        { "\\p", 2, "need a property" },
        { "\\pL", 2, "need a property" },
        { "\\p{greek}", 3, "no such property" },
        { "\\p{Greek}", 3, "no such property" },
        { "\\p{lu}", 3, "no such property" },
        { "\\p{L&}", 3, "no such property" },
        { "\\p{Xan}", 3, "no such property" },
        { "\\p{^L}", 3, "no such property" },
        { "\\p{Script=greek}", 3, "no such property" },
        { "\\p{RGI_Emoji}", 3, "no such property" },
        { "[z-a]", 1, "out of order" },
        { "[a-\\d]", 1, "cannot be an end of a range" },
        { "[\\w-z]", 1, "cannot be an end of a range" },
        { "[a", 0, "this [ has no ]" },
        { "[a\\]", 0, "this [ has no ]" },
        { "(", 0, "this ( has no )" },
        { "a)", 1, "this ) has no (" },
        { "(?i:a)", 1, "after (? comes" },
        { "(?>a)", 1, "after (? comes" },
        { "(?#a)", 1, "after (? comes" },
        { "(?P<n>a)", 1, "after (? comes" },
        { "(?|a)", 1, "after (? comes" },
        { "(*UCP)a", 1, "nothing here to repeat" },
        { "(?R)", 1, "after (? comes" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct regex_fault fault;
        cr_assert_null(pattern_create(slice_of(rows[i].regex), &fault), "%s", rows[i].regex);
        cr_assert(fault.is_syntax, "%s", rows[i].regex);
        assert_has(fault.text, rows[i].said);
        cr_assert_eq(fault.offset, rows[i].offset, "%s: %s at %zu, not %zu", rows[i].regex,
                     fault.text, fault.offset, rows[i].offset);
    }
}

/* PCRE2 has none of its own that are not of one length. */
Test(regex, looks_behind_at_any_length)
{
    static const struct meaning rows[] = {
        { "^\\w+(?<=^a*)b?$", { "aa", "aab" }, { "b", "ba", "aca" } },
        { "(?<=a{1,3}b?)c", { "ac", "aaabc", "zabc" }, { "c", "bc", "abbc" } },
        { "(?<!a+b*)c", { "c", "bc", "zc" }, { "ac", "abbc", "aac" } },
        { "(?<=(?:x|yy+)😀)z", { "x😀z", "yyy😀z" }, { "y😀z", "😀z", "xz" } },
        { "(?<=(?<!a+)b+)c", { "bc", "bbc", "abbc" }, { "c", "abc", "aabc" } },
        { "(?<=(?=.*!)a*b)c", { "bc!", "aabc!" }, { "abc", "!abc" } },
        { "(.)(?<=\\1\\1+)$", { "aa", "aaa" }, { "a", "ab" } },
        { "(?<=\\ba*)b(c)\\1", { "abcc", " bcc" }, { "abcd", "xabcc" } },
        { "(?<=a|bc|)$", { "", "x" }, { NULL } },
    };
    ASSERT_MEANINGS(rows);
}

Test(regex, a_long_look_behind_ends_in_time)
{
    static char text[300000];
    struct regex_fault fault;
    struct pattern *anchored = pattern_create(SLICE("!$(?<=^a*!)"), &fault);
    struct pattern *loose = pattern_create(SLICE("(?<=x.*)b"), &fault);

    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '!';
    for (int i = 0; i < 2; i++) {
        struct slice subject = { text + (i == 0 ? sizeof text - 3000 : 0),
                                 i == 0 ? 3000 : sizeof text };
        struct matcher matcher;
        matcher_init(&matcher);
        enum match match = pattern_match(anchored, &matcher, subject);
        cr_assert(match == MATCH_YES || (i == 1 && match == MATCH_TOO_LONG), "%d", match);
        match = pattern_match(loose, &matcher, subject);
        cr_assert(match == MATCH_NO || (i == 1 && match == MATCH_TOO_LONG), "%d", match);
        matcher_finish(&matcher);
    }
    pattern_destroy(anchored);
    pattern_destroy(loose);
}

/* PCRE2 would match them otherwise, or not at all: that is said, not guessed. */
Test(regex, what_only_javascript_can_do_is_refused_as_such)
{
    static const struct {
        const char *regex;
        size_t offset;
        const char *said;
    } rows[] = {
        { "ä(?<=(a+))b\\1", 2, "of one length" },
        { "^(?:(a)|b)*\\1$", 12, "may not set it each time" },
        { "^(?:(?=(a)))*\\1b", 14, "may not set it each time" },
        { "(a\\1)*", 3, "may not set it each time" },
        { "a{65536}", 1, "up to 65535" },
        { "a{0,99999999999999999999}", 1, "up to 65535" },
        { "((a{1,999}){1,999}){1,999}", 0, "too large" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct regex_fault fault;
        cr_assert_null(pattern_create(slice_of(rows[i].regex), &fault), "%s", rows[i].regex);
        cr_assert_not(fault.is_syntax, "%s", rows[i].regex);
        assert_has(fault.text, rows[i].said);
        if (i + 1 < sizeof rows / sizeof rows[0])
            cr_assert_eq(fault.offset, rows[i].offset, "%s at %zu", rows[i].regex,
                         fault.offset);
    }
    assert_has(file_complaints("input: {pattern: \"(?<=(a+))b\\\\1\"}"),
               "x.yaml:1:18: no valid regular expression here, though JavaScript takes it: ");
    assert_valid("{format: regex}", "\"(?<=(a+))b\\\\1\"");
    assert_invalid("{format: regex}", "\"\\\\a\"");
    assert_invalid("{format: regex}", "\"a{\"");
}

Test(regex, depth_and_length_are_bounded)
{
    static char deep[500], longest[REGEX_MAX_BYTES + 1];
    struct regex_fault fault;

    memset(deep, '(', 201);
    memset(deep + 201, ')', 201);
    cr_assert_null(pattern_create((struct slice){ deep, 402 }, &fault));
    assert_has(fault.text, "200 deep");
    struct pattern *fine = pattern_create((struct slice){ deep + 1, 400 }, &fault);
    cr_assert_not_null(fine, "%s", fault.text);
    pattern_destroy(fine);

    memset(longest, 'a', sizeof longest);
    cr_assert_null(pattern_create((struct slice){ longest, sizeof longest }, &fault));
    assert_has(fault.text, "16384 bytes");
}
