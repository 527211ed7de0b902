/* Calls: from words to options and arguments, and what misuse is told. */
#include "cli/cli.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static int do_nothing(struct call *call)
{
    (void)call;
    return CLI_DONE;
}

static const struct cli_option options[] = {
    { "tag", "TAG", "" },        { "wait", NULL, "" }, { "limit", "COUNT", "" },
    { "delay", "DURATION", "" }, { NULL, NULL, NULL },
};

static const struct cli_command command = {
    .name = "try",
    .arguments = "THING",
    .options = options,
    .is_client = true,
    .least = 1,
    .most = 1,
    .exec = do_nothing,
};

enum { WORDS_MOST = 16 };

/* "word word" as argv; argv[0] is the command. */
static bool parse(struct call *call, const char *line, struct err *err)
{
    static char copy[512];
    char *words[WORDS_MOST], *rest = copy;
    int count = 0;

    snprintf(copy, sizeof copy, "try %s", line);
    for (char *word; (word = strsep(&rest, " ")) != NULL && count < WORDS_MOST;)
        words[count++] = word;
    return call_parse(call, &command, count, words, err);
}

static void expect_error(const char *line, const char *text)
{
    struct call call;
    struct err err = { 0 };

    cr_assert_not(parse(&call, line, &err), "\"%s\" should be refused", line);
    cr_expect_str_eq(err.text, text);
    call_finish(&call);
}

Test(call, options_may_stand_anywhere_in_both_spellings)
{
    struct call call;
    struct err err = { 0 };

    cr_assert(parse(&call, "--tag a thing --tag=b --wait", &err), "%s", err.text);

    cr_expect_eq(call.argument_count, 1);
    cr_expect_str_eq(call.arguments[0], "thing");
    cr_expect_str_eq(call_option(&call, "tag"), "b");
    cr_expect_str_eq(call_option(&call, "wait"), "");
    cr_expect_null(call_option(&call, "limit"));
    cr_expect_not(call.json);
    call_finish(&call);
}

Test(call, a_repeated_option_keeps_its_order)
{
    struct call call;
    struct err err = { 0 };
    int position = 0;

    cr_assert(parse(&call, "x --tag a --wait --tag b", &err));

    cr_expect_str_eq(call_next(&call, "tag", &position), "a");
    cr_expect_str_eq(call_next(&call, "tag", &position), "b");
    cr_expect_null(call_next(&call, "tag", &position));
    call_finish(&call);
}

Test(call, everything_after_two_dashes_is_an_argument)
{
    struct call call;
    struct err err = { 0 };

    cr_assert(parse(&call, "-- --tag", &err), "%s", err.text);

    cr_expect_str_eq(call.arguments[0], "--tag");
    cr_expect_null(call_option(&call, "tag"));
    call_finish(&call);
}

Test(call, a_single_dash_is_an_argument)
{
    struct call call;
    struct err err = { 0 };

    cr_assert(parse(&call, "-", &err), "%s", err.text);

    cr_expect_str_eq(call.arguments[0], "-");
    call_finish(&call);
}

Test(call, the_value_of_an_option_may_start_with_dashes)
{
    struct call call;
    struct err err = { 0 };

    cr_assert(parse(&call, "x --tag --wait", &err), "%s", err.text);

    cr_expect_str_eq(call_option(&call, "tag"), "--wait");
    cr_expect_null(call_option(&call, "wait"));
    call_finish(&call);
}

Test(call, common_and_client_options_are_known)
{
    struct call call;
    struct err err = { 0 };

    cr_assert(parse(&call, "x --json --url http://h", &err), "%s", err.text);

    cr_expect(call.json);
    cr_expect_str_eq(call_option(&call, "url"), "http://h");
    call_finish(&call);
}

Test(call, help_needs_no_arguments)
{
    struct call call;
    struct err err = { 0 };

    cr_expect(parse(&call, "-h", &err));
    cr_expect_not_null(call_option(&call, "help"));
    call_finish(&call);
}

Test(call, misuse_is_told_with_the_way_out)
{
    expect_error("x --tga a", "`bide try` has no option --tga; did you mean --tag?");
    expect_error("x --nonsense",
                 "`bide try` has no option --nonsense; `bide help try` lists them");
    expect_error("x -z", "`bide try` has no option -z; `bide help try` lists them");
    expect_error("x --tag", "--tag needs a value: --tag TAG");
    expect_error("x --tag=", "--tag is empty; give it a TAG, or leave it out");
    expect_error("x --wait=yes", "--wait takes no value");
    expect_error("--wait", "`bide try` needs THING");
    expect_error("", "`bide try`: THING is empty");
    expect_error("x y", "`bide try` takes THING only, not \"y\" as well");
}

Test(call, numbers_are_whole_and_in_range)
{
    static const char *const wrong[] = { "--limit 0", "--limit 101", "--limit 5x",
                                         "--limit 99999999999999999999", "--limit 1.5" };
    struct call call;
    struct err err = { 0 };
    int64_t number;

    cr_assert(parse(&call, "x --limit 100", &err));
    cr_expect(call_number(&call, "limit", 1, 100, 25, &number, &err));
    cr_expect_eq(number, 100);
    call_finish(&call);
    cr_assert(parse(&call, "x", &err));
    cr_expect(call_number(&call, "limit", 1, 100, 25, &number, &err));
    cr_expect_eq(number, 25);
    call_finish(&call);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char line[64];
        snprintf(line, sizeof line, "x %s", wrong[i]);
        cr_assert(parse(&call, line, &err));
        cr_expect_not(call_number(&call, "limit", 1, 100, 25, &number, &err), "%s", line);
        call_finish(&call);
    }
}

Test(call, durations_are_read_like_the_server_reads_them)
{
    struct call call;
    struct err err = { 0 };
    int64_t duration_ms;

    cr_assert(parse(&call, "x --delay 1h30m", &err));
    cr_expect(call_duration(&call, "delay", 0, &duration_ms, &err));
    cr_expect_eq(duration_ms, 5400000);
    call_finish(&call);
    cr_assert(parse(&call, "x --delay soon", &err));
    cr_expect_not(call_duration(&call, "delay", 0, &duration_ms, &err));
    cr_expect_str_eq(
        err.text,
        "--delay must be a duration such as 90s or 1h30m, at most 100 years, not \"soon\"");
    call_finish(&call);
}
