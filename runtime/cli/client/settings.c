#include "cli/client/settings.h"

#include "config/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEY_MAX_BYTES = 200 };

#define DEFAULT_URL "http://127.0.0.1:8030"

/* An empty variable counts as none: that is what `BIDE_KEY= bide …` means. */
static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value == NULL || *value == '\0' ? NULL : value;
}

static bool find_url(struct call *call, struct settings *settings, struct err *err)
{
    const char *url = call_option(call, "url");

    if (url == NULL)
        url = variable("BIDE_URL");
    if (url == NULL)
        url = variable("TRIGGER_API_URL");
    if (url == NULL)
        url = DEFAULT_URL;
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
        return err_set(err, ERR_BAD_REQUEST,
                       "the server's URL must start with http:// or https://, not \"%s\"", url);

    char *copy = arena_text(&call->arena, slice_of(url));
    size_t size = strlen(copy);
    while (size > 0 && copy[size - 1] == '/')
        copy[--size] = '\0';
    settings->url = copy;
    return true;
}

bool settings_is_local(const char *url)
{
    const char *host = strstr(url, "://") + 3;
    return strncmp(host, "127.", 4) == 0 || strncmp(host, "[::1]", 5) == 0 ||
           strncmp(host, "localhost", 9) == 0;
}

/* 0: it is none of this machine. */
static uint16_t local_port(const char *url)
{
    const char *host = strstr(url, "://") + 3;
    size_t size = strcspn(host, "/?#");
    const char *colon = memrchr(host, ':', size), *bracket = memrchr(host, ']', size);
    bool has_port = colon != NULL && (bracket == NULL || colon > bracket);
    unsigned long port = has_port ? strtoul(colon + 1, NULL, 10) : 80;

    return settings_is_local(url) && port <= UINT16_MAX ? (uint16_t)port : 0;
}

const char *settings_place(struct call *call, const char *url, const char *what,
                           const char *name)
{
    uint16_t port = local_port(url);
    struct slice word =
        arena_format(&call->arena, "%s%s%s", what, *name == '\0' ? "" : " ", name);

    return port == 0 ? NULL : place_find(&call->arena, port, word.data);
}

static bool is_key(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    return size > 0;
}

/* One line, printable: it becomes a header. */
static bool read_key(struct call *call, const char *path, struct settings *settings,
                     struct err *err)
{
    char text[KEY_MAX_BYTES + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT) {
        settings->missing = path;
        return true;
    }
    if (fd < 0)
        return err_set(err, ERR_CONFIG, "cannot read the key in %s: %s", path, strerror(errno));
    ssize_t size = read(fd, text, sizeof text);
    int failure = errno;
    close(fd);
    if (size < 0)
        return err_set(err, ERR_CONFIG, "cannot read the key in %s: %s", path,
                       strerror(failure));
    while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r'))
        size--;
    if (size > KEY_MAX_BYTES || !is_key(text, (size_t)size))
        return err_set(err, ERR_CONFIG, "%s does not hold a key", path);
    settings->key = arena_text(&call->arena, (struct slice){ text, (size_t)size });
    return true;
}

static bool key_of_variables(struct settings *settings, struct err *err)
{
    settings->key = variable("BIDE_KEY");
    if (settings->key == NULL)
        settings->key = variable("TRIGGER_SECRET_KEY");
    return settings->key == NULL || is_key(settings->key, strlen(settings->key)) ||
           err_set(err, ERR_CONFIG, "the key in the environment is not a key");
}

static const char *keys_directory(struct call *call)
{
    const char *data = call_option(call, "data");

    return arena_format(&call->arena, "%s/keys", data != NULL ? data : "data").data;
}

static bool find_key(struct call *call, const char *environment, struct settings *settings,
                     struct err *err)
{
    const char *data = call_option(call, "data");

    if (data == NULL && environment == NULL) {
        if (!key_of_variables(settings, err))
            return false;
        if (settings->key != NULL)
            return true;
    }
    if (environment != NULL && (*environment == '\0' || strchr(environment, '/') != NULL))
        return err_set(err, ERR_BAD_REQUEST, "\"%s\" is no environment's name", environment);

    const char *name = environment != NULL ? environment : "dev";
    const char *noted = data != NULL ? NULL : settings_place(call, settings->url, "key", name);
    if (noted != NULL && access(noted, F_OK) == 0)
        return read_key(call, noted, settings, err);
    struct slice path = arena_format(&call->arena, "%s/%s", keys_directory(call), name);
    return read_key(call, path.data, settings, err);
}

bool settings_find(struct call *call, struct settings *settings, struct err *err)
{
    *settings = (struct settings){ 0 };
    return find_url(call, settings, err) &&
           find_key(call, call_option(call, "env"), settings, err);
}

bool settings_find_in(struct call *call, const char *environment, struct settings *settings,
                      struct err *err)
{
    if (environment == NULL)
        return settings_find(call, settings, err);
    *settings = (struct settings){ 0 };
    if (!find_url(call, settings, err) || !find_key(call, environment, settings, err))
        return false;
    return settings->key != NULL || call_option(call, "data") != NULL ||
           key_of_variables(settings, err);
}

/* ---- all of them ------------------------------------------------------------------------- */

static int name_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Files whose names start with a dot are no keys. */
static uint32_t directory_names(struct call *call, const char *path, char ***names)
{
    DIR *directory = opendir(path);
    uint32_t count = 0;

    if (directory == NULL)
        return 0;
    while (readdir(directory) != NULL)
        count++;
    rewinddir(directory);
    *names = ARENA_ARRAY(&call->arena, char *, count + 1);
    uint32_t most = count;
    count = 0;
    for (struct dirent *entry; count < most && (entry = readdir(directory)) != NULL;)
        if (entry->d_name[0] != '.')
            (*names)[count++] = arena_text(&call->arena, slice_of(entry->d_name));
    (void)closedir(directory); /* was only read */
    return count;
}

uint32_t settings_environments(struct call *call, char ***names)
{
    struct settings settings = { 0 };
    struct err err = { 0 };
    bool has_data = call_option(call, "data") != NULL;
    uint32_t count = 0;

    if (call_option(call, "env") != NULL || !find_url(call, &settings, &err) ||
        (!has_data && (!key_of_variables(&settings, &err) || settings.key != NULL)))
        return 0;
    uint16_t port = local_port(settings.url);
    if (!has_data && port != 0)
        count = place_names(&call->arena, port, "key", names);
    if (count == 0)
        count = directory_names(call, keys_directory(call), names);
    if (count > 0)
        qsort(*names, count, sizeof **names, name_order);
    return count;
}
