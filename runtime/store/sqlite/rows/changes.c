#include "engine/rows/labels.h"
#include "store/sqlite/rows/pack_row.h"
#include "store/sqlite/rows/record.h"

void changes_init(struct changes *changes, struct connection *connection, struct arena *arena)
{
    *changes = (struct changes){ .connection = connection, .arena = arena };
}

void changes_finish(struct changes *changes)
{
    buffer_finish(&changes->scratch);
}

/* The numbers of a row's words, given out now where they have none. */
static bool words_find(struct connection *connection, const struct kind *kind,
                       const struct row *row, struct row_words *words, struct err *err)
{
    for (field_set rest = kind->words; rest != 0;) {
        int place = field_take(&rest);
        const struct row_field *field = &kind->fields[place];
        int64_t environment =
            field->type == FIELD_TASK ? row_number(row, kind->environment) : 0;
        if (!name_number(connection, (uint32_t)environment, row_slice(row, field),
                         &words->numbers[place], err))
            return false;
    }
    return true;
}

/* ---- indexes ----------------------------------------------------------------------------- */

static uint32_t columns_of(const struct row_index *index)
{
    uint32_t count = 0;

    while (count < 3 && index->columns[count] != NULL)
        count++;
    return count;
}

static void index_add(struct changes *changes, enum row_kind kind, int which,
                      const struct index_at *at, int64_t id)
{
    uint32_t columns = columns_of(&row_kinds[kind].indexes[which]);
    struct slice *bytes;
    int64_t *numbers;

    bulk_add(&changes->kinds[kind].indexes[which], changes->arena, columns + 1, 0, &numbers,
             &bytes);
    numbers[0] = id;
    memcpy(&numbers[1], at->values, columns * sizeof *numbers);
}

/* It should be there; if it is not, that is mended by the way. */
static bool index_drop(struct changes *changes, enum row_kind kind, unsigned which,
                       const struct index_at *at, int64_t id, struct err *err)
{
    uint32_t columns = columns_of(&row_kinds[kind].indexes[which]);
    struct query query;

    if (!query_start(&query, changes->connection, kind_sql(kind, KIND_INDEX_DROP + which), err))
        return false;
    for (uint32_t i = 0; i < columns; i++)
        bind_int(&query, at->values[i]);
    bind_int(&query, id);
    return query_run(&query, err);
}

static bool has_label(const int64_t *labels, uint32_t count, int64_t label)
{
    for (uint32_t i = 0; i < count; i++)
        if (labels[i] == label)
            return true;
    return false;
}

static bool same_field(const struct row *row, const struct row_field *field)
{
    return field == NULL || slice_equal(row_slice(row, field), row_slice(row->loaded, field));
}

/* One by one: they are few. */
static bool index_labels(struct changes *changes, enum row_kind kind, unsigned which,
                         const struct row *row, struct err *err)
{
    const struct kind *is = &row_kinds[kind];
    const struct row_index *index = &is->indexes[which];
    uint32_t environment = (uint32_t)row_number(row, is->environment);
    int64_t id = row_number(row, &is->fields[0]), *was, *now;

    if (row->loaded != NULL && !row->is_deleted && same_field(row, index->tags) &&
        same_field(row, index->members))
        return true;
    uint32_t had = labels_of(changes->arena, index, row->loaded, environment, &was);
    uint32_t has =
        labels_of(changes->arena, index, row->is_deleted ? NULL : row, environment, &now);
    for (uint32_t i = 0; i < has; i++)
        if (!has_label(was, had, now[i]))
            index_add(changes, kind, (int)which, &(struct index_at){ { now[i] } }, id);
    for (uint32_t i = 0; i < had; i++)
        if (!has_label(now, has, was[i]) &&
            !index_drop(changes, kind, which, &(struct index_at){ { was[i] } }, id, err))
            return false;
    return true;
}

