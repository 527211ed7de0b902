#include "base/id.h"
#include "cli/client/member.h"
#include "cli/output/screen.h"
#include "cli/plugins/replay.h"
#include "codec/json.h"
#include "codec/pack.h"

#include <inttypes.h>
#include <stdio.h>

static void text_put(struct arena *arena, struct value *map, const char *name,
                     struct slice text)
{
    if (text.size > 0)
        value_put(arena, map, name, value_string(arena_copy(arena, text)));
}

static void packed_put(struct arena *arena, struct value *map, const char *name,
                       struct slice packed)
{
    struct value value;

    if (packed.size > 0 && pack_read(arena, arena_copy(arena, packed), &value, NULL))
        value_put(arena, map, name, value);
}

static void number_put(struct arena *arena, struct value *map, const char *name, int64_t number)
{
    if (number != 0)
        value_put(arena, map, name, value_int(number));
}

/* ---- what is told ------------------------------------------------------------------------ */

static void list_add(struct arena *arena, struct value *report, const char *name,
                     struct value item)
{
    const struct value *found = value_find(report, name);
    struct value list = found != NULL ? *found : value_list();

    value_add(arena, &list, item);
    value_put(arena, report, name, list);
}

void report_note(struct arena *arena, struct value *report, const struct frame_note *note)
{
    static const char *const levels[] = { "debug", "info", "warn", "error" };
    struct value line = value_map();

    if (note->kind == NOTE_WORN)
        return; /* of the slot, which is done anyway */
    value_put(arena, &line, "level",
              value_text(note->kind == NOTE_PROGRESS ? "progress"
                         : note->kind == NOTE_REMARK ? "remark"
                                                     : levels[note->level & 3]));
    if (note->kind == NOTE_PROGRESS)
        value_put(arena, &line, "text", value_string(arena_format(arena, "%u%%", note->level)));
    else
        value_put(arena, &line, "text", value_string(arena_copy(arena, note->text)));
    list_add(arena, report, "log", line);
}

void report_call(struct arena *arena, struct value *report, const struct frame_call *call)
{
    struct value entry = value_map();

    value_put(arena, &entry, "call", value_text(replay_call_name(call->kind)));
    packed_put(arena, &entry, "with", call->body);
    list_add(arena, report, "calls", entry);
}

/* ---- the end ----------------------------------------------------------------------------- */

static struct value wait_map(struct arena *arena, const struct frame_end *end)
{
    static const char *const kinds[] = { "time", "tokens", "runs", "group" };
    static const char *const parts[] = { "token", "run", "time", "message", "group" };
    struct value map = value_map(), ids = value_list(), list = value_list();

    value_put(arena, &map, "for", value_text(kinds[end->wait_kind & 3]));
    for (uint32_t i = 0; i < end->id_count; i++) {
        char text[ID_TEXT_SIZE];
        id_format(end->wait_kind == WAIT_FOR_RUNS ? "run" : "waitpoint", end->ids[i], text);
        value_add(arena, &ids, value_string(arena_copy(arena, slice_of(text))));
    }
    for (uint32_t i = 0; i < end->part_count; i++) {
        const struct frame_part *part = &end->parts[i];
        value_add(arena, &list,
                  value_text(part->kind < PART_KIND_COUNT ? parts[part->kind] : "?"));
    }
    if (ids.count > 0)
        value_put(arena, &map, "ids", ids);
    if (list.count > 0)
        value_put(arena, &map, "parts", list);
    number_put(arena, &map, "needed", end->needed);
    number_put(arena, &map, "spanMs", end->span_ms);
    number_put(arena, &map, "dueMs", end->due_ms);
    text_put(arena, &map, "then", end->then);
    return map;
}

void report_end(struct arena *arena, struct value *report, const struct frame_end *end)
{
    static const char *const words[VERDICT_COUNT] = {
        [VERDICT_WAIT] = "waits",
        [VERDICT_DONE] = "done",
        [VERDICT_FAIL] = "failed",
        [VERDICT_PARK] = "parked",
        [VERDICT_PUSH_BACK] = "pushed back",
        [VERDICT_WAIT_ON] = "waits on",
    };

    value_put(arena, report, "ended",
              value_text(end->verdict < VERDICT_COUNT ? words[end->verdict] : "?"));
    if (end->verdict == VERDICT_WAIT)
        value_put(arena, report, "wait", wait_map(arena, end));
    text_put(arena, report, "code", end->error_code);
    text_put(arena, report, "message", end->error_text);
    if (end->verdict == VERDICT_FAIL)
        value_put(arena, report, "retryable", value_bool(end->retryable));
    packed_put(arena, report, "output", end->output);
    packed_put(arena, report, "state", end->state);
}

/* ---- on the screen ----------------------------------------------------------------------- */

static void text_line(struct buffer *out, const struct value *report, const char *name)
{
    struct slice text = member_text(report, name);

    if (text.size > 0)
        buffer_format(out, "%-9s %.*s\n", name, SLICE_ARG(text));
}

static void value_line(struct buffer *out, const struct value *report, const char *name)
{
    const struct value *value = value_find(report, name);

    if (value == NULL)
        return;
    buffer_format(out, "%-9s ", name);
    json_write(out, value);
    buffer_byte(out, '\n');
}

static void lines_add(struct buffer *out, const char *name, struct slice text)
{
    bool is_first = true;

    while (text.size > 0) {
        const char *end = memchr(text.data, '\n', text.size);
        size_t size = end == NULL ? text.size : (size_t)(end - text.data);
        buffer_format(out, "%-9s %.*s\n", is_first ? name : "", (int)size, text.data);
        size += end != NULL;
        text = (struct slice){ text.data + size, text.size - size };
        is_first = false;
    }
}

void report_print(struct call *call, const struct value *report)
{
    struct buffer out = { 0 };
    uint32_t count;

    if (call->json) {
        json_write(&out, report);
        screen_report(stdout, &out, true);
        return;
    }
    text_line(&out, report, "run");
    text_line(&out, report, "task");
    text_line(&out, report, "segment");
    const struct value *log = member_list(report, "log", &count);
    for (uint32_t i = 0; i < count; i++)
        buffer_format(&out, "%-9s %.*s\n",
                      arena_text(&call->arena, member_text(&log[i], "level")),
                      SLICE_ARG(member_text(&log[i], "text")));
    const struct value *calls = member_list(report, "calls", &count);
    for (uint32_t i = 0; i < count; i++) {
        buffer_format(&out, "%-9s %.*s ", "asked", SLICE_ARG(member_text(&calls[i], "call")));
        const struct value *with = value_find(&calls[i], "with");
        if (with != NULL)
            json_write_short(&out, with, 200);
        buffer_byte(&out, '\n');
    }
    text_line(&out, report, "ended");
    value_line(&out, report, "wait");
    text_line(&out, report, "code");
    lines_add(&out, "message", member_text(report, "message"));
    lines_add(&out, "stack", member_text(report, "stack"));
    value_line(&out, report, "output");
    value_line(&out, report, "state");
    text_line(&out, report, "there");
    screen_report(stdout, &out, false);
}
