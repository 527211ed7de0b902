/* Frames: every kind goes over and comes back, and nothing else gets through. */
#include "codec/frame.h"

#include "codec/pack.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { MAX = 1 << 20 };

static struct arena arena;
static struct buffer out;
static struct err err;

static void finish(void)
{
    arena_finish(&arena);
    buffer_finish(&out);
}

TestSuite(frame, .fini = finish);

/* ---- one example a kind, with every field set ------------------------------------------- */

static struct slice tags[] = { { "a", 1 }, { "b\xc3\xa9", 3 } };
static struct frame_result results[] = {
    { .id = 7, .status = WAIT_OK, .value = { "\xa1v", 2 }, .has_more = true },
    { .id = INT64_MAX,
      .status = WAIT_FAILED,
      .error = { "it broke", 8 },
      .code = { "broken", 6 } },
};
static struct frame_once once[] = { { { "mail", 4 }, { "\xc3", 1 } } };
static int64_t ids[] = { 1, INT64_MAX, 3 };
static struct frame_meta meta[] = {
    { .kind = META_SET, .key = { "k", 1 }, .value = { "\x01", 1 } },
    { .kind = META_DELETE, .key = { "gone", 4 } },
    { .kind = META_INCREMENT, .key = { "n", 1 }, .value = { "\xff", 1 } },
};

static const struct frame examples[] = {
    { .kind = FRAME_SEGMENT,
      .segment = { .run_id = INT64_MAX,
                   .seq = UINT32_MAX,
                   .attempt = 2,
                   .max_attempts = 3,
                   .entry = 4,
                   .id_block = 640,
                   .created_ms = 1800000000000,
                   .parent_id = 5,
                   .root_id = 6,
                   .environment = { "dev", 3 },
                   .task = { "approve-refund", 14 },
                   .segment = { "decided", 7 },
                   .input = { "\x80", 1 },
                   .state = { "\x81\xa1n\x01", 4 },
                   .metadata = { "\x80", 1 },
                   .tags = tags,
                   .tag_count = 2,
                   .results = results,
                   .result_count = 2,
                   .once = once,
                   .once_count = 1,
                   .limit_ms = 30000,
                   .is_test = true } },
    { .kind = FRAME_REPLY,
      .reply = { .call = 9,
                 .error = ERR_LIMIT,
                 .text = { "no \xe2\x82\xac", 6 },
                 .body = { "\x80", 1 } } },
    { .kind = FRAME_CANCEL, .cancel = { .run_id = 77 } },
    { .kind = FRAME_CALL,
      .call = { .run_id = 1, .seq = 2, .call = 3, .kind = CALL_ONCE, .body = { "\x80", 1 } } },
    { .kind = FRAME_NOTE,
      .note = { .run_id = 1,
                .seq = 2,
                .kind = NOTE_LOG,
                .level = 3,
                .at_ms = 4,
                .text = { "hi", 2 },
                .left_out = 5 } },
    { .kind = FRAME_END,
      .end = { .run_id = 1,
               .seq = 2,
               .verdict = VERDICT_PARK,
               .cpu_ns = UINT64_MAX,
               .wait_kind = WAIT_FOR_RUNS,
               .needed = 2,
               .due_ms = -5,
               .ids = ids,
               .id_count = 3,
               .then = { "next", 4 },
               .state = { "\x80", 1 },
               .output = { "\xc0", 1 },
               .error_code = { "E", 1 },
               .error_text = { "text", 4 },
               .retryable = true,
               .is_upstream = true,
               .meta = meta,
               .meta_count = 3 } },
    { .kind = FRAME_CRASH,
      .crash = { .signal = 11,
                 .address = UINT64_MAX,
                 .stack = { 1, UINT64_MAX, 3 },
                 .depth = 3 } },
    { .kind = FRAME_FORK, .fork = { .slot = 5 } },
    { .kind = FRAME_KILL, .kill = { .slot = 5, .signal = 9 } },
    { .kind = FRAME_SYMBOLIZE, .symbolize = { .slot = 5, .stack = { 9, 8 }, .depth = 2 } },
    { .kind = FRAME_LOADED, .loaded = { .description = { "\x80", 1 } } },
    { .kind = FRAME_REFUSED, .refused = { .reason = { "no symbol", 9 } } },
    { .kind = FRAME_FORKED, .forked = { .slot = 5, .pid = -11 } },
    { .kind = FRAME_EXITED,
      .exited = { .slot = 5, .status = 139, .cpu_us = 1, .max_rss_bytes = UINT64_C(1) << 40 } },
    { .kind = FRAME_SYMBOLS, .symbols = { .slot = 5, .text = { "main at a.c:1\n", 14 } } },
};

