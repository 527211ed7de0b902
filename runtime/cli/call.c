/*
 * Calls: options and arguments of one use of a command.
 *
 * Options may stand anywhere after the command's name, as "--name value" or "--name=value";
 * "--" ends them. A single "-" is an argument (stdin). Short are -h for help and, as compilers
 * have it, -o for --output where a command has that.
 */
#include "base/duration.h"
#include "base/suggest.h"
#include "cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct cli_option cli_common_options[] = {
    { "help", NULL, "print this help" },
    { "json", NULL, "print JSON for programs instead of text for people" },
    { NULL, NULL, NULL },
};

const struct cli_option cli_client_options[] = {
    { "url", "URL", "the server; else $BIDE_URL, $TRIGGER_API_URL, http://127.0.0.1:8030" },
    { "data", "DIR", "data directory to find the key in" },
    { "env", "NAME", "environment whose key to take from there (default: dev)" },
    { NULL, NULL, NULL },
};

/* The three lists of a command's options in one walk. */
static const struct cli_option *const *option_lists(const struct cli_command *command,
                                                    const struct cli_option *lists[4])
{
    int count = 0;
    if (command->options != NULL)
        lists[count++] = command->options;
    if (command->is_client)
        lists[count++] = cli_client_options;
    lists[count++] = cli_common_options;
    lists[count] = NULL;
    return lists;
}

static const struct cli_option *find_option(const struct cli_command *command, const char *name,
                                            size_t size, struct suggestion *suggestion)
{
    const struct cli_option *lists[4];

    for (const struct cli_option *const *list = option_lists(command, lists); *list != NULL;
         list++)
        for (const struct cli_option *option = *list; option->name != NULL; option++) {
            if (strlen(option->name) == size && memcmp(option->name, name, size) == 0)
                return option;
            suggestion_offer(suggestion, slice_of(option->name));
        }
    return NULL;
}

static bool unknown_option(const struct call *call, const char *text, struct slice best,
                           struct err *err)
{
    if (best.size > 0)
        return err_set(err, ERR_BAD_REQUEST, "`bide %s` has no option %s; did you mean --%.*s?",
                       call->command->name, text, SLICE_ARG(best));
    return err_set(err, ERR_BAD_REQUEST,
                   "`bide %s` has no option %s; `bide help %s` lists them", call->command->name,
                   text, call->command->name);
}

static void add_given(struct call *call, const struct cli_option *option, const char *value)
{
    call->given[call->given_count++] = (struct call_given){ option, value };
    if (option == &cli_common_options[1])
        call->json = true;
}

/* "-o FILE" is "--output FILE". */
static bool is_short_output(const struct call *call, const char *word)
{
    struct suggestion unused;

    suggestion_init(&unused, SLICE("output"));
    return strcmp(word, "-o") == 0 && find_option(call->command, "output", 6, &unused) != NULL;
}

/* One word that starts with "--"; *used is 2 when the next word is its value. */
static bool parse_option(struct call *call, char **words, int left, int *used, struct err *err)
{
    const char *name = words[0][1] == 'o' ? "output" : words[0] + 2;
    const char *equals = strchr(name, '=');
    size_t size = equals != NULL ? (size_t)(equals - name) : strlen(name);
    struct suggestion suggestion;

    suggestion_init(&suggestion, (struct slice){ name, size });
    const struct cli_option *option = find_option(call->command, name, size, &suggestion);
    if (option == NULL)
        return unknown_option(call, words[0], suggestion.best, err);
    *used = 1;
    bool may_lack = option->argument != NULL && option->argument[0] == '[';
    if (option->argument == NULL || (may_lack && equals == NULL)) {
        if (equals != NULL)
            return err_set(err, ERR_BAD_REQUEST, "--%s takes no value", option->name);
        add_given(call, option, "");
        return true;
    }
    if (equals == NULL && left < 2)
        return err_set(err, ERR_BAD_REQUEST, "--%s needs a value: --%s %s", option->name,
                       option->name, option->argument);
    *used = equals != NULL ? 1 : 2;
    const char *value = equals != NULL ? equals + 1 : words[1];
    if (*value == '\0')
        return err_set(err, ERR_BAD_REQUEST, "--%s is empty; give it a %s, or leave it out",
                       option->name, option->argument);
    add_given(call, option, value);
    return true;
}

