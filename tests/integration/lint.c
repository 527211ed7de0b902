/* `bide plugins lint`: what it finds in real files, by name, and what that is worth. */
#include "server.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLUGINS BINARY_DIR "/tests/plugins"

static char schemas[64];

static void file_write(const char *name, const char *content)
{
    FILE *file = fopen(text("%s/%s", schemas, name), "w");

    cr_assert_not_null(file);
    fputs(content, file);
    fclose(file);
}

static void set_up(void)
{
    strcpy(schemas, "/tmp/bide-lint-XXXXXX");
    cr_assert_not_null(mkdtemp(schemas));
    file_write("hasty.yaml", "input:\n"
                             "  type: object\n"
                             "  properties:\n"
                             "    code: {type: string, maxLength: 8}\n"
                             "    amount: {type: integer}\n"
                             "    sure: {type: boolean}\n");
}

static void tear_down(void)
{
    int status;

    command_run(&status, "rm -rf %s", schemas);
    client_forget();
}

TestSuite(lint, .init = set_up, .fini = tear_down, .timeout = 60);

static json_t *linted(int want, const char *arguments)
{
    int status;
    const char *said =
        command_run(&status, BINARY_DIR "/bide plugins lint --json %s", arguments);
    json_t *report = json_loads(said, 0, NULL);

    cr_assert_not_null(report, "no JSON: %s", said);
    cr_assert_eq(status, want, "%s: exit code %d: %s", arguments, status, said);
    return report;
}

static const char *member(const json_t *finding, const char *name)
{
    const char *value = json_string_value(json_object_get(finding, name));

    return value == NULL ? "" : value;
}

/* The finding of this name; NULL: none. */
static json_t *finding(json_t *report, const char *name)
{
    json_t *one;
    size_t index;

    json_array_foreach(json_object_get(report, "findings"), index,
                       one) if (strcmp(member(one, "name"), name) == 0) return one;
    return NULL;
}

static void must_find(json_t *report, const char *level, const char *name, const char *where,
                      const char *is)
{
    json_t *one = finding(report, name);

    cr_assert_not_null(one, "no %s: %s", name, json_dumps(report, 0));
    cr_assert_str_eq(member(one, "level"), level, "%s", name);
    cr_assert_str_eq(member(one, where), is, "%s", json_dumps(one, 0));
    cr_assert_str_neq(member(one, "what"), "");
    cr_assert_str_neq(member(one, "todo"), "");
}

Test(lint, a_careless_plugin_is_warned_of_by_task_field_and_symbol)
{
    json_t *report = linted(1, text("--schemas %s " PLUGINS "/careless.so", schemas));

    must_find(report, "warning", "borrowed-symbol", "symbol", "sqlite3_libversion_number");
    must_find(report, "warning", "symbol-clash", "symbol", "uv_hrtime");
    must_find(report, "warning", "exported-symbol", "symbol", "careless_calls, uv_hrtime");
    must_find(report, "warning", "writable-global", "symbol", "careless_calls");
    must_find(report, "warning", "time-limits", "task", "hasty");
    must_find(report, "warning", "state-size", "task", "hasty");
    must_find(report, "warning", "text-bounds", "field", "code");
    must_find(report, "warning", "schema-type", "field", "amount");
    must_find(report, "note", "endless-wait", "task", "patient");
    must_find(report, "note", "no-schema", "task", "patient");
    must_find(report, "error", "schema-missing", "task", "lost");
    cr_assert_eq(json_integer_value(json_object_get(report, "errors")), 1);
    cr_assert_eq(json_integer_value(json_object_get(report, "warnings")), 8);
}

/* Characters are not bytes: 8 of them take up to 32, and the field holds 7. */
Test(lint, a_bound_is_told_in_characters_and_in_bytes)
{
    json_t *report = linted(1, text("--schemas %s " PLUGINS "/careless.so", schemas));
    const char *what = member(finding(report, "text-bounds"), "what");

    cr_assert_not_null(strstr(what, "/hasty.yaml:4 allows texts of 8 characters, up to 32 "
                                    "bytes"),
                       "%s", what);
    cr_assert_not_null(strstr(what, "say maxLength: 1 there, or STR(33) here"), "%s", what);
}

