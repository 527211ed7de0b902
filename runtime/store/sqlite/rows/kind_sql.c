#include "store/sqlite/rows/kind_sql.h"

#include "store/sqlite/rows/bulk.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
    const char *words, *text;
} map[] = {
#define X(name, words, text) { words, text },
    SQL_MAP(X)
#undef X
};

struct text {
    char *at;
    size_t size;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *text, const char *format,
                                                      ...)
{
    size_t used = strlen(text->at);
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text->at + used, text->size - used, format, args); /* room is ample */
    va_end(args);
}

static bool is_column(const struct kind *kind, const struct row_field *field)
{
    return kind->is_packed ? field->type == FIELD_BESIDE : true;
}

/* Columns of the table: `%s` with each, between commas. */
static void put_columns(struct text *text, const struct kind *kind, const char *before)
{
    const char *comma = "";

    if (kind->is_packed) {
        put(text, "%sid, %sdata", before, before);
        comma = ", ";
    }
    for (int i = 0; i < kind->field_count; i++)
        if (is_column(kind, &kind->fields[i])) {
            put(text, "%s%s%s", comma, before, kind->fields[i].name);
            comma = ", ";
        }
}

/* The same as they stand in `bulk`. */
static void put_bulk(struct text *text, const struct kind *kind)
{
    uint32_t numbers = kind->is_packed ? 1 : 0, bytes = numbers;
    const char *comma = "";

    if (kind->is_packed) {
        put(text, "id, data");
        comma = ", ";
    }
    for (int i = 0; i < kind->field_count; i++) {
        const struct row_field *field = &kind->fields[i];
        if (!is_column(kind, field))
            continue;
        if (field->type == FIELD_TEXT)
            put(text, "%scoalesce(CAST(%s AS TEXT), '')", comma, bulk_bytes_name(bytes++));
        else if (field->type == FIELD_RAW || field->type == FIELD_BESIDE ||
                 field->type == FIELD_BYTES)
            put(text, "%s%s", comma, bulk_bytes_name(bytes++));
        else if (field->type == FIELD_TIME) /* takes no room, and stays out of indexes */
            put(text, "%snullif(%s, 0)", comma, bulk_number_name(numbers++));
        else
            put(text, "%s%s", comma, bulk_number_name(numbers++));
        comma = ", ";
    }
}

static void put_key(struct text *text, const struct kind *kind)
{
    for (int i = 0; i < kind->key_fields; i++)
        put(text, "%s%s = ?%d", i == 0 ? "" : " AND ", kind->fields[i].name, i + 1);
}

/* What it becomes of what is there and what is new. */
static void put_sum(struct text *text, const struct row_field *field, const char *comma,
                    const char *more)
{
    bool is_sum = field->type == FIELD_SUM;

    put(text, is_sum ? "%s%s = %s + %s" : "%s%s = max(%s, %s)", comma, field->name, field->name,
        more);
}

static void put_add(struct text *text, const struct kind *kind)
{
    int place = kind->key_fields;
    const char *comma = "";
    char more[16];

    put(text, "UPDATE %s SET ", kind->name);
    for (int i = 0; i < kind->field_count; i++) {
        if ((kind->sums >> i & 1) == 0)
            continue;
        (void)snprintf(more, sizeof more, "?%d", ++place);
        put_sum(text, &kind->fields[i], comma, more);
        comma = ", ";
    }
    put(text, " WHERE ");
    put_key(text, kind);
}

