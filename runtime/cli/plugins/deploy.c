/*
 * bide deploy FILE...: into the server's directory of plugins, and wait until it counts.
 *
 *   lint ─▶ plan ─▶ copy beside ─▶ fsync ─▶ rename ─▶ ask until tasks start in it
 *
 * All files are looked at before the first is copied. A rename shows the server either the old
 * file or the whole new one. The server has no event for "loaded", so it is asked.
 */
#include "base/clock.h"
#include "cli/check/schema_report.h"
#include "cli/client/client.h"
#include "cli/client/member.h"
#include "cli/output/screen.h"
#include "cli/output/text.h"
#include "cli/plugins/lint.h"
#include "cli/plugins/plugins_plan.h"
#include "codec/json.h"

#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { DEPLOY_TIME_MS = 60000, LOOK_PAUSE_MS = 50, BUILD_SIZE = 16 };

struct deployment {
    const char *path, *name; /* as given; as the server sees it */
    struct inspected inspected;
    struct slice before; /* the build that was there; empty: none */
};

/* ---- the copy ---------------------------------------------------------------------------- */

/* Its name begins with a dot: the server looks at no such file. */
static bool file_place(struct call *call, const char *directory, const char *path,
                       const char *name, struct err *err)
{
    const char *fresh =
        arena_format(&call->arena, "%s/.%s.%ld", directory, name, (long)getpid()).data;
    const char *whole = arena_format(&call->arena, "%s/%s", directory, name).data;

    if (!plugin_copy(path, fresh, err))
        return false;
    if (rename(fresh, whole) == 0)
        return true;
    int failure = errno;
    (void)unlink(fresh); /* nobody has seen it */
    return err_set(err, ERR_SYSTEM, "cannot copy %s to %s: %s", path, whole, strerror(failure));
}

/* ---- what the server has ----------------------------------------------------------------- */

static bool list_has(const struct value *map, const char *name, struct slice text)
{
    uint32_t count;
    const struct value *items = member_list(map, name, &count);

    for (uint32_t i = 0; i < count; i++)
        if (slice_equal(items[i].kind == VALUE_STRING ? items[i].bytes
                                                      : member_text(&items[i], "task"),
                        text))
            return true;
    return false;
}

static struct slice build_of(const struct deployment *deployment)
{
    return (struct slice){ deployment->inspected.sha256, BUILD_SIZE };
}

/* The file's entry: the one of this build, or (`any`) the first. */
static const struct value *entry_find(const struct value *reply,
                                      const struct deployment *deployment, bool any)
{
    uint32_t count;
    const struct value *entries = member_list(reply, "data", &count);

    for (uint32_t i = 0; i < count; i++)
        if (slice_is(member_text(&entries[i], "file"), deployment->name) &&
            (any || slice_equal(member_text(&entries[i], "build"), build_of(deployment))))
            return &entries[i];
    return NULL;
}

/* Do runs of its tasks start in it? One that is not available is told and counts as done. */
static bool is_current(const struct value *entry)
{
    uint32_t count, lost = 0;
    const struct value *tasks = member_list(entry, "tasks", &count);

    for (uint32_t i = 0; i < count; i++)
        lost += !list_has(entry, "current", tasks[i].bytes) &&
                !list_has(entry, "unavailable", tasks[i].bytes);
    return slice_is(member_text(entry, "status"), "loaded") && lost == 0;
}

/* The same build under another name is refused, but not at the moment at which it is seen. */
static bool is_elsewhere(const struct value *reply, const struct deployment *deployment)
{
    uint32_t count;
    const struct value *entries = member_list(reply, "data", &count);

    for (uint32_t i = 0; i < count; i++)
        if (!slice_is(member_text(&entries[i], "file"), deployment->name) &&
            slice_equal(member_text(&entries[i], "build"), build_of(deployment)) &&
            slice_is(member_text(&entries[i], "status"), "loaded"))
            return true;
    return false;
}

/* ---- waiting ----------------------------------------------------------------------------- */

