/*
 * Keys and the secret of the callback URLs: read from where the config says, or made once.
 *
 * A new one is written to a file of another name, synced, and linked to its own: whatever
 * moment the process dies at, the name either is not there or holds a whole key. Of two
 * processes that make one at a time the first wins and the second reads it.
 */
#include "base/crypto.h"
#include "base/log.h"
#include "config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RANDOM_DIGITS = 24, KEY_MIN_BYTES = 8, SECRET_BYTES = 32, FILE_MAX_BYTES = 512 };

/* ---- directories ------------------------------------------------------------------------- */

static bool directory_sync(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool fine = fd >= 0 && fsync(fd) == 0;
    int code = errno;

    if (fd >= 0)
        (void)close(fd); /* nothing was written through it */
    return fine ||
           err_set(err, ERR_SYSTEM, "directory %s cannot be synced: %s", path, strerror(code));
}

static bool directory_make(const char *path, struct err *err)
{
    struct stat about;

    if (mkdir(path, 0700) == 0)
        return true;
    int code = errno;
    if (stat(path, &about) == 0) {
        if (S_ISDIR(about.st_mode))
            return true;
        code = ENOTDIR;
    }
    return err_set(err, ERR_SYSTEM, "directory %s cannot be made: %s", path, strerror(code));
}

/* Who may write in it may put another database there. */
static bool directory_check(const char *path, struct err *err)
{
    struct stat about;

    if (stat(path, &about) != 0)
        return err_set(err, ERR_SYSTEM, "directory %s: %s", path, strerror(errno));
    return (about.st_mode & 002) == 0 ||
           err_set(
               err, ERR_CONFIG,
               "the data directory %s can be changed by everybody (mode %04o); change that: "
               "chmod go-w %s",
               path, (unsigned)(about.st_mode & 07777), path);
}

/* Its group may be meant to read it, and root to run what is another's: told, not refused. */
static void directory_warn(const char *path)
{
    struct stat about;

    if (stat(path, &about) != 0)
        return; /* it was there a moment ago; what opens files in it will say */
    if ((about.st_mode & 020) != 0)
        log_warn("data.writable",
                 "directory=%s mode=%04o; its group can put another database there: chmod g-w",
                 path, (unsigned)(about.st_mode & 07777));
    if (about.st_uid != geteuid())
        log_warn("data.owner",
                 "directory=%s uid=%u; this server runs as %u, and its files "
                 "will be that user's",
                 path, (unsigned)about.st_uid, (unsigned)geteuid());
}

/* With everything above it. */
static bool directories_make(const char *path, struct err *err)
{
    char part[PATH_MAX];
    size_t size = strlen(path);

    if (size >= sizeof part)
        return err_set(err, ERR_SYSTEM, "the name of directory %.40s… is too long", path);
    for (size_t i = 1; i <= size; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (!directory_make(part, err))
            return false;
    }
    return true;
}

/* <data>/keys, made when it is not there. */
static bool keys_directory(const struct config *config, char path[PATH_MAX], struct err *err)
{
    int size = snprintf(path, PATH_MAX, "%s/keys", config->data);

    if (size < 0 || size >= PATH_MAX - 64)
        return err_set(err, ERR_SYSTEM, "the name of the data directory is too long");
    return directories_make(config->data, err) && directory_check(config->data, err) &&
           directory_make(path, err) && directory_sync(config->data, err);
}

/* ---- files ------------------------------------------------------------------------------- */

/* A file that others can read is no secret any more: say what to do instead of going on. */
static bool mode_check(int fd, const char *path, struct err *err)
{
    struct stat about;

    if (fstat(fd, &about) != 0)
        return err_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
    if (!S_ISREG(about.st_mode))
        return err_set(err, ERR_CONFIG, "%s is no regular file", path);
    if ((about.st_mode & 077) != 0)
        return err_set(
            err, ERR_CONFIG,
            "%s can be read or changed by others (mode %04o); change that: chmod 600 %s", path,
            (unsigned)(about.st_mode & 07777), path);
    return true;
}

