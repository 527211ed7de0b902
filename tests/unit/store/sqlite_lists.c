/* Lists of runs in a SQLite store: pages forth and back, and every mix of filters. */
#include "sqlite_fixture.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

static struct fixture fixture;
static struct reader *reader;
static struct arena shown; /* what the reader gave */

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

TestSuite(sqlite_lists, .init = start, .fini = finish, .timeout = 120);

static struct run_page list(struct run_filter filter)
{
    struct run_page page;

    CHECK(&fixture, reader->ops->runs(reader, &shown, &filter, &page, &fixture.err));
    return page;
}

static struct run_filter any(void)
{
    return (
        struct run_filter){ .environment = fixture.environment, .limit = 10, .is_test = -1 };
}

/* ---- pages ------------------------------------------------------------------------------- */

static int64_t made[100];

static void make_runs(uint32_t count)
{
    fixture_begin(&fixture);
    for (uint32_t i = 0; i < count; i++)
        made[i] = fixture_run(&fixture, RUN_QUEUED)->id;
    fixture_commit(&fixture);
}

/* The page is made[first], made[first - 1], … */
static void check_page(const struct run_page *page, int first, uint32_t count)
{
    cr_assert_eq(page->count, count);
    for (uint32_t i = 0; i < count; i++)
        cr_assert_eq(page->rows[i]->id, made[first - (int)i]);
}

Test(sqlite_lists, pages_go_forth_and_back)
{
    struct run_filter filter = any();

    make_runs(25);
    struct run_page page = list(filter);
    check_page(&page, 24, 10);
    cr_assert(page.has_next);
    cr_assert_not(page.has_previous);

    filter.after = page.next_after;
    page = list(filter);
    check_page(&page, 14, 10);
    cr_assert(page.has_next);
    cr_assert(page.has_previous);
    struct run_page middle = page;

    filter.after = page.next_after;
    page = list(filter);
    check_page(&page, 4, 5);
    cr_assert_not(page.has_next);
    cr_assert(page.has_previous);

    filter.before = page.previous_before; /* wins over after */
    page = list(filter);
    check_page(&page, 14, 10);
    cr_assert(page.has_next);
    cr_assert(page.has_previous);
    cr_assert_eq(page.next_after, middle.next_after);

    filter.before = page.previous_before;
    page = list(filter);
    check_page(&page, 24, 10);
    cr_assert(page.has_next);
    cr_assert_not(page.has_previous);
    cr_assert_eq(page.previous_before, 0);
}

/* A client may make its cursor of the rows it saw. */
Test(sqlite_lists, the_ids_of_rows_are_cursors_too)
{
    struct run_filter filter = any();

    make_runs(25);
    filter.after = made[15];
    struct run_page page = list(filter);
    check_page(&page, 14, 10);
    filter.after = 0;
    filter.before = made[14];
    page = list(filter);
    check_page(&page, 24, 10);
    cr_assert_not(page.has_previous);
    cr_assert(page.has_next);
}

Test(sqlite_lists, an_empty_store_and_the_page_behind_the_last_are_empty)
{
    struct run_filter filter = any();
    struct run_page page = list(filter);

    cr_assert_eq(page.count, 0);
    cr_assert_not(page.has_next);
    cr_assert_not(page.has_previous);
    make_runs(3);
    filter.after = made[0];
    page = list(filter);
    cr_assert_eq(page.count, 0);
    cr_assert_not(page.has_next);
    cr_assert(page.has_previous);
    filter.after = 0;
    filter.before = made[2];
    page = list(filter);
    cr_assert_eq(page.count, 0);
    cr_assert_not(page.has_previous);
    cr_assert(page.has_next);
}

/*
 * More rows than one call looks at stand between two that match: the page says where to go on,
 * and following it finds both, once.
 */
