#include "store/sqlite/rows/record.h"

#include "store/sqlite/rows/pack_row.h"

static bool damaged(const struct kind *kind, const struct row *row, struct err *err)
{
    return err_set(err, ERR_STORE, "the database is damaged: the row of %s %lld is unreadable",
                   kind->name, (long long)row_number(row, &kind->fields[0]));
}

/* Words are the connection's; they are copied when the row is to outlive it. */
static bool word_take(struct query *query, const struct kind *kind,
                      const struct row_field *field, int64_t number, struct row *row,
                      struct err *err)
{
    struct name name;

    if (number == 0)
        return true;
    if (!name_get(query->connection, number, &name, err))
        return false;
    row_set_slice(row, field,
                  query->arena == NULL ? name.text : arena_copy(query->arena, name.text));
    if (field->type == FIELD_TASK && kind->environment->type == FIELD_PLACE)
        row_set_number(row, kind->environment, name.environment);
    return true;
}

static bool packed_take(struct query *query, enum row_kind which, struct row *row,
                        struct err *err)
{
    const struct kind *kind = &row_kinds[which];
    struct row_words words;

    row_set_number(row, &kind->fields[0], take_int(query));
    if (!row_unpack(which, take_bytes(query), row, &words))
        return damaged(kind, row, err);
    for (field_set rest = kind->beside; rest != 0;)
        row_set_slice(row, &kind->fields[field_take(&rest)], take_bytes(query));
    for (field_set rest = kind->words; rest != 0;) {
        int place = field_take(&rest);
        if (!word_take(query, kind, &kind->fields[place], words.numbers[place], row, err))
            return false;
    }
    return true;
}

bool row_take(struct query *query, enum row_kind which, struct row *row, struct err *err)
{
    const struct kind *kind = &row_kinds[which];

    memset(row, 0, kind->size);
    if (kind->is_packed)
        return packed_take(query, which, row, err);
    for (int i = 0; i < kind->field_count; i++) {
        const struct row_field *field = &kind->fields[i];
        if (field->type == FIELD_WORD) {
            if (!word_take(query, kind, field, take_int(query), row, err))
                return false;
        } else if (field->type == FIELD_RAW || field_is_slice(field)) {
            row_set_slice(row, field, take_bytes(query));
        } else {
            row_set_number(row, field, take_int(query));
        }
    }
    return true;
}

void queue_counts_take(struct query *query, struct queue_stats *stats)
{
    stats->delayed = take_int(query);
    stats->queued = take_int(query);
    stats->parked = take_int(query);
    stats->running = take_int(query);
    stats->waiting = take_int(query);
}

void running_take(struct query *query, struct running *running)
{
    running->queue = take_int(query);
    running->lane = take_int(query);
    running->count = take_count(query);
    running->environment = take_count(query);
}

bool row_find(struct connection *connection, struct arena *arena, enum row_kind kind,
              int64_t id, struct row *row, bool *found, struct err *err)
{
    struct query query;

    if (!query_start(&query, connection, kind_sql(kind, KIND_FIND), err))
        return false;
    query.arena = arena;
    bind_int(&query, id);
    if (!query_row(&query, found, err))
        return false;
    if (!*found)
        return true;
    bool done = row_take(&query, kind, row, err);
    query_finish(&query);
    return done;
}

bool parts_find(struct connection *connection, struct arena *arena, enum row_kind kind,
                uint32_t parts, struct row *row, struct err *err)
{
    const struct kind *is = &row_kinds[kind];
    struct query query;
    bool found;

    for (unsigned i = 0; i < is->part_count; i++) {
        if ((parts >> i & 1) == 0)
            continue;
        if (!query_start(&query, connection, kind_sql(kind, KIND_PART_FIND + i), err))
            return false;
        query.arena = arena;
        bind_int(&query, row_number(row, &is->fields[0]));
        if (!query_row(&query, &found, err))
            return false;
        if (found) {
            query.next = 1;
            row_set_slice(row, &is->parts[i], take_bytes(&query));
            query_finish(&query);
        }
    }
    row->parts |= parts;
    return true;
}
