/* Keys and the callback secret: made once, kept, and refused when others can read them. */
#include "config/config.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct arena arena;
static char directory[] = "/tmp/bide-keys-XXXXXX";
static struct config config;

static char *path_of(const char *name)
{
    return arena_text(&arena, arena_format(&arena, "%s/%s", directory, name));
}

static void set_up(void)
{
    struct problems problems = { 0 };

    cr_assert_not_null(mkdtemp(directory));
    cr_assert(config_parse(path_of("bide.yaml"),
                           SLICE("data: deep/er/data\nenvironments: {dev: {}, prod: {}}\n"),
                           &config, &arena, &problems));
}

static void tear_down(void)
{
    char command[200];

    snprintf(command, sizeof command, "rm -rf '%s'", directory);
    cr_assert_eq(system(command), 0);
    config_finish(&config);
    arena_finish(&arena);
}

TestSuite(keys, .init = set_up, .fini = tear_down);

static void file_write(const char *path, const char *text, mode_t mode)
{
    FILE *out = fopen(path, "w");

    cr_assert_not_null(out);
    fputs(text, out);
    fclose(out);
    cr_assert_eq(chmod(path, mode), 0);
}

static mode_t mode_of(const char *path)
{
    struct stat about;

    cr_assert_eq(stat(path, &about), 0, "%s", path);
    return about.st_mode & 07777;
}

