/* What a segment says, besides its calls: prints, log lines, records, processes it forks. */
#include "probe.h"

#include <bide/bide.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/wait.h>

static struct probe probe;

static void setup(void)
{
    const char *const most[] = { "0", "0", "0", "0", "0", "100", NULL }; /* log lines */

    probe_start_with(&probe, "said.so", most);
    cr_assert_eq(link_read(&probe, &probe.control).kind, FRAME_LOADED);
    probe_fork(&probe);
}

static void teardown(void)
{
    probe_finish(&probe);
}

TestSuite(said, .init = setup, .fini = teardown);

static struct frame next(void)
{
    return link_read(&probe, &probe.slots[0]);
}

static void line(struct frame note, uint32_t level, const char *text)
{
    cr_assert_eq(note.kind, FRAME_NOTE, "kind %d instead of \"%s\"", (int)note.kind, text);
    cr_assert_eq(note.note.kind, NOTE_LOG);
    cr_assert(slice_is(note.note.text, text), "\"%.*s\", not \"%s\"", SLICE_ARG(note.note.text),
              text);
    cr_assert_eq(note.note.level, level, "%s", text);
    cr_assert_eq(note.note.run_id, 0x1234);
}

static void failed(struct frame end, const char *code)
{
    cr_assert_eq(end.kind, FRAME_END);
    cr_assert_eq(end.end.verdict, VERDICT_FAIL);
    cr_assert(slice_is(end.end.error_code, code), "%.*s: %.*s", SLICE_ARG(end.end.error_code),
              SLICE_ARG(end.end.error_text));
}

/* ---- prints ------------------------------------------------------------------------------ */

Test(said, what_is_printed_comes_as_lines_in_order)
{
    line(segment_do(&probe, "print", "{\"word\":\"w\"}"), BIDE_INFO, "first w");
    line(next(), BIDE_INFO, "to stderr");
    line(next(), BIDE_INFO, "from a child");
    line(next(), BIDE_WARN, "logged");
    line(next(), BIDE_INFO, "from a program");
    line(next(), BIDE_INFO, "without an end");
    cr_assert_eq(next().end.verdict, VERDICT_DONE);

    cr_assert_eq(segment_do(&probe, "log-after-error", "{}").kind, FRAME_END, "none is left");
}

static void dies(const char *how)
{
    char input[64];

    snprintf(input, sizeof input, "{\"how\":\"%s\"}", how);
    line(segment_do(&probe, "last-words", input), BIDE_INFO, "before");
    struct frame exited = probe_exited(&probe, 1);
    cr_assert(slice_is(exited.exited.prints, "on the way\nthe last words ?\n"), "%s: %.*s", how,
              SLICE_ARG(exited.exited.prints));
}

Test(said, the_last_words_of_an_exit_are_told)
{
    dies("exit");
}

Test(said, the_last_words_before__exit_are_told)
{
    dies("_exit");
}

Test(said, the_last_words_of_a_crash_are_told)
{
    dies("abort");
}

Test(said, of_a_flood_the_first_and_the_last_lines_come)
{
    const char *const kinds[] = { "{\"lines\":5000,\"print\":true}", "{\"lines\":5000}" };
    char text[32];

    for (int kind = 0; kind < 2; kind++) {
        line(segment_do(&probe, "flood", kinds[kind]), BIDE_INFO, "line 0");
        for (int i = 1; i < 100; i++) {
            snprintf(text, sizeof text, "line %d", i);
            line(next(), BIDE_INFO, text);
        }
        for (int i = 4921; i < 5000; i++) {
            struct frame note = next();
            snprintf(text, sizeof text, "line %d", i);
            line(note, BIDE_INFO, text);
            cr_assert_eq(note.note.left_out, i == 4921 ? 4821 : 0);
        }
        line(next(), BIDE_ERROR, "the end");
        cr_assert_eq(next().kind, FRAME_END);
    }
}

/* More than the file takes at all. */
Test(said, of_an_endless_flood_too)
{
    (void)segment_do(&probe, "flood", "{\"lines\":20000,\"wide\":1000}");
    struct frame frame, last = { 0 };
    uint32_t count = 0;
    while ((frame = next()).kind == FRAME_NOTE) {
        count += frame.note.left_out + 1;
        last = frame;
    }
    cr_assert_eq(count, 20000); /* `segment_do` has read the first */

    line(last, BIDE_ERROR, "the end");
    cr_assert_eq(frame.end.verdict, VERDICT_DONE);
}

Test(said, a_flood_before_a_crash_keeps_its_end)
{
    (void)segment_do(&probe, "flood", "{\"lines\":5000,\"die\":true}");
    struct frame exited = probe_exited(&probe, 1);
    struct slice end = SLICE("\x1d"
                             "1line 4999\n\x1d"
                             "3the end\n");

    cr_assert_gt(exited.exited.prints.size, end.size);
    cr_assert_eq(memcmp(exited.exited.prints.data + exited.exited.prints.size - end.size,
                        end.data, end.size),
                 0);
}