enum { EXAMPLES = sizeof examples / sizeof examples[0] };

static struct slice written(const struct frame *frame)
{
    out.size = 0;
    frame_write(&out, frame);
    return buffer_view(&out);
}

/* In memory of its own, so that reading past the end is seen. */
static bool read_cut(struct slice bytes, size_t size, struct frame *frame, size_t *used)
{
    char *cut = malloc(size == 0 ? 1 : size);

    if (size > 0)
        memcpy(cut, bytes.data, size);
    err = (struct err){ 0 };
    bool ok = frame_read(&arena, (struct slice){ cut, size }, MAX, frame, used, &err);
    free(cut);
    return ok;
}

static bool refused(struct slice bytes)
{
    struct frame frame;
    size_t used = 99;

    err = (struct err){ 0 };
    return !frame_read(&arena, bytes, MAX, &frame, &used, &err) && used == 0 &&
           err.code == ERR_BAD_REQUEST;
}

/* ---- there and back ---------------------------------------------------------------------- */

Test(frame, there_is_an_example_of_every_kind)
{
    for (int i = 0; i < EXAMPLES; i++)
        cr_assert_eq((int)examples[i].kind, i + 1);
    cr_assert_eq(EXAMPLES, FRAME_KIND_COUNT - 1);
}

/* Written again, what was read gives the same bytes: so no field was lost on the way. */
Test(frame, every_kind_comes_back_whole)
{
    for (int i = 0; i < EXAMPLES; i++) {
        struct slice first = arena_copy(&arena, written(&examples[i]));
        struct frame back;
        size_t used;

        cr_assert(frame_read(&arena, first, MAX, &back, &used, &err), "%s", err.text);
        cr_assert_eq(used, first.size);
        cr_assert_eq(back.kind, examples[i].kind);
        cr_assert(slice_equal(written(&back), first), "kind %d", i + 1);
    }
}

/* The test above would not see a field that is neither written nor read. */
Test(frame, a_segment_keeps_each_of_its_fields)
{
    struct frame frame;
    size_t used;
    const struct frame_segment *want = &examples[0].segment, *got = &frame.segment;
    cr_assert(frame_read(&arena, written(&examples[0]), MAX, &frame, &used, &err));

    cr_assert(got->run_id == want->run_id && got->seq == want->seq &&
              got->attempt == want->attempt && got->max_attempts == want->max_attempts);
    cr_assert(got->entry == want->entry && got->id_block == want->id_block &&
              got->created_ms == want->created_ms && got->parent_id == want->parent_id &&
              got->root_id == want->root_id);
    cr_assert(slice_is(got->environment, "dev") && slice_is(got->task, "approve-refund") &&
              slice_is(got->segment, "decided"));
    cr_assert(slice_equal(got->input, want->input) && slice_equal(got->state, want->state) &&
              slice_equal(got->metadata, want->metadata));
    cr_assert_eq(got->tag_count, 2);
    cr_assert(slice_equal(got->tags[1], tags[1]));
    cr_assert_eq(got->result_count, 2);
    cr_assert(got->results[0].id == 7 && got->results[0].status == WAIT_OK &&
              slice_equal(got->results[0].value, results[0].value) && got->results[0].has_more);
    cr_assert(got->results[1].id == INT64_MAX && slice_is(got->results[1].error, "it broke") &&
              slice_is(got->results[1].code, "broken") && !got->results[1].has_more);
    cr_assert_eq(got->once_count, 1);
    cr_assert(slice_is(got->once[0].name, "mail") &&
              slice_equal(got->once[0].value, once[0].value));
    cr_assert(got->limit_ms == 30000 && got->is_test);
}

