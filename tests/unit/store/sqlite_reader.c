/* What the API shows of a SQLite store: rows, tokens, statistics, snapshots. */
#include "sqlite_fixture.h"

#include <pthread.h>
#include <stdatomic.h>

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

TestSuite(sqlite_reader, .init = start, .fini = finish, .timeout = 120);

static struct run_page list(struct run_filter filter)
{
    struct run_page page;

    CHECK(&fixture, reader->ops->runs(reader, &shown, &filter, &page, &fixture.err));
    return page;
}

static struct token_page list_tokens(struct token_filter filter)
{
    struct token_page page;

    CHECK(&fixture, reader->ops->tokens(reader, &shown, &filter, &page, &fixture.err));
    return page;
}

static struct run_filter any(void)
{
    return (
        struct run_filter){ .environment = fixture.environment, .limit = 10, .is_test = -1 };
}

static int64_t made[50];

/* ---- one row ----------------------------------------------------------------------------- */

Test(sqlite_reader, a_run_of_another_environment_is_absent)
{
    struct run *run;

    fixture_begin(&fixture);
    struct run *one = fixture_run(&fixture, RUN_QUEUED);
    int64_t id = one->id;
    one->input = SLICE("in");
    one->row.dirty_parts = PART_INPUT;
    fixture_commit(&fixture);

    CHECK(&fixture,
          reader->ops->run(reader, &shown, fixture.environment + 1, id, 0, &run, &fixture.err));
    cr_assert_null(run);
    CHECK(&fixture, reader->ops->run(reader, &shown, 0, id + 1, 0, &run, &fixture.err));
    cr_assert_null(run);
    CHECK(&fixture, reader->ops->run(reader, &shown, fixture.environment, id,
                                     PART_INPUT | PART_OUTPUT, &run, &fixture.err));
    cr_assert(slice_is(run->input, "in"));
    cr_assert(slice_is(run->task, "pay"));
    cr_assert_eq(run->output.size, 0);
}

Test(sqlite_reader, children_are_all_of_them_newest_first)
{
    struct run_page page;
    int64_t ids[5];

    fixture_begin(&fixture);
    for (uint32_t i = 0; i < 5; i++) {
        struct run *run = fixture_run(&fixture, i % 2 == 0 ? RUN_QUEUED : RUN_DONE);
        run->parent_id = 42;
        ids[i] = run->id;
    }
    fixture_run(&fixture, RUN_QUEUED)->parent_id = 41;
    fixture_commit(&fixture);

    CHECK(&fixture, reader->ops->children(reader, &shown, 42, 3, &page, &fixture.err));
    cr_assert_eq(page.count, 3);
    cr_assert(page.has_next);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(page.rows[i]->id, ids[4 - i]);
    CHECK(&fixture, reader->ops->children(reader, &shown, 40, 3, &page, &fixture.err));
    cr_assert_eq(page.count, 0);
}

/* ---- tokens ------------------------------------------------------------------------------ */

