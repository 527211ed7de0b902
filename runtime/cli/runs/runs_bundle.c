/*
 * bide runs bundle: what a run's segment was given, its error and its .so, in one file for
 * `bide replay`.
 *
 *   RUN/bundle.json   RUN/plugin.so
 */
#include "base/clock.h"
#include "cli/client/client.h"
#include "cli/client/member.h"
#include "cli/plugins/tar_file.h"
#include "codec/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool file_write(const char *path, struct slice bytes, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    size_t done = 0;

    while (fd >= 0 && done < bytes.size) {
        ssize_t wrote = write(fd, bytes.data + done, bytes.size - done);
        if (wrote < 0 && errno != EINTR)
            break;
        done += wrote < 0 ? 0 : (size_t)wrote;
    }
    bool is_whole = fd >= 0 && done == bytes.size;
    if (fd >= 0)
        is_whole = close(fd) == 0 && is_whole;
    if (!is_whole)
        err_set(err, ERR_SYSTEM, "cannot write %s: %s", path, strerror(errno));
    if (!is_whole && fd >= 0)
        (void)unlink(path); /* half of it is of no use */
    return is_whole;
}

/* False: told, and the bundle goes without. */
static bool plugin_fetch(struct client *client, const struct value *bundle, struct slice *bytes)
{
    struct slice build = member_text(bundle, "build");
    struct reply reply;
    struct err err = { 0 };

    if (build.size == 0) {
        cli_fail(CLI_DONE, "no build has run it yet: the bundle has no .so");
        return false;
    }
    const char *path =
        arena_format(client->arena, "/api/v1/builds/%.*s/file", SLICE_ARG(build)).data;
    if (!client_send(client, "GET", path, (struct slice){ 0 }, &reply, &err))
        cli_fail(CLI_DONE, "the bundle has no .so: %s", err.text);
    else if (reply.status != 200)
        cli_fail(CLI_DONE,
                 "the bundle has no .so: the server has not kept build %.*s; give it to "
                 "`bide replay` with --plugin FILE",
                 SLICE_ARG(build));
    else {
        *bytes = reply.body;
        return true;
    }
    return false;
}

static int bundle_write(struct client *client, const char *run, const struct value *bundle)
{
    struct arena *arena = client->arena;
    const char *path = call_option(client->call, "output");
    struct buffer text = { 0 }, tar = { 0 };
    struct slice plugin = { 0 };
    struct err err = { 0 };
    int64_t now_ms = clock_now_ms();

    if (path == NULL)
        path = arena_format(arena, "%s.tar", run).data;
    json_write_pretty(&text, bundle);
    buffer_byte(&text, '\n');
    tar_add(&tar, arena_format(arena, "%s/bundle.json", run).data, buffer_view(&text), now_ms);
    if (plugin_fetch(client, bundle, &plugin))
        tar_add(&tar, arena_format(arena, "%s/plugin.so", run).data, plugin, now_ms);
    tar_end(&tar);
    bool is_written = file_write(path, buffer_view(&tar), &err);
    size_t size = tar.size;
    buffer_finish(&text);
    buffer_finish(&tar);
    if (!is_written)
        return cli_fail(CLI_FAILED, "%s", err.text);
    printf("%s  %zu bytes%s\n", path, size, plugin.size > 0 ? "" : ", without its .so");
    return CLI_DONE;
}

static int exec(struct call *call)
{
    const char *run = call->arguments[0];
    struct client client;
    struct reply reply;
    int code;

    if (!client_open(&client, call, &code))
        return code;
    client.subject = run;
    if (!client_do(&client, "GET", path_of_run(&call->arena, "v1", run, "/bundle"),
                   (struct slice){ 0 }, &reply))
        code = client.failure;
    else if (call->json)
        printf("%.*s\n", SLICE_ARG(reply.body));
    else {
        uint32_t hidden;
        (void)member_list(&reply.value, "hidden", &hidden);
        if (hidden > 0)
            cli_fail(CLI_DONE, "its task has secrets, which stay on the server: what may hold "
                               "one is left out (`hidden` in bundle.json)");
        code = bundle_write(&client, run, &reply.value);
    }
    client_close(&client);
    return code;
}

static const struct cli_option options[] = {
    { "output", "FILE", "write it there (default: RUN.tar); must not be there yet" },
    { NULL, NULL, NULL },
};

const struct cli_command runs_bundle_command = {
    .name = "runs bundle",
    .arguments = "RUN",
    .summary = "Write what a run's segment was given, its error and its .so into one file",
    .help =
        "A tar with bundle.json (input, state, the results that the segment got, its error) "
        "and "
        "plugin.so,\n"
        "the exact build, for `bide replay`. Of runs that have failed, and of those that are "
        "still under\n"
        "way: what their next segment gets. Secrets stay on the server. With --json only that "
        "is printed.",
    .options = options,
    .is_client = true,
    .least = 1,
    .most = 1,
    .exec = exec,
};
