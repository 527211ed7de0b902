/*
 * The man pages say what --help says: every command has its section, every option of it an item
 * there with the same argument, and nothing else is claimed.
 */
#include "base/buffer.h"
#include "cli/cli.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static char *page; /* the whole of bide.1 */
static size_t page_size;

static void load_page(void)
{
    FILE *file = fopen(SOURCE_DIR "/runtime/cli/man/bide.1", "r");
    cr_assert_not_null(file, "there is no bide.1");
    cr_assert_gt(getdelim(&page, &page_size, '\0', file), 0);
    fclose(file);
}

static void free_page(void)
{
    free(page);
}

TestSuite(man, .init = load_page, .fini = free_page);

/* The text after the line ".Ss name" (or another macro) up to the next section. Empty: none. */
static struct slice section(const char *macro, const char *name)
{
    char heading[128];
    snprintf(heading, sizeof heading, "\n%s %s\n", macro, name);
    const char *start = strstr(page, heading);

    if (start == NULL)
        return (struct slice){ 0 };
    start += strlen(heading) - 1;
    const char *small = strstr(start, "\n.Ss "), *big = strstr(start, "\n.Sh ");
    const char *end = small != NULL && (big == NULL || small < big) ? small : big;
    return (struct slice){ start, end != NULL ? (size_t)(end - start) : strlen(start) };
}

static void expect_item(struct slice text, const char *command, const struct cli_option *option)
{
    char item[128];

    snprintf(item, sizeof item, "\n.It Fl -%s%s%s\n", option->name,
             option->argument != NULL ? " Ar " : "",
             option->argument != NULL ? option->argument : "");
    cr_expect_not_null(memmem(text.data, text.size, item, strlen(item)), "%s lacks \"%s\"",
                       command, item + 1);
}

static uint32_t count_items(struct slice text)
{
    static const char item[] = "\n.It Fl -";
    uint32_t count = 0;

    for (const char *at = text.data, *end = at + text.size; at != NULL && at < end; count++) {
        at = memmem(at, (size_t)(end - at), item, sizeof item - 1);
        if (at == NULL)
            break;
        at++;
    }
    return count;
}

static void expect_options(struct slice text, const char *name,
                           const struct cli_option *options)
{
    uint32_t count = 0;

    for (; options != NULL && options->name != NULL; options++, count++)
        expect_item(text, name, options);
    cr_expect_eq(count_items(text), count, "%s: the page has %u options, the program %u", name,
                 count_items(text), count);
}

Test(man, every_command_is_there_with_exactly_its_options)
{
    for (const struct cli_command *const *command = cli_commands; *command != NULL; command++) {
        struct slice text = section(".Ss", (*command)->name);
        cr_expect_gt(text.size, 0, "bide.1 lacks \".Ss %s\"", (*command)->name);
        if (text.size > 0)
            expect_options(text, (*command)->name, (*command)->options);
    }
}

Test(man, nothing_is_described_that_is_not_there)
{
    uint32_t sections = 0, commands = 0;

    while (cli_commands[commands] != NULL)
        commands++;
    for (const char *at = page; (at = strstr(at, "\n.Ss ")) != NULL; at++)
        sections++;
    cr_expect_eq(sections, commands + 2, "the commands, and two sections of common options");
}

Test(man, common_options_are_described_once)
{
    expect_options(section(".Ss", "options of every command"), "common", cli_common_options);
    expect_options(section(".Ss", "options of commands that ask a server"), "client",
                   cli_client_options);
}

Test(man, the_arguments_are_in_the_synopsis)
{
    for (const struct cli_command *const *command = cli_commands; *command != NULL; command++) {
        struct slice text = section(".Ss", (*command)->name);
        char line[128];
        snprintf(line, sizeof line, "\n.D1 bide %s [options]%s%s\n", (*command)->name,
                 (*command)->arguments != NULL ? " " : "",
                 (*command)->arguments != NULL ? (*command)->arguments : "");
        cr_expect_not_null(memmem(text.data, text.size, line, strlen(line)), "%s lacks \"%s\"",
                           (*command)->name, line + 1);
    }
}
