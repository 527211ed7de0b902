/*
 * One write_ and one read_ function a kind of frame, side by side and in the same order of
 * fields. The readers take items off a list that was already parsed, through a cursor that
 * remembers the first mismatch, so that they read as straight as the writers.
 */
#include "frame.h"

#include "codec/frame_wait.h"
#include "codec/pack.h"

#include <assert.h>

static void write_stack(struct buffer *out, const uint64_t *stack, uint32_t depth)
{
    assert(depth <= FRAME_MAX_STACK);
    pack_list(out, depth);
    for (uint32_t i = 0; i < depth; i++)
        pack_int(out, (int64_t)stack[i]);
}

static uint32_t read_stack(struct cursor *cursor, uint64_t *stack)
{
    struct cursor list = cursor_list(cursor);

    if (list.count > FRAME_MAX_STACK) {
        cursor->broken = true;
        return 0;
    }
    for (uint32_t i = 0; i < list.count; i++)
        stack[i] = (uint64_t)cursor_int(&list);
    cursor->broken |= list.broken;
    return list.count;
}

enum { SEGMENT_ITEMS = 28 };

static void write_segment(struct buffer *out, const struct frame_segment *frame)
{
    pack_list(out, SEGMENT_ITEMS);
    pack_int(out, frame->run_id);
    pack_int(out, frame->seq);
    pack_int(out, frame->attempt);
    pack_int(out, frame->max_attempts);
    pack_int(out, frame->entry);
    pack_int(out, frame->id_block);
    pack_bytes(out, frame->key);
    pack_int(out, frame->created_ms);
    pack_int(out, frame->parent_id);
    pack_int(out, frame->root_id);
    pack_bytes(out, frame->environment);
    pack_bytes(out, frame->task);
    pack_bytes(out, frame->segment);
    pack_bytes(out, frame->input);
    pack_bytes(out, frame->state);
    pack_bytes(out, frame->metadata);
    names_write(out, frame->tags, frame->tag_count);
    results_write(out, frame);
    pack_int(out, frame->reminder);
    pack_list(out, frame->once_count * 2);
    for (uint32_t i = 0; i < frame->once_count; i++) {
        pack_bytes(out, frame->once[i].name);
        pack_bytes(out, frame->once[i].value);
    }
    pack_int(out, frame->limit_ms);
    pack_bool(out, frame->is_test);
    pack_bool(out, frame->is_rerun);
    pack_bytes(out, frame->ending);
    pack_bytes(out, frame->error_code);
    pack_bytes(out, frame->error_text);
    pack_int(out, frame->cpu_ms);
    pack_bool(out, frame->only_loads);
}

static void read_segment(struct cursor *cursor, struct frame_segment *frame)
{
    frame->run_id = cursor_int(cursor);
    frame->seq = cursor_u32(cursor);
    frame->attempt = cursor_u32(cursor);
    frame->max_attempts = cursor_u32(cursor);
    frame->entry = cursor_u32(cursor);
    frame->id_block = cursor_int(cursor);
    frame->key = cursor_bytes(cursor);
    frame->created_ms = cursor_int(cursor);
    frame->parent_id = cursor_int(cursor);
    frame->root_id = cursor_int(cursor);
    frame->environment = cursor_text(cursor);
    frame->task = cursor_text(cursor);
    frame->segment = cursor_text(cursor);
    frame->input = cursor_bytes(cursor);
    frame->state = cursor_bytes(cursor);
    frame->metadata = cursor_bytes(cursor);
    names_read(cursor, &frame->tags, &frame->tag_count);
    results_read(cursor, frame);
    frame->reminder = cursor_u32(cursor);
    struct cursor once = cursor_groups(cursor, 2, &frame->once_count);
    frame->once = ARENA_ARRAY(cursor->arena, struct frame_once, frame->once_count);
    for (uint32_t i = 0; i < frame->once_count; i++) {
        frame->once[i].name = cursor_text(&once);
        frame->once[i].value = cursor_bytes(&once);
    }
    frame->limit_ms = cursor_int(cursor);
    frame->is_test = cursor_bool(cursor);
    frame->is_rerun = cursor_bool(cursor);
    frame->ending = cursor_text(cursor);
    frame->error_code = cursor_text(cursor);
    frame->error_text = cursor_text(cursor);
    frame->cpu_ms = cursor_int(cursor);
    frame->only_loads = cursor_bool(cursor);
    cursor->broken |= once.broken;
}