Test(sqlite_reader, tokens_are_listed_by_status_tag_key_and_environment)
{
    struct token_filter filter = { .environment = fixture.environment, .limit = 10 };
    struct slice tag = SLICE("urgent");
    int64_t ids[6];

    for (int i = 0; i < 6; i++) {
        fixture_begin(&fixture);
        struct waitpoint *token = fixture_token(&fixture);
        ids[i] = token->id;
        token->status = i < 3 ? WAITPOINT_PENDING : WAITPOINT_COMPLETED;
        if (i == 1 || i == 4)
            token->tags = fixture_tags(&fixture, "slow", "urgent", NULL);
        if (i == 2)
            token->key_text = SLICE("order-1");
        if (i == 5)
            token->environment++;
        struct waitpoint *timer = fixture_token(&fixture);
        timer->kind = WAITPOINT_TIME;
        fixture_commit(&fixture);
    }

    struct token_page page = list_tokens(filter);
    cr_assert_eq(page.count, 5);
    cr_assert_eq(page.rows[0]->id, ids[4]);
    filter.limit = 2;
    filter.statuses = 1u << WAITPOINT_PENDING;
    page = list_tokens(filter);
    cr_assert_eq(page.count, 2);
    cr_assert_eq(page.rows[0]->id, ids[2]);
    cr_assert(page.has_next);
    filter.after = page.next_after;
    page = list_tokens(filter);
    cr_assert_eq(page.count, 1);
    cr_assert_eq(page.rows[0]->id, ids[0]);
    cr_assert(page.has_previous);
    filter.after = 0;
    filter.statuses = 1u << WAITPOINT_COMPLETED | 1u << WAITPOINT_TIMED_OUT;
    page = list_tokens(filter);
    cr_assert_eq(page.count, 2);
    filter.statuses = 0;
    filter.tags = (struct slices){ &tag, 1 };
    page = list_tokens(filter);
    cr_assert_eq(page.count, 2);
    cr_assert_eq(page.rows[1]->id, ids[1]);
    filter.tags.count = 0;
    filter.key_text = SLICE("order-1");
    page = list_tokens(filter);
    cr_assert_eq(page.count, 1);
    cr_assert_eq(page.rows[0]->id, ids[2]);
}

Test(sqlite_reader, a_timer_is_no_token)
{
    struct waitpoint *found;

    fixture_begin(&fixture);
    struct waitpoint *timer = fixture_token(&fixture), *token = fixture_token(&fixture);
    timer->kind = WAITPOINT_TIME;
    int64_t timer_id = timer->id, token_id = token->id;
    fixture_commit(&fixture);

    CHECK(&fixture, reader->ops->token(reader, &shown, 0, timer_id, &found, &fixture.err));
    cr_assert_null(found);
    CHECK(&fixture, reader->ops->token(reader, &shown, 0, token_id, &found, &fixture.err));
    cr_assert_eq(found->id, token_id);
}

/* ---- queues ------------------------------------------------------------------------------ */

