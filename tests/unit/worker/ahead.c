/* Tokens that a slot makes without asking: their ids and URLs follow from the SEGMENT. */
#include "base/id.h"
#include "codec/callback.h"
#include "probe.h"

#include <criterion/criterion.h>

static struct probe probe;
static const uint8_t key[CALLBACK_KEY_BYTES] = { 7, 7, 7 };

static void setup(void)
{
    static const char *const arguments[] = { "0", "0", "0", "0", "0",
                                             "0", "0", "0", "0", "http://origin",
                                             NULL };

    probe_start_with(&probe, "steady.so", arguments);
    cr_assert_eq(link_read(&probe, &probe.control).kind, FRAME_LOADED);
    probe_fork(&probe);
}

static void teardown(void)
{
    probe_finish(&probe);
}

TestSuite(ahead, .init = setup, .fini = teardown);

/* The first frame of the task "token" with `input`, by a slot that has a key. */
static struct frame token_do(const char *input, struct slice with)
{
    struct frame frame = segment_frame(&probe, "token", "", input);

    frame.segment.id_block = 5 * ID_BLOCK;
    frame.segment.key = with;
    link_send(&probe.slots[0], &frame);
    return link_read(&probe, &probe.slots[0]);
}

static struct slice good_key(void)
{
    return (struct slice){ (const char *)key, sizeof key };
}

Test(ahead, a_token_is_sent_and_not_waited_for)
{
    struct frame call = token_do("{\"timeout_ms\":5000}", good_key());

    cr_assert_eq(call.kind, FRAME_CALL);
    cr_assert(call.call.is_ahead);
    cr_assert_eq(call.call.call, 1);
    cr_assert_str_eq(json_of(&probe, call.call.body),
                     "{\"timeout_ms\":5000,\"tags\":[\"asked\"]}");

    struct frame end = link_read(&probe, &probe.slots[0]);
    cr_assert_eq(end.kind, FRAME_END);
    cr_assert_eq(end.end.ids[0], 5 * ID_BLOCK + 1);
    struct slice url =
        callback_url_of_key(&probe.arena, "http://origin", key, 5 * ID_BLOCK + 1);
    struct value said;
    cr_assert(pack_read(&probe.arena, end.end.meta[0].value, &said, NULL));
    cr_assert(slice_equal(said.bytes, url), "%.*s", SLICE_ARG(said.bytes));
}

Test(ahead, one_with_an_idempotency_key_is_asked_for)
{
    struct frame call = token_do("{\"key\":\"k\"}", good_key());

    cr_assert_eq(call.kind, FRAME_CALL);
    cr_assert_not(call.call.is_ahead);
}

Test(ahead, one_with_a_schema_is_asked_for)
{
    struct frame call = token_do("{\"schema\":\"answer\"}", good_key());

    cr_assert_eq(call.kind, FRAME_CALL);
    cr_assert_not(call.call.is_ahead);
}

Test(ahead, without_a_key_of_the_block_all_are_asked_for)
{
    struct frame call = token_do("{}", (struct slice){ 0 });

    cr_assert_eq(call.kind, FRAME_CALL);
    cr_assert_not(call.call.is_ahead);
}