static void write_reply(struct buffer *out, const struct frame_reply *frame)
{
    pack_list(out, 4);
    pack_int(out, frame->call);
    pack_int(out, frame->error);
    pack_bytes(out, frame->text);
    pack_bytes(out, frame->body);
}

static void read_reply(struct cursor *cursor, struct frame_reply *frame)
{
    frame->call = cursor_u32(cursor);
    frame->error = cursor_u32(cursor);
    frame->text = cursor_text(cursor);
    frame->body = cursor_bytes(cursor);
    cursor->broken |= frame->error >= ERR_CODE_COUNT;
}

static void write_cancel(struct buffer *out, const struct frame_cancel *frame)
{
    pack_list(out, 1);
    pack_int(out, frame->run_id);
}

static void read_cancel(struct cursor *cursor, struct frame_cancel *frame)
{
    frame->run_id = cursor_int(cursor);
}

static void write_call(struct buffer *out, const struct frame_call *frame)
{
    pack_list(out, 6);
    pack_int(out, frame->run_id);
    pack_int(out, frame->seq);
    pack_int(out, frame->call);
    pack_int(out, frame->kind);
    pack_bool(out, frame->is_ahead);
    pack_bytes(out, frame->body);
}

static void read_call(struct cursor *cursor, struct frame_call *frame)
{
    frame->run_id = cursor_int(cursor);
    frame->seq = cursor_u32(cursor);
    frame->call = cursor_u32(cursor);
    frame->kind = cursor_u32(cursor);
    frame->is_ahead = cursor_bool(cursor);
    frame->body = cursor_bytes(cursor);
    cursor->broken |=
        frame->kind >= CALL_KIND_COUNT || (frame->is_ahead && frame->kind != CALL_TOKEN);
}

static void write_note(struct buffer *out, const struct frame_note *frame)
{
    pack_list(out, 7);
    pack_int(out, frame->run_id);
    pack_int(out, frame->seq);
    pack_int(out, frame->kind);
    pack_int(out, frame->level);
    pack_int(out, frame->at_ms);
    pack_bytes(out, frame->text);
    pack_int(out, frame->left_out);
}

static void read_note(struct cursor *cursor, struct frame_note *frame)
{
    frame->run_id = cursor_int(cursor);
    frame->seq = cursor_u32(cursor);
    frame->kind = cursor_u32(cursor);
    frame->level = cursor_u32(cursor);
    frame->at_ms = cursor_int(cursor);
    frame->text = cursor_text(cursor);
    frame->left_out = cursor_u32(cursor);
    cursor->broken |= frame->kind >= NOTE_KIND_COUNT;
}

static void write_meta(struct buffer *out, const struct frame_end *frame)
{
    pack_list(out, frame->meta_count * 3);
    for (uint32_t i = 0; i < frame->meta_count; i++) {
        pack_int(out, frame->meta[i].kind);
        pack_bytes(out, frame->meta[i].key);
        pack_bytes(out, frame->meta[i].value);
    }
}

static void read_meta(struct cursor *cursor, struct frame_end *frame)
{
    struct cursor list = cursor_groups(cursor, 3, &frame->meta_count);

    frame->meta = ARENA_ARRAY(cursor->arena, struct frame_meta, frame->meta_count);
    for (uint32_t i = 0; i < frame->meta_count; i++) {
        frame->meta[i].kind = cursor_u32(&list);
        frame->meta[i].key = cursor_text(&list);
        frame->meta[i].value = cursor_bytes(&list);
        list.broken |= !meta_is_known(frame->meta[i].kind);
    }
    cursor->broken |= list.broken;
}

enum { END_ITEMS = 21 + 1 + 4 };

static void write_end(struct buffer *out, const struct frame_end *frame)
{
    pack_list(out, END_ITEMS);
    pack_int(out, frame->run_id);
    pack_int(out, frame->seq);
    pack_int(out, frame->verdict);
    pack_int(out, (int64_t)frame->cpu_ns);
    pack_int(out, frame->wait_kind);
    pack_int(out, frame->needed);
    pack_int(out, frame->due_ms);
    pack_int(out, frame->span_ms);
    ids_write(out, frame->ids, frame->id_count);
    parts_write(out, frame->parts, frame->part_count);
    manner_write(out, &frame->manner);
    pack_bytes(out, frame->key);
    pack_bool(out, frame->key_global);
    pack_int(out, frame->key_ttl_ms);
    pack_bytes(out, frame->then);
    pack_bytes(out, frame->state);
    names_write(out, frame->aborts, frame->abort_count);
    pack_bytes(out, frame->output);
    pack_bytes(out, frame->error_code);
    pack_bytes(out, frame->error_text);
    pack_bool(out, frame->retryable);
    pack_bool(out, frame->is_upstream);
    write_meta(out, frame);
}

