/* bide store compact: the store itself, without a server. */
#include "offline.h"

#include "cli/cli.h"
#include "cli/commands.h"
#include "config/config.h"
#include "store/store.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

/* Where the database is; else the exit code, and all is said. */
static int path_find(struct call *call, char path[PATH_MAX])
{
    const char *config = call_option(call, "config"), *data = call_option(call, "data");
    struct problems problems = { 0 };
    struct config loaded = { 0 };
    struct buffer out = { 0 };
    int code = CLI_DONE;

    if (data == NULL) {
        if (!config_load(config != NULL ? config : "config/bide.yaml", &loaded, &call->arena,
                         &problems))
            code = CLI_USAGE;
        problems_text(&out, &problems);
        if (out.size > 0)
            (void)fwrite(out.data, 1, out.size, stderr); /* nobody to tell */
        buffer_finish(&out);
        data = loaded.data;
    }
    if (code == CLI_DONE && snprintf(path, PATH_MAX, "%s/bide.db", data) >= PATH_MAX)
        code = cli_fail(CLI_USAGE, "the data directory's path is too long");
    config_finish(&loaded);
    return code;
}

static int exec(struct call *call)
{
    struct compaction compaction;
    struct err err = { 0 };
    char path[PATH_MAX];
    int code = path_find(call, path);

    if (code != CLI_DONE)
        return code;
    if (!store_sqlite_compact(path, &compaction, &err))
        return cli_fail(CLI_FAILED, "%s", err.text);
    if (call->json)
        printf("{\"before\":%" PRId64 ",\"after\":%" PRId64 "}\n", compaction.before_bytes,
               compaction.after_bytes);
    else
        printf("%s: %.1f MiB, and %.1f MiB before\n", path,
               (double)compaction.after_bytes / (1 << 20),
               (double)compaction.before_bytes / (1 << 20));
    return CLI_DONE;
}

int offline_compact_main(int argc, char **argv)
{
    struct cli_command command = store_compact_command;

    command.exec = exec;
    return cli_run(&command, argc - 1, argv + 1);
}
