#include "notes.h"

#include "base/clock.h"
#include "dispatch/host.h"
#include "job.h"

enum {
    NOTES_MAX = 1000,
    NOTES_MAX_BYTES = 1 << 18,
    NOTES_PERIOD_MS = 1000,
    NOTES_RUSH_MS = 50, /* the shortest pause between two sends, when they fill up */
};

static void notes_clear(struct job_notes *notes)
{
    struct arena arena = notes->arena;

    arena_reset(&arena);
    *notes = (struct job_notes){ .arena = arena, .sent_ms = notes->sent_ms };
}

static struct frame_note *note_new(struct job_notes *notes)
{
    if (notes->count == notes->capacity) {
        uint32_t capacity = notes->capacity == 0 ? 8 : notes->capacity * 2;
        struct frame_note *more = ARENA_ARRAY(&notes->arena, struct frame_note, capacity);
        for (uint32_t i = 0; i < notes->count; i++)
            more[i] = notes->items[i];
        notes->items = more;
        notes->capacity = capacity;
    }
    return &notes->items[notes->count++];
}

static struct slice text_cut(struct slice text, size_t limit)
{
    if (text.size <= limit)
        return text;
    while (limit > 0 && ((unsigned char)text.data[limit] & 0xc0) == 0x80)
        limit--; /* not inside a character */
    return (struct slice){ text.data, limit };
}

static bool is_full(const struct job_notes *notes)
{
    return notes->count >= NOTES_MAX || notes->arena.used_bytes >= NOTES_MAX_BYTES;
}

static void notes_send(struct dispatch *dispatch, struct job *job, int64_t now_ms)
{
    struct outgoing *outgoing = outgoing_take(dispatch, COMMAND_NOTES);
    struct job_notes *notes = &job->notes;

    outgoing->command.notes.run_id = job->run_id;
    outgoing->command.notes.seq = job->seq;
    outgoing->command.notes.notes =
        notes_take(notes, &outgoing->arena, &outgoing->command.notes.note_count);
    /* A log line is no promise: with a full disk it is tried for a while. */
    outgoing->give_up_ms = now_ms + 10000;
    notes->sent_ms = now_ms;
    outgoing_submit(outgoing);
}

/* Of a flood the end is kept: half of what came goes. */
static void notes_halve(struct job_notes *notes)
{
    struct job_notes old = *notes;
    uint32_t from = (old.count + 1) / 2, left_out = 0;

    *notes = (struct job_notes){ .since_ms = old.since_ms, .sent_ms = old.sent_ms };
    for (uint32_t i = 0; i < old.count; i++) {
        bool is_progress = old.progress_at == i + 1;
        if (i < from && !is_progress) {
            left_out += old.items[i].left_out + 1;
            continue;
        }
        struct frame_note *note = note_new(notes);
        *note = old.items[i];
        note->text = arena_copy(&notes->arena, note->text);
        if (is_progress) {
            notes->progress_at = notes->count;
        } else {
            note->left_out += left_out;
            left_out = 0;
        }
    }
    arena_finish(&old.arena);
}

void notes_add(struct dispatch *dispatch, struct job *job, const struct frame_note *note)
{
    struct job_notes *notes = &job->notes;
    int64_t now_ms = dispatch_now(dispatch);
    struct frame_note *kept;

    if (is_full(notes) && now_ms - notes->sent_ms >= NOTES_RUSH_MS)
        notes_send(dispatch, job, now_ms);
    if (note->kind == NOTE_PROGRESS && notes->progress_at > 0) {
        kept = &notes->items[notes->progress_at - 1];
    } else {
        if (is_full(notes))
            notes_halve(notes);
        kept = note_new(notes);
        if (note->kind == NOTE_PROGRESS)
            notes->progress_at = notes->count;
    }
    *kept = *note;
    kept->text =
        note->kind == NOTE_PROGRESS
            ? (struct slice){ 0 }
            : arena_copy(&notes->arena,
                         text_cut(note->text, dispatch->config->limits.log_line_bytes));
    if (notes->since_ms == 0) {
        notes->since_ms = now_ms;
        dispatch_alarm(dispatch, now_ms + NOTES_PERIOD_MS);
    }
}

static bool line_add(struct dispatch *dispatch, struct job *job, struct slice line,
                     uint32_t left_out)
{
    uint32_t level = 1;

    if (line.size >= 2 && line.data[0] == FRAME_LEVEL_MARK) {
        level = (uint32_t)(unsigned char)line.data[1] & 3;
        line.data += 2;
        line.size -= 2;
    }
    if (line.size == 0)
        return false;
    notes_add(dispatch, job,
              &(struct frame_note){ .run_id = job->run_id,
                                    .seq = job->seq,
                                    .kind = NOTE_LOG,
                                    .level = level,
                                    .at_ms = clock_now_ms(),
                                    .text = line,
                                    .left_out = left_out });
    return true;
}

void notes_add_prints(struct dispatch *dispatch, struct job *job, struct slice prints,
                      uint32_t left_out)
{
    while (prints.size > 0) {
        const char *end = memchr(prints.data, '\n', prints.size);
        size_t size = end == NULL ? prints.size : (size_t)(end - prints.data);
        if (line_add(dispatch, job, (struct slice){ prints.data, size }, left_out))
            left_out = 0;
        size += end != NULL;
        prints.data += size;
        prints.size -= size;
    }
}

struct frame_note *notes_take(struct job_notes *notes, struct arena *arena, uint32_t *count)
{
    struct frame_note *taken = NULL;

    *count = notes->count;
    if (notes->count == 0)
        return NULL;
    taken = ARENA_ARRAY(arena, struct frame_note, notes->count);
    for (uint32_t i = 0; i < notes->count; i++) {
        taken[i] = notes->items[i];
        taken[i].text = arena_copy(arena, notes->items[i].text);
    }
    notes_clear(notes);
    return taken;
}

int64_t notes_tick(struct dispatch *dispatch, struct job *job, int64_t now_ms)
{
    struct job_notes *notes = &job->notes;

    if (notes->since_ms == 0)
        return 0;
    if (now_ms < notes->since_ms + NOTES_PERIOD_MS)
        return notes->since_ms + NOTES_PERIOD_MS;
    if (!job->is_canceled)
        notes_send(dispatch, job, now_ms);
    else
        notes->since_ms = 0; /* they go with its release */
    return 0;
}
