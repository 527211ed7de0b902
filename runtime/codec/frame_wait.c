#include "codec/frame_wait.h"

#include "codec/pack.h"

enum { ROW_OF_MANY = 3, ROW_OF_ONE = 9 };

void ids_write(struct buffer *out, const int64_t *ids, uint32_t count)
{
    int64_t before = 0;

    pack_list(out, count);
    for (uint32_t i = 0; i < count; i++) {
        pack_int(out, ids[i] - before); /* ids are positive: no overflow */
        before = ids[i];
    }
}

void ids_read(struct cursor *cursor, int64_t **ids, uint32_t *count)
{
    struct cursor list = cursor_list(cursor);
    int64_t before = 0;

    *ids = ARENA_ARRAY(cursor->arena, int64_t, list.count + 1);
    *count = list.count;
    for (uint32_t i = 0; i < list.count; i++) {
        list.broken |= __builtin_add_overflow(before, cursor_int(&list), &(*ids)[i]);
        before = (*ids)[i];
        list.broken |= before < 0;
    }
    cursor->broken |= list.broken;
}

void names_write(struct buffer *out, const struct slice *names, uint32_t count)
{
    pack_list(out, count);
    for (uint32_t i = 0; i < count; i++)
        pack_bytes(out, names[i]);
}

void names_read(struct cursor *cursor, struct slice **names, uint32_t *count)
{
    struct cursor list = cursor_list(cursor);

    *names = ARENA_ARRAY(cursor->arena, struct slice, (size_t)list.count + 1);
    *count = list.count;
    for (uint32_t i = 0; i < list.count; i++)
        (*names)[i] = cursor_text(&list);
    cursor->broken |= list.broken;
}

/* ---- parts ------------------------------------------------------------------------------- */

static bool is_plain(const struct frame_part *part)
{
    return (part->kind == PART_TOKEN || part->kind == PART_RUN) && part->name.size == 0;
}

/* How many from `first` on make one row. */
static uint32_t row_length(const struct frame_part *parts, uint32_t first, uint32_t count)
{
    uint32_t i = first + 1;

    while (is_plain(&parts[first]) && i < count && is_plain(&parts[i]) &&
           parts[i].kind == parts[first].kind && parts[i].of == parts[first].of)
        i++;
    return i - first;
}

static void row_write(struct buffer *out, const struct frame_part *parts, uint32_t count)
{
    pack_list(out, is_plain(parts) ? ROW_OF_MANY : ROW_OF_ONE);
    pack_int(out, parts->kind);
    pack_int(out, parts->of);
    if (is_plain(parts)) {
        int64_t before = 0;
        pack_list(out, count);
        for (uint32_t i = 0; i < count; i++) {
            pack_int(out, parts[i].id - before);
            before = parts[i].id;
        }
        return;
    }
    pack_int(out, parts->needed);
    pack_int(out, parts->id);
    pack_int(out, parts->due_ms);
    pack_int(out, parts->span_ms);
    pack_bool(out, parts->is_span);
    pack_bytes(out, parts->name);
    pack_bytes(out, parts->word);
}

void parts_write(struct buffer *out, const struct frame_part *parts, uint32_t count)
{
    uint32_t rows = 0;

    for (uint32_t i = 0; i < count; i += row_length(parts, i, count))
        rows++;
    pack_list(out, rows);
    for (uint32_t i = 0; i < count;) {
        uint32_t length = row_length(parts, i, count);
        row_write(out, &parts[i], length);
        i += length;
    }
}

/* How many parts the row has; its head in `part`. */
static uint32_t row_head(struct cursor *row, struct frame_part *part)
{
    *part = (struct frame_part){ .kind = cursor_u32(row), .of = cursor_u32(row) };
    if (row->count == ROW_OF_MANY && row->at < row->count &&
        row->items[row->at].kind == VALUE_LIST)
        return row->items[row->at].count;
    row->broken |= row->count != ROW_OF_ONE;
    return 1;
}

