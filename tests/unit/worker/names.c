/* Names in crash reports of C++ plugins are as their author wrote them. */
#include "probe.h"

#include <criterion/criterion.h>

static struct probe probe;

static void setup(void)
{
    probe_load(&probe, "cpp.so");
    probe_fork(&probe);
}

static void teardown(void)
{
    probe_finish(&probe);
}

TestSuite(names, .init = setup, .fini = teardown);

Test(names, of_cpp_are_as_they_were_written)
{
    struct frame crash = segment_do(&probe, "fall", "{}");
    struct frame frame = { .kind = FRAME_SYMBOLIZE, .symbolize = { .slot = 1 } };

    cr_assert_eq(crash.kind, FRAME_CRASH);
    (void)probe_exited(&probe, 1);
    frame.symbolize.depth = crash.crash.depth;
    memcpy(frame.symbolize.stack, crash.crash.stack, sizeof frame.symbolize.stack);
    link_send(&probe.control, &frame);
    frame = link_read(&probe, &probe.control);

    cr_assert_eq(frame.kind, FRAME_SYMBOLS);
    const char *lines = arena_text(&probe.arena, frame.symbols.text);
    cr_assert_eq(strncmp(lines, "cliff::edge::step(std::", 23), 0, "%s", lines);
    cr_assert_null(strstr(lines, "_Z"), "%s", lines);
}
