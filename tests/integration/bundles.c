/* Crashes, explained and run again: sources, bundles, `bide replay`, and what ps shows. */
#include "server.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PLUGINS BINARY_DIR "/tests/plugins"

static struct server s;

static void set_up(void)
{
    server_init(&s);
    server_add_plugin(&s, "wrecked");
    server_add_plugin(&s, "hostile");
}

static void tear_down(void)
{
    server_destroy(&s);
}

TestSuite(bundles, .init = set_up, .fini = tear_down, .timeout = 180);

static const char *bide(int want, const char *arguments)
{
    int status;
    const char *said =
        command_run(&status, "cd %s && BIDE_URL=%s BIDE_KEY=%s " BINARY_DIR "/bide %s 2>&1",
                    s.dir, s.url, s.key, arguments);

    cr_assert_eq(status, want, "bide %s: %d: %s", arguments, status, said);
    return said;
}

static json_t *bide_json(int want, const char *arguments)
{
    const char *said = bide(want, arguments);
    const char *begin = strchr(said, '{');
    json_t *json = begin == NULL ? NULL : json_loads(begin, JSON_DISABLE_EOF_CHECK, NULL);

    cr_assert_not_null(json, "no JSON: %s", said);
    return json;
}

static const char *member(const json_t *map, const char *name)
{
    const char *text = json_string_value(json_object_get(map, name));

    return text == NULL ? "" : text;
}

/* A run of it that has crashed behind its wait. */
static const char *wreck(const char *name, const char *more)
{
    const char *run = run_trigger(&s, "wrecked", text("{\"name\": \"%s\"}", name), NULL);
    (void)run_until(&s, run, "WAITING");
    const struct reply *tokens =
        server_call(&s, "GET", "/api/v1/waitpoints/tokens?filter[status]=WAITING", NULL);
    const struct reply *done = server_call(
        &s, "POST",
        text("/api/v1/waitpoints/tokens/%s/complete", reply_text(tokens, "data.0.id")),
        text("{\"data\": {\"more\": %s}}", more));

    cr_assert_eq(done->status, 200, "%s", done->text);
    (void)run_end(&s, run);
    return run;
}

Test(bundles, a_crash_happens_again_without_the_server_with_state_and_results)
{
    server_start(&s);
    const char *run = wreck("Ada", "2");
    cr_assert_not_null(strstr(bide(0, text("runs bundle %s -o b.tar", run)), "b.tar"));
    cr_assert_eq(server_stop(&s), 0);

    json_t *report = bide_json(1, "replay b.tar --json");

    cr_assert_str_eq(member(report, "ended"), "crashed");
    cr_assert_str_eq(member(report, "code"), "SIGABRT");
    cr_assert_str_eq(member(report, "segment"), "answered");
    cr_assert(json_is_true(json_object_get(report, "reproduced")));
    cr_assert_not_null(strstr(member(report, "stack"), "answered at wrecked.c:"), "%s",
                       json_dumps(report, 0));
    const json_t *line = json_array_get(json_object_get(report, "log"), 0);
    cr_assert_str_eq(member(line, "text"), "Ada has 42, raw 3");
}

Test(bundles, a_mended_plugin_is_tried_with_what_broke_the_other)
{
    server_start(&s);
    (void)bide(0, text("runs bundle %s -o b.tar", wreck("Ada", "2")));

    json_t *report = bide_json(0, "replay b.tar --json --plugin " PLUGINS "/mended.so");

    cr_assert_str_eq(member(report, "ended"), "done");
    cr_assert_eq(json_integer_value(json_object_get(json_object_get(report, "output"), "sum")),
                 42);
    cr_assert(json_is_false(json_object_get(report, "reproduced")));
    cr_assert_not_null(
        strstr(bide(0, "replay b.tar --plugin " PLUGINS "/mended.so"), "the run's was"));
}

