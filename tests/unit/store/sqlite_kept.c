/* What is kept of a run's log, and which tokens are a run's. */
#include "sqlite_fixture.h"

#include <criterion/criterion.h>

static struct fixture fixture;

static void setup(void)
{
    fixture_start(&fixture);
}

static void teardown(void)
{
    fixture_finish(&fixture);
}

TestSuite(sqlite_kept, .init = setup, .fini = teardown);

Test(sqlite_kept, a_log_line_may_take_the_place_of_another)
{
    struct reader *reader = fixture.store->ops->reader_open(fixture.store, &fixture.err);
    struct log_line *lines;
    struct arena arena = { 0 };

    fixture_begin(&fixture);
    for (uint32_t i = 1; i <= 10; i++) {
        struct log_line *line = rows_new_log(&fixture.rows, 77);
        line->line = i + (i == 10 ? 2 : 0); /* two did not come */
        line->keeps = 1;
        line->drops = i > 5 ? line->line - 4 : 0; /* the first and the last four */
    }
    fixture_commit(&fixture);

    CHECK(&fixture, reader->ops->logs(reader, &arena, 77, 100, &lines, &fixture.err));
    const uint32_t left[] = { 1, 9, 12 };
    for (int i = 0; i < 3; i++, lines = log_line_next(lines))
        cr_assert_eq(lines->line, left[i]);
    cr_assert_null(lines);
    arena_finish(&arena);
    reader->ops->close(reader);
}

Test(sqlite_kept, pending_tokens_are_found_by_the_run_that_made_them)
{
    const int64_t ids[] = { 5001, 5002, 5003, 5004, 5005 };
    struct tokens *tokens;
    struct waitpoint *token;

    fixture_begin(&fixture);
    for (int i = 0; i < 5; i++) {
        token = rows_new_waitpoint(&fixture.rows, ids[i]);
        token->kind = WAITPOINT_TOKEN;
        token->environment = 1;
        token->run_id = i == 4 ? 43 : 42;
        token->is_shared = i == 1;
    }
    fixture_commit(&fixture);

    fixture_begin(&fixture);
    cr_assert_not(rows_waitpoint(&fixture.rows, ids[2], &token));
    fixture_load(&fixture);
    cr_assert(rows_waitpoint(&fixture.rows, ids[2], &token));
    token->status = WAITPOINT_CANCELLED;
    fixture_commit(&fixture);

    fixture_begin(&fixture);
    cr_assert_not(rows_tokens(&fixture.rows, 42, &tokens));
    fixture_load(&fixture);
    cr_assert(rows_tokens(&fixture.rows, 42, &tokens));
    cr_assert_eq(tokens->ids.count, 2);
    cr_assert_eq(tokens->ids.items[0], ids[0]);
    cr_assert_eq(tokens->ids.items[1], ids[3]);
    cr_assert_eq(fixture_sql(&fixture, "SELECT count(*) FROM waitpoint_made"), 3);
}
