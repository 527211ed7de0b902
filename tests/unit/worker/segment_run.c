/* Slots: what a segment says and asks, and how it ends. */
#include "base/id.h"
#include "probe.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct probe probe;

static void setup_with(const char *plugin)
{
    probe_load(&probe, plugin);
    probe_fork(&probe);
}

static void steady(void)
{
    setup_with("steady.so");
}

static void hostile(void)
{
    setup_with("hostile.so");
}

static void crash(void)
{
    setup_with("crash.so");
}

static void teardown(void)
{
    probe_finish(&probe);
}

TestSuite(segment, .init = steady, .fini = teardown);
TestSuite(misbehaviour, .init = hostile, .fini = teardown);
TestSuite(death, .init = crash, .fini = teardown);

static void assert_failed(const struct frame *frame, const char *code)
{
    cr_assert_eq(frame->kind, FRAME_END);
    cr_assert_eq(frame->end.verdict, VERDICT_FAIL);
    cr_assert(slice_is(frame->end.error_code, code), "%.*s: %.*s",
              SLICE_ARG(frame->end.error_code), SLICE_ARG(frame->end.error_text));
}

static void reply(uint32_t call, const char *body)
{
    struct value value;

    cr_assert(json_read(&probe.arena, slice_of(body), &value, NULL));
    struct frame frame = {
        .kind = FRAME_REPLY, .reply = { .call = call, .body = pack_value(&probe.arena, &value) }
    };
    link_send(&probe.slots[0], &frame);
}

Test(segment, puts_out_what_it_was_given)
{
    struct frame frame = segment_do(&probe, "echo", "{\"a\":[1,2.5,\"x\",null,true]}");

    cr_assert_eq(frame.kind, FRAME_END);
    cr_assert_eq(frame.end.verdict, VERDICT_DONE);
    cr_assert_eq(frame.end.run_id, 0x1234);
    cr_assert_eq(frame.end.seq, 3);
    cr_assert_str_eq(json_of(&probe, frame.end.output), "{\"a\":[1,2.5,\"x\",null,true]}");
}

Test(segment, many_frames_may_be_under_way)
{
    struct frame frame = segment_frame(&probe, "echo", "", "{\"n\":1}");

    for (uint32_t i = 0; i < 100; i++) {
        frame.segment.seq = i;
        link_send(&probe.slots[0], &frame);
    }

    for (uint32_t i = 0; i < 100; i++)
        cr_assert_eq(link_read(&probe, &probe.slots[0]).end.seq, i);
}

Test(segment, a_wait_carries_state_and_where_to_go_on)
{
    struct frame frame = segment_do(&probe, "loop", "{\"count\":3,\"ms\":60000}");

    cr_assert_eq(frame.end.verdict, VERDICT_WAIT);
    cr_assert_eq(frame.end.wait_kind, WAIT_FOR_TIME);
    cr_assert(slice_is(frame.end.then, "go_round"));
    cr_assert_str_eq(json_of(&probe, frame.end.state), "{\"count\":1}");
    cr_assert_eq(frame.end.span_ms, 60000, "the server knows what time it is");
}

Test(segment, finds_the_state_it_saved)
{
    struct frame first = segment_do(&probe, "loop", "{\"count\":2}");
    struct frame frame = segment_frame(&probe, "loop", "go_round", "{\"count\":2}");
    frame.segment.state = first.end.state;

    link_send(&probe.slots[0], &frame);
    frame = link_read(&probe, &probe.slots[0]);

    cr_assert_str_eq(json_of(&probe, frame.end.state), "{\"count\":2}");
}

Test(segment, a_state_of_another_kind_parks)
{
    struct frame frame = segment_frame(&probe, "loop", "go_round", "{}");
    struct value state;
    cr_assert(json_read(&probe.arena, SLICE("{\"count\":\"two\"}"), &state, NULL));
    frame.segment.state = pack_value(&probe.arena, &state);

    link_send(&probe.slots[0], &frame);
    frame = link_read(&probe, &probe.slots[0]);

    cr_assert_eq(frame.end.verdict, VERDICT_PARK);
    cr_assert_neq(strstr(arena_text(&probe.arena, frame.end.error_text), "count"), NULL);
}