static bool index_move(struct changes *changes, enum row_kind kind, unsigned which,
                       const struct row *row, const struct row_words *words, struct err *err)
{
    const struct kind *is = &row_kinds[kind];
    const struct row_index *index = &is->indexes[which];
    int64_t id = row_number(row, &is->fields[0]);
    struct index_at was, now;

    if (index->tags != NULL)
        return index_labels(changes, kind, which, row, err);
    bool is_in = !row->is_deleted && row_index_at(index, row, &now);
    bool was_in = row_index_at(index, row->loaded, &was);
    if (index->word != NULL) /* which never changes */
        now.values[0] = was.values[0] = words->numbers[index->word - is->fields];
    if (is_in == was_in && (!is_in || memcmp(&was, &now, sizeof was) == 0))
        return true;
    if (is->due != NULL && strcmp(index->columns[0], is->due->name) == 0)
        changes->connection->is_due_changed = true;
    if (is_in)
        index_add(changes, kind, (int)which, &now, id);
    return !was_in || index_drop(changes, kind, which, &was, id, err);
}

/* ---- rows -------------------------------------------------------------------------------- */

static bool row_delete(struct changes *changes, enum row_kind kind, const struct row *row,
                       struct err *err)
{
    const struct kind *is = &row_kinds[kind];
    struct query query;

    for (unsigned i = 0; i < is->part_count; i++) {
        if (!query_start(&query, changes->connection, kind_sql(kind, KIND_PART_DELETE + i),
                         err))
            return false;
        bind_int(&query, row_number(row, &is->fields[0]));
        if (!query_run(&query, err))
            return false;
    }
    if (!query_start(&query, changes->connection, kind_sql(kind, KIND_DELETE), err))
        return false;
    for (int i = 0; i < is->key_fields; i++)
        if (is->fields[i].type == FIELD_RAW)
            bind_bytes(&query, row_slice(row, &is->fields[i]));
        else
            bind_int(&query, row_number(row, &is->fields[i]));
    return query_run(&query, err);
}

static bool parts_add(struct changes *changes, enum row_kind kind, const struct row *row,
                      struct err *err)
{
    const struct kind *is = &row_kinds[kind];
    int64_t id = row_number(row, &is->fields[0]);
    struct query query;
    struct slice *bytes;
    int64_t *numbers;

    for (unsigned i = 0; i < is->part_count; i++) {
        struct slice data = row_slice(row, &is->parts[i]);
        if ((row->dirty_parts >> i & 1) == 0 || (row->loaded == NULL && data.size == 0))
            continue;
        if (data.size > 0) {
            bulk_add(&changes->kinds[kind].parts[i], changes->arena, 1, 1, &numbers, &bytes);
            numbers[0] = id;
            bytes[0] = data;
            continue;
        }
        if (!query_start(&query, changes->connection, kind_sql(kind, KIND_PART_DELETE + i),
                         err))
            return false;
        bind_int(&query, id);
        if (!query_run(&query, err))
            return false;
    }
    return true;
}

static bool is_number(const struct row_field *field)
{
    return !field_is_slice(field) && field->type != FIELD_RAW;
}

/* Of a sum: what is to be added. */
static int64_t number_of(const struct row *row, const struct row_field *field)
{
    bool is_more = field->type == FIELD_SUM && row->loaded != NULL;

    return row_number(row, field) - (is_more ? row_number(row->loaded, field) : 0);
}

/* In the order of its columns: kind_sql.c. */
static void columns_add(struct bulk *bulk, struct changes *changes, const struct kind *kind,
                        const struct row *row, const struct row_words *words)
{
    uint32_t width = 0, depth = 0;
    struct slice *bytes;
    int64_t *numbers;

    for (int i = 0; i < kind->field_count; i++) {
        bool is_word = kind->fields[i].type == FIELD_WORD;
        width += is_number(&kind->fields[i]) || is_word;
        depth += !is_number(&kind->fields[i]) && !is_word;
    }
    bulk_add(bulk, changes->arena, width, depth, &numbers, &bytes);
    for (int i = 0; i < kind->field_count; i++) {
        const struct row_field *field = &kind->fields[i];
        if (field->type == FIELD_WORD)
            *numbers++ = words->numbers[i];
        else if (!is_number(field))
            *bytes++ = row_slice(row, field);
        else
            *numbers++ = number_of(row, field);
    }
}

