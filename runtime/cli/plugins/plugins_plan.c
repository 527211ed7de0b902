/*
 * bide plugins plan FILE: what a build would make of the runs that are under way.
 *
 *   copy beside the plugins (".plan.…": the server looks at no such file) ─▶ POST
 *   /api/v1/plugins/plan ─▶ the server removes the copy, and tells
 */
#include "cli/plugins/plugins_plan.h"

#include "cli/client/member.h"
#include "cli/output/screen.h"
#include "cli/output/text.h"
#include "codec/json.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static bool bytes_copy(int from, int to)
{
    struct stat stat;

    if (fstat(from, &stat) != 0)
        return false;
    while (stat.st_size > 0) {
        ssize_t copied = sendfile(to, from, NULL, (size_t)stat.st_size);
        if (copied <= 0)
            return false;
        stat.st_size -= copied;
    }
    return fchmod(to, 0644) == 0 && fsync(to) == 0;
}

bool plugin_copy(const char *path, const char *target, struct err *err)
{
    int from = open(path, O_RDONLY | O_CLOEXEC);
    int to = from < 0
                 ? -1
                 : open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool fine = to >= 0 && bytes_copy(from, to);
    int failure = errno;

    if (to >= 0 && !fine)
        (void)unlink(target); /* nobody has seen it */
    if (to >= 0)
        (void)close(to); /* it is on the disk: fsync said so */
    if (from >= 0)
        (void)close(from); /* was only read */
    return fine || err_set(err, ERR_SYSTEM, "cannot copy %s to %s: %s", path, target,
                           strerror(failure));
}

const char *plugins_directory(struct call *call, const struct client *client)
{
    const char *directory = call_option(call, "plugins");

    if (directory == NULL)
        directory = settings_place(call, client->settings.url, "plugins", "");
    if (directory == NULL)
        cli_fail(CLI_FAILED,
                 "the server at %s has left no note of its directory of plugins here: say it "
                 "with --plugins DIR",
                 client->settings.url);
    return directory;
}

/* ---- what it says ------------------------------------------------------------------------ */

static void print_runs(struct arena *arena, const struct value *group)
{
    uint32_t count;
    const struct value *runs = member_list(group, "runs", &count);

    for (uint32_t i = 0; i < count; i++)
        printf("%s%.*s", i == 0 ? "    " : " ", SLICE_ARG(text_safe(arena, runs[i].bytes)));
    if (count > 0)
        printf("%s\n", member_int(group, "count") > count ? " ..." : "");
    struct slice reason = member_text(group, "reason");
    if (reason.size > 0)
        printf("    such as: %.*s\n", SLICE_ARG(text_safe(arena, reason)));
}

static void print_groups(struct arena *arena, const struct value *plan, const char *list,
                         const char *word)
{
    uint32_t count;
    const struct value *groups = member_list(plan, list, &count);

    for (uint32_t i = 0; i < count; i++) {
        struct slice field = text_safe(arena, member_text(&groups[i], "field"));
        struct slice cause = text_safe(arena, member_text(&groups[i], "cause"));
        printf("%-8s %.*s%s%.*s%s%.*s: %" PRId64 " run%s\n", word,
               SLICE_ARG(text_safe(arena, member_text(&groups[i], "task"))),
               field.size > 0 ? ", field " : "", SLICE_ARG(field),
               cause.size == 0                  ? " is not in this build, and is kept aside"
               : field.size == 0                ? ", "
               : slice_starts(cause, "migrate") ? ": "
                                                : " ",
               SLICE_ARG(cause), member_int(&groups[i], "count"),
               member_int(&groups[i], "count") == 1 ? "" : "s");
        print_runs(arena, &groups[i]);
    }
}

static void print_plan(struct arena *arena, const struct value *plan, const char *name)
{
    printf("%s  %.*s %.*s\n", name, SLICE_ARG(text_safe(arena, member_text(plan, "plugin"))),
           SLICE_ARG(text_safe(arena, member_text(plan, "version"))));
    printf("%" PRId64 " runs under way: %" PRId64 " kept, %" PRId64 " migrated, %" PRId64
           " blocked\n",
           member_int(plan, "runs"), member_int(plan, "kept"), member_int(plan, "migrated"),
           member_int(plan, "blocked"));
    if (member_int(plan, "locked") > 0)
        printf("%" PRId64 " of them are locked to the build in which they have begun, and stay "
               "there unless they are moved\n",
               member_int(plan, "locked"));
    print_groups(arena, plan, "blocking", "blocked");
    print_groups(arena, plan, "migrating", "migrated");
    print_groups(arena, plan, "losing", "lost");
}

