/* Names: what is allowed, and that a refusal says which character stands where. */
#include "base/name.h"

#include <criterion/criterion.h>
#include <stdio.h>

static bool is_fine(enum name_kind kind, const char *name)
{
    struct err err = { 0 };
    bool fine = name_check(kind, slice_of(name), &err);

    cr_assert_eq(fine, err.code == ERR_OK);
    return fine;
}

static void refused(enum name_kind kind, struct slice name, const char *text)
{
    struct err err = { 0 };

    cr_assert_not(name_check(kind, name, &err), "%.*s", SLICE_ARG(name));
    cr_assert_eq(err.code, ERR_RULE);
    cr_assert_str_eq(err.text, text);
}

static const char *repeated(char c, size_t count)
{
    static char text[4096];

    memset(text, c, count);
    text[count] = '\0';
    return text;
}

Test(name, what_people_call_queues_is_allowed)
{
    static const char *const names[] = {
        "emails",  "mail.eu",  "tenant:7", "tenant.7", "a@example.com", "c++",   "7",
        "task/t",  "task/a.b", "task/a/b", "_own",     "a/b",           "A-b_C", "x..y",
        "queue_7", "task",     "a/",       "tasks/",
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        cr_assert(is_fine(NAME_QUEUE, names[i]), "%s", names[i]);
    cr_assert(is_fine(NAME_QUEUE, repeated('q', 128)));
}

Test(name, the_character_that_is_refused_is_named_with_its_place)
{
    refused(NAME_QUEUE, SLICE("a b"),
            "queue name \"a b\" has \" \" (U+0020) at character 2, which is not allowed: "
            "ASCII letters, digits and - _ . / : @ + are, the first a letter, digit or _");
    refused(NAME_QUEUE, SLICE("x日本"),
            "queue name \"x日本\" has \"日\" (U+65E5) at character 2, which is not allowed: "
            "ASCII letters, digits and - _ . / : @ + are, the first a letter, digit or _");
    refused(NAME_QUEUE, SLICE(".."),
            "queue name \"..\" has \".\" (U+002E) at character 1, which is not allowed: "
            "ASCII letters, digits and - _ . / : @ + are, the first a letter, digit or _");
    refused(NAME_TASK, SLICE("a/b"),
            "task id \"a/b\" has \"/\" (U+002F) at character 2, which is not allowed: ASCII "
            "letters, "
            "digits and - _ . are, the first a letter, digit or _");
    refused(NAME_ENVIRONMENT, SLICE("Dev"),
            "name of an environment \"Dev\" has \"D\" (U+0044) at character 1, which is not "
            "allowed: lower-case ASCII letters, digits and - are, the first a letter");
    refused(
        NAME_QUEUE, SLICE("a\0b"),
        "queue name \"a?b\" has a control character, U+0000, at character 2: ASCII letters, "
        "digits and - _ . / : @ + are, the first a letter, digit or _");
    refused(NAME_TAG, SLICE("a,b"),
            "tag \"a,b\" has \",\" (U+002C) at character 2, which is not allowed: a text "
            "without commas, control and invisible characters is");
    refused(NAME_KEY, SLICE("\x1f"),
            "idempotency key \"?\" has a control character, U+001F, at character 1: a text "
            "without control and invisible characters is");
    refused(NAME_TAG, SLICE("é\xff"), "tag \"é?\" is not UTF-8: byte FF at character 2");
}

Test(name, every_sign_of_ascii_is_allowed_or_refused_as_it_is_said)
{
    for (int c = 1; c < 128; c++) {
        char name[] = { 'a', (char)c, 'a', '\0' };
        bool is_alnum = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
        cr_assert_eq(is_fine(NAME_QUEUE, name), is_alnum || strchr("-_./:@+", c) != NULL);
        cr_assert_eq(is_fine(NAME_TASK, name), is_alnum || strchr("-_.", c) != NULL);
        cr_assert_eq(is_fine(NAME_SYMBOL, name), is_alnum || c == '_');
        cr_assert_eq(is_fine(NAME_KEY, name), c >= ' ' && c != 0x7f);
        cr_assert_eq(is_fine(NAME_QUEUE, name + 1),
                     is_fine(NAME_QUEUE, name) && (is_alnum || c == '_'));
    }
}

Test(name, nothing_is_too_long_and_nothing_is_empty)
{
    struct err err = { 0 };

    refused(NAME_QUEUE, SLICE(""), "the queue name is empty");
    refused(NAME_TAG, SLICE("  "), "tag \"  \" is blank");
    refused(NAME_TAG, SLICE("a "), "tag \"a \" begins or ends with a blank");
    cr_assert_not(name_check(NAME_QUEUE, slice_of(repeated('q', 129)), &err));
    cr_assert_not_null(strstr(err.text, "qqqq…\" has 129 bytes, at most 128 are allowed"));
    cr_assert_not(is_fine(NAME_KEY, repeated('k', 2049)));
}

Test(name, what_does_not_show_is_refused)
{
    static const char *const hidden[] = {
        "a\u202eb", "a\u200bb", "\ufeffa",        "a\u2066b\u2069", "a\u00adb",   "a\u200db",
        "a\u200cb", "é\u200d",  "é\u200d\u200dé", "\u200dé",        "\U000e0041", "a\u3164",
    };

    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
        for (enum name_kind kind = NAME_ASKED; kind < NAME_KIND_COUNT; kind++)
            cr_assert_not(is_fine(kind, hidden[i]), "%zu", i);
    refused(NAME_TAG, SLICE("a\u202eb"),
            "tag \"a?b\" has an invisible character, U+202E, at character 2: a text without "
            "commas, control and invisible characters is");
    cr_assert(is_fine(NAME_TAG, "می\u200cخواهم"));
    cr_assert(is_fine(NAME_TAG, "👩\u200d💻"));
}

/* A task may have as long an id as a queue a name, and has a queue of its own. */
Test(name, the_queue_of_the_longest_task_is_allowed)
{
    char name[200];

    snprintf(name, sizeof name, "task/%s", repeated('t', 128));
    cr_assert(is_fine(NAME_QUEUE, name));
    cr_assert_not(is_fine(NAME_QUEUE, strcat(name, "t")));
    refused(NAME_QUEUE, SLICE("task/"), "queue name \"task/\" names no task");
}

/* Else the route that takes both would have to guess. */
Test(name, what_looks_like_an_id_is_no_name)
{
    refused(NAME_QUEUE, SLICE("queue_01hq3k7v9x2aa"),
            "queue name \"queue_01hq3k7v9x2aa\" is the id of a queue, not a name");
}

Test(name, texts_may_be_in_any_language)
{
    static const char *const texts[] = { "user:42", "Müller & Söhne", "日本", "🙂", "a b" };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        for (enum name_kind kind = NAME_TAG; kind < NAME_KIND_COUNT; kind++)
            cr_assert(is_fine(kind, texts[i]), "%s", texts[i]);
    cr_assert_not(is_fine(NAME_TAG, "a\xc2\x85z"));
    cr_assert_not(is_fine(NAME_TAG, "\xed\xa0\x80"));
    cr_assert_not(is_fine(NAME_TAG, "\xc0\xaf"));
    cr_assert_not(is_fine(NAME_TAG, "\xe2\x82"));
}
