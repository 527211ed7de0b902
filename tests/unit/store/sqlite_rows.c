/* What goes into the SQLite store comes out of it again, and only what was committed. */
#include "sqlite_fixture.h"

#include <stdio.h>
#include <stdlib.h>

static struct fixture fixture;

static void start(void)
{
    fixture_start(&fixture);
}

static void finish(void)
{
    fixture_finish(&fixture);
}

TestSuite(sqlite_rows, .init = start, .fini = finish);

/* Every field has a value that no other field has. */
static void fill_run(struct run *run)
{
    uint32_t *counts[] = { &run->seq,      &run->attempt,   &run->max_attempts,
                           &run->entry,    &run->depth,     &run->remaining,
                           &run->progress, &run->log_lines, &run->secrets };
    int64_t *numbers[] = { &run->rank_ms,    &run->due_ms,      &run->created_ms,
                           &run->updated_ms, &run->started_ms,  &run->finished_ms,
                           &run->ttl_ms,     &run->priority_ms, &run->limit_ms,
                           &run->parent_id,  &run->root_id,     &run->id_block,
                           &run->busy_us };
    struct slice *slices[] = { &run->segment,    &run->version, &run->build,    &run->tags,
                               &run->metadata,   &run->error,   &run->wait,     &run->once,
                               &run->timeline,   &run->key,     &run->key_text, &run->schema,
                               &run->schema_now, &run->deaths };
    static char texts[14][16];

    for (uint32_t i = 0; i < 9; i++)
        *counts[i] = i == 0 ? UINT32_MAX : 100 * (i + 1) + run->outcome;
    for (int64_t i = 0; i < 13; i++)
        *numbers[i] = 1763799000000 + 1000 * i + run->outcome;
    for (int i = 0; i < 14; i++) {
        snprintf(texts[i], sizeof texts[i], "text %d of %d", i, (int)run->outcome);
        *slices[i] = slice_of(texts[i]);
    }
}

/* clang-format off */
#define NUMBERS(X)                                                                             \
    X(environment) X(status) X(outcome) X(seq) X(queue) X(rank_ms) X(due_ms) X(created_ms)     \
    X(updated_ms) X(started_ms) X(finished_ms) X(ttl_ms) X(priority_ms) X(limit_ms)            \
    X(parent_id) X(root_id) X(id_block) X(busy_us) X(attempt) X(max_attempts) X(entry)         \
    X(depth) X(remaining) X(progress) X(log_lines) X(secrets) X(is_test) X(needs_parent)       \
    X(has_tokens) X(is_out)
#define SLICES(X)                                                                              \
    X(task) X(segment) X(version) X(build) X(tags) X(metadata) X(error) X(wait) X(once)        \
    X(timeline) X(key) X(key_text) X(schema) X(schema_now) X(deaths) X(input) X(state) X(output)
/* clang-format on */

static void check_run(const struct run *run, const struct run *expected)
{
#define X(field) cr_assert_eq(run->field, expected->field, #field);
    NUMBERS(X)
#undef X
#define X(field) cr_assert(slice_equal(run->field, expected->field), #field);
    SLICES(X)
#undef X
}

Test(sqlite_rows, every_field_of_a_run_comes_back)
{
    fixture_begin(&fixture);
    struct run *made = fixture_run(&fixture, RUN_WAITING);
    fill_run(made);
    made->is_test = made->needs_parent = made->is_out = true;
    made->input = SLICE("the input");
    made->state = SLICE("the state");
    made->output = SLICE("the output");
    made->row.dirty_parts = PART_INPUT | PART_STATE | PART_OUTPUT;
    struct run expected = *made;
    fixture_commit(&fixture);

    struct run *run =
        fixture_show(&fixture, expected.id, PART_INPUT | PART_STATE | PART_OUTPUT);

    check_run(run, &expected);
    cr_assert_eq(run_loaded(run)->status, RUN_WAITING);
    cr_assert_eq(run_loaded(run)->due_ms, expected.due_ms);
}

