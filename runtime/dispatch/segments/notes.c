#include "notes.h"

#include "dispatch/host.h"
#include "job.h"

enum {
    NOTES_MAX = 1000,
    NOTES_MAX_BYTES = 1 << 18,
    NOTES_PERIOD_MS = 1000,
    NOTES_RUSH_MS = 50, /* the shortest pause between two sends, when they fill up */
};

static void pad_clear(struct pad *pad)
{
    struct arena arena = pad->arena;

    arena_reset(&arena);
    *pad = (struct pad){ .arena = arena, .sent_ms = pad->sent_ms };
}

static struct frame_note *note_new(struct pad *pad)
{
    if (pad->count == pad->capacity) {
        uint32_t capacity = pad->capacity == 0 ? 8 : pad->capacity * 2;
        struct frame_note *more = ARENA_ARRAY(&pad->arena, struct frame_note, capacity);
        for (uint32_t i = 0; i < pad->count; i++)
            more[i] = pad->notes[i];
        pad->notes = more;
        pad->capacity = capacity;
    }
    return &pad->notes[pad->count++];
}

static struct slice text_cut(struct slice text, size_t limit)
{
    if (text.size <= limit)
        return text;
    while (limit > 0 && ((unsigned char)text.data[limit] & 0xc0) == 0x80)
        limit--; /* not inside a character */
    return (struct slice){ text.data, limit };
}

static bool is_full(const struct pad *pad)
{
    return pad->count >= NOTES_MAX || pad->arena.used_bytes >= NOTES_MAX_BYTES;
}

static void pad_send(struct dispatch *dispatch, struct job *job, int64_t now_ms)
{
    struct cell *cell = cell_take(dispatch, COMMAND_NOTES);
    struct pad *pad = &job->pad;

    cell->command.notes.run_id = job->run_id;
    cell->command.notes.seq = job->seq;
    cell->command.notes.notes = pad_take(pad, &cell->arena, &cell->command.notes.note_count);
    /* A log line is no promise: with a full disk it is tried for a while. */
    cell->give_up_ms = now_ms + 10000;
    pad->sent_ms = now_ms;
    cell_submit(cell);
}

/* Of a flood the end is kept: half of what came goes. */
static void pad_halve(struct pad *pad)
{
    struct pad old = *pad;
    uint32_t from = (old.count + 1) / 2;

    *pad = (struct pad){ .since_ms = old.since_ms,
                         .sent_ms = old.sent_ms,
                         .dropped = old.dropped };
    for (uint32_t i = 0; i < old.count; i++) {
        bool is_progress = old.progress_at == i + 1;
        if (i < from && !is_progress) {
            pad->dropped++;
            continue;
        }
        struct frame_note *note = note_new(pad);
        *note = old.notes[i];
        note->text = arena_copy(&pad->arena, note->text);
        if (is_progress)
            pad->progress_at = pad->count;
    }
    arena_finish(&old.arena);
}

void pad_add(struct dispatch *dispatch, struct job *job, const struct frame_note *note)
{
    struct pad *pad = &job->pad;
    int64_t now_ms = dispatch_now(dispatch);
    struct frame_note *kept;

    if (is_full(pad) && now_ms - pad->sent_ms >= NOTES_RUSH_MS)
        pad_send(dispatch, job, now_ms);
    if (note->kind == NOTE_PROGRESS && pad->progress_at > 0) {
        kept = &pad->notes[pad->progress_at - 1];
    } else {
        if (is_full(pad))
            pad_halve(pad);
        kept = note_new(pad);
        if (note->kind == NOTE_PROGRESS)
            pad->progress_at = pad->count;
    }
    *kept = *note;
    kept->text =
        note->kind == NOTE_PROGRESS
            ? (struct slice){ 0 }
            : arena_copy(&pad->arena,
                         text_cut(note->text, dispatch->config->limits.log_line_bytes));
    if (pad->since_ms == 0) {
        pad->since_ms = now_ms;
        dispatch_alarm(dispatch, now_ms + NOTES_PERIOD_MS);
    }
}

struct frame_note *pad_take(struct pad *pad, struct arena *arena, uint32_t *count)
{
    struct frame_note *taken = NULL;

    *count = pad->count;
    if (pad->count == 0)
        return NULL;
    taken = ARENA_ARRAY(arena, struct frame_note, pad->count + 1);
    for (uint32_t i = 0; i < pad->count; i++) {
        taken[i] = pad->notes[i];
        taken[i].text = arena_copy(arena, pad->notes[i].text);
    }
    if (pad->dropped > 0) {
        memmove(taken + 1, taken, *count * sizeof *taken);
        taken[0].kind = NOTE_LOG;
        taken[0].level = 2;
        taken[0].text =
            arena_format(arena, "%u log lines came too fast and were dropped", pad->dropped);
        ++*count;
    }
    pad_clear(pad);
    return taken;
}

int64_t pad_tick(struct dispatch *dispatch, struct job *job, int64_t now_ms)
{
    struct pad *pad = &job->pad;

    if (pad->since_ms == 0)
        return 0;
    if (now_ms < pad->since_ms + NOTES_PERIOD_MS)
        return pad->since_ms + NOTES_PERIOD_MS;
    if (!job->is_canceled)
        pad_send(dispatch, job, now_ms);
    else
        pad->since_ms = 0; /* they go with its release */
    return 0;
}