/* *size is 0 and the result true when the file is not there. */
static bool secret_read(const char *path, char bytes[FILE_MAX_BYTES], size_t *size,
                        struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    *size = 0;
    if (fd < 0)
        return errno == ENOENT ||
               err_set(err, ERR_SYSTEM, "%s cannot be read: %s", path, strerror(errno));
    bool fine = mode_check(fd, path, err);
    if (fine) {
        ssize_t got = read(fd, bytes, FILE_MAX_BYTES);
        fine = got >= 0 ||
               err_set(err, ERR_SYSTEM, "%s cannot be read: %s", path, strerror(errno));
        *size = got < 0 ? 0 : (size_t)got;
        if (fine && got == 0)
            fine = err_set(err, ERR_CONFIG, "%s is empty", path);
    }
    (void)close(fd); /* only read */
    return fine;
}

static bool all_write(int fd, struct slice bytes)
{
    while (bytes.size > 0) {
        ssize_t written = write(fd, bytes.data, bytes.size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        bytes = (struct slice){ bytes.data + written, bytes.size - (size_t)written };
    }
    return true;
}

static bool draft_write(const char *path, struct slice bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0)
        return false;
    bool fine = all_write(fd, bytes) && fsync(fd) == 0;
    int code = errno;
    if (close(fd) != 0 && fine)
        return false;
    errno = code;
    return fine;
}

/* After this `path` is there, with these bytes or with those of whoever was faster. */
static bool secret_create(const char *directory, const char *path, struct slice bytes,
                          struct err *err)
{
    char draft[PATH_MAX + 32], digits[17];
    uint8_t random[8];

    crypto_random(random, sizeof random);
    (void)snprintf(draft, sizeof draft, "%s/.new-%s", directory,
                   crypto_hex(random, sizeof random, digits));
    bool fine = draft_write(draft, bytes) && (link(draft, path) == 0 || errno == EEXIST);
    int code = errno;
    (void)unlink(draft); /* when it stays it is one file too many, no harm */
    if (!fine)
        return err_set(err, ERR_SYSTEM, "%s cannot be made: %s", path, strerror(code));
    return directory_sync(directory, err);
}

/* ---- keys -------------------------------------------------------------------------------- */

static bool key_set(struct config_environment *environment, struct slice key, const char *where,
                    struct err *err)
{
    while (key.size > 0 && strchr(" \t\r\n", key.data[key.size - 1]) != NULL)
        key.size--;
    for (size_t i = 0; i < key.size; i++)
        if (key.data[i] <= ' ' || key.data[i] > '~')
            return err_set(
                err, ERR_CONFIG,
                "the key of environment %s (%s) has a character that a header cannot carry",
                environment->name, where);
    if (key.size < KEY_MIN_BYTES || key.size >= KEY_TEXT_SIZE)
        return err_set(
            err, ERR_CONFIG,
            "the key of environment %s (%s) has %zu characters; from %d to %d are right",
            environment->name, where, key.size, KEY_MIN_BYTES, KEY_TEXT_SIZE - 1);
    memcpy(environment->key, key.data, key.size);
    environment->key[key.size] = '\0';
    return true;
}

static bool key_from_variable(struct config_environment *environment, struct err *err)
{
    const char *value = getenv(environment->key_env);

    if (value == NULL || value[0] == '\0')
        return err_set(
            err, ERR_CONFIG, "environment %s takes its key from the variable %s, which is %s",
            environment->name, environment->key_env, value == NULL ? "not set" : "empty");
    return key_set(environment, slice_of(value), environment->key_env, err);
}

static bool key_from_file(struct config_environment *environment, const char *path,
                          struct err *err)
{
    char bytes[FILE_MAX_BYTES];
    size_t size;

    if (!secret_read(path, bytes, &size, err))
        return false;
    if (size == 0)
        return err_set(err, ERR_CONFIG,
                       "environment %s takes its key from %s, which is not there",
                       environment->name, path);
    return key_set(environment, (struct slice){ bytes, size }, path, err);
}

