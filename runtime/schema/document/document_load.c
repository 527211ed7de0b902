/* Documents from files. Nothing is read beyond the limit, whatever the file is. */
#include "schema/document/document.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* A pipe in a directory of schemas would be waited for. Somebody who names /dev/stdin wants to
 * wait. */
static bool is_readable(const char *path, struct report *report)
{
    struct stat about;

    if (stat(path, &about) != 0)
        return report_add(report, 0, 0, "cannot be opened: %s", strerror(errno));
    if (S_ISREG(about.st_mode) || S_ISDIR(about.st_mode)) /* reading tells of a directory */
        return true;
    if (strncmp(path, "/dev/", 5) == 0 || strncmp(path, "/proc/", 6) == 0)
        return true;
    return report_add(report, 0, 0, "is no file but a pipe, a socket or a device");
}

bool document_bytes(struct arena *arena, const char *path, struct slice *text,
                    struct report *report)
{
    if (!is_readable(path, report))
        return false;
    FILE *file = fopen(path, "re");

    if (file == NULL)
        return report_add(report, 0, 0, "cannot be opened: %s", strerror(errno));
    char *bytes = arena_alloc(arena, DOCUMENT_MAX_BYTES + 1);
    size_t size = fread(bytes, 1, DOCUMENT_MAX_BYTES + 1, file);
    bool failed = ferror(file) != 0;
    int code = errno;
    (void)fclose(file); /* only read */
    if (failed)
        return report_add(report, 0, 0, "cannot be read: %s", strerror(code));
    *text = (struct slice){ bytes, size };
    return true;
}

bool document_load(struct arena *arena, const char *path, struct node *root,
                   struct report *report)
{
    struct arena scratch = { 0 };
    struct slice text;

    bool fine = document_bytes(&scratch, path, &text, report) &&
                document_read(arena, text, root, report);
    arena_finish(&scratch);
    return fine;
}
