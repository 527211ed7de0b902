/* Source lines: shown below the directories that were named, and nowhere else. */
#include "worker/source_lines.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char top[64], inside[80];
static struct buffer out;

static void file_write(const char *name, const char *content)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", top, name);
    FILE *file = fopen(path, "w");

    cr_assert_not_null(file);
    fputs(content, file);
    fclose(file);
}

static void set_up(void)
{
    out = (struct buffer){ 0 };
    strcpy(top, "/tmp/bide-lines-XXXXXX");
    cr_assert_not_null(mkdtemp(top));
    snprintf(inside, sizeof inside, "%s/src", top);
    cr_assert_eq(mkdir(inside, 0700), 0);
    file_write("src/a.c", "one\ntwo\n\tthree \x1b[2J\nfour\nfive\nsix\n");
    file_write("secret.c", "1\n2\n3\n4\n5\n");
}

static void tear_down(void)
{
    char command[120];
    snprintf(command, sizeof command, "rm -rf %s", top);
    cr_assert_eq(system(command), 0);
    buffer_finish(&out);
}

TestSuite(source_lines, .init = set_up, .fini = tear_down);

static bool show(const char *from, const char *name, uint32_t line)
{
    const char *const directories[] = { "/nowhere", inside, NULL };
    char path[300];

    out.size = 0;
    snprintf(path, sizeof path, "%s%s%s", name[0] == '/' ? top : "", name[0] == '/' ? "" : "",
             name);
    return source_lines_add(directories, from, path, line, &out);
}

static void assert_shown(const char *text)
{
    cr_assert(slice_is(buffer_view(&out), text), "%.*s", SLICE_ARG(buffer_view(&out)));
}

Test(source_lines, two_before_and_two_behind)
{
    cr_assert(show(NULL, "/src/a.c", 3));
    assert_shown("       1 | one\n       2 | two\n  >    3 |  three ?[2J\n       4 | four\n"
                 "       5 | five\n");
    cr_assert(show(NULL, "/src/a.c", 1));
    assert_shown("  >    1 | one\n       2 | two\n       3 |  three ?[2J\n");
}

Test(source_lines, a_name_goes_on_from_where_it_was_compiled)
{
    char build[100];
    snprintf(build, sizeof build, "%s/build/here", top);

    cr_assert(show(build, "../../src/./a.c", 6));
    assert_shown("       4 | four\n       5 | five\n  >    6 | six\n");
    /* Shortened by the compiler: it is looked for below. */
    cr_assert(show(".", "a.c", 6));
}

Test(source_lines, nothing_is_read_outside)
{
    char link_path[120];
    snprintf(link_path, sizeof link_path, "%s/link.c", inside);
    cr_assert_eq(symlink("../secret.c", link_path), 0);
    snprintf(link_path, sizeof link_path, "%s/whole.c", inside);
    char target[120];
    snprintf(target, sizeof target, "%s/secret.c", top);
    cr_assert_eq(symlink(target, link_path), 0);
    snprintf(link_path, sizeof link_path, "%s/up", inside);
    cr_assert_eq(symlink("..", link_path), 0);

    static const char *const names[] = { "/secret.c",    "/src/../secret.c", "/src/link.c",
                                         "/src/whole.c", "/src/up/secret.c", "../secret.c",
                                         "/src",         "/src/none.c",      "/srcs/a.c" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        cr_assert_not(show(NULL, names[i], 2), "%s", names[i]);
        cr_assert_eq(out.size, 0);
    }
}

/* The file is another one than was compiled, or is no file. */
Test(source_lines, a_line_that_is_not_there_shows_nothing)
{
    char path[120];
    snprintf(path, sizeof path, "%s/pipe.c", inside);
    cr_assert_eq(mkfifo(path, 0600), 0);

    cr_assert_not(show(NULL, "/src/a.c", 7));
    cr_assert_not(show(NULL, "/src/a.c", UINT32_MAX));
    cr_assert_not(show(NULL, "/src/pipe.c", 1));
    cr_assert_eq(out.size, 0);
}