Test(sqlite_lists, a_rare_version_is_found_over_several_short_pages)
{
    struct run_filter filter = any();
    struct slice wanted = SLICE("rare");
    uint32_t found = 0, pages = 0;

    for (int batch = 0; batch < 6; batch++) {
        fixture_begin(&fixture);
        for (int i = 0; i < 10000; i++)
            fixture_run(&fixture, RUN_DONE)->outcome = OUTCOME_COMPLETED;
        if (batch == 0 || batch == 5)
            fixture_run(&fixture, RUN_QUEUED)->version = SLICE("rare");
        fixture_commit(&fixture);
    }

    filter.versions = (struct slices){ &wanted, 1 };
    for (;;) {
        struct run_page page = list(filter);
        found += page.count;
        pages++;
        if (!page.has_next)
            break;
        cr_assert(filter.after == 0 || page.next_after < filter.after);
        filter.after = page.next_after;
        cr_assert_lt(pages, 100);
    }
    cr_assert_eq(found, 2);
    cr_assert_geq(pages, 3);

    uint32_t back = 0;
    filter.before = 1;
    for (;;) {
        struct run_page page = list(filter);
        back += page.count;
        if (!page.has_previous)
            break;
        cr_assert_gt(page.previous_before, filter.before);
        filter.before = page.previous_before;
    }
    cr_assert_eq(back, 2);
}

static void check_whole(struct run_filter filter, uint32_t count)
{
    struct run_page page = list(filter);

    cr_assert_eq(page.count, count);
    cr_assert_not(page.has_next, "not all runs were looked at");
}

/* Each of two is on thousands of runs, and both are on two: one page finds them, and says that
 * they are all. So does one for what no run has. */
Test(sqlite_lists, what_is_rare_sets_the_pace)
{
    struct slice even = SLICE("even"), version = SLICE("none"), task = SLICE("other");
    struct run_filter filter = any();

    fixture_begin(&fixture);
    for (int i = 0; i < 20000; i++) {
        struct run *run = fixture_run(&fixture, RUN_DONE);
        bool both = i == 5000 || i == 15000;
        run->outcome = both || i < 100 ? OUTCOME_FAILED : OUTCOME_COMPLETED;
        if (i >= 100)
            run->tags = fixture_tags(&fixture, "even", NULL);
    }
    fixture_commit(&fixture);

    filter.environment = fixture.environment;
    filter.tags = (struct slices){ &even, 1 };
    filter.statuses[0].status = RUN_DONE;
    filter.statuses[0].outcome = OUTCOME_FAILED;
    filter.status_count = 1;
    check_whole(filter, 2);
    filter.statuses[0].outcome = OUTCOME_CRASHED;
    check_whole(filter, 0);
    filter.status_count = 0;
    filter.tasks = (struct slices){ &task, 1 };
    check_whole(filter, 0);
    filter = any();
    filter.versions = (struct slices){ &version, 1 };
    check_whole(filter, 0);
    filter = any();
    filter.statuses[0].status = RUN_QUEUED;
    filter.status_count = 1;
    filter.tasks = (struct slices){ &task, 1 };
    check_whole(filter, 0);
}

static void check_tags(const char *text, uint32_t wanted_count)
{
    struct run_filter filter = any();
    struct slice wanted = slice_of(text);

    filter.environment = fixture.environment;
    filter.tags = (struct slices){ &wanted, 1 };
    struct run_page page = list(filter);
    cr_assert_eq(page.count, wanted_count, "%s", text);
    cr_assert_not(page.has_next, "%s: not all runs were looked at", text);
}

/* However many runs there are: by a tag that few have, or nobody. Two tags of one run are one
 * row. */
Test(sqlite_lists, a_tag_is_found_by_its_own_list)
{
    struct slice both[] = { SLICE("rare"), SLICE("common") };

    for (int batch = 0; batch < 3; batch++) {
        fixture_begin(&fixture);
        for (int i = 0; i < 10000; i++)
            fixture_run(&fixture, RUN_DONE)->outcome = OUTCOME_COMPLETED;
        if (batch < 2)
            fixture_run(&fixture, RUN_QUEUED)->tags =
                fixture_tags(&fixture, "common", "rare", NULL);
        fixture_commit(&fixture);
    }

    check_tags("rare", 2);
    check_tags("nobody", 0);
    struct run_filter filter = any();
    filter.environment = fixture.environment;
    filter.tags = (struct slices){ both, 2 };
    cr_assert_eq(list(filter).count, 2);

    /* A file of before there were marks gets them when it is opened. */
    reader->ops->close(reader);
    fixture_close(&fixture);
    sqlite3 *db;
    cr_assert_eq(sqlite3_open(fixture.path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db,
                              BACK_TO_8
                              "DROP TABLE run_tag; DROP TABLE waitpoint_tag;"
                              "DROP INDEX queue_live; ALTER TABLE queue DROP COLUMN used_ms;"
                              "ALTER TABLE queue DROP COLUMN removed; DROP TABLE lane;"
                              "PRAGMA user_version = 5",
                              NULL, NULL, NULL),
                 SQLITE_OK, "%s", sqlite3_errmsg(db));
    sqlite3_close(db);
    fixture_open(&fixture);
    reader = fixture.store->ops->reader_open(fixture.store, &fixture.err);
    cr_assert_not_null(reader);
    check_tags("rare", 2);
    check_tags("nobody", 0);
}