Test(segment, one_that_is_not_there_parks)
{
    struct frame frame = segment_frame(&probe, "loop", "no_such_segment", "{}");

    link_send(&probe.slots[0], &frame);

    cr_assert_eq(link_read(&probe, &probe.slots[0]).end.verdict, VERDICT_PARK);
}

Test(segment, an_error_sticks)
{
    struct frame frame = segment_do(&probe, "raise", "{}");

    assert_failed(&frame, "first");
    cr_assert_not(frame.end.retryable);
    cr_assert_eq(frame.end.output.size, 0);
}

Test(segment, a_value_of_another_kind_is_an_error)
{
    struct frame text = segment_do(&probe, "wrong-kind", "{\"value\":\"five\"}");
    assert_failed(&text, "wrong_kind");
    cr_assert_neq(strstr(arena_text(&probe.arena, text.end.error_text), "\"value\""), NULL);

    struct frame big = segment_do(&probe, "wrong-kind", "{\"value\":18446744073709551615}");
    assert_failed(&big, "wrong_kind");
    cr_assert_neq(strstr(arena_text(&probe.arena, big.end.error_text), "beyond"), NULL);
}

Test(segment, a_token_is_asked_for_and_waited_for)
{
    struct frame call = segment_do(&probe, "token", "{\"timeout_ms\":5000}");

    cr_assert_eq(call.kind, FRAME_CALL);
    cr_assert_eq(call.call.kind, CALL_TOKEN);
    cr_assert_eq(call.call.call, 1);
    cr_assert_str_eq(json_of(&probe, call.call.body),
                     "{\"timeout_ms\":5000,\"tags\":[\"asked\"]}");
    reply(1, "{\"id\":4711,\"url\":\"http://here/there\"}");

    struct frame end = link_read(&probe, &probe.slots[0]);
    cr_assert_eq(end.end.verdict, VERDICT_WAIT);
    cr_assert_eq(end.end.wait_kind, WAIT_FOR_TOKEN);
    cr_assert_eq(end.end.id_count, 1);
    cr_assert_eq(end.end.ids[0], 4711);
    cr_assert_eq(end.end.meta_count, 1);
}

/* The host pipelines: the answer to a call stands behind the next segment's frame. */
Test(segment, an_answer_is_found_behind_the_next_segment)
{
    struct frame call = segment_do(&probe, "token", "{}");
    cr_assert_eq(call.kind, FRAME_CALL);
    struct frame next = segment_frame(&probe, "echo", "", "\"next\"");
    next.segment.seq = 99;

    link_send(&probe.slots[0], &next);
    reply(1, "{\"id\":4711,\"url\":\"u\"}");

    cr_assert_eq(link_read(&probe, &probe.slots[0]).end.seq, 3);
    struct frame after = link_read(&probe, &probe.slots[0]);
    cr_assert_eq(after.end.seq, 99);
    cr_assert_str_eq(json_of(&probe, after.end.output), "\"next\"");
}

Test(segment, a_refused_call_is_the_verdict)
{
    struct frame call = segment_do(&probe, "token", "{}");
    struct frame refusal = {
        .kind = FRAME_REPLY,
        .reply = { .call = call.call.call, .error = ERR_RULE, .text = SLICE("no, never") }
    };

    link_send(&probe.slots[0], &refusal);

    struct frame end = link_read(&probe, &probe.slots[0]);
    assert_failed(&end, "refused");
    cr_assert(slice_is(end.end.error_text, "no, never"));
    cr_assert_not(end.end.retryable);
}