Test(frame, an_end_keeps_each_of_its_fields)
{
    struct frame frame;
    size_t used;
    const struct frame_end *got = &frame.end;
    cr_assert(frame_read(&arena, written(&examples[5]), MAX, &frame, &used, &err));

    cr_assert(got->run_id == 1 && got->seq == 2 && got->verdict == VERDICT_PARK &&
              got->cpu_ns == UINT64_MAX);
    cr_assert(got->wait_kind == WAIT_FOR_RUNS && got->needed == 2 && got->due_ms == -5);
    cr_assert(got->id_count == 3 && got->ids[1] == INT64_MAX && got->ids[2] == 3);
    cr_assert(slice_is(got->then, "next") && slice_is(got->state, "\x80") &&
              slice_is(got->output, "\xc0"));
    cr_assert(slice_is(got->error_code, "E") && slice_is(got->error_text, "text") &&
              got->retryable && got->is_upstream);
    cr_assert(got->meta_count == 3 && got->meta[0].kind == META_SET &&
              slice_is(got->meta[1].key, "gone") && got->meta[2].kind == META_INCREMENT &&
              slice_is(got->meta[2].value, "\xff"));
}

Test(frame, the_others_keep_each_of_their_fields)
{
    struct frame frame;
    size_t used;

    cr_assert(frame_read(&arena, written(&examples[1]), MAX, &frame, &used, &err));
    cr_assert(frame.reply.call == 9 && frame.reply.error == ERR_LIMIT &&
              slice_is(frame.reply.text, "no \xe2\x82\xac") && frame.reply.body.size == 1);
    cr_assert(frame_read(&arena, written(&examples[2]), MAX, &frame, &used, &err));
    cr_assert_eq(frame.cancel.run_id, 77);
    cr_assert(frame_read(&arena, written(&examples[3]), MAX, &frame, &used, &err));
    cr_assert(frame.call.run_id == 1 && frame.call.seq == 2 && frame.call.call == 3 &&
              frame.call.kind == CALL_ONCE && frame.call.body.size == 1);
    cr_assert(frame_read(&arena, written(&examples[4]), MAX, &frame, &used, &err));
    cr_assert(frame.note.run_id == 1 && frame.note.seq == 2 && frame.note.kind == NOTE_LOG &&
              frame.note.level == 3 && frame.note.at_ms == 4 &&
              slice_is(frame.note.text, "hi") && frame.note.left_out == 5);
    cr_assert(frame_read(&arena, written(&examples[6]), MAX, &frame, &used, &err));
    cr_assert(frame.crash.signal == 11 && frame.crash.address == UINT64_MAX &&
              frame.crash.depth == 3 && frame.crash.stack[1] == UINT64_MAX);
    cr_assert(frame_read(&arena, written(&examples[8]), MAX, &frame, &used, &err));
    cr_assert(frame.kill.slot == 5 && frame.kill.signal == 9);
    cr_assert(frame_read(&arena, written(&examples[9]), MAX, &frame, &used, &err));
    cr_assert(frame.symbolize.slot == 5 && frame.symbolize.depth == 2 &&
              frame.symbolize.stack[1] == 8);
    cr_assert(frame_read(&arena, written(&examples[12]), MAX, &frame, &used, &err));
    cr_assert(frame.forked.slot == 5 && frame.forked.pid == -11);
    cr_assert(frame_read(&arena, written(&examples[13]), MAX, &frame, &used, &err));
    cr_assert(frame.exited.slot == 5 && frame.exited.status == 139 &&
              frame.exited.cpu_us == 1 && frame.exited.max_rss_bytes == UINT64_C(1) << 40);
}

Test(frame, a_frame_of_zeroes_goes_over_too)
{
    for (int kind = FRAME_NONE + 1; kind < FRAME_KIND_COUNT; kind++) {
        struct frame frame = { .kind = (enum frame_kind)kind }, back;
        size_t used;
        cr_assert(frame_read(&arena, written(&frame), MAX, &back, &used, &err), "kind %d: %s",
                  kind, err.text);
        cr_assert_eq(used, out.size);
    }
}

Test(frame, frames_follow_each_other_in_one_stream)
{
    struct buffer stream = { 0 };
    for (int i = 0; i < EXAMPLES; i++)
        frame_write(&stream, &examples[i]);

    for (int i = 0; i < EXAMPLES; i++) {
        struct frame frame;
        size_t used;
        cr_assert(frame_read(&arena, buffer_view(&stream), MAX, &frame, &used, &err));
        cr_assert_eq((int)frame.kind, i + 1);
        buffer_consume(&stream, used);
    }

    cr_assert_eq(stream.size, 0);
    buffer_finish(&stream);
}

