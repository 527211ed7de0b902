#include "self.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

const char *self_folder(struct arena *arena)
{
    char path[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path);
    const char *end = size > 0 ? memrchr(path, '/', (size_t)size) : NULL;

    return end == NULL ? "" : arena_text(arena, (struct slice){ path, (size_t)(end - path) });
}

const char *self_find(struct arena *arena, const char *const *places)
{
    const char *folder = self_folder(arena);

    for (; *folder != '\0' && *places != NULL; places++) {
        const char *path = arena_format(arena, "%s/%s", folder, *places).data;
        if (access(path, R_OK) == 0)
            return path;
    }
    return NULL;
}