Test(segment, a_full_disk_is_worth_another_attempt)
{
    struct frame call = segment_do(&probe, "token", "{}");
    struct frame refusal = {
        .kind = FRAME_REPLY,
        .reply = { .call = call.call.call, .error = ERR_STORE, .text = SLICE("disk full") }
    };

    link_send(&probe.slots[0], &refusal);

    struct frame end = link_read(&probe, &probe.slots[0]);
    assert_failed(&end, "host_failed");
    cr_assert(end.end.retryable);
}

Test(segment, children_get_numbers_in_order)
{
    struct frame frame = segment_frame(&probe, "parent", "", "{\"count\":2}");
    link_send(&probe.slots[0], &frame);

    for (uint32_t i = 1; i <= 2; i++) {
        struct frame call = link_read(&probe, &probe.slots[0]);
        cr_assert_eq(call.call.kind, CALL_TRIGGER);
        cr_assert_eq(call.call.call, i);
        reply(i, i == 1 ? "{\"id\":101}" : "{\"id\":102}");
    }

    struct frame end = link_read(&probe, &probe.slots[0]);
    cr_assert_eq(end.end.wait_kind, WAIT_FOR_RUNS);
    cr_assert_eq(end.end.id_count, 2);
    cr_assert_eq(end.end.ids[1], 102);
}

Test(segment, outputs_of_children_are_fetched_when_asked_for)
{
    struct frame frame = segment_frame(&probe, "parent", "children_ended", "{}");
    struct frame_result results[] = {
        { .id = 101, .status = WAIT_OK, .has_more = true },
        { .id = 102, .status = WAIT_FAILED, .error = SLICE("it broke") }
    };
    struct value state;
    char text[ID_TEXT_SIZE * 2 + 40], one[ID_TEXT_SIZE], two[ID_TEXT_SIZE];

    snprintf(text, sizeof text, "{\"children\":[\"%s\",\"%s\"]}", id_format("run", 101, one),
             id_format("run", 102, two));
    cr_assert(json_read(&probe.arena, slice_of(text), &state, NULL));
    frame.segment.state = pack_value(&probe.arena, &state);
    frame.segment.results = results;
    frame.segment.result_count = 2;
    link_send(&probe.slots[0], &frame);

    struct frame call = link_read(&probe, &probe.slots[0]);
    cr_assert_eq(call.call.kind, CALL_RUN);
    cr_assert_str_eq(json_of(&probe, call.call.body), "{\"id\":101}");
    reply(call.call.call, "{\"status\":1,\"output\":{\"value\":7}}");

    struct frame end = link_read(&probe, &probe.slots[0]);
    cr_assert_eq(end.kind, FRAME_END);
    const char *output = json_of(&probe, end.end.output);
    cr_assert_neq(strstr(output, "\"statuses\":[1,4]"), NULL, "%s", output);
    cr_assert_neq(strstr(output, "\"outputs\":[{\"value\":7},null]"), NULL, "%s", output);
}

Test(segment, a_recorded_act_is_not_repeated)
{
    char path[] = "/tmp/bide-once-XXXXXX", input[200];
    close(mkstemp(path));
    snprintf(input, sizeof input, "{\"path\":\"%s\"}", path);
    struct frame_once once = { SLICE("line"), SLICE("\x05") };
    struct frame frame = segment_frame(&probe, "once", "", input);
    frame.segment.once = &once;
    frame.segment.once_count = 1;

    link_send(&probe.slots[0], &frame);
    struct frame end = link_read(&probe, &probe.slots[0]);

    FILE *file = fopen(path, "r");
    int first = fgetc(file);
    fclose(file);
    unlink(path);
    cr_assert_eq(end.kind, FRAME_END);
    cr_assert_eq(first, EOF, "it acted again");
    cr_assert_str_eq(json_of(&probe, end.end.output), "{\"acted_in_attempt\":5,\"attempt\":1}");
}