static void read_end(struct cursor *cursor, struct frame_end *frame)
{
    frame->run_id = cursor_int(cursor);
    frame->seq = cursor_u32(cursor);
    frame->verdict = cursor_u32(cursor);
    frame->cpu_ns = (uint64_t)cursor_int(cursor);
    frame->wait_kind = cursor_u32(cursor);
    frame->needed = cursor_u32(cursor);
    frame->due_ms = cursor_int(cursor);
    frame->span_ms = cursor_int(cursor);
    ids_read(cursor, &frame->ids, &frame->id_count);
    parts_read(cursor, &frame->parts, &frame->part_count);
    manner_read(cursor, &frame->manner);
    frame->key = cursor_text(cursor);
    frame->key_global = cursor_bool(cursor);
    frame->key_ttl_ms = cursor_int(cursor);
    frame->then = cursor_text(cursor);
    frame->state = cursor_bytes(cursor);
    names_read(cursor, &frame->aborts, &frame->abort_count);
    frame->output = cursor_bytes(cursor);
    frame->error_code = cursor_text(cursor);
    frame->error_text = cursor_text(cursor);
    frame->retryable = cursor_bool(cursor);
    frame->is_upstream = cursor_bool(cursor);
    read_meta(cursor, frame);
    cursor->broken |= frame->verdict >= VERDICT_COUNT || frame->wait_kind >= WAIT_KIND_COUNT;
}

static void write_crash(struct buffer *out, const struct frame_crash *frame)
{
    pack_list(out, 3);
    pack_int(out, frame->signal);
    pack_int(out, (int64_t)frame->address);
    write_stack(out, frame->stack, frame->depth);
}

static void read_crash(struct cursor *cursor, struct frame_crash *frame)
{
    frame->signal = cursor_u32(cursor);
    frame->address = (uint64_t)cursor_int(cursor);
    frame->depth = read_stack(cursor, frame->stack);
}

static void write_fork(struct buffer *out, const struct frame_fork *frame)
{
    pack_list(out, 1);
    pack_int(out, frame->slot);
}

static void read_fork(struct cursor *cursor, struct frame_fork *frame)
{
    frame->slot = cursor_u32(cursor);
}

static void write_kill(struct buffer *out, const struct frame_kill *frame)
{
    pack_list(out, 2);
    pack_int(out, frame->slot);
    pack_int(out, frame->signal);
}

static void read_kill(struct cursor *cursor, struct frame_kill *frame)
{
    frame->slot = cursor_u32(cursor);
    frame->signal = cursor_u32(cursor);
}

static void write_symbolize(struct buffer *out, const struct frame_symbolize *frame)
{
    pack_list(out, 2);
    pack_int(out, frame->slot);
    write_stack(out, frame->stack, frame->depth);
}

static void read_symbolize(struct cursor *cursor, struct frame_symbolize *frame)
{
    frame->slot = cursor_u32(cursor);
    frame->depth = read_stack(cursor, frame->stack);
}

static void write_loaded(struct buffer *out, const struct frame_loaded *frame)
{
    pack_list(out, 1);
    pack_bytes(out, frame->description);
}

static void read_loaded(struct cursor *cursor, struct frame_loaded *frame)
{
    frame->description = cursor_bytes(cursor);
}

static void write_refused(struct buffer *out, const struct frame_refused *frame)
{
    pack_list(out, 1);
    pack_bytes(out, frame->reason);
}

static void read_refused(struct cursor *cursor, struct frame_refused *frame)
{
    frame->reason = cursor_text(cursor);
}

static void write_forked(struct buffer *out, const struct frame_forked *frame)
{
    pack_list(out, 2);
    pack_int(out, frame->slot);
    pack_int(out, frame->pid);
}

static void read_forked(struct cursor *cursor, struct frame_forked *frame)
{
    frame->slot = cursor_u32(cursor);
    frame->pid = (int32_t)cursor_int(cursor);
}