Test(keys, the_first_start_makes_them_and_the_second_keeps_them)
{
    struct err err;

    cr_assert(config_keys(&config, &err), "%s", err.text);
    char dev[KEY_TEXT_SIZE], prod[KEY_TEXT_SIZE];
    strcpy(dev, config.environments[0].key);
    strcpy(prod, config.environments[1].key);
    memset(config.environments[0].key, 0, KEY_TEXT_SIZE);
    cr_assert(config_keys(&config, &err), "%s", err.text);

    cr_assert_str_eq(config.environments[0].key, dev);
    cr_assert_eq(strncmp(dev, "tr_dev_", 7), 0, "%s", dev);
    cr_assert_eq(strlen(dev), 7 + 24);
    cr_assert_eq(
        strspn(dev + 7, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"), 24);
    cr_assert_eq(strncmp(prod, "tr_prod_", 8), 0, "%s", prod);
    cr_assert_str_neq(dev + 7, prod + 8);
    cr_assert_eq(mode_of(path_of("deep/er/data")), 0700);
    cr_assert_eq(mode_of(path_of("deep/er/data/keys")), 0700);
    cr_assert_eq(mode_of(path_of("deep/er/data/keys/dev")), 0600);
}

Test(keys, nothing_is_left_lying_about)
{
    struct err err;
    uint8_t secret[32];
    int count = 0;

    cr_assert(config_keys(&config, &err) && config_secret(&config, secret, &err));
    DIR *keys = opendir(path_of("deep/er/data/keys"));
    while (readdir(keys) != NULL)
        count++;
    closedir(keys);

    cr_assert_eq(count, 2 + 3, "., .., dev, prod, .callback");
}

Test(keys, a_file_that_others_can_read_is_refused)
{
    struct err err;

    cr_assert(config_keys(&config, &err));
    chmod(path_of("deep/er/data/keys/dev"), 0644);
    cr_assert_not(config_keys(&config, &err));

    cr_assert_eq(err.code, ERR_CONFIG);
    cr_assert_not_null(strstr(err.text, "mode 0644"), "%s", err.text);
    cr_assert_not_null(strstr(err.text, "chmod 600 "), "%s", err.text);
}

Test(keys, a_variable_gives_the_key)
{
    struct err err;
    config.environments[0].key_env = "BIDE_TEST_KEY";

    unsetenv("BIDE_TEST_KEY");
    cr_assert_not(config_keys(&config, &err));
    cr_assert_not_null(strstr(err.text, "BIDE_TEST_KEY, which is not set"), "%s", err.text);
    setenv("BIDE_TEST_KEY", "", 1);
    cr_assert_not(config_keys(&config, &err));
    cr_assert_not_null(strstr(err.text, "empty"), "%s", err.text);
    setenv("BIDE_TEST_KEY", "with space", 1);
    cr_assert_not(config_keys(&config, &err));
    setenv("BIDE_TEST_KEY", "short", 1);
    cr_assert_not(config_keys(&config, &err));
    setenv("BIDE_TEST_KEY", "my-own-key", 1);
    cr_assert(config_keys(&config, &err), "%s", err.text);

    cr_assert_str_eq(config.environments[0].key, "my-own-key");
    cr_assert_neq(access(path_of("deep/er/data/keys/dev"), F_OK), 0, "no file is made for it");
}

Test(keys, a_file_gives_the_key)
{
    struct err err;
    config.environments[0].key_file = path_of("mine");

    cr_assert_not(config_keys(&config, &err));
    cr_assert_not_null(strstr(err.text, "which is not there"), "%s", err.text);
    file_write(path_of("mine"), "my-own-key\n", 0400);
    cr_assert(config_keys(&config, &err), "%s", err.text);
    cr_assert_str_eq(config.environments[0].key, "my-own-key");
    file_write(path_of("other"), "", 0600);
    config.environments[0].key_file = path_of("other");
    cr_assert_not(config_keys(&config, &err));
    cr_assert_not_null(strstr(err.text, "is empty"), "%s", err.text);
    config.environments[0].key_file = directory;
    cr_assert_not(config_keys(&config, &err));
    cr_assert_not_null(strstr(err.text, "no regular file"), "%s", err.text);
}

Test(keys, two_environments_of_one_key_are_refused)
{
    struct err err;
    setenv("BIDE_TEST_KEY", "the-same-key", 1);
    config.environments[0].key_env = config.environments[1].key_env = "BIDE_TEST_KEY";

    cr_assert_not(config_keys(&config, &err));
    cr_assert_not_null(strstr(err.text, "dev and prod have the same key"), "%s", err.text);
}

Test(keys, a_directory_that_cannot_be_made_says_so)
{
    struct err err;
    file_write(path_of("deep"), "in the way", 0600);

    cr_assert_not(config_keys(&config, &err));
    cr_assert_eq(err.code, ERR_SYSTEM);
    cr_assert_not_null(strstr(err.text, "Not a directory"), "%s", err.text);
}

Test(keys, the_callback_secret_stays_the_same)
{
    uint8_t first[32], second[32], zeroes[32] = { 0 };
    struct err err;

    cr_assert(config_secret(&config, first, &err), "%s", err.text);
    cr_assert(config_secret(&config, second, &err), "%s", err.text);

    cr_assert_arr_eq(first, second, 32);
    cr_assert_arr_neq(first, zeroes, 32);
    cr_assert_eq(mode_of(path_of("deep/er/data/keys/.callback")), 0600);
    file_write(path_of("deep/er/data/keys/.callback"), "cut", 0600);
    cr_assert_not(config_secret(&config, first, &err));
    cr_assert_not_null(strstr(err.text, "is damaged"), "%s", err.text);
}

/* Eight processes start at once: all must end with one key. */
Test(keys, whoever_is_first_makes_the_key_for_all)
{
    enum { PROCESSES = 8 };
    int ends[2];
    char first[KEY_TEXT_SIZE] = "", next[KEY_TEXT_SIZE];
    struct err err;

    cr_assert_eq(pipe(ends), 0);
    for (int i = 0; i < PROCESSES; i++)
        if (fork() == 0) {
            bool fine = config_keys(&config, &err);
            const char *key = fine ? config.environments[0].key : "none";
            char text[KEY_TEXT_SIZE] = "";
            snprintf(text, sizeof text, "%s", key);
            _exit(write(ends[1], text, sizeof text) == sizeof text ? 0 : 1);
        }
    for (int i = 0; i < PROCESSES; i++) {
        cr_assert_eq(read(ends[0], next, sizeof next), (ssize_t)sizeof next);
        if (i == 0)
            strcpy(first, next);
        cr_assert_str_eq(next, first);
    }
    cr_assert_str_neq(first, "none");
    while (wait(NULL) > 0) {
    }
}
