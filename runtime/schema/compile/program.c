/* Types, equality by hash, and lookups in what was compiled. */
#include "schema/compile/program.h"

#include "base/table.h"
#include "schema/document/number.h"

#include <math.h>

enum { BYTES_PER_STEP = 64 };

uint32_t type_of(const struct value *value)
{
    switch (value->kind) {
    case VALUE_NULL:
        return TYPE_NULL;
    case VALUE_BOOL:
        return TYPE_BOOLEAN;
    case VALUE_INT:
    case VALUE_UINT:
        return TYPE_INTEGER | TYPE_NUMBER;
    case VALUE_DOUBLE:
        return number_is_integer(value) ? TYPE_INTEGER | TYPE_NUMBER : TYPE_NUMBER;
    case VALUE_STRING:
    case VALUE_BYTES: /* text to every client: base64 */
        return TYPE_STRING;
    case VALUE_LIST:
        return TYPE_ARRAY;
    case VALUE_MAP:
        return TYPE_OBJECT;
    }
    return 0;
}

struct slice types_describe(struct arena *arena, uint32_t types)
{
    static const struct {
        uint32_t type;
        const char *text;
    } names[] = { { TYPE_OBJECT, "an object" },   { TYPE_ARRAY, "an array" },
                  { TYPE_STRING, "a string" },    { TYPE_NUMBER, "a number" },
                  { TYPE_INTEGER, "an integer" }, { TYPE_BOOLEAN, "true or false" },
                  { TYPE_NULL, "null" } };
    struct slice text = SLICE("");

    if ((types & TYPE_NUMBER) != 0)
        types &= ~(uint32_t)TYPE_INTEGER;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if ((types & names[i].type) != 0)
            text = arena_format(arena, "%.*s%s%s", SLICE_ARG(text), text.size > 0 ? " or " : "",
                                names[i].text);
    return text;
}

/* ---- hashes ------------------------------------------------------------------------------ */

static uint64_t word_hash(uint64_t word, uint64_t seed)
{
    return table_hash((struct slice){ (const char *)&word, sizeof word }, seed);
}

/* A whole double is hashed as the integer that it equals. */
static uint64_t number_hash(const struct value *value)
{
    double number = value->number;

    if (value->kind != VALUE_DOUBLE)
        return word_hash(value->big, VALUE_INT);
    if (number == trunc(number) && number >= -0x1p63 && number < 0x1p63)
        return word_hash((uint64_t)(int64_t)number, VALUE_INT);
    if (number == trunc(number) && number >= 0x1p63 && number < 0x1p64)
        return word_hash((uint64_t)number, VALUE_INT);
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return word_hash(bits, VALUE_DOUBLE);
}

uint64_t value_hash(const struct value *value, int64_t *steps)
{
    uint64_t hash = value->kind;

    if (--*steps < 0)
        return 0;
    switch (value->kind) {
    case VALUE_NULL:
        break;
    case VALUE_BOOL:
        return word_hash(value->boolean, VALUE_BOOL);
    case VALUE_INT:
    case VALUE_UINT:
    case VALUE_DOUBLE:
        return number_hash(value);
    case VALUE_STRING:
    case VALUE_BYTES:
        *steps -= (int64_t)(value->bytes.size / BYTES_PER_STEP);
        return table_hash(value->bytes, value->kind);
    case VALUE_LIST:
        for (uint32_t i = 0; i < value->count; i++)
            hash = word_hash(value_hash(&value->items[i], steps), hash);
        break;
    case VALUE_MAP: /* a sum does not mind the order */
        for (uint32_t i = 0; i < value->count; i++) {
            *steps -= (int64_t)(value->members[i].key.size / BYTES_PER_STEP);
            hash += word_hash(value_hash(&value->members[i].value, steps),
                              table_hash(value->members[i].key, 0));
        }
        break;
    }
    return word_hash(hash, value->kind);
}

/* ---- equality ---------------------------------------------------------------------------- */

/* Where `key` is, looked for from where it would be if both maps had one order. */
static const struct value *member_near(const struct value *map, struct slice key,
                                       uint32_t start, int64_t *steps)
{
    for (uint32_t i = 0; i < map->count && *steps >= 0; i++) {
        uint32_t at = start + i < map->count ? start + i : start + i - map->count;
        --*steps;
        if (slice_equal(map->members[at].key, key))
            return &map->members[at].value;
    }
    return NULL;
}

static bool map_same(const struct value *a, const struct value *b, int64_t *steps)
{
    for (uint32_t i = 0; i < a->count; i++) {
        const struct value *other = member_near(b, a->members[i].key, i, steps);
        if (other == NULL || !value_same(&a->members[i].value, other, steps))
            return false;
    }
    return true;
}

bool value_same(const struct value *a, const struct value *b, int64_t *steps)
{
    if (--*steps < 0)
        return false;
    if (a->kind == VALUE_STRING || a->kind == VALUE_BYTES)
        *steps -= (int64_t)(a->bytes.size / BYTES_PER_STEP);
    if (a->kind != b->kind || (a->kind != VALUE_LIST && a->kind != VALUE_MAP))
        return value_equal(a, b);
    if (a->count != b->count)
        return false;
    if (a->kind == VALUE_MAP)
        return map_same(a, b, steps);
    for (uint32_t i = 0; i < a->count; i++)
        if (!value_same(&a->items[i], &b->items[i], steps))
            return false;
    return true;
}

/* ---- lookups ----------------------------------------------------------------------------- */

bool enumeration_has(const struct enumeration *enumeration, const struct value *value,
                     int64_t *steps)
{
    uint32_t low = 0, high = enumeration->count;

    if ((enumeration->types & type_of(value)) == 0)
        return false;
    uint64_t hash = value_hash(value, steps);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (enumeration->hashes[middle] < hash)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < enumeration->count && enumeration->hashes[low] == hash; low++)
        if (value_same(&enumeration->values[low], value, steps))
            return true;
    return false;
}

const struct property *property_find(const struct map_rules *rules, struct slice name)
{
    if (rules->property_count == 0)
        return NULL;
    uint64_t hash = table_hash(name, 0);
    for (uint32_t slot = (uint32_t)hash & rules->slot_mask; rules->slots[slot] != 0;
         slot = (slot + 1) & rules->slot_mask) {
        const struct property *property = &rules->properties[rules->slots[slot] - 1];
        if (property->hash == hash && slice_equal(property->name, name))
            return property;
    }
    return NULL;
}

const struct value *schema_default(const struct schema *schema)
{
    enum { REFERENCES_MAX = 32 };

    for (int i = 0; schema != NULL && i < REFERENCES_MAX; i++) {
        if (schema->standard != NULL || schema->branches == NULL)
            return schema->standard;
        schema = schema->branches->reference;
    }
    return NULL;
}
