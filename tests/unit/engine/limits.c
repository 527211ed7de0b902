/* Limits on what a segment may leave behind, and what each refusal is called. */
#include "bench.h"
#include "codec/json.h"
#include "codec/pack.h"

TestSuite(limits, .init = bench_open, .fini = bench_close);

static void assert_failed(int64_t run, const char *name)
{
    cr_assert_eq(run_of(run)->status, RUN_DONE);
    cr_assert_eq(run_of(run)->outcome, OUTCOME_FAILED);
    cr_assert_str_eq(error_name(run), name);
}

static struct slice zeroes(size_t size)
{
    return (struct slice){ arena_alloc(bench_arena(), size), size };
}

Test(limits, a_state_beyond_its_limit_fails_the_run)
{
    bench.limits.state_bytes = 100;
    bench_catalog();
    int64_t fits = start("t"), over = start("t");
    add_wait(fits, WAIT_FOR_TIME, NULL, 0)->segment_end.end->state = zeroes(100);
    add_wait(over, WAIT_FOR_TIME, NULL, 0)->segment_end.end->state = zeroes(101);
    commit();

    cr_assert_eq(run_of(fits)->status, RUN_RUNNING);
    assert_failed(over, "state_too_large");
    cr_assert_str_eq(error_message(over), "the state has 101 bytes, 100 are allowed");
}

Test(limits, an_output_beyond_its_limit_fails_the_run)
{
    bench.limits.output_bytes = 4;
    bench_catalog();
    int64_t fits = start("t"), over = start("t");
    add_end(fits, VERDICT_DONE)->segment_end.end->output = SLICE("\xa3"
                                                                 "abc");
    add_end(over, VERDICT_DONE)->segment_end.end->output = SLICE("\xa4"
                                                                 "abcd");
    commit();

    cr_assert_eq(run_of(fits)->outcome, OUTCOME_COMPLETED);
    assert_failed(over, "output_too_large");
    cr_assert_eq(run_of(over)->output.size, 0);
}

Test(limits, a_wait_for_too_many_fails_the_run)
{
    bench.limits.waits = 3;
    bench_catalog();
    int64_t run = start("t"), ids[4];
    for (uint32_t i = 0; i < 4; i++)
        ids[i] = make_token(run, 1 + i, 0);

    add_wait(run, WAIT_FOR_TOKEN, ids, 4);
    commit();

    assert_failed(run, "wait_too_large");
    cr_assert_eq(store_memory_count(bench.store, ROW_EDGE), 0);
}

/* ---- metadata -----------------------------------------------------------------------------
 */

static void end_with_meta(int64_t run, struct frame_meta *meta, uint32_t count)
{
    struct frame_end *end = add_wait(run, WAIT_FOR_TIME, NULL, 0)->segment_end.end;

    end->meta = meta;
    end->meta_count = count;
    cr_assert(commit());
}

static const char *metadata(int64_t run)
{
    struct buffer out = { 0 };

    json_write_packed(&out, run_of(run)->metadata);
    char *text = arena_text(bench_arena(), buffer_view(&out));
    buffer_finish(&out);
    return text;
}

Test(limits, metadata_is_changed_by_operations_in_their_order)
{
    int64_t run = start("t");
    struct frame_meta first[] = {
        { META_SET, SLICE("step"),
          SLICE("\xa5"
                "begin") },
        { META_INCREMENT, SLICE("count"), SLICE("\x02") },
        { META_APPEND, SLICE("log"),
          SLICE("\xa1"
                "a") },
        { META_SET, SLICE("gone"), SLICE("\x01") },
    };
    struct frame_meta second[] = {
        { META_SET, SLICE("step"),
          SLICE("\xa3"
                "end") },
        { META_INCREMENT, SLICE("count"), SLICE("\xff") },
        { META_APPEND, SLICE("log"),
          SLICE("\xa1"
                "b") },
        { META_DELETE, SLICE("gone"), { 0 } },
        { META_INCREMENT, SLICE("share"), SLICE("\xcb\x3f\xe0\0\0\0\0\0\0") },
        { META_APPEND, SLICE("step"), SLICE("\x01") },
    };

    end_with_meta(run, first, 4);
    cr_assert_str_eq(metadata(run),
                     "{\"step\":\"begin\",\"count\":2,\"log\":[\"a\"],\"gone\":1}");
    end_with_meta(run, second, 6);

    cr_assert_str_eq(metadata(run),
                     "{\"step\":[\"end\",1],\"count\":1,\"log\":[\"a\",\"b\"],\"share\":0.5}");
    cr_assert(slice_equal(segment(run)->metadata, run_of(run)->metadata));
}

