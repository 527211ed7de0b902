/* The way from words to a command, and what is said when there is none. */
#include "cli/cli.h"

#include "cli/client/client.h"
#include "cli/help.h"
#include "codec/json.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void redirect(void)
{
    cr_redirect_stdout();
    cr_redirect_stderr();
}

enum { WORDS_MOST = 16 };

static int run(const char *line)
{
    static char copy[512];
    char *words[WORDS_MOST + 1] = { 0 }, *rest = copy;
    int count = 0;

    snprintf(copy, sizeof copy, "%s", line);
    for (char *word; (word = strsep(&rest, " ")) != NULL && count < WORDS_MOST;)
        words[count++] = word;
    return cli_main(count, words);
}

static void expect_told(const char *line, int code, const char *told)
{
    cr_expect_eq(run(line), code);
    fflush(stderr);
    cr_assert_stderr_eq_str(told);
}

TestSuite(cli, .init = redirect);

Test(cli, an_unknown_command_gets_the_nearest)
{
    expect_told("bide triger hello", CLI_USAGE,
                "bide: there is no command \"triger\"; did you mean \"trigger\"?\n");
}

Test(cli, an_unknown_group_gets_the_nearest)
{
    expect_told("bide rnus list", CLI_USAGE,
                "bide: there is no command \"rnus\"; did you mean \"runs\"?\n");
}

Test(cli, an_unknown_second_word_gets_the_nearest_of_its_group)
{
    expect_told("bide queues puase x", CLI_USAGE,
                "bide: there is no command \"queues puase\"; did you mean \"queues pause\"?\n");
}

Test(cli, nonsense_gets_no_guess)
{
    expect_told("bide xyzzyxyzzy", CLI_USAGE,
                "bide: there is no command \"xyzzyxyzzy\"; `bide help` lists them\n");
}

Test(cli, what_was_typed_is_printed_safely)
{
    expect_told("bide \x1b[2Jxyzzyxyzzy", CLI_USAGE,
                "bide: there is no command \"\\x1b[2Jxyzzyxyzzy\"; `bide help` lists them\n");
}

Test(cli, a_wrong_option_is_wrong_use)
{
    expect_told("bide runs list --statsu FAILED", CLI_USAGE,
                "bide: `bide runs list` has no option --statsu; did you mean --status?\n");
}

Test(cli, a_payload_that_is_no_json_is_wrong_use_and_says_where)
{
    cr_expect_eq(run("bide trigger hello --payload {\"a\":"), CLI_USAGE);
}

Test(cli, nobody_listening_is_a_failure_and_not_wrong_use)
{
    setenv("BIDE_KEY", "tr_dev_x", 1);
    expect_told(
        "bide runs list --url http://127.0.0.1:1", CLI_FAILED,
        "bide: nothing answers at http://127.0.0.1:1; is `bide serve` running there?\n");
}

Test(cli, without_words_the_help_goes_to_stderr)
{
    cr_expect_eq(run("bide"), CLI_USAGE);
    fflush(stdout);
    cr_assert_stdout_eq_str("");
}

Test(cli, the_version_is_one_line)
{
    cr_expect_eq(run("bide --version"), CLI_DONE);
    fflush(stdout);

    char line[64] = "";
    unsigned major, minor, patch;
    cr_assert_not_null(fgets(line, sizeof line, cr_get_redirected_stdout()));
    cr_expect_eq(sscanf(line, "bide %u.%u.%u\n", &major, &minor, &patch), 3, "%s", line);
}

Test(cli, every_command_has_help_in_three_spellings)
{
    /* All of it is more than the pipe of a redirected output holds. */
    cr_assert_not_null(freopen("/dev/null", "w", stdout));
    for (const struct cli_command *const *command = cli_commands; *command != NULL; command++) {
        char line[128];
        snprintf(line, sizeof line, "bide help %s", (*command)->name);
        cr_expect_eq(run(line), CLI_DONE, "%s", line);
        snprintf(line, sizeof line, "bide %s --help", (*command)->name);
        cr_expect_eq(run(line), CLI_DONE, "%s", line);
        snprintf(line, sizeof line, "bide %s -h", (*command)->name);
        cr_expect_eq(run(line), CLI_DONE, "%s", line);
    }
}

Test(cli, help_of_a_group_lists_its_commands)
{
    struct buffer out = { 0 };

    cr_expect(help_group(&out, "queues"));
    buffer_byte(&out, '\0');
    cr_expect_not_null(strstr(out.data, "queues pause"));
    cr_expect_null(strstr(out.data, "runs list"));
    cr_expect_not(help_group(&out, "queue"));
    buffer_finish(&out);
}

/* A terminal is 80 columns where nobody says otherwise. */
Test(cli, help_fits_a_terminal)
{
    for (const struct cli_command *const *command = cli_commands; *command != NULL; command++) {
        struct buffer out = { 0 };
        help_command(&out, *command);
        buffer_byte(&out, '\0');
        char *rest = out.data;
        for (char *line; (line = strsep(&rest, "\n")) != NULL;)
            cr_expect_leq(strlen(line), 100, "%s: %s", (*command)->name, line);
        buffer_finish(&out);
    }
}

Test(cli, output_that_cannot_be_written_is_a_failure)
{
    cr_assert_not_null(freopen("/dev/full", "w", stdout));
    cr_expect_eq(run("bide --version"), CLI_FAILED);
}

/* ---- refusals ---------------------------------------------------------------------------- */

static void expect_complaint(long status, const char *body, const char *told)
{
    struct arena arena = { 0 };
    struct reply reply = { .status = status, .body = slice_of(body) };

    reply.is_json = json_read(&arena, reply.body, &reply.value, NULL);
    client_complain(&(struct client){ 0 }, &reply);
    fflush(stderr);
    cr_assert_stderr_eq_str(told);
    arena_finish(&arena);
}

Test(cli, a_refusal_comes_with_every_problem)
{
    expect_complaint(
        400,
        "{\"error\":\"the payload does not match its schema\",\"code\":\"invalid_payload\","
        "\"problems\":[{\"pointer\":\"/amount_cents\",\"expected\":\"an integer >= 1\","
        "\"got\":\"0\",\"message\":\"m\",\"schema\":\"schemas/approve-refund.yaml:7\"},"
        "{\"pointer\":\"\",\"message\":\"order_id is missing\"}]}",
        "bide: refused (400): the payload does not match its schema\n"
        "  /amount_cents: expected an integer >= 1, got 0  (schemas/approve-refund.yaml:7)\n"
        "  (the whole): order_id is missing\n");
}

Test(cli, a_refusal_cannot_play_with_the_terminal)
{
    expect_complaint(404, "{\"error\":\"no \\u001b[31m such\"}",
                     "bide: refused (404): no \\x1b[31m such\n");
}

Test(cli, a_refusal_without_words_still_says_something)
{
    expect_complaint(502, "<html>", "bide: refused (502): the server gives no reason\n");
}

Test(cli, a_reply_that_is_no_json_is_told)
{
    expect_complaint(200, "<html>", "bide: the reply is no JSON; is that a bide server?\n");
}

/* ---- paths ------------------------------------------------------------------------------- */

Test(cli, path_segments_are_escaped)
{
    struct arena arena = { 0 };
    struct buffer path = { 0 };

    path_add(&path, "a/b c?é~-._");
    cr_expect_str_eq(path_take(&path, &arena), "a%2Fb%20c%3F%C3%A9~-._");
    arena_finish(&arena);
}
