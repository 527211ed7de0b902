/*
 * Help: written from the command structs alone, so that it cannot disagree with the parser.
 */
#include "cli/help.h"

#include <stdio.h>
#include <string.h>

enum { NAME_COLUMN = 18, OPTION_COLUMN = 24 };

/* "runs" for "runs list"; a command of one word has no group. */
static size_t group_size(const char *name)
{
    const char *space = strchr(name, ' ');
    return space != NULL ? (size_t)(space - name) : 0;
}

static bool is_in_group(const char *name, const char *group)
{
    size_t size = group_size(name);
    return size > 0 && strlen(group) == size && memcmp(name, group, size) == 0;
}

static void add_options(struct buffer *out, const struct cli_option *option)
{
    for (; option != NULL && option->name != NULL; option++) {
        char left[80];
        bool takes = option->argument != NULL;
        snprintf(left, sizeof left, "--%s%s%s", option->name,
                 takes && option->argument[0] != '[' ? " " : "", takes ? option->argument : "");
        buffer_format(out, "  %-*s  %s\n", OPTION_COLUMN, left, option->help);
    }
}

void help_command(struct buffer *out, const struct cli_command *command)
{
    bool takes = command->arguments != NULL;

    buffer_format(out, "usage: bide %s [options]%s%s\n\n%s.\n", command->name, takes ? " " : "",
                  takes ? command->arguments : "", command->summary);
    if (command->help != NULL)
        buffer_format(out, "\n%s\n", command->help);
    buffer_text(out, "\noptions\n");
    add_options(out, command->options);
    if (command->is_client)
        add_options(out, cli_client_options);
    add_options(out, cli_common_options);
    if (command->more == NULL)
        return;
    buffer_byte(out, '\n');
    command->more(out);
}

static void add_line(struct buffer *out, const struct cli_command *command)
{
    buffer_format(out, "  %-*s  %s\n", NAME_COLUMN, command->name, command->summary);
}

bool help_group(struct buffer *out, const char *group)
{
    bool found = false;

    for (const struct cli_command *const *command = cli_commands; *command != NULL; command++) {
        if (!is_in_group((*command)->name, group))
            continue;
        if (!found)
            buffer_format(out, "usage: bide %s COMMAND\n\n", group);
        found = true;
        add_line(out, *command);
    }
    if (found)
        buffer_format(out, "\n`bide help %s COMMAND` says more.\n", group);
    return found;
}

void help_all(struct buffer *out)
{
    buffer_text(out, "bide " BIDE_VERSION ": durable tasks in C\n\n"
                     "usage: bide COMMAND [options] [arguments]\n\n");
    for (const struct cli_command *const *command = cli_commands; *command != NULL; command++)
        add_line(out, *command);
    buffer_text(out, "\n`bide help COMMAND` says more; `man bide` says all of it.\n");
}

const struct cli_command *help_find(const char *name)
{
    for (const struct cli_command *const *command = cli_commands; *command != NULL; command++)
        if (strcmp((*command)->name, name) == 0)
            return *command;
    return NULL;
}