/* ---- filters against a plain loop -------------------------------------------------------- */

enum { MODEL = 600 };

struct model {
    int64_t id, created_ms;
    uint32_t environment, status, outcome, task, queue, version, tags;
    bool is_test;
};

static struct model models[MODEL];
static const char *const words[] = { "alpha", "beta", "gamma", "delta" };
static uint32_t environments[2];
static struct id_source dice;

static uint32_t throw(uint32_t sides)
{
    return (uint32_t)id_random(&dice, sides);
}

static void model_make(void)
{
    int64_t queues[2][4];
    char name[16];

    environments[0] = fixture.environment;
    CHECK(&fixture, fixture.store->ops->environment(fixture.store, "dev", &environments[1],
                                                    &fixture.err));
    for (int i = 0; i < 8; i++) {
        snprintf(name, sizeof name, "q-%s", words[i % 4]);
        queues[i / 4][i % 4] = fixture_queue(&fixture, environments[i / 4], name);
    }
    for (int i = 0; i < MODEL; i++) {
        struct model *model = &models[i];
        fixture.now_ms += throw(3) * 100000;
        fixture_begin(&fixture);
        uint32_t status = throw(RUN_STATUS_COUNT), world = throw(8) == 0;
        struct run *run = fixture_run(&fixture, status);
        *model = (struct model){ .id = run->id,
                                 .created_ms = fixture.now_ms,
                                 .environment = environments[world],
                                 .status = status,
                                 .outcome = status == RUN_DONE ? 1 + throw(4) : 0,
                                 .task = throw(4),
                                 .queue = throw(4),
                                 .version = throw(4),
                                 .tags = throw(16),
                                 .is_test = throw(5) == 0 };
        run->environment = model->environment;
        run->outcome = model->outcome;
        run->task = slice_of(words[model->task]);
        run->queue = queues[world][model->queue];
        run->version = slice_of(words[model->version]);
        run->is_test = model->is_test;
        struct value list = value_list();
        for (int tag = 0; tag < 4; tag++)
            if ((model->tags >> tag & 1) != 0)
                value_add(&fixture.arena, &list, value_text(words[tag]));
        if (list.count > 0)
            run->tags = pack_value(&fixture.arena, &list);
        fixture_commit(&fixture);
    }
}

struct wish {
    struct run_filter filter;
    uint32_t tasks, queues, versions, tags; /* bit sets of words */
    struct slice lists[4][4];
};

static void wish_list(struct slices *slices, struct slice *items, const char *prefix,
                      uint32_t bits)
{
    *slices = (struct slices){ items, 0 };
    for (int i = 0; i < 4; i++)
        if ((bits >> i & 1) != 0) {
            char *text = malloc(16); /* as long as the test */
            snprintf(text, 16, "%s%s", prefix, words[i]);
            items[slices->count++] = slice_of(text);
        }
}