static void packed_add(struct bulk *bulk, struct changes *changes, enum row_kind which,
                       const struct row *row, const struct row_words *words)
{
    const struct kind *kind = &row_kinds[which];
    uint32_t depth = 1;
    struct slice *bytes;
    int64_t *numbers;

    for (field_set rest = kind->beside; rest != 0; depth++)
        (void)field_take(&rest);
    row_pack(which, row, words, &changes->scratch);
    bulk_add(bulk, changes->arena, 1, depth, &numbers, &bytes);
    numbers[0] = row_number(row, &kind->fields[0]);
    *bytes++ = arena_copy(changes->arena, buffer_view(&changes->scratch));
    for (field_set rest = kind->beside; rest != 0;)
        *bytes++ = row_slice(row, &kind->fields[field_take(&rest)]);
}

/* Most rows with sums say nothing else that is new: then the other columns, and what they are
 * found by, are left alone. *done is false for others, and where no such row is there yet. */
static bool row_add(struct changes *changes, enum row_kind kind, const struct row *row,
                    bool *done, struct err *err)
{
    const struct kind *is = &row_kinds[kind];
    struct query query;

    *done = false;
    if (is->sums == 0 || row->is_deleted ||
        (row->loaded == NULL ? is->again != AGAIN_ADDS : row_is_guarded(kind, row)))
        return true;
    if (!query_start(&query, changes->connection, kind_sql(kind, KIND_ADD), err))
        return false;
    for (int i = 0; i < is->key_fields; i++)
        if (is->fields[i].type == FIELD_TEXT)
            bind_text(&query, row_slice(row, &is->fields[i]));
        else
            bind_int(&query, row_number(row, &is->fields[i]));
    for (field_set rest = is->sums; rest != 0;)
        bind_int(&query, number_of(row, &is->fields[field_take(&rest)]));
    if (!query_run(&query, err))
        return false;
    *done = sqlite3_changes(changes->connection->db) > 0;
    return true;
}

bool changes_row(struct changes *changes, enum row_kind kind, const struct row *row,
                 struct err *err)
{
    const struct kind *is = &row_kinds[kind];
    struct bulk *bulk =
        row->loaded == NULL ? &changes->kinds[kind].inserts : &changes->kinds[kind].writes;
    struct row_words words = { { 0 } };
    bool done;

    if (!row_add(changes, kind, row, &done, err))
        return false;
    if (done)
        return true;
    if (!words_find(changes->connection, is, row, &words, err))
        return false;
    if (row->is_deleted) {
        if (!row_delete(changes, kind, row, err))
            return false;
    } else {
        if (!parts_add(changes, kind, row, err))
            return false;
        if (is->is_packed)
            packed_add(bulk, changes, kind, row, &words);
        else
            columns_add(bulk, changes, is, row, &words);
    }
    for (unsigned i = 0; i < is->index_count; i++)
        if (!index_move(changes, kind, i, row, &words, err))
            return false;
    return true;
}

bool changes_write(struct changes *changes, struct err *err)
{
    struct connection *connection = changes->connection;

    for (enum row_kind kind = 0; kind < ROW_KINDS; kind++) {
        const struct kind_changes *of = &changes->kinds[kind];
        if (!bulk_run(connection, kind_sql(kind, KIND_INSERT), &of->inserts, err) ||
            !bulk_run(connection, kind_sql(kind, KIND_WRITE), &of->writes, err))
            return false;
        for (unsigned i = 0; i < row_kinds[kind].part_count; i++)
            if (!bulk_run(connection, kind_sql(kind, KIND_PART_WRITE + i), &of->parts[i], err))
                return false;
        for (unsigned i = 0; i < row_kinds[kind].index_count; i++)
            if (!bulk_run(connection, kind_sql(kind, KIND_INDEX_ADD + i), &of->indexes[i], err))
                return false;
    }
    return true;
}
