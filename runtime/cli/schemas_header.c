/*
 * bide schemas header: the C types of a schema, for the plugin that implements it.
 *
 * Build systems run this for each schema, so it needs no server and no configuration, and
 * leaves a header that would not change alone: what includes it is not compiled again.
 */
#include "cli/cli.h"
#include "cli/header/header.h"
#include "cli/output/screen.h"
#include "cli/output/text.h"
#include "codec/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- files --------------------------------------------------------------------------------
 */

static bool is_same(const char *path, struct slice text)
{
    FILE *file = fopen(path, "re");
    size_t read = 0, size;
    char part[4096];
    bool same = file != NULL;

    while (same && (size = fread(part, 1, sizeof part, file)) > 0) {
        same = size <= text.size - read && memcmp(part, text.data + read, size) == 0;
        read += size;
    }
    if (file != NULL)
        (void)fclose(file); /* only read */
    return same && read == text.size;
}

static bool write_all(int fd, struct slice text)
{
    while (text.size > 0) {
        ssize_t wrote = write(fd, text.data, text.size);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return false;
        text.data += wrote;
        text.size -= (size_t)wrote;
    }
    return true;
}

/* Beside its place first, then moved there: a compiler running meanwhile sees all or nothing.
 */
static bool write_file(struct arena *arena, const char *path, struct slice text)
{
    char *part = arena_text(arena, arena_format(arena, "%s.XXXXXX", path));
    int fd = mkstemp(part);
    mode_t mask = umask(0);

    (void)umask(mask); /* mkstemp is for secrets; this is for whoever may read the directory */
    if (fd < 0)
        return false;
    bool done = write_all(fd, text) && fchmod(fd, 0666 & ~mask) == 0;
    if (close(fd) != 0)
        done = false;
    done = done && rename(part, path) == 0;
    if (!done) {
        int code = errno;
        (void)unlink(part); /* of no use, and the first error is the one to tell */
        errno = code;
    }
    return done;
}

/* As make wants it: spaces, dollars and hashes mean something there. */
static void depfile_path(struct buffer *out, struct slice path)
{
    for (size_t i = 0; i < path.size; i++) {
        if (path.data[i] == ' ' || path.data[i] == '#' || path.data[i] == '\\')
            buffer_byte(out, '\\');
        else if (path.data[i] == '$')
            buffer_byte(out, '$');
        buffer_byte(out, path.data[i]);
    }
}

static struct slice depfile_text(struct arena *arena, const char *target,
                                 const struct schema_file *file)
{
    struct buffer out = { 0 };
    uint32_t count;
    const struct slice *sources = schema_file_sources(file, arena, &count);

    depfile_path(&out, slice_of(target));
    buffer_byte(&out, ':');
    for (uint32_t i = 0; i < count; i++) {
        buffer_byte(&out, ' ');
        depfile_path(&out, sources[i]);
    }
    buffer_byte(&out, '\n');
    struct slice text = arena_copy(arena, buffer_view(&out));
    buffer_finish(&out);
    return text;
}

/* ---- the command --------------------------------------------------------------------------
 */

static int refuse(struct call *call, const struct problems *problems)
{
    struct buffer report = { 0 }, safe = { 0 };

    if (call->json) {
        struct value found = problems_value(&call->arena, problems);
        json_write(&safe, &found);
        buffer_byte(&safe, '\n');
        screen_print(stdout, &safe);
    } else {
        problems_text(&report, problems);
        text_add_safe(&safe, buffer_view(&report), true);
        screen_print(stderr, &safe);
    }
    buffer_finish(&report);
    return CLI_USAGE;
}

static void print(struct call *call, struct slice header)
{
    struct buffer out = { 0 };
    struct value map = value_map();

    if (call->json) {
        value_put(&call->arena, &map, "header", value_string(header));
        json_write(&out, &map);
        buffer_byte(&out, '\n');
    } else {
        buffer_slice(&out, header);
    }
    screen_print(stdout, &out);
}

static int deliver(struct call *call, const struct schema_file *file, struct slice header)
{
    const char *output = call_option(call, "output"), *depfile = call_option(call, "depfile");

    if (output == NULL)
        print(call, header);
    else if (!is_same(output, header) && !write_file(&call->arena, output, header))
        return cli_fail(CLI_FAILED, "cannot write %s: %s", output, strerror(errno));
    if (depfile != NULL &&
        !write_file(&call->arena, depfile, depfile_text(&call->arena, output, file)))
        return cli_fail(CLI_FAILED, "cannot write %s: %s", depfile, strerror(errno));
    return CLI_DONE;
}

static int exec(struct call *call)
{
    const char *path = call->arguments[0], *prefix = call_option(call, "prefix");
    struct problems problems = { 0 };
    struct buffer header = { 0 };
    struct schema_file *file;
    int code;

    if (call_option(call, "depfile") != NULL && call_option(call, "output") == NULL)
        return cli_fail(CLI_USAGE, "--depfile is about the file of --output: give both");
    if (!schema_file_load(path, &file, &call->arena, &problems))
        return refuse(call, &problems);
    if (schema_header_write(file, path, slice_of(prefix), &header, &call->arena, &problems))
        code = deliver(call, file, buffer_view(&header));
    else
        code = refuse(call, &problems);
    buffer_finish(&header);
    schema_file_destroy(file);
    return code;
}

static const struct cli_option options[] = {
    { "output", "FILE", "where to write the header (default: stdout); also -o FILE" },
    { "prefix", "NAME", "what all names start with (default: the schema's file name)" },
    { "depfile", "FILE", "write here what the header depends on, for make and ninja" },
    { NULL, NULL, NULL },
};

const struct cli_command schemas_header_command = {
    .name = "schemas header",
    .arguments = "FILE",
    .summary = "Write the C types of a schema, for the plugin that reads it",
    .help =
        "A struct for the input, the output, each token and each child, and functions that\n"
        "read and write them with bide.h. A header that would not change is not touched.\n"
        "Exits 2 when the schema is wrong.",
    .options = options,
    .least = 1,
    .most = 1,
    .exec = exec,
};
