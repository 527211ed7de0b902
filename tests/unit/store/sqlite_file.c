/* Which files the SQLite store opens, which it refuses, and that it leaves those alone. */
#include "sqlite_fixture.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct fixture fixture;

static void start(void)
{
    fixture_init(&fixture);
}

static void finish(void)
{
    fixture_finish(&fixture);
}

TestSuite(sqlite_file, .init = start, .fini = finish);

static size_t file_read(const char *path, char **bytes)
{
    FILE *file = fopen(path, "rb");
    size_t size;

    cr_assert_not_null(file, "%s", path);
    *bytes = malloc(1 << 20);
    size = fread(*bytes, 1, 1 << 20, file);
    fclose(file);
    return size;
}

static void file_write(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");

    cr_assert_not_null(file);
    cr_assert_eq(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

/* A database with a run in it, and what is in the file. */
static size_t file_make(char **bytes)
{
    fixture_open(&fixture);
    fixture_begin(&fixture);
    fixture.environment = 1;
    fixture_run(&fixture, RUN_QUEUED);
    fixture_commit(&fixture);
    fixture_close(&fixture);
    return file_read(fixture.path, bytes);
}

/* Refused with these words, and every byte as before. */
static void check_refused(const char *words)
{
    char *before, *after;
    size_t size = file_read(fixture.path, &before);
    struct store *store = NULL;

    cr_assert_not(store_sqlite_open(fixture.path, &store, &fixture.err));
    cr_assert_null(store);
    cr_assert_eq(fixture.err.code, ERR_STORE);
    cr_assert_not_null(strstr(fixture.err.text, words), "%s", fixture.err.text);
    cr_assert_not_null(strstr(fixture.err.text, fixture.path), "%s", fixture.err.text);
    cr_assert_eq(file_read(fixture.path, &after), size);
    cr_assert_eq(memcmp(before, after, size), 0);
    free(before);
    free(after);
}

static void check_poked(size_t at, const void *bytes, size_t size, const char *words)
{
    char *whole, *poked;
    size_t whole_size = file_make(&whole);

    poked = malloc(whole_size);
    memcpy(poked, whole, whole_size);
    memcpy(poked + at, bytes, size);
    file_write(fixture.path, poked, whole_size);
    check_refused(words);
    free(whole);
    free(poked);
}

Test(sqlite_file, another_opener_is_refused_while_one_has_it)
{
    struct store *second;
    char owner[32];

    fixture_open(&fixture);

    cr_assert_not(store_sqlite_open(fixture.path, &second, &fixture.err));
    snprintf(owner, sizeof owner, "(process %ld)", (long)getpid());
    cr_assert_not_null(strstr(fixture.err.text, owner), "%s", fixture.err.text);
    cr_assert_not_null(strstr(fixture.err.text, "in use"), "%s", fixture.err.text);

    fixture_close(&fixture);
    fixture_open(&fixture);
}

static unsigned mode_of(const char *suffix)
{
    char name[300];
    struct stat status;

    snprintf(name, sizeof name, "%s%s", fixture.path, suffix);
    return stat(name, &status) == 0 ? status.st_mode & 0777 : 0;
}

/* The lock is the database's own: whatever is put beside it, or taken away. */
Test(sqlite_file, no_file_beside_it_is_the_lock)
{
    struct store *second;
    char name[300];

    fixture_open(&fixture);
    static const char *const suffixes[] = { ".lock", ".new", "-journal" };
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s%s", fixture.path, suffixes[i]);
        unlink(name);
        cr_assert_not(store_sqlite_open(fixture.path, &second, &fixture.err));
    }
    fixture_close(&fixture);

    /* Of an older version: taken away when nobody has it, respected when somebody does. */
    snprintf(name, sizeof name, "%s.lock", fixture.path);
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    cr_assert_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
    cr_assert_not(store_sqlite_open(fixture.path, &second, &fixture.err));
    close(fd);
    fixture_open(&fixture);
    cr_assert_neq(access(name, F_OK), 0);
}

Test(sqlite_file, nobody_else_may_read_it)
{
    umask(022);
    fixture_open(&fixture);
    cr_assert_eq(mode_of(""), 0600);
    cr_assert_eq(mode_of("-wal"), 0600);
    cr_assert_eq(mode_of("-shm"), 0600);
    fixture_close(&fixture);

    chmod(fixture.path, 0644);
    fixture_open(&fixture);
    cr_assert_eq(mode_of(""), 0600, "of an older version");
}

Test(sqlite_file, the_lock_of_a_killed_process_is_free)
{
    int ready[2];
    char byte;

    cr_assert_eq(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        struct store *store;
        struct err err;
        if (store_sqlite_open(fixture.path, &store, &err))
            (void)!write(ready[1], "x", 1);
        pause();
        _exit(0);
    }
    close(ready[1]); /* a child that dies is no reason to wait */
    cr_assert_eq(read(ready[0], &byte, 1), 1);
    struct store *store;
    cr_assert_not(store_sqlite_open(fixture.path, &store, &fixture.err));

    kill(child, SIGKILL);
    waitpid(child, NULL, 0);

    fixture_open(&fixture);
}

Test(sqlite_file, a_file_from_the_future_is_refused)
{
    check_poked(60, "\0\0\x03\xe7", 4, "newer bide (format 999");
}

/* A newer server was killed: its version is in the log, the header still has the old one. */
Test(sqlite_file, a_file_whose_log_is_from_the_future_is_refused)
{
    char log[128], *before, *after;
    size_t size = file_make(&before);
    sqlite3 *db;
    struct store *store;

    free(before);
    cr_assert_eq(sqlite3_open(fixture.path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, "PRAGMA user_version = 999", NULL, NULL, NULL), SQLITE_OK);
    snprintf(log, sizeof log, "%s-wal", fixture.path);
    size_t log_size = file_read(log, &before);
    cr_assert_gt(log_size, 0);
    /* Closing would tidy up, so put back what a kill leaves. */
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_close(db);
    cr_assert_eq(file_read(log, &after), log_size);
    free(after);

    cr_assert_not(store_sqlite_open(fixture.path, &store, &fixture.err));
    cr_assert_not_null(strstr(fixture.err.text, "newer bide (format 999"), "%s",
                       fixture.err.text);
    cr_assert_eq(file_read(log, &after), log_size);
    cr_assert_eq(memcmp(before, after, log_size), 0);
    free(before);
    free(after);
    cr_assert_eq(file_read(fixture.path, &after), size);
    free(after);
}

Test(sqlite_file, a_text_file_is_refused)
{
    file_write(fixture.path, "server:\n  port: 1\n", 18);
    check_refused("no bide database");
}

Test(sqlite_file, a_damaged_magic_is_refused)
{
    check_poked(3, "\0", 1, "no bide database");
}

Test(sqlite_file, a_damaged_page_size_is_refused)
{
    check_poked(16, "\x12\x34", 2, "header");
}

Test(sqlite_file, a_damaged_format_is_refused)
{
    check_poked(21, "\0\0\0", 3, "damaged");
}

Test(sqlite_file, zeroes_over_the_header_are_refused)
{
    char zeroes[100] = { 0 };

    check_poked(0, zeroes, sizeof zeroes, "no bide database");
}

Test(sqlite_file, another_programs_database_is_refused)
{
    sqlite3 *db;

    cr_assert_eq(sqlite3_open(fixture.path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, "CREATE TABLE t (a)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);

    check_refused("not one of bide's");
}

Test(sqlite_file, a_file_that_was_cut_short_is_refused)
{
    char *whole;
    size_t size = file_make(&whole);

    file_write(fixture.path, whole, size - 4096);
    free(whole);
    check_refused("cut short");
    file_write(fixture.path, "SQLite format 3", 16);
    check_refused("no bide database");
}

Test(sqlite_file, a_log_without_its_database_is_not_played_into_a_new_one)
{
    char log[128];
    struct store *store;

    snprintf(log, sizeof log, "%s-wal", fixture.path);
    file_write(log, "something", 9);

    cr_assert_not(store_sqlite_open(fixture.path, &store, &fixture.err));
    cr_assert_not_null(strstr(fixture.err.text, "is missing, but its log"), "%s",
                       fixture.err.text);
    cr_assert_neq(access(fixture.path, F_OK), 0);
}

Test(sqlite_file, a_directory_that_is_not_there_is_named)
{
    struct store *store;

    cr_assert_not(store_sqlite_open("/tmp/no/such/place/bide.db", &store, &fixture.err));
    cr_assert_not_null(strstr(fixture.err.text, "/tmp/no/such/place/"), "%s", fixture.err.text);
    cr_assert_not_null(strstr(fixture.err.text, "No such file"), "%s", fixture.err.text);
}

Test(sqlite_file, a_directory_in_its_place_is_refused)
{
    struct store *store;

    cr_assert_eq(mkdir(fixture.path, 0700), 0);
    cr_assert_not(store_sqlite_open(fixture.path, &store, &fixture.err));
    cr_assert_not_null(strstr(fixture.err.text, "is not a file"), "%s", fixture.err.text);
    rmdir(fixture.path);
}

Test(sqlite_file, an_empty_file_becomes_a_database)
{
    file_write(fixture.path, "", 0);

    fixture_open(&fixture);

    cr_assert_eq(fixture_sql(&fixture, "PRAGMA application_id"), 0x62696465);
}

/* Killed while the file was being made: the next start makes it anew. */
Test(sqlite_file, what_a_killed_start_left_is_cleared)
{
    char fresh[128];

    snprintf(fresh, sizeof fresh, "%s.new", fixture.path);
    file_write(fresh, "half a database", 15);

    fixture_open(&fixture);

    cr_assert_neq(access(fresh, F_OK), 0);
}

Test(sqlite_file, it_is_durable_and_closed_to_children)
{
    fixture_open(&fixture);

    cr_assert_eq(fixture_sql(&fixture, "SELECT 1 FROM pragma_journal_mode WHERE "
                                       "journal_mode = 'wal'"),
                 1);
    for (int fd = 3; fd < 64; fd++) {
        char path[64], name[256];
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t size = readlink(path, name, sizeof name - 1);
        name[size < 0 ? 0 : size] = '\0';
        if (strstr(name, fixture.directory) != NULL)
            cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC, "%s", name);
    }
}