/* "tr_dev_" and 24 letters or digits: 142 bits. Values that would favour some digits are thrown
 * away. */
static struct slice key_make(const char *name, char text[KEY_TEXT_SIZE])
{
    static const char digits[] =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    enum { DIGIT_COUNT = sizeof digits - 1, FAIR = 256 - 256 % DIGIT_COUNT };
    int size = snprintf(text, KEY_TEXT_SIZE - RANDOM_DIGITS - 1, "tr_%s_", name);

    for (int i = 0; i < RANDOM_DIGITS;) {
        uint8_t byte;
        crypto_random(&byte, 1);
        if (byte < FAIR)
            text[size + i++] = digits[byte % DIGIT_COUNT];
    }
    text[size + RANDOM_DIGITS] = '\n';
    return (struct slice){ text, (size_t)size + RANDOM_DIGITS + 1 };
}

static bool key_from_data(struct config_environment *environment, const char *directory,
                          struct err *err)
{
    char path[PATH_MAX + 64], bytes[FILE_MAX_BYTES], text[KEY_TEXT_SIZE];
    size_t size;

    (void)snprintf(path, sizeof path, "%s/%s", directory, environment->name);
    if (!secret_read(path, bytes, &size, err))
        return false;
    if (size == 0 && !secret_create(directory, path, key_make(environment->name, text), err))
        return false;
    return key_from_file(environment, path, err);
}

/* *is_said: the file says where. */
static bool key_take(struct config_environment *environment, bool *is_said, struct err *err)
{
    *is_said = environment->key_env != NULL || environment->key_file != NULL;
    if (!*is_said)
        return true;
    return environment->key_env != NULL
               ? key_from_variable(environment, err)
               : key_from_file(environment, environment->key_file, err);
}

bool config_keys_check(const struct config *config, uint32_t environment, struct err *err)
{
    struct config_environment copy = config->environments[environment];
    bool is_said;

    return key_take(&copy, &is_said, err);
}

/* Two environments of one key would be one environment to every client. */
static bool keys_differ(const struct config *config, struct err *err)
{
    for (uint32_t i = 1; i < config->environment_count; i++)
        for (uint32_t j = 0; j < i; j++)
            if (crypto_equal(slice_of(config->environments[i].key),
                             slice_of(config->environments[j].key)))
                return err_set(err, ERR_CONFIG, "the environments %s and %s have the same key",
                               config->environments[j].name, config->environments[i].name);
    return true;
}

bool config_keys(struct config *config, struct err *err)
{
    char directory[PATH_MAX];

    if (!keys_directory(config, directory, err))
        return false;
    directory_warn(config->data);
    for (uint32_t i = 0; i < config->environment_count; i++) {
        struct config_environment *environment = &config->environments[i];
        bool is_said;
        if (!key_take(environment, &is_said, err) ||
            (!is_said && !key_from_data(environment, directory, err)))
            return false;
    }
    return keys_differ(config, err);
}

/* ---- the callback secret ----------------------------------------------------------------- */

bool config_secret(const struct config *config, uint8_t secret[32], struct err *err)
{
    char directory[PATH_MAX], path[PATH_MAX + 16], bytes[FILE_MAX_BYTES];
    uint8_t fresh[SECRET_BYTES];
    size_t size;

    if (!keys_directory(config, directory, err))
        return false;
    (void)snprintf(path, sizeof path, "%s/.callback", directory);
    if (!secret_read(path, bytes, &size, err))
        return false;
    if (size == 0) {
        crypto_random(fresh, sizeof fresh);
        struct slice made = { (const char *)fresh, sizeof fresh };
        if (!secret_create(directory, path, made, err) || !secret_read(path, bytes, &size, err))
            return false;
    }
    if (size != SECRET_BYTES)
        return err_set(
            err, ERR_CONFIG,
            "%s is damaged: it has %zu bytes instead of %d; without it the callback URLs that "
            "were handed out are worth nothing",
            path, size, SECRET_BYTES);
    memcpy(secret, bytes, SECRET_BYTES);
    return true;
}