static void row_read(struct cursor *row, struct frame_part head, struct frame_part *parts,
                     uint32_t count)
{
    int64_t *ids;

    if (row->count == ROW_OF_MANY) {
        ids_read(row, &ids, &count);
        for (uint32_t i = 0; i < count; i++) {
            parts[i] = head;
            parts[i].id = ids[i];
        }
        return;
    }
    head.needed = cursor_u32(row);
    head.id = cursor_int(row);
    head.due_ms = cursor_int(row);
    head.span_ms = cursor_int(row);
    head.is_span = cursor_bool(row);
    head.name = cursor_text(row);
    head.word = cursor_text(row);
    parts[0] = head;
}

void parts_read(struct cursor *cursor, struct frame_part **parts, uint32_t *count)
{
    struct cursor rows = cursor_list(cursor);
    struct frame_part head;
    uint32_t total = 0;

    for (uint32_t i = 0; i < rows.count; i++) {
        struct cursor all = { .arena = cursor->arena,
                              .items = rows.items,
                              .count = rows.count };
        all.at = i;
        struct cursor row = cursor_list(&all);
        total += row_head(&row, &head);
        cursor->broken |= row.broken || all.broken;
    }
    *count = 0;
    *parts = ARENA_ARRAY(cursor->arena, struct frame_part, (size_t)total + 1);
    for (uint32_t i = 0; i < rows.count && !cursor->broken; i++) {
        struct cursor row = cursor_list(&rows);
        uint32_t length = row_head(&row, &head);
        cursor->broken |= head.kind >= PART_KIND_COUNT || head.of > *count ||
                          (head.of > 0 && (*parts)[head.of - 1].kind != PART_GROUP);
        row_read(&row, head, *parts + *count, length);
        cursor->broken |= row.broken;
        *count += length;
    }
    if (cursor->broken)
        *count = 0;
}

/* ---- manner ------------------------------------------------------------------------------ */

void manner_write(struct buffer *out, const struct frame_manner *manner)
{
    pack_bool(out, manner->cancels);
    pack_bytes(out, manner->otherwise);
    pack_bytes(out, manner->remind);
    ids_write(out, manner->reminders, manner->reminder_count);
}

void manner_read(struct cursor *cursor, struct frame_manner *manner)
{
    manner->cancels = cursor_bool(cursor);
    manner->otherwise = cursor_text(cursor);
    manner->remind = cursor_text(cursor);
    ids_read(cursor, &manner->reminders, &manner->reminder_count);
}

/* ---- results ----------------------------------------------------------------------------- */

enum { RESULT_ITEMS = 7 };

void results_write(struct buffer *out, const struct frame_segment *frame)
{
    pack_list(out, frame->result_count * RESULT_ITEMS);
    for (uint32_t i = 0; i < frame->result_count; i++) {
        const struct frame_result *result = &frame->results[i];
        pack_int(out, result->id);
        pack_bytes(out, result->name);
        pack_int(out, result->status);
        pack_bytes(out, result->value);
        pack_bytes(out, result->error);
        pack_bytes(out, result->code);
        pack_bool(out, result->has_more);
    }
}

void results_read(struct cursor *cursor, struct frame_segment *frame)
{
    struct cursor list = cursor_groups(cursor, RESULT_ITEMS, &frame->result_count);

    frame->results = ARENA_ARRAY(cursor->arena, struct frame_result, frame->result_count);
    for (uint32_t i = 0; i < frame->result_count; i++) {
        struct frame_result *result = &frame->results[i];
        result->id = cursor_int(&list);
        result->name = cursor_text(&list);
        result->status = cursor_u32(&list);
        result->value = cursor_bytes(&list);
        result->error = cursor_text(&list);
        result->code = cursor_text(&list);
        result->has_more = cursor_bool(&list);
    }
    cursor->broken |= list.broken;
}
