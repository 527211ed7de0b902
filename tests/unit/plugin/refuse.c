/* Each file of tests/plugins/refused is refused, and the reason names what is wrong. */
#include "plugin/plugin.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define REFUSED_DIR BINARY_DIR "/tests/plugins/refused"

struct refusal {
    char file[40];
    char reason[80]; /* part of it */
};

ParameterizedTestParameters(refuse, names_the_reason)
{
    static struct refusal refusals[] = {
        { "text.so", "is a text file, not a shared object" },
        { "noise.so", "is not a shared object (ELF)" },
        { "empty.so", "is empty" },
        { "truncated-header.so", "is cut short: it ends before its program headers" },
        { "truncated.so", "is cut short" },
        { "truncated-end.so", "is cut short" },
        { "machine.so", "is made for another machine" },
        { "program.so", "is a program" },
        { "no-such-file.so", "cannot be opened: No such file" },
        { "..", "is not a file" },
        { "no-symbol.so", "has no bide_plugin_describe: end the plugin with BIDE_PLUGIN" },
        { "hidden-symbol.so", "hides it" },
        { "undefined-symbol.so", "undefined symbol: nobody_has_this" },
        { "gives-null.so", "gives NULL" },
        { "magic.so", "gives no bide plugin" },
        { "abi-major.so", "made for plugin ABI 99.1, this bide has 1.1: rebuild it" },
        { "abi-minor.so", "made for plugin ABI 1.2, this bide has 1.1: rebuild it" },
        { "abi-old.so", "made for plugin ABI 0.1, this bide has 1.1: rebuild it" },
        { "short.so", "its description has 20 bytes" },
        { "version-text.so", "its name or version is" },
        { "no-tasks.so", "it has 0 tasks" },
        { "many-tasks.so", "it has 1000000 tasks" },
        { "null-task.so", "one of its tasks is NULL" },
        { "duplicate-tasks.so", "it has two tasks of the id refused" },
        { "no-id.so", "one of its tasks has no .id" },
        { "bad-id.so", "task id \"../../etc/passwd\" has \".\" (U+002E) at character 1" },
        { "no-segments.so", "task refused has no segments" },
        { "duplicate-segments.so", "task refused declares two segments of the name only" },
        { "bad-segment.so", "\"on ly\" is no name for a segment" },
        { "null-segment.so", "segment only has no function" },
        { "outside.so", "state field text: lies outside the state" },
        { "overlap.so", "state field text: lies outside the state, or upon another" },
        { "field-twice.so", "state field number: is there twice" },
        { "field-kind.so", "state field text: is of a kind that this bide does not know" },
        { "field-size.so", "state field number: has not the size of its kind" },
        { "bad-initial.so", "state field text: begins with 'unquoted', which is no number" },
        { "long-initial.so",
          "state field text: cannot begin with \"12345678\": it has room for 7" },
        { "list-size.so", "state field text: has not the size of its list" },
        { "list-of-lists.so", "state field text: has" },
        { "no-rows.so", "state field text: has no rows" },
        { "endless-rows.so", "state field self: is nested too deep" },
        { "huge-struct.so", "the state struct is larger than" },
        { "retry-from.so", "retry_from" },
        { "negative-time.so", "a time is negative" },
        { "long-grace.so", "grace_ms is below 0 or above 600000, ten minutes" },
        { "long-time.so", "a time is longer than 100 years" },
        { "retry-factor.so", "retry_factor is below 1" },
        { "class-times.so", "the min_ms of a class of errors is above its max_ms" },
        { "many-states.so", "keep_states is above 20" },
        { "few-in-all.so", "max_attempts_total is below max_attempts" },
        { "bad-schema.so", "input_schema is the name of a file" },
        { "rename.so", "renames old to nowhere, which is no field" },
    };
    return cr_make_param_array(struct refusal, refusals, sizeof refusals / sizeof refusals[0]);
}

ParameterizedTest(struct refusal *refusal, refuse, names_the_reason)
{
    struct arena arena = { 0 };
    struct plugin plugin;
    struct err err = { 0 };
    char path[400];
    snprintf(path, sizeof path, REFUSED_DIR "/%s", refusal->file);

    bool loaded = plugin_load(&arena, path, &plugin, &err);

    cr_assert_not(loaded, "%s was loaded", refusal->file);
    cr_assert_eq(err.code, ERR_PLUGIN);
    cr_assert_not_null(strstr(err.text, refusal->reason), "%s: \"%s\" does not say \"%s\"",
                       refusal->file, err.text, refusal->reason);
    arena_finish(&arena);
}

/* The check of the file runs nothing of it, so what dies when it is loaded passes it. */
Test(refuse, looking_at_a_file_runs_no_constructor)
{
    struct err err = { 0 };

    cr_assert(plugin_probe(REFUSED_DIR "/constructor-crash.so", &err), "%s", err.text);
    cr_assert(plugin_probe(REFUSED_DIR "/constructor-hang.so", &err), "%s", err.text);
}

Test(refuse, a_constructor_that_crashes_takes_its_process_along, .signal = SIGSEGV)
{
    struct arena arena = { 0 };
    struct plugin plugin;
    struct err err = { 0 };

    signal(SIGSEGV, SIG_DFL); /* a sanitizer reports and exits instead */
    plugin_load(&arena, REFUSED_DIR "/constructor-crash.so", &plugin, &err);
}

Test(refuse, a_schema_that_is_missing_is_for_the_host_to_find)
{
    struct arena arena = { 0 };
    struct plugin plugin;
    struct err err = { 0 };

    cr_assert(plugin_load(&arena, REFUSED_DIR "/missing-schema.so", &plugin, &err), "%s",
              err.text);

    cr_assert(slice_is(plugin.tasks[0].input_schema, "no-such-schema-file"));
    arena_finish(&arena);
}

/* Any prefix of a good file is refused, and never crashes the look at it. */
Test(refuse, every_truncation_is_noticed)
{
    static char bytes[1 << 20];
    FILE *good = fopen(REFUSED_DIR "/good.so", "r");
    cr_assert_not_null(good);
    size_t size = fread(bytes, 1, sizeof bytes, good);
    fclose(good);
    cr_assert(size > 1000 && size < sizeof bytes);
    char path[] = "/tmp/bide-truncated-XXXXXX";
    int fd = mkstemp(path);
    cr_assert(fd >= 0);
    cr_assert_eq(write(fd, bytes, size), (ssize_t)size);
    struct err err = { 0 };
    cr_assert(plugin_probe(path, &err), "%s", err.text);

    for (size_t cut = size - 1; cut > 0; cut -= cut > 1100 ? 97 : 1) {
        cr_assert_eq(ftruncate(fd, (off_t)cut), 0);
        cr_assert_not(plugin_probe(path, &err), "%zu of %zu bytes pass", cut, size);
    }
    close(fd);
    unlink(path);
}