static void put_write(struct text *text, const struct kind *kind)
{
    const char *comma = "";

    if (kind->is_packed) {
        put(text, "REPLACE INTO %s (", kind->name);
        put_columns(text, kind, "");
        put(text, ") SELECT ");
        put_bulk(text, kind);
        put(text, " FROM bulk");
        return;
    }
    put(text, "INSERT INTO %s (", kind->name);
    put_columns(text, kind, "");
    put(text, ") SELECT ");
    put_bulk(text, kind);
    put(text, " FROM bulk WHERE true ON CONFLICT (");
    for (int i = 0; i < kind->key_fields; i++)
        put(text, "%s%s", i == 0 ? "" : ", ", kind->fields[i].name);
    put(text, ") DO UPDATE SET ");
    for (int i = kind->key_fields; i < kind->field_count; i++) {
        const struct row_field *field = &kind->fields[i];
        char more[40];
        (void)snprintf(more, sizeof more, "excluded.%s", field->name);
        if ((kind->sums >> i & 1) != 0)
            put_sum(text, field, comma, more);
        else
            put(text, "%s%s = %s", comma, field->name, more);
        comma = ", ";
    }
}

static void put_part(struct text *text, const struct kind *kind, unsigned op)
{
    const char *part, *key = kind->key, *name = kind->name;

    if (op < KIND_PART_FIND) {
        part = kind->parts[op - KIND_PART_LOAD].name;
        put(text, "SELECT t.%s, t.data FROM bulk CROSS JOIN %s_%s AS t ON t.%s = bulk.id", key,
            name, part, key);
    } else if (op < KIND_PART_WRITE) {
        part = kind->parts[op - KIND_PART_FIND].name;
        put(text, "SELECT %s, data FROM %s_%s WHERE %s = ?1", key, name, part, key);
    } else if (op < KIND_PART_DELETE) {
        part = kind->parts[op - KIND_PART_WRITE].name;
        put(text, "REPLACE INTO %s_%s (%s, data) SELECT id, data FROM bulk", name, part, key);
    } else {
        part = kind->parts[op - KIND_PART_DELETE].name;
        put(text, "DELETE FROM %s_%s WHERE %s = ?1", name, part, key);
    }
}

static void put_index(struct text *text, const struct kind *kind, unsigned op)
{
    bool is_add = op < KIND_INDEX_DROP;
    const struct row_index *index =
        &kind->indexes[op - (is_add ? KIND_INDEX_ADD : KIND_INDEX_DROP)];
    uint32_t count = 0;

    put(text, is_add ? "INSERT OR IGNORE INTO %s (" : "DELETE FROM %s WHERE ", index->table);
    for (; count < 3 && index->columns[count] != NULL; count++)
        if (is_add)
            put(text, "%s, ", index->columns[count]);
        else
            put(text, "%s = ?%u AND ", index->columns[count], count + 1);
    if (!is_add) {
        put(text, "%s = ?%u", kind->key, count + 1);
        return;
    }
    put(text, "%s) SELECT ", kind->key);
    for (uint32_t i = 0; i < count; i++)
        put(text, "%s, ", bulk_number_name(i + 1));
    put(text, "id FROM bulk");
}

static void put_due(struct text *text, const struct kind *kind, unsigned op)
{
    bool is_span = ((op - KIND_DUE_LIST) & 1) != 0;
    const char *table = is_span ? "span" : "due";

    if (op < KIND_DUE_NEXT)
        put(text, "SELECT %s FROM %s_%s WHERE due_ms <= ?1 ORDER BY due_ms LIMIT ?2", kind->key,
            kind->name, table);
    else if (op < KIND_DUE_FORGET)
        put(text, "SELECT min(due_ms) FROM %s_%s", kind->name, table);
    else
        put(text, "DELETE FROM %s_%s WHERE due_ms <= ?1 AND %s = ?2", kind->name, table,
            kind->key);
}

/* Does the kind have that part, index, title or due time at all? */
static bool kind_has(const struct kind *kind, unsigned op)
{
    if (op >= KIND_DUE_LIST)
        return kind->due != NULL && ((op - KIND_DUE_LIST) % 2 == 0 ||
                                     kind->due_is_span != NULL); /* the odd ones: spans */
    if (op >= KIND_INDEX_ADD)
        return (op - KIND_INDEX_ADD) % INDEXES_MOST < kind->index_count;
    if (op >= KIND_PART_LOAD)
        return (op - KIND_PART_LOAD) % PARTS_MOST < kind->part_count;
    if (op == KIND_TITLED)
        return kind->title != NULL;
    if (op == KIND_LOAD)
        return kind->key_fields == 1;
    if (op == KIND_WALK)
        return kind->fields[0].type == FIELD_ID;
    if (op == KIND_ADD)
        return kind->sums != 0;
    return op != KIND_FIND || (kind->key_fields == 1 && kind->fields[0].type != FIELD_RAW);
}