Test(sqlite_rows, zeroes_and_extremes_come_back)
{
    fixture_begin(&fixture);
    struct run *least = rows_new_run(&fixture.rows, INT64_MAX);
    least->environment = fixture.environment;
    least->task = SLICE("pay");
    least->root_id = least->id;
    struct run *most = rows_new_run(&fixture.rows, 1);
    most->environment = fixture.environment;
    most->task = SLICE("pay");
    most->queue = most->lane = INT64_MAX;
    most->rank_ms = INT64_MIN;
    most->created_ms = INT64_MAX;
    most->updated_ms = INT64_MIN;
    most->root_id = INT64_MAX;
    most->id_block = INT64_MIN;
    most->busy_us = -1;
    struct run expected[] = { *least, *most };
    fixture_commit(&fixture);

    struct run *run = fixture_show(&fixture, INT64_MAX, 0);
    check_run(run, &expected[0]);
    run = fixture_show(&fixture, 1, 0);
    check_run(run, &expected[1]);
}

/* Both ways of updating, the one that touches indexes and the one that does not. */
Test(sqlite_rows, an_update_writes_every_field_that_may_change)
{
    static const uint32_t from[] = { RUN_QUEUED, RUN_RUNNING, RUN_DONE };

    for (size_t i = 0; i < 3; i++) {
        fixture_begin(&fixture);
        struct run *made = fixture_run(&fixture, from[i]);
        int64_t id = made->id;
        fixture_commit(&fixture);
        fixture_begin(&fixture);
        struct run *run = fixture_find(&fixture, id, 0);
        struct run born = *run;
        if (i != 1)
            run->status = RUN_DONE;
        run->outcome = OUTCOME_FAILED;
        fill_run(run);
        run->is_test = run->needs_parent = true;
        if (i == 1) {
            run->due_ms = born.due_ms;
            run->rank_ms = born.rank_ms;
        }
        run->parent_id = born.parent_id; /* fixed at birth, as is the task */
        run->task = SLICE("pay");
        struct run expected = *run;
        fixture_commit(&fixture);

        check_run(fixture_show(&fixture, id, 0), &expected);
    }
}

Test(sqlite_rows, a_part_is_written_over_and_deleted)
{
    fixture_begin(&fixture);
    struct run *run = fixture_run(&fixture, RUN_RUNNING);
    int64_t id = run->id;
    run->state = SLICE("one");
    run->row.dirty_parts = PART_STATE;
    fixture_commit(&fixture);

    fixture_begin(&fixture);
    run = fixture_find(&fixture, id, PART_STATE);
    cr_assert(slice_is(run->state, "one"));
    run->state = SLICE("two");
    run->row.dirty_parts = PART_STATE;
    fixture_commit(&fixture);
    cr_assert(slice_is(fixture_show(&fixture, id, PART_STATE)->state, "two"));

    fixture_begin(&fixture);
    run = fixture_find(&fixture, id, PART_STATE);
    run->state = (struct slice){ NULL, 0 };
    run->row.dirty_parts = PART_STATE;
    fixture_commit(&fixture);
    cr_assert_eq(fixture_show(&fixture, id, PART_STATE)->state.size, 0);
    cr_assert_eq(fixture_sql(&fixture, "SELECT count(*) FROM run_state"), 0);
}

Test(sqlite_rows, big_values_come_back_whole)
{
    size_t size = 3 << 20;
    char *big = malloc(size);

    for (size_t i = 0; i < size; i++)
        big[i] = (char)(i * 31 >> 3);
    fixture_begin(&fixture);
    struct run *run = fixture_run(&fixture, RUN_QUEUED);
    int64_t id = run->id;
    run->input = (struct slice){ big, size };
    run->metadata = (struct slice){ big, 300000 };
    run->row.dirty_parts = PART_INPUT;
    fixture_commit(&fixture);

    run = fixture_show(&fixture, id, PART_INPUT);
    cr_assert(slice_equal(run->input, (struct slice){ big, size }));
    cr_assert(slice_equal(run->metadata, (struct slice){ big, 300000 }));
    free(big);
}