Test(bundles, what_was_unpacked_can_be_edited)
{
    server_start(&s);
    const char *run = wreck("Ada", "2");
    (void)bide(0, text("runs bundle %s", run));
    int status;
    (void)command_run(&status,
                      "cd %s && tar -xf %s.tar && sed -i 's/\"more\": 2/\"more\": 3/' "
                      "%s/bundle.json && tar -cf again.tar %s",
                      s.dir, run, run, run);
    cr_assert_eq(status, 0);

    cr_assert_not_null(strstr(bide(0, text("replay %s", run)), "\"sum\":43"));
    cr_assert_not_null(strstr(bide(0, "replay again.tar"), "\"sum\":43"));
}

Test(bundles, what_is_no_bundle_is_told)
{
    server_start(&s);
    (void)bide(0, text("runs bundle %s -o b.tar", wreck("Ada", "2")));
    int status;
    (void)command_run(&status, "cd %s && head -c 9000 b.tar > cut.tar && echo text > text.tar",
                      s.dir);

    cr_assert_not_null(strstr(bide(2, "replay cut.tar"), "cut short"));
    cr_assert_not_null(strstr(bide(2, "replay text.tar"), "no tar"));
    (void)bide(2, "replay none.tar");
    (void)bide(1, "replay b.tar --plugin " PLUGINS "/refused/abi-major.so");
    /* A file that is there is nobody's to overwrite. */
    cr_assert_not_null(strstr(
        bide(1, text("runs bundle %s -o text.tar",
                     reply_text(server_call(&s, "GET", "/api/v1/runs", NULL), "data.0.id"))),
        "File exists"));
}

Test(bundles, of_a_run_that_went_well_nothing_is_left)
{
    server_start(&s);
    const char *run = wreck("Ada", "1");

    cr_assert_eq(server_call(&s, "GET", text("/api/v1/runs/%s/bundle", run), NULL)->status,
                 409);
    cr_assert_eq(server_call(&s, "GET", "/api/v1/runs/run_0000000000000/bundle", NULL)->status,
                 404);
}