static void write_exited(struct buffer *out, const struct frame_exited *frame)
{
    pack_list(out, 6);
    pack_int(out, frame->slot);
    pack_int(out, frame->status);
    pack_int(out, (int64_t)frame->cpu_us);
    pack_int(out, (int64_t)frame->max_rss_bytes);
    pack_int(out, frame->left_out);
    pack_bytes(out, frame->prints);
}

static void read_exited(struct cursor *cursor, struct frame_exited *frame)
{
    frame->slot = cursor_u32(cursor);
    frame->status = (int32_t)cursor_int(cursor);
    frame->cpu_us = (uint64_t)cursor_int(cursor);
    frame->max_rss_bytes = (uint64_t)cursor_int(cursor);
    frame->left_out = cursor_u32(cursor);
    frame->prints = cursor_text(cursor);
}

static void write_symbols(struct buffer *out, const struct frame_symbols *frame)
{
    pack_list(out, 2);
    pack_int(out, frame->slot);
    pack_bytes(out, frame->text);
}

static void read_symbols(struct cursor *cursor, struct frame_symbols *frame)
{
    frame->slot = cursor_u32(cursor);
    frame->text = cursor_text(cursor);
}

/* Every kind of frame with a body, and the member of struct frame that holds it. */
/* clang-format off */
#define FRAME_MAP(X)                                                              \
    X(SEGMENT, segment) X(REPLY, reply) X(CANCEL, cancel) X(CALL, call)           \
    X(NOTE, note) X(END, end) X(CRASH, crash) X(FORK, fork) X(KILL, kill)         \
    X(SYMBOLIZE, symbolize) X(LOADED, loaded) X(REFUSED, refused) X(FORKED, forked) \
    X(EXITED, exited) X(SYMBOLS, symbols)
/* clang-format on */

void frame_write(struct buffer *out, const struct frame *frame)
{
    size_t start = out->size;

    buffer_reserve(out, FRAME_HEADER_BYTES);
    out->size += FRAME_HEADER_BYTES;
    switch (frame->kind) {
#define X(name, member)                      \
    case FRAME_##name:                       \
        write_##member(out, &frame->member); \
        break;
        FRAME_MAP(X)
#undef X
    case FRAME_NONE:
    case FRAME_KIND_COUNT:
        assert(false && "a frame without a kind");
    }
    size_t size = out->size - start - FRAME_HEADER_BYTES;
    assert(size <= UINT32_MAX);
    for (size_t i = 0; i < 4; i++)
        out->data[start + i] = (char)(size >> (8 * i) & 0xff);
    out->data[start + 4] = (char)frame->kind;
}

static bool body_read(struct cursor *cursor, enum frame_kind kind, struct frame *frame)
{
    switch (kind) {
#define X(name, member)                        \
    case FRAME_##name:                         \
        read_##member(cursor, &frame->member); \
        break;
        FRAME_MAP(X)
#undef X
    case FRAME_NONE:
    case FRAME_KIND_COUNT:
    default:
        return false;
    }
    return !cursor->broken && cursor->at == cursor->count;
}

bool frame_read(struct arena *arena, struct slice bytes, size_t max_bytes, struct frame *frame,
                size_t *used, struct err *err)
{
    const unsigned char *head = (const unsigned char *)bytes.data;
    struct value body;

    *used = 0;
    if (bytes.size < FRAME_HEADER_BYTES)
        return true;
    size_t size =
        (size_t)head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
    if (head[4] == FRAME_NONE || head[4] >= FRAME_KIND_COUNT)
        return err_set(err, ERR_BAD_REQUEST, "broken frame: unknown kind %u", head[4]);
    if (size > max_bytes)
        return err_set(err, ERR_BAD_REQUEST, "broken frame: %zu bytes, at most %zu are allowed",
                       size, max_bytes);
    if (bytes.size - FRAME_HEADER_BYTES < size)
        return true;
    if (!pack_read(arena, (struct slice){ bytes.data + FRAME_HEADER_BYTES, size }, &body, err))
        return false;
    *frame = (struct frame){ .kind = (enum frame_kind)head[4] };
    struct cursor cursor = { .arena = arena,
                             .items = body.kind == VALUE_LIST ? body.items : NULL,
                             .count = body.kind == VALUE_LIST ? body.count : 0 };
    if (!body_read(&cursor, frame->kind, frame))
        return err_set(err, ERR_BAD_REQUEST,
                       "broken frame: the body of kind %u has another shape", head[4]);
    *used = FRAME_HEADER_BYTES + size;
    return true;
}
