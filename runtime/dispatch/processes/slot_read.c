/*
 * What slots say. Plugin code shares their process, so nothing is believed: a frame that does
 * not fit what the slot is running ends it.
 */
#include "base/id.h"
#include "base/log.h"
#include "dispatch/host.h"
#include "dispatch/processes/calls.h"
#include "dispatch/segments/job.h"
#include "slot.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>

enum {
    READS_AT_ONCE = 4,
    CRASH_MS = 1000, /* from its report to its end */
    SLACK_BYTES = 1 << 16,
};

/* The most a good slot ever sends in one frame. */
static size_t frame_limit(const struct config *config)
{
    const struct config_limits *limits = &config->limits;
    size_t bytes =
        (size_t)(limits->state_bytes + limits->output_bytes + limits->metadata_bytes +
                 limits->payload_bytes + limits->token_bytes);

    return bytes > FRAME_MAX_BYTES - SLACK_BYTES ? FRAME_MAX_BYTES : bytes + SLACK_BYTES;
}

static bool fits(struct slot *slot, int64_t run_id, uint32_t seq, const char *what)
{
    struct job *job = slot_job(slot);

    if (job != NULL && job->run_id == run_id && job->seq == seq)
        return true;
    slot_fail(slot, FAULT_PROTOCOL, SIGKILL, "it sent %s for a run that it does not run", what);
    return false;
}

static bool end_take(struct slot *slot, struct outgoing *outgoing, struct frame *frame)
{
    struct job *job = slot_job(slot);

    if (!fits(slot, frame->end.run_id, frame->end.seq, "an end"))
        return false;
    if (slot->call != NULL) {
        slot_fail(slot, FAULT_PROTOCOL, SIGKILL, "it ended a segment inside a call");
        return false;
    }
    struct frame_end *end = ARENA_NEW(&outgoing->arena, struct frame_end);
    *end = frame->end;
    list_remove(&job->node);
    job_end(slot->dispatch, job, outgoing, end);
    slot_advance(slot);
    slot->on->ended(slot, frame->end.run_id);
    return true;
}

static void crash_take(struct slot *slot, const struct frame_crash *crash)
{
    slot->has_crash = true;
    slot->crash = *crash;
    if (slot->state != SLOT_LIVE)
        return;
    slot->state = SLOT_DYING;
    slot->kill_ms = dispatch_now(slot->dispatch) + CRASH_MS;
    dispatch_alarm(slot->dispatch, slot->kill_ms);
}

static void note_take(struct slot *slot, const struct frame_note *note)
{
    struct job *job = slot_job(slot);

    if (note->kind == NOTE_WORN) {
        slot_worn(slot, note->text);
        return;
    }
    if (!fits(slot, note->run_id, note->seq, "a note"))
        return;
    if (note->kind == NOTE_REMARK)
        log_warn("run.remark", "run=%s %.*s",
                 id_format("run", note->run_id, (char[ID_TEXT_SIZE]){ 0 }),
                 SLICE_ARG(note->text));
    notes_add(slot->dispatch, job, note);
}

static void call_take(struct slot *slot, const struct frame_call *call)
{
    if (!fits(slot, call->run_id, call->seq, "a call"))
        return;
    if (slot->call != NULL)
        slot_fail(slot, FAULT_PROTOCOL, SIGKILL, "it made a call inside a call");
    else
        call_begin(slot, slot_job(slot), call);
}

static void frame_take(struct slot *slot, struct frame *frame)
{
    if (frame->kind == FRAME_CRASH)
        crash_take(slot, &frame->crash);
    else if (slot->fault != FAULT_NONE)
        return; /* it is too late for anything else */
    else if (frame->kind == FRAME_NOTE)
        note_take(slot, &frame->note);
    else if (frame->kind == FRAME_CALL)
        call_take(slot, &frame->call);
    else
        slot_fail(slot, FAULT_PROTOCOL, SIGKILL, "it sent a frame of kind %d",
                  (int)frame->kind);
}

/* An END's bytes must live as long as its command, so it is read in the command's arena. */
static bool end_read(struct slot *slot, struct slice bytes, size_t limit, size_t *used)
{
    struct outgoing *outgoing = outgoing_take(slot->dispatch, COMMAND_SEGMENT_END);
    struct frame frame;
    struct err err = { 0 };

    bytes = arena_copy(&outgoing->arena, bytes);
    bool is_good = frame_read(&outgoing->arena, bytes, limit, &frame, used, &err);
    if (!is_good)
        slot_fail(slot, FAULT_PROTOCOL, SIGKILL, "%s", err.text);
    if (!is_good || !end_take(slot, outgoing, &frame))
        outgoing_drop(outgoing);
    return is_good;
}

static size_t frame_size(struct slice bytes)
{
    const unsigned char *head = (const unsigned char *)bytes.data;

    return FRAME_HEADER_BYTES + ((size_t)head[0] | (size_t)head[1] << 8 |
                                 (size_t)head[2] << 16 | (size_t)head[3] << 24);
}

/* Take one frame; *used is 0 when it is not all there. False: the slot is broken. */
static bool frame_next(struct slot *slot, struct slice bytes, size_t *used)
{
    struct dispatch *dispatch = slot->dispatch;
    size_t limit = frame_limit(dispatch->config);
    struct frame frame;
    struct err err = { 0 };

    *used = 0;
    if (bytes.size >= FRAME_HEADER_BYTES && bytes.data[4] == FRAME_END &&
        slot->fault == FAULT_NONE && frame_size(bytes) <= bytes.size)
        return end_read(slot, (struct slice){ bytes.data, frame_size(bytes) }, limit, used);
    if (!frame_read(&dispatch->arena, bytes, limit, &frame, used, &err)) {
        slot_fail(slot, FAULT_PROTOCOL, SIGKILL, "%s", err.text);
        return false;
    }
    if (*used > 0)
        frame_take(slot, &frame);
    arena_reset(&dispatch->arena);
    return true;
}

static bool bytes_take(struct slot *slot, struct slice bytes)
{
    bool is_kept = slot->in.size > 0;
    size_t at = 0, used;

    if (is_kept) {
        buffer_slice(&slot->in, bytes);
        bytes = buffer_view(&slot->in);
    }
    do {
        if (!frame_next(slot, (struct slice){ bytes.data + at, bytes.size - at }, &used))
            return false;
        at += used;
    } while (used > 0 && at < bytes.size);
    if (is_kept)
        buffer_consume(&slot->in, at);
    else
        buffer_add(&slot->in, bytes.data + at, bytes.size - at);
    if (slot->in.size == 0 && slot->in.capacity > READ_BYTES)
        buffer_finish(&slot->in);
    return true;
}

bool slot_read(struct slot *slot)
{
    struct dispatch *dispatch = slot->dispatch;

    for (int i = 0; i < READS_AT_ONCE && slot->fd >= 0; i++) {
        ssize_t got = recv(slot->fd, dispatch->read_bytes, READ_BYTES, MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK;
        if (got == 0 || !bytes_take(slot, (struct slice){ dispatch->read_bytes, (size_t)got }))
            return false;
        if (got < READ_BYTES)
            return true; /* the usual case: spares the read that would say EAGAIN */
    }
    return true;
}
