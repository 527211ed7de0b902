/* Documents from files. Nothing is read beyond the limit, whatever the file is. */
#include "schema/document.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool file_read(struct arena *arena, const char *path, struct slice *text,
                      struct report *report)
{
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

    bool fine =
        file_read(&scratch, path, &text, report) && document_read(arena, text, root, report);
    arena_finish(&scratch);
    return fine;
}
