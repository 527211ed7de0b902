/* Slots: when a task's migrate() is called, what it may do, and what becomes of the run. */
#include "probe.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

static struct probe probe;
static const char *said; /* the remark, or the reason */
static struct frame answer;

static void setup(void)
{
    probe_load(&probe, "migrates.so");
    probe_fork(&probe);
}

static void teardown(void)
{
    probe_finish(&probe);
}

TestSuite(migrate, .init = setup, .fini = teardown);

/* What the segment saves of a stored state; "parked", with the reason in `said`. */
static const char *becomes(const char *stored, bool only_loads)
{
    struct frame frame = segment_frame(&probe, "migrates", "look", "{}");
    struct value state;

    said = "";
    cr_assert(json_read(&probe.arena, slice_of(stored), &state, NULL));
    frame.segment.state = pack_value(&probe.arena, &state);
    frame.segment.only_loads = only_loads;
    link_send(&probe.slots[0], &frame);
    while ((answer = link_read(&probe, &probe.slots[0])).kind == FRAME_NOTE)
        said = arena_text(&probe.arena, answer.note.text);
    cr_assert_eq(answer.kind, FRAME_END);
    if (answer.end.verdict == VERDICT_PARK) {
        said = arena_text(&probe.arena, answer.end.error_text);
        return "parked";
    }
    return json_of(&probe, only_loads ? answer.end.output : answer.end.state);
}

Test(migrate, is_not_called_where_all_loads_by_itself)
{
    cr_assert_str_eq(becomes("{\"amount\":\"1\",\"calls\":0}", false),
                     "{\"amount\":\"1\",\"shop\":\"web\",\"calls\":0}");
    cr_assert_str_empty(said);
}

Test(migrate, takes_over_what_does_not_fit_and_is_called_once)
{
    const char *saved = becomes("{\"amount\":1250,\"currency\":\"EUR\",\"calls\":0}", false);

    cr_assert_str_eq(saved, "{\"amount\":\"12.50\",\"shop\":\"web\",\"calls\":1,"
                            "\"~aside\":{\"currency\":\"EUR\"}}");
    cr_assert_str_eq(said,
                     "migrate has taken over the state: state field amount is STR here, but "
                     "what is stored is of kind integer");
    cr_assert_str_eq(becomes(saved, false), saved);
    cr_assert_str_empty(said);
}

Test(migrate, is_called_for_a_name_that_this_build_does_not_have)
{
    const char *saved = becomes("{\"amount\":\"1\",\"currency\":\"EUR\",\"calls\":0}", false);

    cr_assert_str_eq(saved, "{\"amount\":\"1\",\"shop\":\"web\",\"calls\":1,"
                            "\"~aside\":{\"currency\":\"EUR\"}}");
    cr_assert_str_eq(said,
                     "migrate has taken over the state: state field currency is not in this "
                     "build and is kept aside; shop began anew (a field that was renamed is "
                     "a row of .renamed)");
}

/* What is aside counts as stored for it. */
Test(migrate, sees_what_is_aside)
{
    cr_assert_str_eq(
        becomes("{\"amount\":1250,\"calls\":0,\"~aside\":{\"currency\":\"none\"}}", false),
        "parked");
    cr_assert_str_eq(said,
                     "state field amount is STR here, but what is stored is of kind integer; "
                     "migrate: an amount of 1250 has no currency");
}

Test(migrate, that_does_not_look_at_what_does_not_fit_loses_nothing)
{
    cr_assert_str_eq(becomes("{\"amount\":1250,\"currency\":\"blind\"}", false), "parked");
    cr_assert_str_eq(said,
                     "state field amount is STR here, but what is stored is of kind integer; "
                     "migrate has not looked at it");
}

Test(migrate, that_leaves_what_cannot_be_saved_parks)
{
    cr_assert_str_eq(becomes("{\"amount\":1250,\"currency\":\"unterminated\"}", false),
                     "parked");
    cr_assert_not_null(strstr(said,
                              "migrate left a state that cannot be saved: state field amount "
                              "has no zero at its end"),
                       "%s", said);
}

/* So that it does the same to a state whenever, and wherever, it is called. */
Test(migrate, may_look_at_the_state_and_no_further)
{
    static const char *const hows[] = { "token", "trigger", "meta", "out", "result", "once" };

    for (size_t i = 0; i < sizeof hows / sizeof *hows; i++) {
        const char *stored = arena_format(&probe.arena, "{\"currency\":\"%s\"}", hows[i]).data;
        cr_assert_str_eq(becomes(stored, false), "parked", "%s", hows[i]);
        cr_assert_not_null(strstr(said, "cannot"), "%s: %s", hows[i], said);
    }
}

Test(migrate, can_be_asked_beforehand)
{
    cr_assert_str_eq(becomes("{\"amount\":\"1\",\"calls\":3}", true),
                     "{\"is_migrated\":false,\"lost\":[],\"field\":\"\",\"cause\":\"\"}");
    cr_assert_str_eq(becomes("{\"amount\":1,\"currency\":\"EUR\"}", true),
                     "{\"is_migrated\":true,\"lost\":[\"currency\"],\"field\":\"amount\","
                     "\"cause\":\"is STR here, but what is stored is of kind integer\"}");
    cr_assert_str_empty(said, "nothing is told");
    cr_assert_str_eq(becomes("{\"currency\":\"none\"}", true), "parked");
    cr_assert_str_eq(json_of(&probe, answer.end.output),
                     "{\"is_migrated\":false,\"lost\":[\"currency\"],\"field\":\"currency\","
                     "\"cause\":\"migrate: no_currency\"}");
}

Test(migrate, that_crashes_is_told_by_its_process)
{
    struct frame frame = segment_frame(&probe, "migrates", "look", "{}");
    struct value state;

    cr_assert(json_read(&probe.arena, SLICE("{\"currency\":\"crash\"}"), &state, NULL));
    frame.segment.state = pack_value(&probe.arena, &state);
    frame.segment.only_loads = true;
    link_send(&probe.slots[0], &frame);

    frame = link_read(&probe, &probe.slots[0]);
    cr_assert_eq(frame.kind, FRAME_CRASH);
    cr_assert_eq(frame.crash.signal, SIGABRT);
}