const char *statement_text(unsigned which, char buffer[STATEMENT_TEXT_SIZE])
{
    static const char *const again[] = { "FAIL", "IGNORE", "REPLACE", "FAIL" };
    struct text text = { buffer, STATEMENT_TEXT_SIZE };

    if (which < SQL_COUNT)
        return map[which].text;
    const struct kind *kind = &row_kinds[(which - SQL_COUNT) / KIND_OPS];
    unsigned op = (which - SQL_COUNT) % KIND_OPS;
    const char *key = kind->fields[0].name;
    bool is_raw = kind->fields[0].type == FIELD_RAW;

    if (!kind_has(kind, op))
        return NULL;
    buffer[0] = '\0';
    if (op >= KIND_DUE_LIST) {
        put_due(&text, kind, op);
    } else if (op >= KIND_INDEX_ADD) {
        put_index(&text, kind, op);
    } else if (op >= KIND_PART_LOAD) {
        put_part(&text, kind, op);
    } else if (op == KIND_ADD) {
        put_add(&text, kind);
    } else if (op == KIND_WRITE) {
        put_write(&text, kind);
    } else if (op == KIND_INSERT) {
        put(&text, "INSERT OR %s INTO %s (", again[kind->again], kind->name);
        put_columns(&text, kind, "");
        put(&text, ") SELECT ");
        put_bulk(&text, kind);
        put(&text, " FROM bulk");
    } else if (op == KIND_WALK) {
        put(&text, "SELECT id FROM %s WHERE id > ?1 ORDER BY id LIMIT ?2", kind->name);
    } else if (op == KIND_DELETE) {
        put(&text, "DELETE FROM %s WHERE ", kind->name);
        put_key(&text, kind);
    } else {
        put(&text, "SELECT ");
        put_columns(&text, kind, "t.");
        if (op == KIND_LOAD)
            put(&text, " FROM bulk CROSS JOIN %s AS t ON t.%s = bulk.%s", kind->name, key,
                is_raw ? bulk_bytes_name(0) : bulk_number_name(0));
        else if (op == KIND_FIND)
            put(&text, " FROM %s AS t WHERE %s = ?1", kind->name, key);
        else
            put(&text, " FROM %s AS t WHERE %s = ?1 AND %s = ?2", kind->name, kind->scope->name,
                kind->title->name);
    }
    return buffer;
}

const char *statement_words(unsigned which, char buffer[STATEMENT_TEXT_SIZE])
{
    static const char *const verbs[] = { "load",   "load",   "load",      "insert",
                                         "update", "update", "walk over", "delete" };
    struct text text = { buffer, STATEMENT_TEXT_SIZE };

    if (which < SQL_COUNT)
        return map[which].words;
    const struct kind *kind = &row_kinds[(which - SQL_COUNT) / KIND_OPS];
    unsigned op = (which - SQL_COUNT) % KIND_OPS;

    buffer[0] = '\0';
    if (op >= KIND_DUE_LIST)
        put(&text, "find due %ss", kind->name);
    else if (op >= KIND_INDEX_ADD)
        put(&text, "%s %s", op < KIND_INDEX_DROP ? "write" : "delete",
            kind->indexes[(op - KIND_INDEX_ADD) % INDEXES_MOST].words);
    else if (op >= KIND_PART_LOAD)
        put(&text, "%s %s", op < KIND_PART_WRITE ? "load" : "write",
            kind->parts[(op - KIND_PART_LOAD) % PARTS_MOST].name);
    else
        put(&text, "%s %s", verbs[op], kind->name);
    return buffer;
}