Test(bundles, a_build_is_given_by_its_hash_to_who_has_a_key)
{
    server_start(&s);
    const struct reply *run = run_get(&s, wreck("Ada", "2"));
    const char *path = text("/api/v1/builds/%s/file", reply_text(run, "build"));
    const struct reply *file = server_call(&s, "GET", path, NULL);

    cr_assert_eq(file->status, 200);
    cr_assert_eq(memcmp(file->text, "\177ELF", 4), 0);
    cr_assert_not_null(strstr(file->headers, "application/octet-stream"));
    cr_assert_eq(server_call_as(&s, NULL, "GET", path, NULL)->status, 401);
    static const char *const wrong[] = { "0123456789abcdef", "abc", "..%2F..%2Fbide.db",
                                         "0123456789ABCDEF" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_assert_eq(
            server_call(&s, "GET", text("/api/v1/builds/%s/file", wrong[i]), NULL)->status, 404,
            "%s", wrong[i]);
}

Test(bundles, secrets_stay_on_the_server)
{
    server_write(&s, "schemas/wrecked.yaml",
                 "input: {type: object, properties: {name: {type: string, secret: true}}}\n");
    server_start(&s);
    const char *run = wreck("hunter2", "2");
    const struct reply *bundle =
        server_call(&s, "GET", text("/api/v1/runs/%s/bundle", run), NULL);

    cr_assert_eq(bundle->status, 200, "%s", bundle->text);
    cr_assert_null(strstr(bundle->text, "hunter2"), "%s", bundle->text);
    cr_assert_str_eq(reply_text(bundle, "input.name"), "[secret]");
    cr_assert_null(reply_at(bundle, "state"));
    cr_assert_str_eq(reply_text(bundle, "hidden.0"), "state");
    cr_assert_str_eq(reply_text(bundle, "hidden.1"), "results");
}

/* ---- sources ----------------------------------------------------------------------------- */

/* A plugin whose source lies in dir/src. */
static void build_there(void)
{
    int status;
    const char *said = command_run(
        &status,
        "mkdir -p %s/src && cp " SOURCE_DIR "/tests/plugins/crash.c %s/src/ && " C_COMPILER
        " -D_GNU_SOURCE -g -O0 -shared -fPIC -fvisibility=hidden -I" SOURCE_DIR
        "/plugin-sdk/include -o %s/plugins/crash.so %s/src/crash.c",
        s.dir, s.dir, s.dir, s.dir);

    cr_assert_eq(status, 0, "%s", said);
}

static const char *crash_stack(void)
{
    const struct reply *run =
        run_end(&s, run_trigger(&s, "segfault", "{}", "{\"maxAttempts\": 1}"));

    cr_assert_not_null(strstr(reply_text(run, "error.stackTrace"), "read_null at crash.c:"),
                       "%s", run->text);
    return text("%s", reply_text(run, "error.stackTrace"));
}

Test(bundles, a_crash_shows_the_lines_around_it)
{
    build_there();
    s.config_more = "sources: src\n";
    server_start(&s);

    const char *stack = crash_stack();

    cr_assert_not_null(strstr(stack, " | static bide_next read_null(bide_task *t)") != NULL
                           ? strstr(stack, "| ")
                           : strstr(stack, "volatile int *nowhere = NULL;"),
                       "%s", stack);
    cr_assert_not_null(strstr(stack, "  >"), "%s", stack);
}

Test(bundles, sources_are_read_below_the_directories_only)
{
    int status;

    build_there();
    (void)command_run(&status,
                      "mv %s/src/crash.c %s/outside.c && ln -s ../outside.c "
                      "%s/src/crash.c && mkdir %s/other",
                      s.dir, s.dir, s.dir, s.dir);
    s.config_more = "sources: [src, other]\n";
    server_start(&s);

    cr_assert_null(strstr(crash_stack(), " | "));
}

/* ---- ps ---------------------------------------------------------------------------------- */

/* As an argument of its own, whole. */
static bool is_shown(const char *words)
{
    char line[4096];
    pid_t pids[64];
    size_t count = server_children(&s, pids, 64);

    for (size_t i = 0; i < count && i < 64; i++) {
        FILE *file = fopen(text("/proc/%ld/cmdline", (long)pids[i]), "r");
        size_t got = file == NULL ? 0 : fread(line, 1, sizeof line, file);
        if (file != NULL)
            fclose(file);
        if (memmem(line, got, words, strlen(words) + 1) != NULL)
            return true;
    }
    return false;
}

Test(bundles, ps_shows_plugin_task_and_run_of_a_slot)
{
    server_start(&s);
    const char *run = run_trigger(&s, "sleep", "{}", NULL);
    (void)run_until(&s, run, "EXECUTING");
    const char *words = text("slot of hostile 1.0.0: sleep %s", run);
    long long until_ms = now_ms() + 20000;

    while (!is_shown(words) && now_ms() < until_ms)
        pause_ms(20);
    cr_assert(is_shown(words), "no \"%s\"", words);
    (void)server_call(&s, "POST", text("/api/v2/runs/%s/cancel", run), NULL);
    (void)run_end(&s, run);
    while (is_shown(words) && now_ms() < until_ms)
        pause_ms(20);
    cr_assert_not(is_shown(words));
}

Test(bundles, gdb_stops_at_the_segment)
{
    server_start(&s);
    (void)bide(0, text("runs bundle %s -o b.tar", wreck("Ada", "2")));
    int status;
    (void)command_run(&status, "gdb --version");
    if (status != 0)
        return; /* there is none here */

    const char *said =
        command_run(&status,
                    "cd %s && printf 'print s->amount\\nkill\\nquit\\n' | " BINARY_DIR
                    "/bide replay b.tar --gdb 2>&1",
                    s.dir);

    cr_assert_not_null(strstr(said, "Breakpoint 1, answered ("), "%s", said);
}