Test(segment, sees_that_it_is_canceled)
{
    struct frame frame = segment_frame(&probe, "poll-cancel", "", "{}");
    struct frame other = { .kind = FRAME_CANCEL, .cancel = { .run_id = 1 } };
    struct frame cancel = { .kind = FRAME_CANCEL, .cancel = { .run_id = 0x1234 } };

    link_send(&probe.slots[0], &frame);
    cr_assert_eq(link_read(&probe, &probe.slots[0]).kind, FRAME_NOTE); /* it has begun */
    link_send(&probe.slots[0], &other);
    link_send(&probe.slots[0], &cancel);

    struct frame end = link_read(&probe, &probe.slots[0]);
    cr_assert_eq(end.kind, FRAME_END);
    cr_assert_eq(end.end.verdict, VERDICT_DONE);
    cr_assert_str_eq(json_of(&probe, end.end.output), "{\"canceled\":true}");
}

Test(segment, logs_and_progress_come_as_notes)
{
    struct frame note = segment_do(&probe, "log-lines", "{\"lines\":2,\"size\":0}");

    cr_assert_eq(note.kind, FRAME_NOTE);
    cr_assert_eq(note.note.kind, NOTE_LOG);
    cr_assert(slice_is(note.note.text, "line 0 "));
    note = link_read(&probe, &probe.slots[0]);
    cr_assert_eq(note.note.level, 1);
    cr_assert_eq(link_read(&probe, &probe.slots[0]).kind, FRAME_END);
}

Test(segment, metadata_is_changed_in_order)
{
    struct frame end = segment_do(&probe, "metadata", "{}");

    cr_assert_eq(end.kind, FRAME_END);
    cr_assert_gt(end.end.meta_count, 4);
    cr_assert(slice_is(end.end.meta[0].key, "stage"));
}

Test(segment, context_is_told)
{
    struct frame frame = segment_frame(&probe, "context", "", "{}");
    struct slice tags[] = { SLICE("a"), SLICE("b") };
    frame.segment.tags = tags;
    frame.segment.tag_count = 2;

    link_send(&probe.slots[0], &frame);
    struct frame end = link_read(&probe, &probe.slots[0]);

    const char *output = json_of(&probe, end.end.output);
    cr_assert_neq(strstr(output, "\"tags\":[\"a\",\"b\"]"), NULL, "%s", output);
    cr_assert_neq(strstr(output, "\"environment\":\"dev\""), NULL, "%s", output);
    cr_assert_neq(strstr(output, "\"segment\":\"tell_context\""), NULL, "%s", output);
}

/* ---- limits ----------------------------------------------------------------------------- */

static void limited(void)
{
    const char *const limits[] = { "0", "100000", "100000", "1000", "100000",
                                   "5", "64",     "10",     "3",    NULL };

    probe_start_with(&probe, "hostile.so", limits);
    cr_assert_eq(link_read(&probe, &probe.control).kind, FRAME_LOADED);
    probe_fork(&probe);
}

TestSuite(limits, .init = limited, .fini = teardown);

Test(limits, state)
{
    struct frame end = segment_do(&probe, "huge-state", "{\"mib\":1}");

    assert_failed(&end, "state_too_large");
}

Test(limits, output)
{
    struct frame end = segment_do(&probe, "huge-output", "{\"mib\":1}");

    assert_failed(&end, "output_too_large");
}

Test(limits, metadata)
{
    struct frame end = segment_do(&probe, "huge-metadata", "{\"mib\":1}");

    assert_failed(&end, "metadata_too_large");
}

/* ---- misbehaviour ----------------------------------------------------------------------- */

Test(misbehaviour, an_end_that_no_call_made)
{
    struct frame end = segment_do(&probe, "returns-nothing", "{}");

    assert_failed(&end, "no_end");
}

Test(misbehaviour, a_segment_that_is_not_listed)
{
    struct frame end = segment_do(&probe, "not-listed", "{}");

    assert_failed(&end, "segment_not_listed");
}

