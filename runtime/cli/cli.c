/*
 * The way from words to a command: "runs list --json" is the command "runs list" with one
 * option, "runs" alone is a group, anything else is a mistake that gets a suggestion.
 */
#include "cli/cli.h"

#include "base/suggest.h"
#include "cli/help.h"
#include "cli/output/screen.h"
#include "cli/output/text.h"

#include <errno.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int cli_fail(int code, const char *format, ...)
{
    char text[1024];
    struct buffer out = { 0 };
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments); /* cut is fine */
    va_end(arguments);
    buffer_text(&out, "bide: ");
    text_add_safe(&out, slice_of(text), false);
    buffer_byte(&out, '\n');
    screen_print(stderr, &out);
    return code;
}

int cli_worse(int a, int b)
{
    static const int order[] = { CLI_FAILED, CLI_USAGE, CLI_DONE };

    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        if (a == order[i] || b == order[i])
            return order[i];
    return CLI_UNCHANGED;
}

bool cli_help(const char *name)
{
    struct buffer out = { 0 };
    const struct cli_command *command = help_find(name);
    bool found = true;

    if (*name == '\0')
        help_all(&out);
    else if (command != NULL)
        help_command(&out, command);
    else
        found = help_group(&out, name);
    screen_print(stdout, &out);
    return found;
}

/* Offers whole names and first words: "rnus" is near "runs". */
static int no_command(const char *name)
{
    struct suggestion suggestion;

    suggestion_init(&suggestion, slice_of(name));
    for (const struct cli_command *const *command = cli_commands; *command != NULL; command++) {
        const char *whole = (*command)->name;
        suggestion_offer(&suggestion, (struct slice){ whole, strcspn(whole, " ") });
        suggestion_offer(&suggestion, slice_of(whole));
    }
    if (suggestion.best.size > 0)
        return cli_fail(CLI_USAGE, "there is no command \"%s\"; did you mean \"%.*s\"?", name,
                        SLICE_ARG(suggestion.best));
    return cli_fail(CLI_USAGE, "there is no command \"%s\"; `bide help` lists them", name);
}

/* A misspelt second word is judged within its group. */
static int no_second_word(const char *group, const char *name)
{
    struct suggestion suggestion;
    struct buffer out = { 0 };
    size_t size = strlen(group);

    suggestion_init(&suggestion, slice_of(name));
    for (const struct cli_command *const *command = cli_commands; *command != NULL; command++)
        if (strncmp((*command)->name, group, size) == 0 && (*command)->name[size] == ' ')
            suggestion_offer(&suggestion, slice_of((*command)->name + size + 1));
    if (suggestion.best.size > 0)
        return cli_fail(CLI_USAGE, "there is no command \"%s %s\"; did you mean \"%s %.*s\"?",
                        group, name, group, SLICE_ARG(suggestion.best));
    cli_fail(CLI_USAGE, "there is no command \"%s %s\"", group, name);
    help_group(&out, group);
    screen_print(stderr, &out);
    return CLI_USAGE;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct call call;
    struct err err = { 0 };
    int code;

    if (!call_parse(&call, command, argc, argv, &err))
        code = cli_fail(CLI_USAGE, "%s", err.text);
    else if (call_option(&call, "help") != NULL || command->exec == NULL)
        code = cli_help(command->name) ? CLI_DONE : CLI_FAILED;
    else
        code = command->exec(&call);
    call_finish(&call);
    return code;
}

static int help(int argc, char **argv)
{
    char name[128] = "";

    for (int i = 0; i < argc; i++) {
        size_t used = strlen(name);
        snprintf(name + used, sizeof name - used, "%s%s", used > 0 ? " " : "", argv[i]);
    }
    return cli_help(name) ? CLI_DONE : no_command(name);
}

static int dispatch(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    char pair[128];
    struct buffer group = { 0 };

    if (strcmp(word, "--version") == 0 || strcmp(word, "version") == 0) {
        puts("bide " BIDE_VERSION);
        return CLI_DONE;
    }
    if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return help(argc - 2, argv + 2);
    if (*word == '\0') {
        help_all(&group);
        screen_print(stderr, &group);
        return CLI_USAGE;
    }
    snprintf(pair, sizeof pair, "%s %s", word, argc > 2 ? argv[2] : "");
    if (help_find(pair) != NULL)
        return run(help_find(pair), argc - 2, argv + 2);
    if (help_find(word) != NULL)
        return run(help_find(word), argc - 1, argv + 1);
    if (!help_group(&group, word))
        return no_command(word);
    bool asked = argc > 2 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0);
    if (argc > 2 && !asked) {
        buffer_finish(&group);
        return no_second_word(word, argv[2]);
    }
    screen_print(asked ? stdout : stderr, &group);
    return asked ? CLI_DONE : CLI_USAGE;
}

static void begin(void)
{
    /* For wcwidth only; numbers and messages stay as they are. */
    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
        (void)setlocale(LC_CTYPE, ""); /* widths are estimates then */
}

static int end(int code)
{
    if (fflush(stdout) != 0 || ferror(stdout) != 0)
        return cli_fail(CLI_FAILED, "cannot write the output: %s", strerror(errno));
    return code;
}

int cli_run(const struct cli_command *command, int argc, char **argv)
{
    begin();
    return end(run(command, argc, argv));
}

int cli_main(int argc, char **argv)
{
    begin();
    return end(dispatch(argc, argv));
}
