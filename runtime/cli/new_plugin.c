/*
 * bide new plugin: a folder with a plugin that builds and runs as it is.
 *
 * The template's files are in the binary. In their names and texts these are replaced:
 *   @NAME@   the name as given          @IDENT@   the name as a C identifier
 *   @SDK@    where include/bide/bide.h is: beside an installed binary, else in the source tree
 * that this binary was built from, else nothing and CMake is to find it
 *   @BIN@    the directory of this binary, which the plugin's build makes headers with
 */
#include "base/self.h"
#include "cli/cli.h"
#include "cli/template.h"
#include "codec/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_MAX_BYTES = 64 };

struct blank {
    const char *mark, *text;
};

static bool check_name(const char *name, struct err *err)
{
    size_t size = strlen(name);

    for (const char *c = name; *c != '\0'; c++)
        if (!((*c >= 'a' && *c <= 'z') || (c > name && *c >= '0' && *c <= '9') ||
              (c > name && *c == '-' && c[-1] != '-' && c[1] != '\0')))
            size = 0;
    if (size > 0 && size <= NAME_MAX_BYTES)
        return true;
    return err_set(err, ERR_BAD_REQUEST,
                   "\"%s\" cannot be a plugin's name: lower case words with dashes between, "
                   "such as \"send-mail\"",
                   name);
}

static const char *identifier(struct arena *arena, const char *name)
{
    char *text = arena_text(arena, slice_of(name));
    for (char *c = text; *c != '\0'; c++)
        if (*c == '-')
            *c = '_';
    return text;
}

static void fill_in(struct buffer *out, struct slice text, const struct blank *blanks)
{
    while (text.size > 0) {
        const struct blank *blank = blanks;
        while (blank->mark != NULL && !slice_starts(text, blank->mark))
            blank++;
        size_t used = blank->mark != NULL ? strlen(blank->mark) : 1;
        if (blank->mark != NULL)
            buffer_text(out, blank->text);
        else
            buffer_byte(out, *text.data);
        text.data += used;
        text.size -= used;
    }
}

/* Folders on the way to the file; the first is made by the caller. */
static bool make_folders(char *path, size_t skip, struct err *err)
{
    for (char *slash = strchr(path + skip, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int made = mkdir(path, 0777);
        bool failed = made != 0 && errno != EEXIST;
        if (failed)
            err_set(err, ERR_SYSTEM, "cannot make %s: %s", path, strerror(errno));
        *slash = '/';
        if (failed)
            return false;
    }
    return true;
}

static bool write_file(const char *path, struct slice text, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    bool done = fd >= 0;

    while (done && text.size > 0) {
        ssize_t wrote = write(fd, text.data, text.size);
        done = wrote > 0 || (wrote < 0 && errno == EINTR);
        text.data += wrote > 0 ? wrote : 0;
        text.size -= wrote > 0 ? (size_t)wrote : 0;
    }
    if (!done)
        err_set(err, ERR_SYSTEM, "cannot write %s: %s", path, strerror(errno));
    if (fd >= 0 && close(fd) != 0 && done)
        done = err_set(err, ERR_SYSTEM, "cannot write %s: %s", path, strerror(errno));
    return done;
}

static bool write_template(struct arena *arena, const char *folder, const struct blank *blanks,
                           struct value *written, struct err *err)
{
    for (const struct template_file *file = template_files; file->path != NULL; file++) {
        struct buffer path = { 0 }, text = { 0 };
        buffer_format(&path, "%s/", folder);
        fill_in(&path, slice_of(file->path), blanks);
        char *name = arena_text(arena, buffer_view(&path));
        fill_in(&text, (struct slice){ (const char *)file->bytes, file->size }, blanks);
        bool done = make_folders(name, strlen(folder) + 1, err) &&
                    write_file(name, buffer_view(&text), err);
        buffer_finish(&path);
        buffer_finish(&text);
        if (!done)
            return false;
        value_add(arena, written, value_text(name));
    }
    return true;
}

static void report(struct call *call, const char *folder, const char *name,
                   const struct value *written)
{
    struct buffer out = { 0 };

    if (call->json) {
        json_write(&out, written);
        printf("%.*s\n", SLICE_ARG(buffer_view(&out)));
        buffer_finish(&out);
        return;
    }
    for (uint32_t i = 0; i < written->count; i++)
        printf("%.*s\n", SLICE_ARG(written->items[i].bytes));
    printf("\nbuild it:   cmake -S %s -B %s/build && cmake --build %s/build\n", folder, folder,
           folder);
    printf("deploy it:  cp %s/schemas/*.yaml SCHEMAS && bide deploy %s/build/%s.so\n", folder,
           folder, name);
}

/* Below /usr the compiler and CMake look by themselves. */
static const char *find_sdk(struct arena *arena, const char *bin)
{
    const char *end = strrchr(bin, '/');

    if (end != NULL) {
        const char *prefix = arena_text(arena, (struct slice){ bin, (size_t)(end - bin) });
        const char *header = arena_format(arena, "%s/include/bide/bide.h", prefix).data;
        if (access(header, R_OK) == 0)
            return strncmp(prefix, "/usr", 4) == 0 ? "" : prefix;
    }
    return access(template_sdk, R_OK) == 0 ? template_sdk : "";
}

static int exec(struct call *call)
{
    const char *name = call->arguments[0], *parent = call_option(call, "dir");
    struct value written = value_list();
    struct err err = { 0 };

    if (!check_name(name, &err))
        return cli_fail(CLI_USAGE, "%s", err.text);
    const char *folder =
        parent == NULL ? name : arena_format(&call->arena, "%s/%s", parent, name).data;
    if (mkdir(folder, 0777) != 0)
        return cli_fail(CLI_FAILED, "cannot make %s: %s", folder, strerror(errno));
    const char *bin = self_folder(&call->arena);
    const struct blank blanks[] = {
        { "@NAME@", name },
        { "@IDENT@", identifier(&call->arena, name) },
        { "@SDK@", find_sdk(&call->arena, bin) },
        { "@BIN@", bin },
        { NULL, NULL },
    };
    if (!write_template(&call->arena, folder, blanks, &written, &err))
        return cli_fail(CLI_FAILED, "%s", err.text);
    report(call, folder, name, &written);
    return CLI_DONE;
}

static const struct cli_option options[] = {
    { "dir", "DIR", "where to make the folder (default: here)" },
    { NULL, NULL, NULL },
};

const struct cli_command new_plugin_command = {
    .name = "new plugin",
    .arguments = "NAME",
    .summary = "Write a folder with a new plugin to start from",
    .help =
        "It builds as it is, with plain CMake, against an installed bide or the source tree:\n"
        "\n"
        "  bide new plugin x && cmake -S x -B x/build && cmake --build x/build",
    .options = options,
    .least = 1,
    .most = 1,
    .exec = exec,
};