static int tell_done(struct client *client, const struct deployment *deployment,
                     const struct value *entry)
{
    struct arena *arena = client->arena;
    struct slice build = build_of(deployment), before = deployment->before;
    struct slice tasks = names_text(arena, value_find(entry, "tasks"));
    uint32_t count;
    const struct value *lost = member_list(entry, "unavailable", &count);
    bool is_same = slice_equal(before, build);

    if (client->call->json) {
        struct buffer out = { 0 };
        json_write(&out, entry);
        buffer_byte(&out, '\n');
        screen_print(stdout, &out);
    } else
        printf("%s  %.*s%s%.*s  %.*s\n", deployment->name, is_same ? 0 : (int)before.size,
               before.data == NULL ? "" : before.data,
               before.size == 0 || is_same ? "" : " -> ", SLICE_ARG(build),
               SLICE_ARG(text_safe(arena, tasks)));
    if (is_same)
        cli_fail(CLI_DONE, "%s is what was there already", deployment->name);
    for (uint32_t i = 0; i < count; i++)
        cli_fail(CLI_FAILED, "task %.*s is not available: %.*s",
                 SLICE_ARG(member_text(&lost[i], "task")),
                 SLICE_ARG(member_text(&lost[i], "reason")));
    return count > 0 ? CLI_FAILED : CLI_DONE;
}

/* *code is set once there is an answer. */
static bool look(struct client *client, const struct deployment *deployment, int *code)
{
    struct reply reply;

    *code = CLI_FAILED;
    if (!client_do(client, "GET", "/api/v1/plugins", (struct slice){ 0 }, &reply))
        return true;
    const struct value *entry = entry_find(&reply.value, deployment, false);
    if (entry != NULL && slice_is(member_text(entry, "status"), "refused")) {
        cli_fail(CLI_FAILED, "%s is refused: %.*s", deployment->name,
                 SLICE_ARG(member_text(entry, "reason")));
        return true;
    }
    if (entry == NULL || !is_current(entry) || is_elsewhere(&reply.value, deployment))
        return false;
    *code = tell_done(client, deployment, entry);
    return true;
}

static int await(struct client *client, const struct deployment *deployment, uint64_t until_ns)
{
    struct arena *outer = client->arena, round = { 0 };
    int code;

    client->arena = &round;
    for (; !look(client, deployment, &code); arena_reset(&round)) {
        if (clock_monotonic_ns() >= until_ns) {
            code = cli_fail(CLI_FAILED,
                            "%s is copied, but runs do not start in it yet; `bide plugins "
                            "list` and the server's log say why",
                            deployment->name);
            break;
        }
        client_pause(LOOK_PAUSE_MS);
    }
    arena_finish(&round);
    client->arena = outer;
    return code;
}

/* ---- the command ------------------------------------------------------------------------- */

/* Its errors; warnings are for `bide plugins lint`. */
static int deployment_lint(struct call *call, struct deployment *deployment)
{
    struct lint lint = { .call = call, .path = deployment->path };

    lint_file(&lint, INSPECT_TIME_MS);
    for (const struct lint_finding *one = lint.first; one != NULL; one = one->next)
        if (lint_rule_level(one->rule) == LINT_ERROR)
            cli_fail(CLI_FAILED, "%.*s (%s): %s", SLICE_ARG(one->what),
                     lint_rule_name(one->rule), lint_rule_remedy(one->rule));
    deployment->inspected = lint.inspected;
    return lint.counts[LINT_ERROR] > 0 ? CLI_FAILED : CLI_DONE;
}

static bool deployment_read(struct call *call, struct deployment *deployment, const char *path,
                            int *code)
{
    deployment->path = path;
    deployment->name = basename(arena_text(&call->arena, slice_of(path)));
    size_t size = strlen(deployment->name);
    if (size < 4 || strcmp(deployment->name + size - 3, ".so") != 0 ||
        deployment->name[0] == '.')
        *code = cli_fail(CLI_USAGE, "%s: a plugin's file is called NAME.so", path);
    else
        *code = deployment_lint(call, deployment);
    return *code == CLI_DONE;
}

/* ---- schemas ----------------------------------------------------------------------------- */

/* All of them are good, or none is copied. */
static int schemas_check(struct call *call)
{
    int position = 0, code = CLI_DONE;

    for (const char *path; (path = call_next(call, "schema", &position)) != NULL;) {
        struct buffer said = { 0 };
        const char *dot = strrchr(path, '.');
        if (dot == NULL || strcmp(dot, ".yaml") != 0)
            code = cli_fail(CLI_USAGE, "%s: a schema's file is called TASK.yaml", path);
        else if (schema_report(&path, 1, false, &said) != 0) {
            screen_print(stderr, &said);
            code = CLI_FAILED;
        }
        buffer_finish(&said);
    }
    return code;
}