Test(sqlite_reader, queues_come_by_name_with_their_counts)
{
    int64_t b = fixture_queue(&fixture, fixture.environment, "b");
    int64_t a = fixture_queue(&fixture, fixture.environment, "a");
    struct queue_page page;
    struct queue_stats *stats;
    struct totals totals;

    fixture_queue(&fixture, fixture.environment + 1, "aa");
    fixture_begin(&fixture);
    for (uint32_t status = 0; status < RUN_STATUS_COUNT; status++)
        for (uint32_t i = 0; i <= status; i++)
            fixture_run(&fixture, status)->queue = a;
    fixture_token(&fixture);
    fixture_token(&fixture)->status = WAITPOINT_COMPLETED;
    fixture_commit(&fixture);
    fixture_begin(&fixture);
    for (int i = 0; i < 3; i++) {
        struct run *run = fixture_run(&fixture, RUN_QUEUED);
        run->queue = b;
        run->created_ms = 5000 - i * 1000;
        run->rank_ms = 100 + i;
    }
    fixture_commit(&fixture);

    CHECK(&fixture,
          reader->ops->queues(reader, &shown, fixture.environment, 0, 2, &page, &fixture.err));
    cr_assert_eq(page.total, 3);
    cr_assert_eq(page.count, 2);
    cr_assert(slice_is(page.rows[0].queue.name, "a"));
    cr_assert(slice_is(page.rows[1].queue.name, "b"));
    cr_assert_eq(page.rows[0].delayed, 1);
    cr_assert_eq(page.rows[0].queued, 2);
    cr_assert_eq(page.rows[0].parked, 3);
    cr_assert_eq(page.rows[0].running, 4);
    cr_assert_eq(page.rows[0].waiting, 5);
    cr_assert_eq(page.rows[0].oldest_queued_ms, fixture.now_ms);
    cr_assert_eq(page.rows[1].oldest_queued_ms, 5000, "the smallest id is the oldest");
    CHECK(&fixture,
          reader->ops->queues(reader, &shown, fixture.environment, 2, 2, &page, &fixture.err));
    cr_assert_eq(page.count, 1);
    cr_assert(slice_is(page.rows[0].queue.name, "task/pay"));
    cr_assert_eq(page.rows[0].oldest_queued_ms, 0);
    CHECK(&fixture, reader->ops->queues(reader, &shown, 0, 0, 9, &page, &fixture.err));
    cr_assert_eq(page.total, 4);
    cr_assert_eq(page.count, 4);

    CHECK(&fixture, reader->ops->queue(reader, &shown, fixture.environment, SLICE("a"), 0,
                                       &stats, &fixture.err));
    cr_assert_eq(stats->queue.id, a);
    CHECK(&fixture, reader->ops->queue(reader, &shown, 0, (struct slice){ NULL, 0 }, b, &stats,
                                       &fixture.err));
    cr_assert_eq(stats->queued, 3);
    CHECK(&fixture, reader->ops->queue(reader, &shown, fixture.environment + 1,
                                       (struct slice){ NULL, 0 }, b, &stats, &fixture.err));
    cr_assert_null(stats);

    CHECK(&fixture, reader->ops->totals(reader, fixture.environment, &totals, &fixture.err));
    cr_assert_eq(totals.live[RUN_QUEUED], 5);
    cr_assert_eq(totals.live[RUN_WAITING], 5);
    cr_assert_eq(totals.live[RUN_DONE], 0);
    cr_assert_eq(totals.tokens_pending, 1);
    CHECK(&fixture,
          reader->ops->totals(reader, fixture.environment + 1, &totals, &fixture.err));
    cr_assert_eq(totals.live[RUN_QUEUED], 0);
    cr_assert_eq(totals.tokens_pending, 0);
    CHECK(&fixture, reader->ops->totals(reader, 0, &totals, &fixture.err));
    cr_assert_eq(totals.live[RUN_RUNNING], 4);
    cr_assert_eq(totals.tokens_pending, 1);
}

/* ---- snapshots --------------------------------------------------------------------------- */

Test(sqlite_reader, what_is_not_committed_is_not_seen)
{
    struct run *run;

    fixture_begin(&fixture);
    int64_t id = fixture_run(&fixture, RUN_QUEUED)->id;
    CHECK(&fixture, fixture.store->ops->flush(fixture.store, &fixture.rows, &fixture.err));

    CHECK(&fixture, reader->ops->run(reader, &shown, 0, id, 0, &run, &fixture.err));
    cr_assert_null(run);
    CHECK(&fixture, fixture.store->ops->commit(fixture.store, &fixture.err));
    CHECK(&fixture, reader->ops->run(reader, &shown, 0, id, 0, &run, &fixture.err));
    cr_assert_not_null(run);
}

static atomic_bool writer_done;
static atomic_uint snapshots;

/* Each batch moves a run from one queue to the other: in every snapshot there are as many as
 * before. */
static void *read_on(void *context)
{
    struct reader *own = fixture.store->ops->reader_open(fixture.store, &(struct err){ 0 });
    struct arena arena = { 0 };
    struct err err = { 0 };
    struct queue_page page;
    const char *problem = NULL;

    (void)context;
    while (problem == NULL && !atomic_load(&writer_done)) {
        if (own == NULL || !own->ops->queues(own, &arena, 0, 0, 10, &page, &err))
            problem = "refused";
        else if (page.rows[0].queued + page.rows[1].queued != 50)
            problem = "half a batch was seen";
        atomic_fetch_add(&snapshots, 1);
        arena_reset(&arena);
    }
    arena_finish(&arena);
    if (own != NULL)
        own->ops->close(own);
    return (void *)(uintptr_t)problem;
}