Test(sqlite_rows, every_field_of_a_waitpoint_comes_back)
{
    fixture_begin(&fixture);
    struct waitpoint *token = fixture_token(&fixture);
    token->kind = WAITPOINT_TIME;
    token->status = WAITPOINT_TIMED_OUT;
    token->due_ms = 1;
    token->timeout_ms = 2;
    token->created_ms = 3;
    token->completed_ms = 4;
    token->run_id = 5;
    token->task = SLICE("pay");
    token->schema = SLICE("decision");
    token->tags = SLICE("tags");
    token->key_text = SLICE("key");
    token->key_expires_ms = 6;
    token->result = SLICE("result");
    token->secret = SLICE("whose");
    struct waitpoint expected = *token;
    fixture_commit(&fixture);

    fixture_begin(&fixture);
    token = fixture_find_token(&fixture, expected.id);
    cr_assert_eq(token->environment, expected.environment);
    cr_assert_eq(token->kind, WAITPOINT_TIME);
    cr_assert_eq(token->status, WAITPOINT_TIMED_OUT);
    cr_assert_eq(token->due_ms, 1);
    cr_assert_eq(token->timeout_ms, 2);
    cr_assert_eq(token->created_ms, 3);
    cr_assert_eq(token->completed_ms, 4);
    cr_assert_eq(token->run_id, 5);
    cr_assert(slice_is(token->task, "pay"));
    cr_assert(slice_is(token->schema, "decision"));
    cr_assert(slice_is(token->tags, "tags"));
    cr_assert(slice_is(token->key_text, "key"));
    cr_assert_eq(token->key_expires_ms, 6);
    cr_assert(slice_is(token->result, "result"));
    cr_assert(slice_is(token->secret, "whose"));

    token->status = WAITPOINT_COMPLETED;
    token->due_ms = 0;
    token->completed_ms = 44;
    token->result = SLICE("another");
    fixture_commit(&fixture);
    fixture_begin(&fixture);
    token = fixture_find_token(&fixture, expected.id);
    cr_assert_eq(token->status, WAITPOINT_COMPLETED);
    cr_assert_eq(token->due_ms, 0);
    cr_assert_eq(token->completed_ms, 44);
    cr_assert(slice_is(token->result, "another"));
    cr_assert(slice_is(token->schema, "decision"));
    fixture_rollback(&fixture);
}

Test(sqlite_rows, what_is_not_there_is_absent)
{
    struct edges *edges;
    struct queue *queue;
    struct key *key;
    const uint8_t hash[16] = { 1 };

    fixture_begin(&fixture);
    cr_assert_null(fixture_find(&fixture, 12345, PART_INPUT));
    cr_assert_null(fixture_find_token(&fixture, 12345));
    cr_assert_not(rows_edges(&fixture.rows, 5, 1000, &edges));
    cr_assert_not(rows_key(&fixture.rows, hash, &key));
    cr_assert_not(rows_queue_named(&fixture.rows, 9, SLICE("task/pay"), &queue));
    fixture_load(&fixture);
    cr_assert(rows_edges(&fixture.rows, 5, 1000, &edges));
    cr_assert_null(edges->first);
    cr_assert(rows_key(&fixture.rows, hash, &key));
    cr_assert_null(key);
    cr_assert(rows_queue_named(&fixture.rows, 9, SLICE("task/pay"), &queue));
    cr_assert_null(queue);
    fixture_rollback(&fixture);
}

static uint32_t edge_count(int64_t waitpoint_id)
{
    struct edges *edges;
    uint32_t count = 0;

    fixture_begin(&fixture);
    if (!rows_edges(&fixture.rows, waitpoint_id, 1000, &edges))
        fixture_load(&fixture);
    cr_assert(rows_edges(&fixture.rows, waitpoint_id, 1000, &edges));
    for (struct edge *edge = edges->first; edge != NULL; edge = edge->next)
        count++;
    fixture_rollback(&fixture);
    return count;
}