/* Before the plugins: what starts in the new build is checked by the new schema. */
static int schemas_place(struct call *call, const struct client *client)
{
    const char *directory = call_option(call, "schemas");
    int position = 0;
    struct err err;

    if (call_option(call, "schema") == NULL)
        return CLI_DONE;
    if (directory == NULL)
        directory = settings_place(call, client->settings.url, "schemas", "");
    if (directory == NULL)
        return cli_fail(CLI_FAILED,
                        "the server at %s has left no note of its directory of schemas here: "
                        "say it with --schemas DIR",
                        client->settings.url);
    for (const char *path; (path = call_next(call, "schema", &position)) != NULL;)
        if (!file_place(call, directory, path,
                        basename(arena_text(&call->arena, slice_of(path))), &err))
            return cli_fail(CLI_FAILED, "%s", err.text);
    return CLI_DONE;
}

static int deploy(struct call *call, struct client *client, struct deployment *deployments,
                  const char *directory, int64_t limit_ms)
{
    uint64_t until_ns = clock_monotonic_ns() + (uint64_t)limit_ms * 1000000;
    struct reply reply;
    struct err err = { 0 };
    int code = CLI_DONE;

    if (!client_do(client, "GET", "/api/v1/plugins", (struct slice){ 0 }, &reply))
        return CLI_FAILED;
    for (int i = 0; i < call->argument_count; i++) {
        const struct value *entry = entry_find(&reply.value, &deployments[i], true);
        deployments[i].before = member_text(entry, "build");
        code = cli_worse(code, plugins_plan(client, directory, deployments[i].path,
                                            deployments[i].name, true));
    }
    if (code != CLI_DONE && call_option(call, "force") == NULL)
        return cli_fail(code, "nothing was copied; --force deploys all the same");
    code = schemas_place(call, client);
    for (int i = 0; i < call->argument_count && code == CLI_DONE; i++)
        if (!file_place(call, directory, deployments[i].path, deployments[i].name, &err))
            return cli_fail(CLI_FAILED, "%s", err.text);
    for (int i = 0; i < call->argument_count && code != CLI_FAILED; i++)
        code = cli_worse(code, await(client, &deployments[i], until_ns));
    return code;
}

static int exec(struct call *call)
{
    struct deployment *deployments =
        ARENA_ARRAY(&call->arena, struct deployment, (size_t)call->argument_count);
    struct client client;
    struct err err = { 0 };
    int64_t limit_ms;
    int code;

    if (!call_duration(call, "timeout", DEPLOY_TIME_MS, &limit_ms, &err))
        return cli_fail(CLI_USAGE, "%s", err.text);
    for (int i = 0; i < call->argument_count; i++)
        if (!deployment_read(call, &deployments[i], call->arguments[i], &code))
            return code;
    code = schemas_check(call);
    if (code != CLI_DONE || !client_open(&client, call, &code))
        return code;
    const char *directory = plugins_directory(call, &client);
    code = directory == NULL ? CLI_FAILED
                             : deploy(call, &client, deployments, directory, limit_ms);
    client_close(&client);
    return code;
}

static const struct cli_option options[] = {
    { "plugins", "DIR", "the server's directory of plugins, where it has left no note of it" },
    { "schema", "FILE", "a schema to copy first, checked; may be given several times" },
    { "schemas", "DIR", "the server's directory of schemas, where it has left no note of it" },
    { "timeout", "DURATION", "how long to wait until they count (default: 60s)" },
    { "force", NULL, "also when runs under way would be parked by it" },
    { NULL, NULL, NULL },
};

const struct cli_command deploy_command = {
    .name = "deploy",
    .arguments = "FILE...",
    .summary = "Copy plugins to the server of this machine, and wait until runs start in them",
    .help =
        "Each file is linted first, in a process of its own; an error of `bide plugins lint` "
        "stops all of\n"
        "it before anything is copied, and so does one in which runs under way would be "
        "parked\n"
        "(`bide plugins plan`), unless --force is given. Prints file, build (the old one "
        "before "
        "it)\n"
        "and tasks once whatever starts takes the new build. Exits 1 when the server refuses "
        "one, or a\n"
        "task of it is not available.",
    .options = options,
    .is_client = true,
    .least = 1,
    .most = CLI_ANY_NUMBER,
    .exec = exec,
};
