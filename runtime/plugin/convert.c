/*
 * Converting what is stored to what is declared. The reason for each refusal is that a guess
 * would lose data.
 */
#include "plugin/convert.h"

#include "base/id.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

bool convert_not_of_kind(struct conversion *conversion, uint32_t kind,
                         const struct value *value)
{
    conversion->text = conversion->cause =
        arena_format(conversion->arena, "is %s here, but what is stored is of kind %s",
                     plugin_kind_name(kind), value_kind_name(value->kind));
    return false;
}

bool convert_too_many(struct conversion *conversion, uint64_t count, uint64_t capacity,
                      const char *unit)
{
    conversion->text = arena_format(conversion->arena,
                                    "has room for %" PRIu64 " %s, but %" PRIu64 " are stored",
                                    capacity, unit, count);
    conversion->cause = arena_format(
        conversion->arena, "has room for %" PRIu64 " %s, but more are stored", capacity, unit);
    return false;
}

static bool refuse_number(struct conversion *conversion, uint32_t kind,
                          const struct value *value)
{
    char number[40];

    if (value->kind == VALUE_DOUBLE)
        (void)snprintf(number, sizeof number, "%.17g", value->number);
    else if (value->kind == VALUE_UINT)
        (void)snprintf(number, sizeof number, "%" PRIu64, value->big);
    else
        (void)snprintf(number, sizeof number, "%" PRIi64, value->integer);
    conversion->text =
        arena_format(conversion->arena, "is %s here, and %s does not fit it%s",
                     plugin_kind_name(kind), number, kind == BIDE_KIND_F64 ? " exactly" : "");
    conversion->cause =
        arena_format(conversion->arena,
                     "is %s here, and the number does not "
                     "fit it%s",
                     plugin_kind_name(kind), kind == BIDE_KIND_F64 ? " exactly" : "");
    return false;
}

/* An integer, whole, or none: below zero in `integer`, else in `big`. */
static bool whole_of(const struct value *value, int64_t *integer, uint64_t *big)
{
    *integer = 0;
    *big = 0;
    if (value->kind == VALUE_UINT)
        *big = value->big;
    else if (value->kind == VALUE_BOOL)
        *big = value->boolean;
    else if (value->kind == VALUE_INT && value->integer >= 0)
        *big = (uint64_t)value->integer;
    else if (value->kind == VALUE_INT)
        *integer = value->integer;
    else if (value->number != trunc(value->number) || value->number < -0x1p63 ||
             value->number >= 0x1p64)
        return false;
    else if (value->number < 0)
        *integer = (int64_t)value->number;
    else
        *big = (uint64_t)value->number;
    return true;
}

static bool is_number(const struct value *value)
{
    return value->kind == VALUE_INT || value->kind == VALUE_UINT ||
           value->kind == VALUE_DOUBLE || value->kind == VALUE_BOOL;
}

static bool convert_integer(struct conversion *conversion, uint32_t kind,
                            const struct value *value, char *memory)
{
    static const struct {
        int64_t least;
        uint64_t most;
    } ranges[] = { [BIDE_KIND_BOOL] = { 0, 1 },
                   [BIDE_KIND_I32] = { INT32_MIN, INT32_MAX },
                   [BIDE_KIND_U32] = { 0, UINT32_MAX },
                   [BIDE_KIND_I64] = { INT64_MIN, INT64_MAX },
                   [BIDE_KIND_U64] = { 0, UINT64_MAX } };
    int64_t integer;
    uint64_t big;

    if (!is_number(value))
        return convert_not_of_kind(conversion, kind, value);
    if (!whole_of(value, &integer, &big) || integer < ranges[kind].least ||
        big > ranges[kind].most)
        return refuse_number(conversion, kind, value);
    uint64_t bits = integer < 0 ? (uint64_t)integer : big;
    uint32_t low = (uint32_t)bits; /* two's complement: right for I32 too */
    if (kind == BIDE_KIND_BOOL)
        memory[0] = bits != 0;
    else if (kind == BIDE_KIND_I32 || kind == BIDE_KIND_U32)
        memcpy(memory, &low, sizeof low);
    else
        memcpy(memory, &bits, sizeof bits);
    return true;
}