Test(frame, a_frame_cut_at_any_byte_asks_for_more)
{
    for (int i = 0; i < EXAMPLES; i++) {
        struct slice whole = arena_copy(&arena, written(&examples[i]));
        for (size_t size = 0; size < whole.size; size++) {
            struct frame frame;
            size_t used = 99;
            cr_assert(read_cut(whole, size, &frame, &used), "%s", err.text);
            cr_assert_eq(used, 0, "kind %d, %zu of %zu bytes", i + 1, size, whole.size);
        }
    }
}

/* ---- what is refused --------------------------------------------------------------------- */

/* Head and body by hand. */
static struct slice raw(unsigned kind, size_t size, struct slice body)
{
    out.size = 0;
    for (int i = 0; i < 4; i++)
        buffer_byte(&out, (char)(size >> (8 * i)));
    buffer_byte(&out, (char)kind);
    buffer_slice(&out, body);
    return buffer_view(&out);
}

static struct slice bodied(unsigned kind, struct slice body)
{
    return raw(kind, body.size, body);
}

Test(frame, unknown_kinds_are_refused_by_their_head_alone)
{
    for (unsigned kind = 0; kind < 256; kind++) {
        bool known = kind > FRAME_NONE && kind < FRAME_KIND_COUNT;
        cr_assert_eq(refused(raw(kind, 100, (struct slice){ 0 })), !known, "kind %u", kind);
    }
    cr_assert_not_null(strstr(err.text, "unknown kind 255"), "%s", err.text);
}

Test(frame, an_oversize_frame_is_refused_by_its_head_alone)
{
    struct frame frame;
    size_t used;

    cr_assert(refused(raw(FRAME_NOTE, MAX + 1, (struct slice){ 0 })));
    cr_assert_not_null(strstr(err.text, "at most 1048576"), "%s", err.text);
    cr_assert(refused(raw(FRAME_NOTE, UINT32_MAX, (struct slice){ 0 })));
    cr_assert(frame_read(&arena, raw(FRAME_NOTE, MAX, (struct slice){ 0 }), MAX, &frame, &used,
                         &err));
    cr_assert_eq(used, 0, "the largest that is allowed is waited for");
}

Test(frame, a_body_that_is_no_msgpack_is_refused)
{
    cr_assert(refused(bodied(FRAME_CANCEL, (struct slice){ 0 })), "none at all");
    cr_assert(refused(bodied(FRAME_CANCEL, SLICE("\xc1"))));
    cr_assert(refused(bodied(FRAME_CANCEL, SLICE("\x91"))));
    cr_assert(refused(bodied(FRAME_CANCEL, SLICE("\x91\x01\x01"))), "more than one value");
    cr_assert(refused(bodied(FRAME_CANCEL, SLICE("hello, world"))));
}

Test(frame, a_body_of_another_shape_is_refused)
{
    cr_assert(refused(bodied(FRAME_CANCEL, SLICE("\x01"))), "no list");
    cr_assert(refused(bodied(FRAME_CANCEL, SLICE("\x81\xa1"
                                                 "a\x01"))),
              "a map");
    cr_assert(refused(bodied(FRAME_CANCEL, SLICE("\x90"))), "too few");
    cr_assert(refused(bodied(FRAME_CANCEL, SLICE("\x92\x01\x02"))), "too many");
    cr_assert(refused(bodied(FRAME_CANCEL, SLICE("\x91\xa1x"))), "text for a number");
    cr_assert(refused(bodied(FRAME_CANCEL, SLICE("\x91\xc0"))), "nothing for a number");
    cr_assert(refused(bodied(FRAME_CANCEL, SLICE("\x91\xca\x3f\x80\0\0"))), "a float");
    cr_assert(refused(bodied(FRAME_FORK, SLICE("\x91\xff"))), "below zero");
    cr_assert(refused(bodied(FRAME_FORK, SLICE("\x91\xcf\0\0\0\x01\0\0\0\0"))), "over 32 bits");
    cr_assert(refused(bodied(FRAME_LOADED, SLICE("\x91\xa1x"))), "text for bytes");
    cr_assert(refused(bodied(FRAME_REFUSED, SLICE("\x91\xc4\x01\xff"))),
              "bytes that are no text");
}

