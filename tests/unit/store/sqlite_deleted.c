/* What is removed leaves nothing: in no table, of whichever kind and in whatever state. */
#include "sqlite_fixture.h"

#include <sqlite3.h>
#include <stdio.h>

static struct fixture fixture;

static void setup(void)
{
    fixture_init(&fixture);
    fixture_start(&fixture);
}

static void teardown(void)
{
    fixture_close(&fixture);
    fixture_finish(&fixture);
}

TestSuite(sqlite_deleted, .init = setup, .fini = teardown);

/* Words are shared by all rows, and few; blocks of ids were given for ever. */
static bool may_keep(const char *table)
{
    return strcmp(table, "name") == 0 || strcmp(table, "given") == 0;
}

/* The name and the number of rows of each table, one after the other. */
static void tables_count(char text[4000])
{
    sqlite3 *db;
    sqlite3_stmt *tables;

    text[0] = '\0';
    cr_assert_eq(sqlite3_open_v2(fixture.path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    cr_assert_eq(sqlite3_prepare_v2(db, "SELECT name FROM sqlite_schema WHERE type = 'table'",
                                    -1, &tables, NULL),
                 SQLITE_OK);
    while (sqlite3_step(tables) == SQLITE_ROW) {
        const char *table = (const char *)sqlite3_column_text(tables, 0);
        char sql[120];
        size_t used = strlen(text);
        if (may_keep(table))
            continue;
        snprintf(sql, sizeof sql, "SELECT count(*) FROM \"%s\"", table);
        snprintf(text + used, 4000 - used, "%s %lld\n", table,
                 (long long)fixture_sql(&fixture, sql));
    }
    sqlite3_finalize(tables);
    sqlite3_close(db);
}

static int64_t run_with_all(uint32_t status)
{
    fixture_begin(&fixture);
    struct run *run = fixture_run(&fixture, status);
    run->outcome = status == RUN_DONE ? OUTCOME_FAILED : OUTCOME_NONE;
    run->is_out = status == RUN_DONE;
    run->due_ms = fixture.now_ms;
    run->due_is_span = status % 2 == 1;
    run->parent_id = run->id - 1;
    run->tags = fixture_tags(&fixture, "red", "green", NULL);
    run->input = run->state = run->output = SLICE("\x01");
    run->row.dirty_parts = PART_INPUT | PART_STATE | PART_OUTPUT;
    for (uint32_t line = 1; line <= 3; line++) {
        struct log_line *said = rows_new_log(&fixture.rows, run->id);
        said->line = run->log_lines = line;
        said->text = SLICE("said");
    }
    int64_t id = run->id;
    fixture_commit(&fixture);
    return id;
}

Test(sqlite_deleted, a_run_in_each_state)
{
    char before[4000], after[4000];

    tables_count(before);
    for (uint32_t status = 0; status < RUN_STATUS_COUNT; status++) {
        int64_t id = run_with_all(status);
        fixture_begin(&fixture);
        struct run *run = fixture_find(&fixture, id, 0);
        cr_assert_not_null(run);
        run->row.is_deleted = true;
        rows_drop_log(&fixture.rows, id);
        fixture_commit(&fixture);
        tables_count(after);
        cr_assert_str_eq(after, before, "status %u:\n%s", status, after);
    }
    cr_assert_eq(fixture_sql(&fixture, "SELECT delayed + queued + parked + running + waiting "
                                       "FROM queue"),
                 0);
}

Test(sqlite_deleted, a_token_in_each_state)
{
    static const uint8_t hash[16] = { 7 };
    char before[4000], after[4000];

    tables_count(before);
    for (uint32_t status = WAITPOINT_PENDING; status <= WAITPOINT_CANCELLED; status++) {
        fixture_begin(&fixture);
        struct waitpoint *token = fixture_token(&fixture);
        token->status = status;
        token->run_id = token->id - 1;
        token->due_ms = fixture.now_ms;
        token->due_is_span = status % 2 == 1;
        token->tags = fixture_tags(&fixture, "red", "green", NULL);
        token->result = SLICE("\x01");
        int64_t id = token->id;
        struct key *key;
        (void)rows_key(&fixture.rows, hash, &key); /* asked for, and not there */
        fixture_load(&fixture);
        rows_new_key(&fixture.rows, hash)->target = id;
        (void)rows_new_edge(&fixture.rows, id, id + 1);
        fixture_commit(&fixture);

        fixture_begin(&fixture);
        fixture_find_token(&fixture, id)->row.is_deleted = true;
        (void)rows_key(&fixture.rows, hash, &key); /* wanted */
        fixture_load(&fixture);
        cr_assert(rows_key(&fixture.rows, hash, &key));
        key->row.is_deleted = true;
        rows_unlink(&fixture.rows, id, id + 1);
        fixture_commit(&fixture);
        tables_count(after);
        cr_assert_str_eq(after, before, "status %u:\n%s", status, after);
    }
}

Test(sqlite_deleted, a_queue)
{
    char before[4000], after[4000];
    struct queue *queue;

    tables_count(before);
    for (int i = 0; i < 2; i++) { /* its name is free again */
        int64_t id = fixture_queue(&fixture, fixture.environment, "seldom");
        fixture_begin(&fixture);
        (void)rows_queue(&fixture.rows, id, &queue); /* wanted */
        fixture_load(&fixture);
        cr_assert(rows_queue(&fixture.rows, id, &queue));
        queue->row.is_deleted = true;
        fixture_commit(&fixture);
        tables_count(after);
        cr_assert_str_eq(after, before, "%s", after);
    }
}