static void wish_make(struct wish *wish)
{
    *wish = (struct wish){ .filter.is_test = (int) throw(4) - 1 };
    struct run_filter *filter = &wish->filter;
    if (filter->is_test > 1)
        filter->is_test = -1;
    filter->environment = throw(4) == 0 ? 0 : environments[throw(2)];
    filter->limit = 1 + throw(12);
    if (throw(2) == 0)
        for (uint32_t i = 0; i < 1 + throw(3); i++) {
            uint32_t status = throw(RUN_STATUS_COUNT), outcome = throw(4);
            filter->statuses[filter->status_count].status = status;
            filter->statuses[filter->status_count++].outcome =
                status == RUN_DELAYED ? OUTCOME_GIVEN_UP : outcome; /* none comes due here */
        }
    wish->tasks = throw(3) == 0 ? 1 + throw(15) : 0;
    wish->queues = throw(4) == 0 ? 1 + throw(15) : 0;
    wish->versions = throw(4) == 0 ? 1 + throw(15) : 0;
    wish->tags = throw(3) == 0 ? 1 + throw(15) : 0;
    wish_list(&filter->tasks, wish->lists[0], "", wish->tasks);
    wish_list(&filter->queues, wish->lists[1], "q-", wish->queues);
    wish_list(&filter->versions, wish->lists[2], "", wish->versions);
    wish_list(&filter->tags, wish->lists[3], "", wish->tags);
    if (throw(3) == 0)
        filter->from_ms = models[throw(MODEL)].created_ms;
    if (throw(3) == 0)
        filter->to_ms = models[throw(MODEL)].created_ms;
}

static bool model_matches(const struct model *model, const struct wish *wish)
{
    const struct run_filter *filter = &wish->filter;
    bool status = filter->status_count == 0;

    for (uint32_t i = 0; i < filter->status_count; i++)
        status |= filter->statuses[i].status == model->status &&
                  (model->status != RUN_DONE || filter->statuses[i].outcome == 0 ||
                   filter->statuses[i].outcome == model->outcome);
    return status && (filter->environment == 0 || filter->environment == model->environment) &&
           (wish->tasks == 0 || (wish->tasks >> model->task & 1) != 0) &&
           (wish->queues == 0 || (wish->queues >> model->queue & 1) != 0) &&
           (wish->versions == 0 || (wish->versions >> model->version & 1) != 0) &&
           (wish->tags == 0 || (wish->tags & model->tags) != 0) &&
           (filter->is_test < 0 || (filter->is_test == 1) == model->is_test) &&
           (filter->from_ms == 0 || model->created_ms >= filter->from_ms) &&
           (filter->to_ms == 0 || model->created_ms <= filter->to_ms);
}

/* Walks all pages, forth and then back, and compares with the plain loop. */
static uint32_t check_wish(struct wish *wish)
{
    static int64_t expected[MODEL];
    struct run_filter *filter = &wish->filter;
    uint32_t count = 0, seen = 0;
    struct run_page page;

    for (int i = MODEL - 1; i >= 0; i--)
        if (model_matches(&models[i], wish))
            expected[count++] = models[i].id;
    for (;;) {
        page = list(*filter);
        for (uint32_t i = 0; i < page.count; i++, seen++) {
            cr_assert_lt(seen, count);
            cr_assert_eq(page.rows[i]->id, expected[seen]);
        }
        cr_assert_eq(page.has_previous, seen > page.count);
        cr_assert_eq(page.has_next, seen < count);
        if (!page.has_next)
            break;
        cr_assert_eq(page.count, filter->limit);
        filter->after = page.next_after;
    }
    cr_assert_eq(seen, count);
    while (page.has_previous) {
        seen -= page.count;
        filter->before = page.previous_before;
        page = list(*filter);
        cr_assert_eq(page.count, filter->limit);
        for (uint32_t i = 0; i < page.count; i++)
            cr_assert_eq(page.rows[i]->id, expected[seen - page.count + i]);
        cr_assert(page.has_next);
        cr_assert_eq(page.has_previous, seen > page.count);
    }
    return count;
}

Test(sqlite_lists, every_mix_of_filters_finds_what_a_plain_loop_finds)
{
    struct wish wish;
    uint32_t found = 0;

    id_source_init(&dice, 5);
    model_make();
    for (int i = 0; i < 120; i++) {
        arena_reset(&shown);
        wish_make(&wish);
        found += check_wish(&wish);
        for (int j = 0; j < 4; j++)
            for (int k = 0; k < 4; k++)
                free((void *)(uintptr_t)wish.lists[j][k].data);
    }
    cr_assert_gt(found, 500, "the wishes were too narrow");
}
