#include "sqlite_fixture.h"

#include "base/buffer.h"
#include "codec/pack.h"

#include <dirent.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void fixture_init(struct fixture *fixture)
{
    *fixture = (struct fixture){ .now_ms = 1763799000000 };
    strcpy(fixture->directory, "/tmp/bide-sqlite-XXXXXX");
    cr_assert_not_null(mkdtemp(fixture->directory));
    snprintf(fixture->path, sizeof fixture->path, "%s/bide.db", fixture->directory);
    id_source_init(&fixture->ids, 7);
}

static void directory_remove(const char *path)
{
    DIR *directory = opendir(path);
    struct dirent *entry;
    char name[512];

    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(name);
    }
    if (directory != NULL)
        closedir(directory);
    rmdir(path);
}

void fixture_finish(struct fixture *fixture)
{
    if (fixture->store != NULL)
        fixture_close(fixture);
    arena_finish(&fixture->arena);
    directory_remove(fixture->directory);
}

void fixture_open(struct fixture *fixture)
{
    CHECK(fixture, store_sqlite_open(fixture->path, &fixture->store, &fixture->err));
}

void fixture_close(struct fixture *fixture)
{
    fixture->store->ops->close(fixture->store);
    fixture->store = NULL;
}

void fixture_start(struct fixture *fixture)
{
    fixture_init(fixture);
    fixture_open(fixture);
    CHECK(fixture, fixture->store->ops->environment(fixture->store, "prod",
                                                    &fixture->environment, &fixture->err));
    fixture->queue = fixture_queue(fixture, fixture->environment, "task/pay");
}

void fixture_begin(struct fixture *fixture)
{
    arena_reset(&fixture->arena);
    rows_init(&fixture->rows, &fixture->arena);
    CHECK(fixture, fixture->store->ops->begin(fixture->store, &fixture->err));
}

void fixture_load(struct fixture *fixture)
{
    CHECK(fixture, fixture->store->ops->load(fixture->store, &fixture->rows, &fixture->err));
    rows_loaded(&fixture->rows);
}

bool fixture_try(struct fixture *fixture)
{
    const struct store_ops *ops = fixture->store->ops;

    if (ops->flush(fixture->store, &fixture->rows, &fixture->err) &&
        ops->commit(fixture->store, &fixture->err))
        return true;
    ops->rollback(fixture->store);
    return false;
}

void fixture_commit(struct fixture *fixture)
{
    CHECK(fixture, fixture_try(fixture));
}

void fixture_rollback(struct fixture *fixture)
{
    fixture->store->ops->rollback(fixture->store);
}

struct run *fixture_run(struct fixture *fixture, uint32_t status)
{
    struct run *run = rows_new_run(&fixture->rows, id_next(&fixture->ids, fixture->now_ms));

    run->environment = fixture->environment;
    run->task = SLICE("pay");
    run->status = status;
    run->queue = run->lane = fixture->queue;
    run->root_id = run->id;
    run->created_ms = run->rank_ms = fixture->now_ms;
    return run;
}

struct waitpoint *fixture_token(struct fixture *fixture)
{
    struct waitpoint *token =
        rows_new_waitpoint(&fixture->rows, id_next(&fixture->ids, fixture->now_ms));

    token->environment = fixture->environment;
    token->created_ms = fixture->now_ms;
    return token;
}

int64_t fixture_queue(struct fixture *fixture, uint32_t environment, const char *name)
{
    int64_t id = id_next(&fixture->ids, fixture->now_ms);

    fixture_begin(fixture);
    struct queue *queue = rows_new_queue(&fixture->rows, id, environment, slice_of(name));
    queue->created_ms = fixture->now_ms;
    fixture_commit(fixture);
    return id;
}

struct run *fixture_find(struct fixture *fixture, int64_t id, uint32_t parts)
{
    struct run *run;

    if (!rows_run(&fixture->rows, id, parts, &run)) {
        fixture_load(fixture);
        cr_assert(rows_run(&fixture->rows, id, parts, &run));
    }
    return run;
}

struct waitpoint *fixture_find_token(struct fixture *fixture, int64_t id)
{
    struct waitpoint *token;

    if (!rows_waitpoint(&fixture->rows, id, &token)) {
        fixture_load(fixture);
        cr_assert(rows_waitpoint(&fixture->rows, id, &token));
    }
    return token;
}

struct run *fixture_show(struct fixture *fixture, int64_t id, uint32_t parts)
{
    fixture_begin(fixture);
    struct run *run = fixture_find(fixture, id, parts);
    fixture_rollback(fixture);
    return run;
}

struct slice fixture_tags(struct fixture *fixture, const char *first, ...)
{
    struct value list = value_list();
    va_list texts;

    va_start(texts, first);
    for (const char *text = first; text != NULL; text = va_arg(texts, const char *))
        value_add(&fixture->arena, &list, value_text(text));
    va_end(texts);
    return pack_value(&fixture->arena, &list);
}

int64_t fixture_sql(struct fixture *fixture, const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *statement;

    cr_assert_eq(sqlite3_open_v2(fixture->path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK, "%s",
                 sqlite3_errmsg(db));
    int64_t number =
        sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : INT64_MIN;
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return number;
}
