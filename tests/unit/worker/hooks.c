/* Slots: which hooks of a task are called in an execution, and in which order; each once. */
#include "base/name.h"
#include "probe.h"

#include <criterion/criterion.h>
#include <string.h>

static struct probe probe;

static void setup(void)
{
    probe_load(&probe, "hooked.so");
    probe_fork(&probe);
}

static void teardown(void)
{
    probe_finish(&probe);
}

TestSuite(hooks, .init = setup, .fini = teardown);

/* What was called in the execution of that frame. */
static const char *called(struct frame *frame)
{
    struct buffer text = { 0 };
    struct frame said;

    link_send(&probe.slots[0], frame);
    while ((said = link_read(&probe, &probe.slots[0])).kind == FRAME_NOTE)
        buffer_format(&text, "%s%.*s", text.size > 0 ? " " : "", SLICE_ARG(said.note.text));
    cr_assert_eq(said.kind, FRAME_END);
    *frame = said;
    const char *words = arena_text(&probe.arena, buffer_view(&text));
    buffer_finish(&text);
    return words;
}

static struct frame ending_so(const char *ends)
{
    return segment_frame(&probe, "hooked", "",
                         arena_format(&probe.arena, "{\"ends\":\"%s\"}", ends).data);
}

Test(hooks, of_a_first_segment)
{
    struct frame done = ending_so("done"), wait = ending_so("wait"), fail = ending_so("fail");

    cr_assert_str_eq(called(&done), "on_start segment on_success cleanup");
    cr_assert_str_eq(called(&wait), "on_start segment on_suspend cleanup");
    cr_assert_str_eq(called(&fail), "on_start segment cleanup");
}

Test(hooks, a_start_is_one_though_it_is_tried_again)
{
    struct frame again = ending_so("done");

    again.segment.attempt = 2;
    cr_assert_str_eq(called(&again), "segment on_success cleanup");
}

Test(hooks, of_a_segment_behind_a_wait)
{
    struct frame wait = ending_so("wait"), behind = ending_so("done");

    (void)called(&wait);
    behind.segment.segment = SLICE("behind");
    behind.segment.state = wait.end.state;
    cr_assert_str_eq(called(&behind), "on_resume segment on_success cleanup");
}

Test(hooks, of_an_end_each_has_its_own_execution)
{
    static const char *const names[] = { HOOK_ON_FAILURE_NAME, HOOK_ON_CANCEL_NAME };
    static const char *const words[] = { "on_failure cleanup", "on_cancel cleanup" };

    for (int i = 0; i < 2; i++) {
        struct frame frame = ending_so("done");
        frame.segment.segment = slice_of(names[i]);
        frame.segment.ending = slice_of(i == 0 ? "FAILED" : "CANCELED");
        cr_assert_str_eq(called(&frame), words[i]);
        cr_assert_eq(frame.end.verdict, VERDICT_DONE);
    }
}
