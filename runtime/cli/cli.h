/*
 * The command line: every subcommand but serve and nursery. A client of the HTTP API like any
 * other.
 *
 *   main ─▶ cli_main ─▶ find the command ─▶ call_parse ─▶ command->exec ─▶ exit code
 *
 * A command is one const struct at the end of its file and one row in commands.c; help and the
 * check of the man pages come from the struct.
 */
#ifndef CLI_H
#define CLI_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* Exit codes. */
enum { CLI_DONE = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_UNCHANGED = 3 };

enum { CLI_ANY_NUMBER = -1 };

struct cli_option {
    const char *name;     /* without the dashes */
    const char *argument; /* what it takes, "DURATION"; NULL: a flag; "[=N]": either */
    const char *help;
};

struct call;

struct cli_command {
    const char *name;                 /* one or two words: "runs list" */
    const char *arguments;            /* positional ones, as shown: "RUN..."; NULL: none */
    const char *summary;              /* one line */
    const char *help;                 /* more for `bide help`; NULL: nothing more to say */
    void (*more)(struct buffer *out); /* writes what is known elsewhere; NULL: nothing */
    const struct cli_option *options; /* ends with a NULL name; NULL: only the common ones */
    bool is_client;                   /* talks to a server: takes --url, --data, --env */
    int least, most;                  /* positional arguments; most may be CLI_ANY_NUMBER */
    int (*exec)(struct call *call);   /* NULL: run by main, which has it for its help only */
};

extern const struct cli_command *const cli_commands[]; /* ends with NULL */

/* The options every command has, and those that clients have besides. */
extern const struct cli_option cli_common_options[], cli_client_options[];

struct call_given {
    const struct cli_option *option;
    const char *value; /* "" for a flag */
};

/* One use of a command, parsed. */
struct call {
    const struct cli_command *command;
    char **words;       /* as they were given, the command's last one first; ends with NULL */
    struct arena arena; /* freed when the command is done */
    char **arguments;
    int argument_count;
    struct call_given *given;
    int given_count;
    bool json;
};

/* argv[0] is the command's last word. Errors: BAD_REQUEST with a hint. */
bool call_parse(struct call *call, const struct cli_command *command, int argc, char **argv,
                struct err *err);
void call_finish(struct call *call);

/* The value given last; NULL when the option was not given. */
const char *call_option(const struct call *call, const char *name);
/* Walk a repeatable option: *position starts at 0; NULL at the end. */
const char *call_next(const struct call *call, const char *name, int *position);
/* A whole number in [least, most], or `fallback` when the option was not given. */
bool call_number(const struct call *call, const char *name, int64_t least, int64_t most,
                 int64_t fallback, int64_t *number, struct err *err);
/* Like DURATION in the API: "1h30m". */
bool call_duration(const struct call *call, const char *name, int64_t fallback_ms,
                   int64_t *duration_ms, struct err *err);

/* Of two results the one to exit with: a failure, wrong use, else that something was changed.
 */
int cli_worse(int a, int b);

/* argv[0] is the program. */
int cli_main(int argc, char **argv);
/* One command as a program of its own. */
int cli_run(const struct cli_command *command, int argc, char **argv);
/* Prints the help of a command, a group of them, or all (name empty). False: no such thing. */
bool cli_help(const char *name);

/* One line on stderr, "bide: …", safe for a terminal. Returns `code`, so that exec ends in it.
 */
int cli_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