Test(sqlite_rows, edges_are_added_and_taken_away)
{
    fixture_begin(&fixture);
    rows_new_edge(&fixture.rows, 10, 1);
    rows_new_edge(&fixture.rows, 10, 2);
    rows_new_edge(&fixture.rows, 11, 1);
    rows_delete_edge(&fixture.rows, rows_new_edge(&fixture.rows, 12, 1));
    fixture_commit(&fixture);
    cr_assert_eq(edge_count(10), 2);
    cr_assert_eq(edge_count(11), 1);
    cr_assert_eq(edge_count(12), 0);

    /* Without loading it; and a second time, which finds nothing. */
    for (int i = 0; i < 2; i++) {
        fixture_begin(&fixture);
        rows_unlink(&fixture.rows, 10, 1);
        fixture_commit(&fixture);
        cr_assert_eq(edge_count(10), 1);
    }

    /* Taken away, made again, taken away: all in one batch. */
    fixture_begin(&fixture);
    rows_unlink(&fixture.rows, 10, 2);
    struct edge *edge = rows_new_edge(&fixture.rows, 10, 2);
    rows_delete_edge(&fixture.rows, edge);
    fixture_commit(&fixture);
    cr_assert_eq(edge_count(10), 0);

    /* Taken away and made again: stays. */
    fixture_begin(&fixture);
    rows_unlink(&fixture.rows, 11, 1);
    rows_new_edge(&fixture.rows, 11, 1);
    fixture_commit(&fixture);
    cr_assert_eq(edge_count(11), 1);
}

Test(sqlite_rows, keys_are_written_over_deleted_and_swept)
{
    uint8_t hashes[4][16] = { { 1 }, { 2 }, { 3 }, { 4 } };
    struct key *key;

    fixture_begin(&fixture);
    for (int i = 0; i < 4; i++) {
        key = rows_new_key(&fixture.rows, hashes[i]);
        key->target = 100 + i;
        key->expires_ms = i == 3 ? 0 : 1000 * (i + 1);
        memset(key->payload, i + 1, sizeof key->payload);
    }
    fixture_commit(&fixture);

    fixture_begin(&fixture);
    cr_assert_not(rows_key(&fixture.rows, hashes[2], &key));
    fixture_load(&fixture);
    cr_assert(rows_key(&fixture.rows, hashes[2], &key));
    cr_assert_eq(key->target, 102);
    cr_assert_eq(key->expires_ms, 3000);
    cr_assert_eq(key->payload[7], 3);
    key->row.is_deleted = true;
    fixture_commit(&fixture);
    cr_assert_eq(fixture_sql(&fixture, "SELECT count(*) FROM idempotency"), 3);

    fixture_begin(&fixture);
    CHECK(&fixture, fixture.store->ops->sweep(fixture.store, 2000, 0, 1, &fixture.err));
    fixture_commit(&fixture);
    cr_assert_eq(fixture_sql(&fixture, "SELECT min(target) FROM idempotency"), 101);
    fixture_begin(&fixture);
    CHECK(&fixture, fixture.store->ops->sweep(fixture.store, 2000, 0, 10, &fixture.err));
    fixture_commit(&fixture);
    cr_assert_eq(fixture_sql(&fixture, "SELECT sum(target) FROM idempotency"), 103);
}

Test(sqlite_rows, a_queue_is_found_by_name_and_by_id)
{
    struct queue *queue;

    fixture_begin(&fixture);
    cr_assert_not(
        rows_queue_named(&fixture.rows, fixture.environment, SLICE("task/pay"), &queue));
    fixture_load(&fixture);
    cr_assert(rows_queue_named(&fixture.rows, fixture.environment, SLICE("task/pay"), &queue));
    cr_assert_eq(queue->id, fixture.queue);
    queue->paused = true;
    queue->paused_ms = 1;
    queue->completed = 2;
    queue->failed = 3;
    queue->canceled = 4;
    queue->wait_ms = 5;
    queue->busy_us = 6;
    queue->used_ms = 7;
    queue->removed = true;
    fixture_commit(&fixture);

    fixture_begin(&fixture);
    cr_assert_not(rows_queue(&fixture.rows, fixture.queue, &queue));
    fixture_load(&fixture);
    cr_assert(rows_queue(&fixture.rows, fixture.queue, &queue));
    cr_assert(slice_is(queue->name, "task/pay"));
    cr_assert_eq(queue->environment, fixture.environment);
    cr_assert(queue->paused);
    cr_assert_eq(queue->paused_ms, 1);
    cr_assert_eq(queue->completed, 2);
    cr_assert_eq(queue->failed, 3);
    cr_assert_eq(queue->canceled, 4);
    cr_assert_eq(queue->wait_ms, 5);
    cr_assert_eq(queue->busy_us, 6);
    cr_assert_eq(queue->used_ms, 7);
    cr_assert(queue->removed);
    cr_assert_eq(queue->created_ms, fixture.now_ms);
    fixture_rollback(&fixture);
}