static bool convert_double(struct conversion *conversion, const struct value *value,
                           char *memory)
{
    double number;
    int64_t integer, back_integer;
    uint64_t big, back_big;

    if (value->kind == VALUE_DOUBLE) {
        number = value->number;
    } else if (is_number(value)) {
        (void)whole_of(value, &integer, &big); /* all others are whole */
        number = integer < 0 ? (double)integer : (double)big;
        if (!whole_of(&(struct value){ .kind = VALUE_DOUBLE, .number = number }, &back_integer,
                      &back_big) ||
            back_integer != integer || back_big != big)
            return refuse_number(conversion, BIDE_KIND_F64, value);
    } else if (value->kind == VALUE_STRING && slice_is(value->bytes, "nan")) {
        number = (double)NAN;
    } else if (value->kind == VALUE_STRING && slice_is(value->bytes, "inf")) {
        number = (double)INFINITY;
    } else if (value->kind == VALUE_STRING && slice_is(value->bytes, "-inf")) {
        number = -(double)INFINITY;
    } else {
        return convert_not_of_kind(conversion, BIDE_KIND_F64, value);
    }
    memcpy(memory, &number, sizeof number);
    return true;
}

/* The memory is zeroed, so the end is there. */
static bool convert_text(struct conversion *conversion, const struct value *value,
                         uint32_t capacity, char *memory)
{
    if (value->kind != VALUE_STRING)
        return convert_not_of_kind(conversion, BIDE_KIND_STR, value);
    if (value->bytes.size >= capacity)
        return convert_too_many(conversion, value->bytes.size, capacity - 1, "bytes of text");
    if (value->bytes.size != 0)
        memcpy(memory, value->bytes.data, value->bytes.size);
    return true;
}

static bool convert_bytes(struct conversion *conversion, const struct value *value,
                          uint32_t capacity, char *memory)
{
    if (value->kind != VALUE_BYTES)
        return convert_not_of_kind(conversion, BIDE_KIND_BYTES, value);
    if (value->bytes.size > capacity)
        return convert_too_many(conversion, value->bytes.size, capacity, "bytes");
    uint32_t size = (uint32_t)value->bytes.size;
    memcpy(memory, &size, sizeof size);
    if (size != 0)
        memcpy(memory + sizeof size, value->bytes.data, size);
    return true;
}

static bool convert_token(struct conversion *conversion, const struct value *value,
                          char *memory)
{
    const struct value *id = value_find(value, "id");
    const struct value *url = value_find(value, "url");
    int64_t number;

    if (value->kind == VALUE_NULL)
        return true;
    if (value->kind != VALUE_MAP || id == NULL || id->kind != VALUE_STRING || url == NULL ||
        !id_parse("waitpoint", id->bytes, &number))
        return convert_not_of_kind(conversion, BIDE_KIND_TOKEN, value);
    memcpy(memory + offsetof(bide_token, id), &number, sizeof number);
    return convert_text(conversion, url, sizeof((bide_token *)0)->url,
                        memory + offsetof(bide_token, url));
}

/* A run or a batch. */
static bool convert_id(struct conversion *conversion, uint32_t kind, const struct value *value,
                       char *memory)
{
    int64_t number;

    if (value->kind == VALUE_NULL)
        return true;
    if (value->kind != VALUE_STRING ||
        !id_parse(kind == BIDE_KIND_RUN ? "run" : "batch", value->bytes, &number))
        return convert_not_of_kind(conversion, kind, value);
    memcpy(memory, &number, sizeof number);
    return true;
}

static bool convert_any(struct conversion *conversion, const struct value *value, char *memory)
{
    if (value->kind == VALUE_NULL)
        return true; /* the NULL that is there */
    struct value *copy = ARENA_NEW(conversion->arena, struct value);
    *copy = *value;
    memcpy(memory, &copy, sizeof copy);
    return true;
}

bool convert_value(struct conversion *conversion, uint32_t kind, uint32_t capacity,
                   const struct value *value, char *memory)
{
    switch ((enum bide_field_kind)kind) {
    case BIDE_KIND_BOOL:
    case BIDE_KIND_I32:
    case BIDE_KIND_U32:
    case BIDE_KIND_I64:
    case BIDE_KIND_U64:
        return convert_integer(conversion, kind, value, memory);
    case BIDE_KIND_F64:
        return convert_double(conversion, value, memory);
    case BIDE_KIND_STR:
        return convert_text(conversion, value, capacity, memory);
    case BIDE_KIND_BYTES:
        return convert_bytes(conversion, value, capacity, memory);
    case BIDE_KIND_TOKEN:
        return convert_token(conversion, value, memory);
    case BIDE_KIND_RUN:
    case BIDE_KIND_BATCH:
        return convert_id(conversion, kind, value, memory);
    case BIDE_KIND_VALUE:
        return convert_any(conversion, value, memory);
    case BIDE_KIND_STRUCT:
    case BIDE_KIND_LIST:
    case BIDE_KIND_NONE:
        break;
    }
    return convert_not_of_kind(conversion, kind, value);
}
