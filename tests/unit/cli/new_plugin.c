/* bide new plugin: what it writes builds as it is. */
#include "cli/cli.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char dir[64];

static void enter(void)
{
    snprintf(dir, sizeof dir, "/tmp/bide-unit-XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
    cr_assert_eq(chdir(dir), 0);
    cr_redirect_stdout();
    cr_redirect_stderr();
}

static void leave(void)
{
    char line[128];
    snprintf(line, sizeof line, "rm -rf %s", dir);
    cr_assert_eq(system(line), 0);
}

TestSuite(new_plugin, .init = enter, .fini = leave);

static int run(const char *name)
{
    char bide[] = "bide", word[] = "new", plugin[] = "plugin", text[80];
    char *words[] = { bide, word, plugin, text, NULL };

    snprintf(text, sizeof text, "%s", name);
    return cli_main(4, words);
}

Test(new_plugin, builds_with_plain_cmake, .timeout = 120)
{
    cr_assert_eq(run("send-mail"), CLI_DONE);

    /* Without this build's own flags: nothing of them may be needed. */
    cr_expect_eq(system("cmake -S send-mail -B send-mail/build -DBIDE_PROGRAM=" BINARY_DIR
                        "/bide >log 2>&1 && "
                        "cmake --build send-mail/build >>log 2>&1 || { cat log; exit 1; }"),
                 0);
    cr_expect_eq(system("nm -D --defined-only send-mail/build/send-mail.so | "
                        "grep -q bide_plugin_describe"),
                 0);
}

Test(new_plugin, no_placeholder_is_left)
{
    cr_assert_eq(run("send-mail"), CLI_DONE);

    cr_expect_neq(system("grep -rq '@[A-Z]*@' send-mail"), 0);
    cr_expect_neq(system("find send-mail | grep -q @"), 0);
}

Test(new_plugin, nothing_is_overwritten)
{
    cr_assert_eq(system("mkdir mine && echo precious > mine/mine.c"), 0);

    cr_expect_eq(run("mine"), CLI_FAILED);
    cr_expect_eq(system("grep -q precious mine/mine.c"), 0);
}

Test(new_plugin, names_are_lower_case_words)
{
    static const char *const wrong[] = { "",     "Mail", "send_mail", "-x", "x-",
                                         "a--b", "1a",   "a/b",       "..", "a b" };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_expect_eq(run(wrong[i]), CLI_USAGE, "\"%s\"", wrong[i]);
    cr_expect_eq(run("a1-b2"), CLI_DONE);
}