static bool is_true(const struct value *map, const char *name)
{
    const struct value *found = value_find(map, name);

    return found != NULL && found->kind == VALUE_BOOL && found->boolean;
}

/* Something of it that a deploy changes for runs that follow. */
static bool has_news(const struct value *plan)
{
    uint32_t losing;

    (void)member_list(plan, "losing", &losing);
    return member_int(plan, "runs") > member_int(plan, "locked") &&
           (losing > 0 || member_int(plan, "migrated") > 0 || member_int(plan, "parks") > 0);
}

static int tell(struct client *client, const struct value *plan, const char *name,
                bool is_deploy)
{
    int64_t bad = member_int(plan, is_deploy ? "parks" : "blocked");

    if (!is_deploy && client->call->json) {
        struct buffer out = { 0 };
        json_write(&out, plan);
        buffer_byte(&out, '\n');
        screen_print(stdout, &out);
    } else if (!client->call->json && (!is_deploy || has_news(plan))) {
        print_plan(client->arena, plan, name);
    }
    if (bad > 0)
        return cli_fail(CLI_FAILED, "%" PRId64 " of the runs under way %s %s", bad,
                        is_deploy ? "would be parked in" : "cannot go on in", name);
    if (!is_true(plan, "complete"))
        return cli_fail(CLI_FAILED,
                        "not all runs under way could be looked at in time; so far none is "
                        "blocked");
    return CLI_DONE;
}

static int ask(struct client *client, const struct value *body, const char *name,
               bool is_deploy)
{
    struct buffer json = { 0 };
    struct reply reply;

    json_write(&json, body);
    bool done = client_do(client, "POST", "/api/v1/plugins/plan", buffer_view(&json), &reply);
    buffer_finish(&json);
    return done ? tell(client, &reply.value, name, is_deploy) : CLI_FAILED;
}

int plugins_plan(struct client *client, const char *directory, const char *path,
                 const char *name, bool is_deploy)
{
    struct arena *arena = client->arena;
    struct slice file = arena_format(arena, ".plan.%s.%ld", name, (long)getpid());
    const char *copy = arena_format(arena, "%s/%.*s", directory, SLICE_ARG(file)).data;
    struct value body = value_map();
    struct err err = { 0 };

    if (!plugin_copy(path, copy, &err))
        return cli_fail(CLI_FAILED, "%s", err.text);
    value_put(arena, &body, "file", value_string(file));
    value_put(arena, &body, "name", value_text(name));
    int code = ask(client, &body, name, is_deploy);
    (void)unlink(copy); /* the server has, unless it never heard of it */
    return code;
}

static int exec(struct call *call)
{
    const char *build = call_option(call, "build");
    struct client client;
    int code;

    if ((build == NULL) == (call->argument_count == 0))
        return cli_fail(CLI_USAGE, "either FILE or --build is needed");
    if (!client_open(&client, call, &code))
        return code;
    if (build != NULL) {
        struct value body = value_map();
        value_put(&call->arena, &body, "build", value_text(build));
        code = ask(&client, &body, build, false);
    } else {
        const char *path = call->arguments[0], *directory = plugins_directory(call, &client);
        code = directory == NULL
                   ? CLI_FAILED
                   : plugins_plan(&client, directory, path,
                                  basename(arena_text(&call->arena, slice_of(path))), false);
    }
    client_close(&client);
    return code;
}

static const struct cli_option options[] = {
    { "plugins", "DIR", "the server's directory of plugins, where it has left no note of it" },
    { "build", "BUILD", "instead of a file: 16 hex digits of one that the server knows" },
    { NULL, NULL, NULL },
};

const struct cli_command plugins_plan_command = {
    .name = "plugins plan",
    .arguments = "[FILE]",
    .summary = "Tell what a build would make of the runs that are under way",
    .help =
        "Every run of its tasks that has begun is looked at, whether it waits, is parked or "
        "runs "
        "just\n"
        "now: would its state load, by itself or by the plugin's migrate function? That is "
        "tried "
        "in a\n"
        "process of the build on the server's side; nothing is changed. Says which fields and "
        "segments\n"
        "stand in the way of which runs, and which stored names the build does not have. Runs "
        "that are\n"
        "locked to their build stay there when another one is deployed; for them it says what "
        "would be\n"
        "if they were moved (`bide plugins promote --with-runs`). Exits 1 when a run could not "
        "go on.",
    .options = options,
    .is_client = true,
    .least = 0,
    .most = 1,
    .exec = exec,
};
