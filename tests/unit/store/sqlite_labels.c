/* What runs are found by in lists beside their fields: tags, and members of their metadata. */
#include "sqlite_fixture.h"

#include <sqlite3.h>

static struct fixture fixture;
static struct reader *reader;
static struct arena shown;

static void start(void)
{
    fixture_start(&fixture);
    reader = fixture.store->ops->reader_open(fixture.store, &fixture.err);
    cr_assert_not_null(reader, "%s", fixture.err.text);
}

static void finish(void)
{
    reader->ops->close(reader);
    arena_finish(&shown);
    fixture_finish(&fixture);
}

TestSuite(sqlite_labels, .init = start, .fini = finish, .timeout = 60);

static uint32_t found(struct run_filter filter)
{
    struct run_page page;

    CHECK(&fixture, reader->ops->runs(reader, &shown, &filter, &page, &fixture.err));
    cr_assert_not(page.has_next, "not all runs were looked at");
    return page.count;
}

static struct run_filter by(const char *key, const char *text)
{
    struct run_filter filter = {
        .environment = fixture.environment, .limit = 10, .is_test = -1, .member_count = 1
    };

    filter.members[0].key = slice_of(key);
    filter.members[0].text = slice_of(text);
    return filter;
}

static uint32_t tagged(const char *text)
{
    struct run_filter filter = by("", "");
    struct slice tag = slice_of(text);

    filter.member_count = 0;
    filter.tags = (struct slices){ &tag, 1 };
    return found(filter);
}

static int64_t labels(void)
{
    return fixture_sql(&fixture, "SELECT count(*) FROM run_tag");
}

/* {customer: 42, vip: true, name: "ann", list: [1], share: 0.5} */
static const struct slice metadata = SLICE("\x85\xa8"
                                           "customer\x2a\xa3"
                                           "vip\xc3\xa4"
                                           "name\xa3"
                                           "ann\xa4"
                                           "list\x91\x01\xa5"
                                           "share\xcb\x3f\xe0\0\0\0\0\0\0");

static int64_t make(uint32_t others)
{
    fixture_begin(&fixture);
    struct run *run = fixture_run(&fixture, RUN_QUEUED);
    run->metadata = metadata;
    run->tags = fixture_tags(&fixture, "a", "b", NULL);
    int64_t id = run->id;
    for (uint32_t i = 0; i < others; i++)
        fixture_run(&fixture, RUN_DONE)->outcome = OUTCOME_COMPLETED;
    fixture_commit(&fixture);
    return id;
}

Test(sqlite_labels, a_member_is_found_however_many_runs_there_are)
{
    (void)make(20000);

    cr_assert_eq(found(by("customer", "42")), 1);
    cr_assert_eq(found(by("vip", "true")), 1);
    cr_assert_eq(found(by("name", "ann")), 1);
    cr_assert_eq(found(by("name", "bob")), 0);
    cr_assert_eq(found(by("customer", "4")), 0);
    cr_assert_eq(found(by("share", "0.5")), 0, "only whole numbers");
    cr_assert_eq(labels(), 5);

    struct run_filter both = by("customer", "42");
    both.member_count = 2;
    both.members[1].key = SLICE("name");
    both.members[1].text = SLICE("bob");
    cr_assert_eq(found(both), 0, "all of them");
    both.members[1].text = SLICE("ann");
    cr_assert_eq(found(both), 1);
}

Test(sqlite_labels, what_changes_is_found_by_what_it_is_now)
{
    int64_t id = make(0);

    fixture_begin(&fixture);
    struct run *run = fixture_find(&fixture, id, 0);
    run->metadata = SLICE("\x82\xa8"
                          "customer\x2b\xa3"
                          "vip\xc3");
    run->tags = fixture_tags(&fixture, "b", "c", NULL);
    fixture_commit(&fixture);

    cr_assert_eq(found(by("customer", "42")), 0);
    cr_assert_eq(found(by("customer", "43")), 1);
    cr_assert_eq(found(by("vip", "true")), 1);
    cr_assert_eq(tagged("a"), 0);
    cr_assert(tagged("b") == 1 && tagged("c") == 1);
    cr_assert_eq(labels(), 4);

    fixture_begin(&fixture);
    fixture_find(&fixture, id, 0)->row.is_deleted = true;
    fixture_commit(&fixture);
    cr_assert_eq(labels(), 0);
}

Test(sqlite_labels, a_file_of_before_gets_them_when_it_is_opened)
{
    sqlite3 *db;
    (void)make(3);

    reader->ops->close(reader);
    fixture_close(&fixture);
    cr_assert_eq(sqlite3_open(fixture.path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, BACK_TO_15 "DELETE FROM run_tag; PRAGMA user_version = 15",
                              NULL, NULL, NULL),
                 SQLITE_OK, "%s", sqlite3_errmsg(db));
    sqlite3_close(db);
    fixture_open(&fixture);
    reader = fixture.store->ops->reader_open(fixture.store, &fixture.err);
    cr_assert_not_null(reader);

    cr_assert_eq(found(by("customer", "42")), 1);
    cr_assert_eq(tagged("a"), 1);
    cr_assert_eq(labels(), 5);
}