Test(limits, an_increment_beyond_an_integer_becomes_a_number)
{
    int64_t run = start("t");
    struct frame_meta meta[] = {
        { META_SET, SLICE("n"), SLICE("\xd3\x7f\xff\xff\xff\xff\xff\xff\xff") },
        { META_INCREMENT, SLICE("n"), SLICE("\x01") },
        { META_SET, SLICE("text"), SLICE("\xa1x") },
        { META_INCREMENT, SLICE("text"), SLICE("\x03") },
    };

    end_with_meta(run, meta, 4);

    cr_assert_str_eq(metadata(run), "{\"n\":9.223372036854776e+18,\"text\":3.0}");
}

Test(limits, metadata_beyond_its_limit_fails_the_run_and_stays_as_it_was)
{
    bench.limits.metadata_bytes = 30;
    bench_catalog();
    int64_t run = start("t");
    struct frame_meta small = { META_SET, SLICE("a"), SLICE("\x01") };
    struct frame_meta large = { META_SET, SLICE("b"),
                                SLICE("\xbe"
                                      "012345678901234567890123456789") };

    end_with_meta(run, &small, 1);
    end_with_meta(run, &large, 1);

    assert_failed(run, "metadata_too_large");
    cr_assert_str_eq(metadata(run), "{\"a\":1}");
}

Test(limits, metadata_that_is_no_value_fails_the_run)
{
    int64_t run = start("t");
    struct frame_meta meta = { META_SET, SLICE("a"), SLICE("\xc1") };

    end_with_meta(run, &meta, 1);

    assert_failed(run, "metadata_broken");
    cr_assert_eq(run_of(run)->metadata.size, 0);
}

/* One level more than a value alone may have: it could be written, but never read again. */
Test(limits, metadata_that_nests_too_deep_fails_the_run)
{
    int64_t run = start("t");
    char deep[VALUE_MAX_DEPTH + 1];
    memset(deep, 0x91, sizeof deep);
    deep[VALUE_MAX_DEPTH] = 1;
    struct frame_meta meta = { META_SET, SLICE("a"), { deep, sizeof deep } };

    end_with_meta(run, &meta, 1);

    assert_failed(run, "metadata_broken");
    cr_assert_eq(run_of(run)->metadata.size, 0);
}

/* ---- log lines and progress ---------------------------------------------------------------
 */

static struct frame_note notes[40];

static struct command *add_notes(int64_t run, uint32_t count)
{
    struct command *command = add(COMMAND_NOTES);

    command->notes = (struct notes){
        .run_id = run, .seq = segment(run)->seq, .notes = notes, .note_count = count
    };
    return command;
}

static void fill_lines(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        notes[i] = (struct frame_note){ .kind = NOTE_LOG,
                                        .level = i % 4,
                                        .at_ms = bench.now_ms + i,
                                        .text = arena_format(bench_arena(), "line %u", i) };
}

