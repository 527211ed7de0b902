#include "store/sqlite/rows/pack_row.h"

#include "base/id.h"

/* ---- writing ----------------------------------------------------------------------------- */

enum { NUMBER_BYTES = 11 }; /* a tag and 64 bits, seven at a time */

static char *put_varint(char *at, uint64_t number)
{
    for (; number >= 0x80; number >>= 7)
        *at++ = (char)(number | 0x80);
    *at++ = (char)number;
    return at;
}

/* `number` is the distance from something, or the thing itself. */
static char *put_number(char *at, unsigned tag, uint64_t number)
{
    *at++ = (char)(tag << 1);
    return put_varint(at, number << 1 ^ (number >> 63 == 0 ? 0 : UINT64_MAX));
}

static inline char *put(char *at, unsigned tag, int64_t value)
{
    return value == 0 ? at : put_number(at, tag, (uint64_t)value);
}

static inline char *put_from(char *at, unsigned tag, int64_t value, int64_t base)
{
    return value == 0 ? at : put_number(at, tag, (uint64_t)value - (uint64_t)base);
}

static char *put_bytes(char *at, unsigned tag, struct slice bytes)
{
    if (bytes.size == 0)
        return at;
    *at++ = (char)(tag << 1 | 1);
    at = put_varint(at, bytes.size);
    memcpy(at, bytes.data, bytes.size);
    return at + bytes.size;
}

/* What times and ids are counted from. */
struct bases {
    int64_t id, created_ms;
};

static inline char *put_field(char *at, const struct row *row, const struct row_field *field,
                              int64_t word, struct bases bases)
{
    int64_t number;

    switch (field->type) {
    case FIELD_BYTES:
        return put_bytes(at, field->number, row_slice(row, field));
    case FIELD_WORD:
    case FIELD_TASK:
        return put(at, field->number, word);
    case FIELD_TIME:
        return put_from(at, field->number, row_number(row, field), bases.created_ms);
    case FIELD_REF:
        return put_from(at, field->number, row_number(row, field), bases.id);
    case FIELD_CREATED: /* usual, and left out */
        number = row_number(row, field);
        return number == id_time_ms(bases.id)
                   ? at
                   : put_number(at, field->number,
                                (uint64_t)number - (uint64_t)id_time_ms(bases.id));
    case FIELD_SAME: /* usually it is, and is left out */
        number = row_number(row, field);
        return number == row_number(row, field - 1)
                   ? at
                   : put_from(at, field->number, number, bases.id);
    default:
        return put(at, field->number, row_number(row, field));
    }
}

static const struct row_field *created_of(const struct kind *kind)
{
    return &kind->fields[kind->at[1] - 1]; /* number 1, of every packed kind */
}

void row_pack(enum row_kind kind, const struct row *row, const struct row_words *words,
              struct buffer *out)
{
    const struct kind *is = &row_kinds[kind];
    struct bases bases = { row_number(row, &is->fields[0]), row_number(row, created_of(is)) };
    size_t size = (size_t)FIELDS_MOST * NUMBER_BYTES;

    for (field_set rest = is->packed; rest != 0;)
        size += row_slice(row, &is->fields[field_take(&rest)]).size;
    out->size = 0;
    char *at = buffer_reserve(out, size);
    for (field_set rest = is->packed; rest != 0;) {
        int place = field_take(&rest);
        at = put_field(at, row, &is->fields[place], words->numbers[place], bases);
    }
    out->size = (size_t)(at - out->data);
}

/* ---- reading ----------------------------------------------------------------------------- */

struct packed {
    unsigned tag; /* with the low bit: is it bytes */
    uint64_t number;
    struct slice bytes;
};

static bool take_varint(struct slice *rest, uint64_t *number)
{
    *number = 0;
    for (unsigned shift = 0; shift < 64 && rest->size > 0; shift += 7) {
        unsigned char byte = (unsigned char)*rest->data;
        rest->data++;
        rest->size--;
        *number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

/* The field at the front of `rest`, which is not empty. */
static bool packed_take(struct slice *rest, struct packed *packed)
{
    uint64_t number;

    packed->tag = (unsigned char)*rest->data;
    rest->data++;
    rest->size--;
    if (!take_varint(rest, &number))
        return false;
    if ((packed->tag & 1) == 0) {
        packed->number = number >> 1 ^ (0 - (number & 1));
        return true;
    }
    if (number > rest->size)
        return false;
    packed->bytes = (struct slice){ rest->data, (size_t)number };
    rest->data += number;
    rest->size -= (size_t)number;
    return true;
}

static int64_t from(const struct packed *packed, int64_t base)
{
    return (int64_t)((uint64_t)base + packed->number);
}

bool row_unpack(enum row_kind kind, struct slice data, struct row *row, struct row_words *words)
{
    const struct kind *is = &row_kinds[kind];
    const struct row_field *created = created_of(is);
    struct bases bases = { .id = row_number(row, &is->fields[0]) };
    struct packed packed = { 0 };

    *words = (struct row_words){ 0 };
    bases.created_ms = id_time_ms(bases.id);
    while (data.size > 0) {
        if (!packed_take(&data, &packed))
            return false;
        unsigned number = packed.tag >> 1;
        int place = number < NUMBERS_MOST ? is->at[number] - 1 : -1;
        bool is_bytes = (packed.tag & 1) != 0;
        if (place < 0) /* a newer version's */
            continue;
        const struct row_field *field = &is->fields[place];
        if (is_bytes != (field->type == FIELD_BYTES))
            continue;
        if (is_bytes)
            row_set_slice(row, field, packed.bytes);
        else if (field->type == FIELD_WORD || field->type == FIELD_TASK)
            words->numbers[place] = (int64_t)packed.number;
        else if (field->type == FIELD_CREATED)
            bases.created_ms = from(&packed, bases.created_ms);
        else if (field->type == FIELD_TIME)
            row_set_number(row, field, from(&packed, bases.created_ms));
        else if (field->type == FIELD_REF || field->type == FIELD_SAME)
            row_set_number(row, field, from(&packed, bases.id));
        else
            row_set_number(row, field, (int64_t)packed.number);
    }
    row_set_number(row, created, bases.created_ms);
    for (field_set rest = is->same; rest != 0;) {
        const struct row_field *field = &is->fields[field_take(&rest)];
        if (row_number(row, field) == 0)
            row_set_number(row, field, row_number(row, field - 1));
    }
    return is->is_sound == NULL || is->is_sound(row);
}
