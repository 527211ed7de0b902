/* A segment that fails says when it is to be tried again, and whose fault it was. */
#include "probe.h"

#include <criterion/criterion.h>

static struct probe probe;

static void steady(void)
{
    probe_load(&probe, "steady.so");
    probe_fork(&probe);
}

static void teardown(void)
{
    probe_finish(&probe);
}

TestSuite(again, .init = steady, .fini = teardown);

static void assert_failed(const struct frame *frame, const char *code)
{
    cr_assert_eq(frame->kind, FRAME_END);
    cr_assert_eq(frame->end.verdict, VERDICT_FAIL);
    cr_assert(slice_is(frame->end.error_code, code), "%.*s: %.*s",
              SLICE_ARG(frame->end.error_code), SLICE_ARG(frame->end.error_text));
}

Test(again, says_when_it_is_to_be_tried_again_and_who_is_to_blame)
{
    struct frame frame = segment_do(&probe, "again", "{\"how\":\"after\",\"ms\":700}");

    assert_failed(&frame, "busy");
    cr_assert(frame.end.retryable && frame.end.span_ms == 700 && frame.end.due_ms == 0);
    cr_assert_not(frame.end.is_upstream);
    frame = segment_do(&probe, "again", "{\"how\":\"after\",\"ms\":0}");
    cr_assert_eq(frame.end.span_ms, 1, "at once, not by the policy");
    frame = segment_do(&probe, "again", "{\"how\":\"at\",\"at\":99}");
    assert_failed(&frame, "busy");
    cr_assert(frame.end.retryable && frame.end.due_ms == 99 && frame.end.span_ms == 0);
    frame = segment_do(&probe, "again", "{\"how\":\"upstream\"}");
    assert_failed(&frame, "no_answer");
    cr_assert(frame.end.retryable && frame.end.is_upstream && frame.end.span_ms == 0);
}

Test(again, is_refused_a_time_that_makes_no_sense)
{
    static const char *const inputs[] = {
        "{\"how\":\"after\",\"ms\":-1}",
        "{\"how\":\"after\",\"ms\":31536000001}",
        "{\"how\":\"at\",\"at\":0}",
        "{\"how\":\"at\",\"at\":-5}",
        "{\"how\":\"at\",\"at\":99999999999999}",
        "{\"how\":\"both\",\"ms\":1,\"at\":1}",
    };

    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        struct frame frame = segment_do(&probe, "again", inputs[i]);
        assert_failed(&frame, "refused");
        cr_assert_not(frame.end.retryable, "%s", inputs[i]);
        cr_assert(frame.end.due_ms == 0 && frame.end.span_ms == 0);
        cr_assert_not_null(
            strstr(arena_text(&probe.arena, frame.end.error_text), "busy: again"),
            "what it failed with is told, too");
    }
}