Test(limits, progress_is_kept_within_its_hundred)
{
    int64_t run = start("t");
    notes[0] = (struct frame_note){ .kind = NOTE_PROGRESS, .level = 30 };
    notes[1] = (struct frame_note){ .kind = NOTE_PROGRESS, .level = 70 };
    add_notes(run, 2);
    commit();
    cr_assert_eq(run_of(run)->progress, 70);

    notes[0].level = 1000;
    add_notes(run, 1);
    commit();

    cr_assert_eq(run_of(run)->progress, 100);
}

/* Log lines are only ever added: they are looked at on their way to the store. */
static struct rows *rows_of_notes(struct command *command, struct arena *arena,
                                  struct batch **batch)
{
    struct command *commands[] = { command };
    struct err err;

    *batch = batch_begin(bench.engine, arena, &(struct moment){ bench.now_ms, bench.now_ms },
                         commands, 1);
    cr_assert(bench.store->ops->begin(bench.store, &err));
    while (!batch_decide(*batch)) {
        cr_assert(bench.store->ops->load(bench.store, batch_rows(*batch), &err));
        rows_loaded(batch_rows(*batch));
    }
    bench.store->ops->rollback(bench.store);
    return batch_rows(*batch);
}

Test(limits, of_many_log_lines_the_first_and_the_last_stay)
{
    bench.limits.log_lines = 5;
    bench_catalog();
    int64_t run = start("t");
    struct arena arena = { 0 };
    struct batch *batch;
    fill_lines(40);

    struct rows *rows = rows_of_notes(add_notes(run, 40), &arena, &batch);

    bool is_kept[41] = { false };
    EACH_ROW(rows, ROW_LOG_LINE, log_line, line)
    is_kept[line->line] = true;
    EACH_ROW(rows, ROW_LOG_LINE, log_line, line)
    {
        for (uint32_t i = line->keeps + 1; i <= line->drops; i++)
            is_kept[i] = false;
        cr_assert(slice_is(line->segment, "start"));
    }
    EACH_ROW(rows, ROW_LOG_LINE, log_line, dropped)
    if (dropped->row.is_deleted)
        is_kept[dropped->line] = false;
    for (int i = 1; i <= 40; i++)
        cr_assert_eq(is_kept[i], i == 1 || i > 36, "line %d", i);
    arena_finish(&arena);
}

/* The numbers tell how many there were. */
Test(limits, lines_that_did_not_come_are_counted)
{
    int64_t run = start("t");
    struct arena arena = { 0 };
    struct batch *batch;
    fill_lines(2);
    notes[1].left_out = 700;

    struct rows *rows = rows_of_notes(add_notes(run, 2), &arena, &batch);

    const struct log_line *last = (const struct log_line *)rows->list[ROW_LOG_LINE];
    cr_assert_eq(log_line_next(last)->line, 1);
    cr_assert_eq(last->line, 702);
    arena_finish(&arena);
}

Test(limits, a_long_log_line_is_cut_between_characters)
{
    bench.limits.log_line_bytes = 10;
    bench_catalog();
    int64_t run = start("t");
    struct arena arena = { 0 };
    struct batch *batch;
    fill_lines(1);
    notes[0].text = SLICE("12345678\xe2\x82\xac");

    struct rows *rows = rows_of_notes(add_notes(run, 1), &arena, &batch);

    const struct log_line *line = (const struct log_line *)rows->list[ROW_LOG_LINE];
    cr_assert(slice_is(line->text, "12345678"));
    cr_assert_eq(line->attempt, 1);
    arena_finish(&arena);
}

Test(limits, the_count_of_log_lines_goes_on_over_segments)
{
    bench.limits.log_lines = 5;
    bench_catalog();
    int64_t run = start("t");
    fill_lines(4);
    add_notes(run, 4);
    commit();
    cr_assert_eq(run_of(run)->log_lines, 4);

    struct command *command = add_wait(run, WAIT_FOR_TIME, NULL, 0);
    command->segment_end.notes = notes;
    command->segment_end.note_count = 4;
    commit();

    cr_assert_eq(run_of(run)->log_lines, 8);
}
