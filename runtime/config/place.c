#include "config/place.h"

#include "base/buffer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOTE_MAX_BYTES = 64 << 10, NAMES_MOST = 1000 };

/* Directories that are missing are made, for this user alone. */
static bool note_path(char path[PATH_MAX], uint16_t port, bool make)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int size = state != NULL && state[0] == '/'
                   ? snprintf(path, PATH_MAX, "%s/bide/servers/%u", state, port)
                   : snprintf(path, PATH_MAX, "%s/.local/state/bide/servers/%u",
                              home == NULL ? "" : home, port);

    if (size >= PATH_MAX || (state == NULL && (home == NULL || home[0] != '/')))
        return false;
    for (char *slash = strchr(path + 1, '/'); make && slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool fine = mkdir(path, 0700) == 0 || errno == EEXIST;
        *slash = '/';
        if (!fine)
            return false;
    }
    return true;
}

/* Paths with an end of line in them cannot be noted. */
static void line_add(struct buffer *note, const char *word, const char *name, const char *path)
{
    char whole[PATH_MAX];

    if (path == NULL || realpath(path, whole) == NULL || strchr(whole, '\n') != NULL)
        return;
    buffer_format(note, "%s%s%s %s\n", word, name[0] == '\0' ? "" : " ", name, whole);
}

static void note_make(struct buffer *note, const struct config *config)
{
    char path[PATH_MAX + 64];

    buffer_format(note, "pid %ld\n", (long)getpid());
    for (uint32_t i = 0; i < config->environment_count; i++) {
        const struct config_environment *environment = &config->environments[i];
        (void)snprintf(path, sizeof path, "%s/keys/%s", config->data, environment->name);
        if (environment->key_env == NULL)
            line_add(note, "key", environment->name,
                     environment->key_file != NULL ? environment->key_file : path);
    }
    line_add(note, "plugins", "", config->plugins);
    line_add(note, "schemas", "", config->schemas);
}

/* Servers that were killed leave theirs behind. */
static void notes_sweep(const char *path)
{
    struct slice folder = { path, (size_t)(strrchr(path, '/') - path) };
    struct arena arena = { 0 };
    DIR *directory = opendir(arena_text(&arena, folder));

    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
        unsigned long port = strtoul(entry->d_name, NULL, 10);
        const char *pid =
            port == 0 || port > UINT16_MAX ? NULL : place_find(&arena, (uint16_t)port, "pid");
        if (pid != NULL && kill((pid_t)strtol(pid, NULL, 10), 0) != 0 && errno == ESRCH)
            place_remove((uint16_t)port);
    }
    if (directory != NULL)
        (void)closedir(directory); /* was only read */
    arena_finish(&arena);
}

bool place_write(const struct config *config, uint16_t port)
{
    char path[PATH_MAX], fresh[PATH_MAX + 8];
    struct buffer note = { 0 };

    if (!note_path(path, port, true))
        return false;
    notes_sweep(path);
    (void)snprintf(fresh, sizeof fresh, "%s.new", path);
    (void)unlink(fresh); /* of a server that was killed just then */
    int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    note_make(&note, config);
    bool fine = write(fd, note.data, note.size) == (ssize_t)note.size;
    fine = close(fd) == 0 && fine && rename(fresh, path) == 0;
    buffer_finish(&note);
    return fine;
}

void place_remove(uint16_t port)
{
    char path[PATH_MAX];

    if (note_path(path, port, false))
        (void)unlink(path); /* it may be gone */
}

/* Only what this user wrote, and nobody else could. */
static bool note_read(uint16_t port, struct buffer *note)
{
    char path[PATH_MAX];
    struct stat stat;
    ssize_t got = -1;

    if (!note_path(path, port, false))
        return false;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return false;
    if (fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) && stat.st_uid == geteuid() &&
        (stat.st_mode & 022) == 0)
        got = read(fd, buffer_reserve(note, NOTE_MAX_BYTES), NOTE_MAX_BYTES);
    (void)close(fd); /* was only read */
    note->size = got > 0 ? (size_t)got : 0;
    return got > 0;
}

/* The lines that start with `word`, without it, at most `most`. */
static uint32_t lines_find(struct arena *arena, uint16_t port, const char *word, uint32_t most,
                           char **found)
{
    struct buffer note = { 0 };
    size_t size = strlen(word);
    uint32_t count = 0;

    if (note_read(port, &note)) {
        char *text = arena_text(arena, buffer_view(&note)), *rest = NULL;
        for (char *line = strtok_r(text, "\n", &rest); line != NULL && count < most;
             line = strtok_r(NULL, "\n", &rest))
            if (strncmp(line, word, size) == 0 && line[size] == ' ')
                found[count++] = line + size + 1;
    }
    buffer_finish(&note);
    return count;
}

uint32_t place_names(struct arena *arena, uint16_t port, const char *word, char ***names)
{
    *names = ARENA_ARRAY(arena, char *, NAMES_MOST);
    uint32_t count = lines_find(arena, port, word, NAMES_MOST, *names);

    for (uint32_t i = 0; i < count; i++)
        (*names)[i][strcspn((*names)[i], " ")] = '\0';
    return count;
}

const char *place_find(struct arena *arena, uint16_t port, const char *word)
{
    char *found;

    return lines_find(arena, port, word, 1, &found) == 1 ? found : NULL;
}