Test(sqlite_reader, readers_on_other_threads_see_whole_batches)
{
    int64_t queues[2] = { fixture.queue,
                          fixture_queue(&fixture, fixture.environment, "other") };
    pthread_t threads[3];

    fixture_begin(&fixture);
    for (int i = 0; i < 50; i++)
        made[i] = fixture_run(&fixture, RUN_QUEUED)->id;
    fixture_commit(&fixture);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, read_on, NULL), 0);

    for (int i = 0; i < 300 || atomic_load(&snapshots) < 50; i++) {
        fixture_begin(&fixture);
        struct run *run = fixture_find(&fixture, made[i % 50], 0);
        run->queue = queues[run->queue == queues[0] ? 1 : 0];
        fixture_commit(&fixture);
    }
    atomic_store(&writer_done, true);

    for (int i = 0; i < 3; i++) {
        void *problem;
        pthread_join(threads[i], &problem);
        cr_assert_null(problem, "%s", (const char *)problem);
    }
}

Test(sqlite_reader, what_runs_and_who_is_before_a_run_are_counted)
{
    struct running_page page;
    struct environment *environment;
    struct run *runs[4];
    int64_t before;

    fixture_begin(&fixture);
    for (int i = 0; i < 4; i++) {
        runs[i] = fixture_run(&fixture, i == 3 ? RUN_RUNNING : RUN_QUEUED);
        runs[i]->rank_ms = i == 0 ? 9 : 5; /* the oldest is behind the others */
    }
    fixture_commit(&fixture);

    static const int64_t places[] = { 2, 0, 1 };
    for (int i = 0; i < 3; i++) {
        CHECK(&fixture, reader->ops->before(reader, runs[i], 10, &before, &fixture.err));
        cr_assert_eq(before, places[i], "%d: %lld", i, (long long)before);
    }
    CHECK(&fixture, reader->ops->before(reader, runs[0], 1, &before, &fixture.err));
    cr_assert_eq(before, 1);
    CHECK(&fixture, reader->ops->running(reader, &shown, &page, &fixture.err));
    cr_assert_eq(page.count, 1);
    cr_assert(page.rows[0].queue == fixture.queue && page.rows[0].lane == fixture.queue &&
              page.rows[0].environment == fixture.environment && page.rows[0].count == 1);
    CHECK(&fixture,
          reader_environment(reader, &shown, fixture.environment, &environment, &fixture.err));
    cr_assert(slice_is(environment->name, "prod") && !environment->paused);
    CHECK(&fixture, reader_environment(reader, &shown, 77, &environment, &fixture.err));
    cr_assert_null(environment);
}

Test(sqlite_reader, the_store_may_close_and_open_under_a_reader)
{
    struct reader *own = fixture.store->ops->reader_open(fixture.store, &fixture.err);

    cr_assert_not_null(own);
    own->ops->close(own);
    fixture_close(&fixture);
    fixture_open(&fixture);
    fixture_begin(&fixture);
    fixture_run(&fixture, RUN_QUEUED);
    fixture_commit(&fixture);
    cr_assert_eq(list(any()).count, 1);
}

Test(sqlite_reader, between_begin_and_end_nothing_changes)
{
    struct run *run;

    fixture_begin(&fixture);
    int64_t id = fixture_run(&fixture, RUN_QUEUED)->id;
    fixture_commit(&fixture);
    CHECK(&fixture, reader->ops->begin(reader, &fixture.err));
    cr_assert_eq(list(any()).count, 1);
    fixture_begin(&fixture);
    fixture_find(&fixture, id, 0)->status = RUN_WAITING;
    fixture_run(&fixture, RUN_QUEUED);
    fixture_commit(&fixture);

    CHECK(&fixture, reader->ops->run(reader, &shown, 0, id, 0, &run, &fixture.err));
    cr_assert_eq(run->status, RUN_QUEUED);
    cr_assert_eq(list(any()).count, 1);
    reader->ops->end(reader);
    CHECK(&fixture, reader->ops->run(reader, &shown, 0, id, 0, &run, &fixture.err));
    cr_assert_eq(run->status, RUN_WAITING);
    cr_assert_eq(list(any()).count, 2);
}