Test(misbehaviour, an_exit_is_reported)
{
    struct frame frame = segment_frame(&probe, "exit-3", "", "{}");

    link_send(&probe.slots[0], &frame);

    struct frame exited = probe_exited(&probe, 1);
    cr_assert_eq(WEXITSTATUS(exited.exited.status), 3);
}

Test(misbehaviour, a_closed_socket_ends_the_slot)
{
    struct frame frame = segment_frame(&probe, "close-all", "", "{}");

    link_send(&probe.slots[0], &frame);

    struct frame exited = probe_exited(&probe, 1);
    cr_assert_eq(WEXITSTATUS(exited.exited.status), SLOT_EXIT_BROKEN);
}

Test(misbehaviour, the_time_limit_tells_where_it_was)
{
    struct frame frame = segment_frame(&probe, "spin", "", "{}");
    struct frame kill_frame = { .kind = FRAME_KILL, .kill = { .slot = 1, .signal = SIGXCPU } };
    link_send(&probe.slots[0], &frame);
    usleep(100000); /* it should be spinning; if it is not yet, it dies all the same */

    link_send(&probe.control, &kill_frame);

    struct frame crash_frame = link_read(&probe, &probe.slots[0]);
    cr_assert_eq(crash_frame.kind, FRAME_CRASH);
    cr_assert_eq(crash_frame.crash.signal, SIGXCPU);
    cr_assert_eq(WTERMSIG(probe_exited(&probe, 1).exited.status), SIGXCPU);
}

/* ---- death ------------------------------------------------------------------------------ */

static struct frame die(const char *task, int signal)
{
    struct frame frame = segment_frame(&probe, task, "", "{}");

    link_send(&probe.slots[0], &frame);
    frame = link_read(&probe, &probe.slots[0]);
    cr_assert_eq(frame.kind, FRAME_CRASH);
    cr_assert_eq(frame.crash.signal, (uint32_t)signal);
    cr_assert_geq(frame.crash.depth, 1);
    cr_assert_eq(WTERMSIG(probe_exited(&probe, 1).exited.status), signal);
    return frame;
}

static const char *symbols_of(const struct frame *crash_frame)
{
    struct frame frame = { .kind = FRAME_SYMBOLIZE, .symbolize = { .slot = 1 } };

    frame.symbolize.depth = crash_frame->crash.depth;
    memcpy(frame.symbolize.stack, crash_frame->crash.stack, sizeof frame.symbolize.stack);
    link_send(&probe.control, &frame);
    frame = link_read(&probe, &probe.control);
    cr_assert_eq(frame.kind, FRAME_SYMBOLS);
    return arena_text(&probe.arena, frame.symbols.text);
}

Test(death, a_crash_names_function_and_line)
{
    struct frame frame = die("segfault", SIGSEGV);

    const char *lines = symbols_of(&frame);

    cr_assert_eq(frame.crash.address, 0);
    cr_assert_eq(strncmp(lines, "read_null at crash.c:", 21), 0, "%s", lines);
    cr_assert_eq(strstr(lines, "segment_run"), NULL, "%s", lines);
}

Test(death, abort_names_who_called_it)
{
    struct frame frame = die("abort", SIGABRT);

    const char *lines = symbols_of(&frame);

    cr_assert_neq(strstr(lines, "call_abort at crash.c:"), NULL, "%s", lines);
}

Test(death, a_stack_overflow_is_reported_too)
{
    struct frame frame = die("stack-overflow", SIGSEGV);

    cr_assert_neq(strstr(symbols_of(&frame), "descend at crash.c:"), NULL);
}

Test(death, arithmetic)
{
    die("divide", SIGFPE);
}

Test(death, one_slot_does_not_touch_another)
{
    probe_fork(&probe);
    die("segfault", SIGSEGV);
    struct frame frame = segment_frame(&probe, "segfault", "", "{\"times\":0}");

    link_send(&probe.slots[1], &frame);

    cr_assert_eq(link_read(&probe, &probe.slots[1]).end.verdict, VERDICT_DONE);
}
