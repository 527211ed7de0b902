#include "schedule/zones.h"

#include "base/memory.h"
#include "base/suggest.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 512, LINE_SIZE = 512 };

struct zones {
    char folder[PATH_SIZE - ZONE_NAME_MAX - 32];
    pthread_mutex_t lock;
    struct zone *current, *older; /* older: of data before, somebody may still look at it */
    char version[ZONES_VERSION_SIZE];
};

struct zones *zones_create(const char *folder)
{
    struct zones *zones = memory_zeroed(1, sizeof *zones);

    if (folder == NULL)
        folder = getenv("TZDIR"); /* as the C library has it */
    snprintf(zones->folder, sizeof zones->folder, "%s", folder == NULL ? ZONES_FOLDER : folder);
    pthread_mutex_init(&zones->lock, NULL);
    return zones;
}

static void list_destroy(struct zone *zone)
{
    while (zone != NULL) {
        struct zone *next = zone->next;
        zone_destroy(zone);
        zone = next;
    }
}

void zones_destroy(struct zones *zones)
{
    if (zones == NULL)
        return;
    list_destroy(zones->current);
    list_destroy(zones->older);
    pthread_mutex_destroy(&zones->lock);
    free(zones);
}

/* A regular file, whole; NULL where there is none. The caller frees it. */
static char *file_read(const char *path, size_t *size)
{
    struct stat about;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char *bytes = NULL;

    if (fd < 0)
        return NULL;
    if (fstat(fd, &about) == 0 && S_ISREG(about.st_mode) && about.st_size > 0 &&
        about.st_size <= ZONE_FILE_MAX) {
        bytes = memory_get((size_t)about.st_size);
        ssize_t got = read(fd, bytes, (size_t)about.st_size);
        *size = got < 0 ? 0 : (size_t)got;
    }
    close(fd);
    return bytes;
}

struct nearest {
    struct suggestion suggestion;
    char best[ZONE_NAME_MAX + 1]; /* the line that it stood in is read over */
};

static void on_known(void *context, struct slice name)
{
    struct nearest *nearest = context;

    if (name.size > ZONE_NAME_MAX)
        return;
    suggestion_offer(&nearest->suggestion, name);
    if (nearest->suggestion.best.data == name.data) {
        memcpy(nearest->best, name.data, name.size);
        nearest->suggestion.best.data = nearest->best;
    }
}

static struct zone *zone_open(struct zones *zones, struct slice name, struct err *err)
{
    char path[PATH_SIZE], text[ZONE_NAME_MAX + 1];
    size_t size = 0;

    snprintf(text, sizeof text, "%.*s", SLICE_ARG(name));
    snprintf(path, sizeof path, "%s/%s", zones->folder, text);
    char *bytes = file_read(path, &size);
    if (bytes != NULL) {
        struct zone *zone = zone_read((struct slice){ bytes, size }, text, err);
        free(bytes);
        return zone;
    }
    if (slice_is(name, "UTC"))
        return zone_utc(); /* without any zone data, too */
    struct nearest nearest;
    suggestion_init(&nearest.suggestion, name);
    (void)zones_list(zones, on_known, &nearest); /* without the list nothing is suggested */
    err_set(err, ERR_RULE, "there is no time zone %s in %s%.*s%.*s%s", text, zones->folder,
            SUGGESTION_ARG(&nearest.suggestion));
    return NULL;
}

const struct zone *zones_find(struct zones *zones, struct slice name, struct err *err)
{
    struct zone *zone;

    if (!zone_name_check(name, err))
        return NULL;
    pthread_mutex_lock(&zones->lock);
    for (zone = zones->current; zone != NULL && !slice_is(name, zone->name); zone = zone->next)
        continue;
    if (zone == NULL && (zone = zone_open(zones, name, err)) != NULL) {
        zone->next = zones->current;
        zones->current = zone;
    }
    pthread_mutex_unlock(&zones->lock);
    return zone;
}

/* "# version 2025b" is the first line of tzdata.zi; some systems have it alone in +VERSION. */
static void version_read(const struct zones *zones, char version[ZONES_VERSION_SIZE])
{
    static const struct {
        const char *file, *format;
    } places[] = { { "tzdata.zi", "# version %31s" }, { "+VERSION", "%31s" } };
    char path[PATH_SIZE];

    strcpy(version, "unknown");
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(path, sizeof path, "%s/%s", zones->folder, places[i].file);
        FILE *file = fopen(path, "re");
        if (file == NULL)
            continue;
        char line[LINE_SIZE] = "";
        bool is_there = fgets(line, sizeof line, file) != NULL &&
                        (i == 0 ? sscanf(line, "# version %31s", version)
                                : sscanf(line, "%31s", version)) == 1;
        fclose(file);
        if (is_there)
            return;
    }
}

void zones_version(struct zones *zones, char version[ZONES_VERSION_SIZE])
{
    version_read(zones, version);
    pthread_mutex_lock(&zones->lock);
    if (strcmp(version, zones->version) != 0) {
        struct zone **end = &zones->current;
        while (*end != NULL)
            end = &(*end)->next;
        *end = zones->older;
        zones->older = zones->current;
        zones->current = NULL;
        strcpy(zones->version, version);
    }
    pthread_mutex_unlock(&zones->lock);
}

static const struct zone *source_find(void *context, struct slice name)
{
    return zones_find(context, name, NULL);
}

static void source_look(void *context, char data[ZONES_VERSION_SIZE])
{
    zones_version(context, data);
}

struct zone_source zones_source(struct zones *zones)
{
    struct zone_source source = { .context = zones, .find = source_find, .look = source_look };

    zones_version(zones, source.data);
    return source;
}

bool zones_list(struct zones *zones, void (*on_name)(void *context, struct slice name),
                void *context)
{
    char path[PATH_SIZE], line[LINE_SIZE];

    snprintf(path, sizeof path, "%s/tzdata.zi", zones->folder);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    while (fgets(line, sizeof line, file) != NULL) {
        /* "Z Name …" is a zone, "L Target Name" another name of one. */
        char name[LINE_SIZE];
        if ((line[0] == 'Z' && sscanf(line, "Z %511s", name) == 1) ||
            (line[0] == 'L' && sscanf(line, "L %*s %511s", name) == 1))
            on_name(context, slice_of(name));
    }
    fclose(file);
    return true;
}