Test(sqlite_rows, nothing_of_a_batch_that_was_rolled_back_is_there)
{
    fixture_begin(&fixture);
    struct run *run = fixture_run(&fixture, RUN_QUEUED);
    int64_t id = run->id;
    run->task = SLICE("never-seen-before");
    run->input = SLICE("input");
    run->row.dirty_parts = PART_INPUT;
    CHECK(&fixture, fixture.store->ops->flush(fixture.store, &fixture.rows, &fixture.err));
    fixture_rollback(&fixture);

    cr_assert_null(fixture_show(&fixture, id, PART_INPUT));
    cr_assert_eq(fixture_sql(&fixture, "SELECT count(*) FROM run_input"), 0);
    cr_assert_eq(fixture_sql(&fixture, "SELECT queued FROM queue"), 0);

    /* The number that the word had for a moment is another word's now. */
    fixture_begin(&fixture);
    run = fixture_run(&fixture, RUN_QUEUED);
    id = run->id;
    run->task = SLICE("another");
    struct run *second = fixture_run(&fixture, RUN_QUEUED);
    int64_t second_id = second->id;
    second->task = SLICE("never-seen-before");
    fixture_commit(&fixture);
    cr_assert(slice_is(fixture_show(&fixture, id, 0)->task, "another"));
    cr_assert(slice_is(fixture_show(&fixture, second_id, 0)->task, "never-seen-before"));
}

Test(sqlite_rows, committed_rows_are_there_after_opening_again)
{
    fixture_begin(&fixture);
    int64_t id = fixture_run(&fixture, RUN_QUEUED)->id;
    fixture_commit(&fixture);
    fixture_begin(&fixture);
    int64_t lost = fixture_run(&fixture, RUN_QUEUED)->id;
    CHECK(&fixture, fixture.store->ops->flush(fixture.store, &fixture.rows, &fixture.err));
    fixture_close(&fixture); /* in the middle of a transaction */

    fixture_open(&fixture);

    cr_assert_not_null(fixture_show(&fixture, id, 0));
    cr_assert_null(fixture_show(&fixture, lost, 0));
}

Test(sqlite_rows, log_lines_keep_their_order_over_batches)
{
    struct reader *reader = fixture.store->ops->reader_open(fixture.store, &fixture.err);
    struct log_line *lines;
    struct arena arena = { 0 };
    char text[16];

    for (int batch = 0; batch < 3; batch++) {
        fixture_begin(&fixture);
        for (int i = 0; i < 4; i++) {
            struct log_line *line = rows_new_log(&fixture.rows, 77);
            snprintf(text, sizeof text, "line %d", batch * 4 + i);
            line->text = arena_copy(&fixture.arena, slice_of(text));
            line->line = (uint32_t)(batch * 4 + i + 1);
            line->segment = SLICE("start");
            line->at_ms = 1; /* all at once: time does not order them */
            line->level = 2;
            line->attempt = 3;
        }
        struct log_line *other = rows_new_log(&fixture.rows, 78);
        other->text = SLICE("another run's");
        other->line = (uint32_t)batch + 1;
        fixture_commit(&fixture);
    }

    CHECK(&fixture, reader->ops->logs(reader, &arena, 77, 5, &lines, &fixture.err));
    for (int i = 7; i < 12; i++, lines = log_line_next(lines)) {
        snprintf(text, sizeof text, "line %d", i);
        cr_assert_not_null(lines);
        cr_assert(slice_is(lines->text, text));
        cr_assert_eq(lines->at_ms, 1);
        cr_assert_eq(lines->level, 2);
        cr_assert_eq(lines->attempt, 3);
        cr_assert_eq(lines->line, (uint32_t)i + 1);
        cr_assert(slice_is(lines->segment, "start"));
    }
    cr_assert_null(lines);
    arena_finish(&arena);
    reader->ops->close(reader);
}