/* What did not fit cannot be counted; it is said. */
Test(said, prints_beyond_what_the_file_takes_are_told)
{
    (void)segment_do(&probe, "flood",
                     "{\"lines\":20000,\"wide\":1000,\"print\":true,\"die\":true}");
    while (next().kind == FRAME_NOTE)
        ;
    struct frame exited = probe_exited(&probe, 1);
    char text[4096] = { 0 };
    size_t size = exited.exited.prints.size;

    cr_assert_gt(size, sizeof text);
    memcpy(text, exited.exited.prints.data + size - sizeof text, sizeof text - 1);
    cr_assert_not_null(strstr(text, "more than 16 MiB were printed"));
    cr_assert_not_null(strstr(text, "the end"));
}

/* ---- forked processes -------------------------------------------------------------------- */

Test(said, a_fork_that_returns_does_not_end_the_run)
{
    struct frame end = segment_do(&probe, "fork-returns", "{}");

    cr_assert_eq(end.kind, FRAME_END);
    cr_assert_str_eq(json_of(&probe, end.end.output), "{\"who\":1,\"status\":0}");
    end = segment_do(&probe, "log-after-error", "{}");
    failed(end, "bad"); /* and there was one end only */
}

Test(said, a_fork_may_not_call)
{
    struct frame end = segment_do(&probe, "fork-calls", "{}");

    cr_assert_eq(end.kind, FRAME_END);
    cr_assert_str_eq(json_of(&probe, end.end.output), "{\"exit\":7}");
}

Test(said, a_fork_that_crashes_is_not_the_segment)
{
    struct frame end = segment_do(&probe, "fork-crashes", "{}");

    cr_assert_eq(end.kind, FRAME_END);
    cr_assert_str_eq(json_of(&probe, end.end.output), "{\"signal\":6}");
}

Test(said, a_number_that_is_none_is_refused_by_its_name)
{
    struct frame end = segment_do(&probe, "numbers", "{\"how\":\"nan\"}");
    failed(end, "not_finite");
    cr_assert_eq(strncmp(end.end.error_text.data, "ratio is ", 9), 0);
    end = segment_do(&probe, "numbers", "{\"how\":\"inf\"}");
    failed(end, "not_finite");
    cr_assert_eq(strncmp(end.end.error_text.data, "sum is ", 7), 0);

    end = segment_do(&probe, "numbers", "{}");
    cr_assert_str_eq(json_of(&probe, end.end.output), "{\"zero\":-0.0}", "with its sign");
}

Test(said, a_code_is_one_line)
{
    failed(segment_do(&probe, "numbers", "{\"how\":\"code\"}"), "a?b?[31m");
}

/* ---- records and errors ------------------------------------------------------------------ */

static void record_reply(void)
{
    struct frame call = next();

    cr_assert_eq(call.kind, FRAME_CALL);
    cr_assert_eq(call.call.kind, CALL_ONCE);
    struct value map = value_map();
    struct frame frame = { .kind = FRAME_REPLY,
                           .reply = { .call = call.call.call,
                                      .body = pack_value(&probe.arena, &map) } };
    link_send(&probe.slots[0], &frame);
}

Test(said, two_acts_of_one_name_are_an_error)
{
    struct frame frame = segment_frame(&probe, "once-twice", "", "{}");

    link_send(&probe.slots[0], &frame);
    record_reply();
    failed(next(), "name_used_twice");
}

Test(said, two_acts_of_one_name_are_an_error_in_a_rerun)
{
    struct frame_once once = { SLICE("act"), SLICE("\x01") };
    struct frame frame = segment_frame(&probe, "once-twice", "", "{}");
    frame.segment.once = &once;
    frame.segment.once_count = 1;

    link_send(&probe.slots[0], &frame);
    failed(next(), "name_used_twice");
}

Test(said, a_loop_has_names)
{
    struct frame frame = segment_frame(&probe, "once-loop", "", "{}");

    link_send(&probe.slots[0], &frame);
    for (int i = 0; i < 3; i++)
        record_reply();
    cr_assert_str_eq(json_of(&probe, next().end.output), "{\"calls\":3}");
}

Test(said, after_an_error_nothing_is_logged)
{
    failed(segment_do(&probe, "log-after-error", "{}"), "bad");
}

static void too_short(const char *input, const char *field)
{
    struct frame end = segment_do(&probe, "too-short", input);

    failed(end, "too_long");
    cr_assert_not_null(
        memmem(end.end.error_text.data, end.end.error_text.size, field, strlen(field)), "%.*s",
        SLICE_ARG(end.end.error_text));
}

Test(said, what_does_not_fit_names_its_field)
{
    too_short("{\"text\":\"12345678\"}", "code: 8 bytes do not fit");
    too_short("{\"bytes\":true}", "digest: 5 bytes do not fit");
}