/* Each item of each kind of frame replaced by something that it never is. */
Test(frame, every_field_refuses_what_it_cannot_be)
{
    for (int i = 0; i < EXAMPLES; i++) {
        struct slice whole = arena_copy(&arena, written(&examples[i]));
        struct slice body = { whole.data + FRAME_HEADER_BYTES,
                              whole.size - FRAME_HEADER_BYTES };
        struct value list;
        cr_assert(pack_read(&arena, body, &list, &err));
        for (uint32_t at = 0; at < list.count; at++) {
            struct value kept = list.items[at];
            list.items[at] = value_text("neither number, nor bytes, list or bool");
            cr_assert(refused(bodied(examples[i].kind, pack_value(&arena, &list))),
                      "item %u of kind %d", at, i + 1);
            list.items[at] = kept;
        }
    }
}

/* The body of an example with one item changed. */
static struct slice changed(int example, uint32_t at, struct value item)
{
    struct slice whole = arena_copy(&arena, written(&examples[example]));
    struct value list;

    cr_assert(pack_read(
        &arena,
        (struct slice){ whole.data + FRAME_HEADER_BYTES, whole.size - FRAME_HEADER_BYTES },
        &list, &err));
    cr_assert_lt(at, list.count);
    list.items[at] = item;
    return bodied(examples[example].kind, pack_value(&arena, &list));
}

static struct value list_of(uint32_t count, struct value item)
{
    struct value list = value_list();

    for (uint32_t i = 0; i < count; i++)
        value_add(&arena, &list, item);
    return list;
}

Test(frame, numbers_that_choose_are_within_their_choices)
{
    cr_assert(refused(changed(3, 3, value_int(CALL_KIND_COUNT))));
    cr_assert(refused(changed(4, 2, value_int(NOTE_KIND_COUNT))));
    cr_assert(refused(changed(5, 2, value_int(VERDICT_COUNT))));
    cr_assert(refused(changed(5, 4, value_int(WAIT_KIND_COUNT))));
    cr_assert_not(refused(changed(5, 2, value_int(VERDICT_COUNT - 1))));
}

Test(frame, a_list_of_groups_must_be_whole)
{
    struct value nothing = { .kind = VALUE_BYTES };

    cr_assert(refused(changed(5, 14, list_of(1, value_int(0)))), "a third of an operation");
    cr_assert(refused(changed(5, 14, list_of(5, value_int(0)))));
    cr_assert(refused(changed(0, 16, list_of(4, value_int(0)))), "most of a result");
    cr_assert(refused(changed(0, 17, list_of(1, nothing))), "half of a record");
}

Test(frame, a_stack_deeper_than_we_keep_is_refused)
{
    cr_assert_not(refused(changed(6, 2, list_of(FRAME_MAX_STACK, value_int(1)))));
    cr_assert(refused(changed(6, 2, list_of(FRAME_MAX_STACK + 1, value_int(1)))));
}

static uint64_t dice = 99;

static uint64_t throw(void)
{
    dice ^= dice << 13, dice ^= dice >> 7, dice ^= dice << 17;
    return dice;
}

Test(frame, random_bytes_never_break_it)
{
    for (int round = 0; round < 100000; round++) {
        struct frame frame;
        char body[48];
        size_t used, size = throw() % sizeof body;
        for (size_t i = 0; i < size; i++)
            body[i] = (char)(throw() >> 20);
        if (size > 0 && throw() % 2 == 0)
            body[0] = (char)(0x90 | throw() % 16);
        struct slice bytes =
            bodied((unsigned)(throw() % (FRAME_KIND_COUNT + 2)), (struct slice){ body, size });
        (void)read_cut(bytes, bytes.size, &frame, &used);
        if (round % 64 == 0)
            arena_reset(&arena);
    }
}

/* What a plugin that scribbles over its process would send: nearly right. */
Test(frame, damaged_frames_never_break_it)
{
    for (int round = 0; round < 100000; round++) {
        struct frame frame;
        struct buffer again = { 0 };
        size_t used;
        struct slice whole = written(&examples[throw() % EXAMPLES]);
        out.data[throw() % whole.size] = (char)(throw() >> 20);
        char *bytes = memcpy(malloc(whole.size), whole.data, whole.size);

        bool ok =
            frame_read(&arena, (struct slice){ bytes, whole.size }, MAX, &frame, &used, &err);

        if (ok && used > 0)
            frame_write(&again, &frame); /* looks at every byte of it */
        buffer_finish(&again);
        free(bytes);
        if (round % 64 == 0)
            arena_reset(&arena);
    }
}