static bool check_arguments(const struct call *call, struct err *err)
{
    const struct cli_command *command = call->command;

    if (call->argument_count < command->least)
        return err_set(err, ERR_BAD_REQUEST, "`bide %s` needs %s", command->name,
                       command->arguments);
    for (int i = 0; i < call->argument_count; i++)
        if (call->arguments[i][0] == '\0')
            return err_set(err, ERR_BAD_REQUEST, "`bide %s`: %s is empty", command->name,
                           command->arguments);
    if (command->most == 0 && call->argument_count > 0)
        return err_set(err, ERR_BAD_REQUEST, "`bide %s` takes no arguments, not \"%s\"",
                       command->name, call->arguments[0]);
    if (command->most != CLI_ANY_NUMBER && call->argument_count > command->most)
        return err_set(err, ERR_BAD_REQUEST, "`bide %s` takes %s only, not \"%s\" as well",
                       command->name, command->arguments, call->arguments[command->most]);
    return true;
}

bool call_parse(struct call *call, const struct cli_command *command, int argc, char **argv,
                struct err *err)
{
    bool only_arguments = false;

    *call = (struct call){ .command = command, .words = argv };
    call->arguments = ARENA_ARRAY(&call->arena, char *, (size_t)argc + 1);
    call->given = ARENA_ARRAY(&call->arena, struct call_given, (size_t)argc + 1);
    for (int i = 1; i < argc;) {
        int used = 1;
        if (only_arguments || argv[i][0] != '-' || argv[i][1] == '\0')
            call->arguments[call->argument_count++] = argv[i];
        else if (strcmp(argv[i], "--") == 0)
            only_arguments = true;
        else if (strcmp(argv[i], "-h") == 0)
            add_given(call, &cli_common_options[0], "");
        else if (argv[i][1] != '-' && !is_short_output(call, argv[i]))
            return unknown_option(call, argv[i], (struct slice){ 0 }, err);
        else if (!parse_option(call, argv + i, argc - i, &used, err))
            return false;
        i += used;
    }
    return call_option(call, "help") != NULL || check_arguments(call, err);
}

void call_finish(struct call *call)
{
    arena_finish(&call->arena);
}

const char *call_option(const struct call *call, const char *name)
{
    for (int i = call->given_count - 1; i >= 0; i--)
        if (strcmp(call->given[i].option->name, name) == 0)
            return call->given[i].value;
    return NULL;
}

const char *call_next(const struct call *call, const char *name, int *position)
{
    while (*position < call->given_count) {
        const struct call_given *given = &call->given[(*position)++];
        if (strcmp(given->option->name, name) == 0)
            return given->value;
    }
    return NULL;
}

bool call_number(const struct call *call, const char *name, int64_t least, int64_t most,
                 int64_t fallback, int64_t *number, struct err *err)
{
    const char *text = call_option(call, name);
    char *end = NULL;

    *number = fallback;
    if (text == NULL)
        return true;
    errno = 0;
    long long parsed = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || parsed < least || parsed > most)
        return err_set(err, ERR_BAD_REQUEST,
                       "--%s must be a whole number from %lld to %lld, not \"%s\"", name,
                       (long long)least, (long long)most, text);
    *number = parsed;
    return true;
}

bool call_duration(const struct call *call, const char *name, int64_t fallback_ms,
                   int64_t *duration_ms, struct err *err)
{
    const char *text = call_option(call, name);

    *duration_ms = fallback_ms;
    if (text == NULL || duration_parse(slice_of(text), duration_ms))
        return true;
    return err_set(
        err, ERR_BAD_REQUEST,
        "--%s must be a duration such as 90s or 1h30m, at most 100 years, not \"%s\"", name,
        text);
}