Test(lint, what_an_integer_field_cannot_hold_is_shown_by_an_example)
{
    json_t *report = linted(1, text("--schemas %s " PLUGINS "/careless.so", schemas));
    const char *what = member(finding(report, "schema-type"), "what");

    cr_assert_not_null(strstr(what, "{\"amount\":"), "%s", what);
    cr_assert_not_null(strstr(what, "amount of the state, I32,"), "%s", what);
}

Test(lint, warnings_are_no_failure_unless_it_is_strict)
{
    json_t *report = linted(0, PLUGINS "/careless.so");
    cr_assert(json_is_true(json_object_get(report, "fine")));
    report = linted(1, "--strict " PLUGINS "/careless.so");
    cr_assert(json_is_false(json_object_get(report, "fine")));
    /* Notes never are. */
    report = linted(0, "--strict " PLUGINS "/kinds.so");
    must_find(report, "note", "endless-wait", "task", "kinds");
}

Test(lint, a_library_that_is_not_found_is_named_and_not_what_it_would_bring)
{
    json_t *report = linted(1, PLUGINS "/needy.so");

    must_find(report, "error", "missing-library", "symbol", "libneeded.so");
    cr_assert_eq(json_array_size(json_object_get(report, "findings")), 1, "%s",
                 json_dumps(report, 0));
    int status;
    command_run(&status, "LD_LIBRARY_PATH=" PLUGINS "/elsewhere " BINARY_DIR
                         "/bide plugins lint " PLUGINS "/needy.so");
    cr_assert_eq(status, 0);
}

Test(lint, each_refusal_has_its_name)
{
    static const char *const files[][2] = {
        { "abi-major", "abi" },
        { "undefined-symbol", "unresolved-symbol" },
        { "duplicate-segments", "segments" },
        { "field-size", "state" },
        { "constructor-crash", "load-crash" },
        { "describe-crash", "load-crash" },
        { "text", "refused" },
        { "many-attempts", "too-many-attempts" },
    };

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        json_t *report = linted(1, text(PLUGINS "/refused/%s.so", files[i][0]));
        cr_assert_not_null(finding(report, files[i][1]), "%s: %s", files[i][0],
                           json_dumps(report, 0));
    }
    json_t *report = linted(1, "--timeout 300ms " PLUGINS "/refused/constructor-hang.so");
    cr_assert_not_null(finding(report, "load-hang"));
    cr_assert_not_null(finding(linted(1, "/nowhere.so"), "unreadable"));
}

Test(lint, a_schema_that_is_wrong_is_told_with_its_line)
{
    file_write("hasty.yaml", "input: {type: strong}\n");
    json_t *report = linted(1, text("--schemas %s " PLUGINS "/careless.so", schemas));

    must_find(report, "error", "schema-wrong", "task", "hasty");
    cr_assert_not_null(
        strstr(member(finding(report, "schema-wrong"), "what"), "hasty.yaml:1:"));
}

Test(lint, limits_are_those_of_the_configuration)
{
    file_write("bide.yaml",
               "{limits: {state: 4MiB, max_attempts: 2}, retry: {max_attempts: 2}}\n");
    json_t *report = linted(0, text("--config %s/bide.yaml " PLUGINS "/careless.so", schemas));
    cr_assert_null(finding(report, "state-size"));
    report =
        linted(1, text("--config %s/bide.yaml " PLUGINS "/refused/many-attempts.so", schemas));
    must_find(report, "error", "too-many-attempts", "task", "refused");
}

/* Nothing is copied of what would not load. */
Test(lint, deploy_stops_at_an_error_before_it_copies)
{
    int status;
    const char *said = command_run(
        &status, BINARY_DIR "/bide deploy --plugins %s " PLUGINS "/needy.so", schemas);

    cr_assert_eq(status, 1);
    cr_assert_not_null(strstr(said, "libneeded.so"), "%s", said);
    cr_assert_neq(access(text("%s/needy.so", schemas), F_OK), 0);
}
