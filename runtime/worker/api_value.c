/* The api: looking at values, and making them. */
#include "codec/json.h"
#include "segment_run.h"

#include <inttypes.h>
#include <math.h>

static const struct value *member_of(bide_task *t, const bide_value *value, const char *key)
{
    const struct value *seen = value_seen(value);

    state_look(segment_of(t), seen, key);
    return seen == NULL || key == NULL ? seen : value_find(seen, key);
}

/* What is asked for; NULL when it is missing or null, or is of another kind, which is raised.
 */
static const struct value *expect(bide_task *t, const bide_value *value, const char *key,
                                  enum value_kind kind)
{
    const struct value *found = member_of(t, value, key);
    struct segment *segment = segment_of(t);

    if (segment->is_raised || found == NULL || found->kind == VALUE_NULL)
        return NULL;
    if (found->kind == kind)
        return found;
    if (found->kind == VALUE_UINT && kind == VALUE_INT) {
        segment_raise(segment, false, "wrong_kind",
                      "%s%s%s is %" PRIu64 ", which is beyond the integers of C (2^63 - 1)",
                      key == NULL ? "a value" : "\"", key == NULL ? "" : key,
                      key == NULL ? "" : "\"", found->big);
        return NULL;
    }
    segment_raise(segment, false, "wrong_kind", "%s%s%s is %s %s, not %s %s",
                  key == NULL ? "a value" : "\"", key == NULL ? "" : key,
                  key == NULL ? "" : "\"", found->kind == VALUE_INT ? "an" : "a",
                  value_kind_name(found->kind), kind == VALUE_INT ? "an" : "a",
                  value_kind_name(kind));
    return NULL;
}

uint32_t api_kind(bide_task *t, const bide_value *value, const char *key)
{
    static const uint32_t kinds[] = {
        [VALUE_NULL] = BIDE_NULL,   [VALUE_BOOL] = BIDE_BOOL,     [VALUE_INT] = BIDE_INT,
        [VALUE_UINT] = BIDE_INT,    [VALUE_DOUBLE] = BIDE_DOUBLE, [VALUE_STRING] = BIDE_TEXT,
        [VALUE_BYTES] = BIDE_BYTES, [VALUE_LIST] = BIDE_LIST,     [VALUE_MAP] = BIDE_MAP
    };
    const struct value *found = member_of(t, value, key);

    return found == NULL ? BIDE_NULL : kinds[found->kind];
}

bool api_get_bool(bide_task *t, const bide_value *value, const char *key)
{
    const struct value *found = expect(t, value, key, VALUE_BOOL);

    return found != NULL && found->boolean;
}

/* Doubles that are whole are integers too; 2^63 and beyond are none of ours. */
static bool is_whole(const struct value *value)
{
    return value != NULL && value->kind == VALUE_DOUBLE &&
           trunc(value->number) == value->number && fabs(value->number) < 9007199254740992.0;
}

int64_t api_get_i64(bide_task *t, const bide_value *value, const char *key)
{
    const struct value *found = member_of(t, value, key);

    if (is_whole(found) && !segment_of(t)->is_raised)
        return (int64_t)found->number;
    found = expect(t, value, key, VALUE_INT);
    return found == NULL ? 0 : found->integer;
}

uint64_t api_get_u64(bide_task *t, const bide_value *value, const char *key)
{
    const struct value *found = member_of(t, value, key);

    if (found != NULL && found->kind == VALUE_UINT && !segment_of(t)->is_raised)
        return found->big;
    int64_t number = api_get_i64(t, value, key);
    if (number >= 0)
        return (uint64_t)number;
    segment_raise(segment_of(t), false, "wrong_kind", "%s%s%s is %lld, which is below zero",
                  key == NULL ? "a value" : "\"", key == NULL ? "" : key,
                  key == NULL ? "" : "\"", (long long)number);
    return 0;
}

double api_get_f64(bide_task *t, const bide_value *value, const char *key)
{
    const struct value *found = member_of(t, value, key);

    if (found != NULL && found->kind == VALUE_INT && !segment_of(t)->is_raised)
        return (double)found->integer;
    if (found != NULL && found->kind == VALUE_UINT && !segment_of(t)->is_raised)
        return (double)found->big;
    found = expect(t, value, key, VALUE_DOUBLE);
    return found == NULL ? 0 : found->number;
}

/*
 * Plugins want a zero at the end. Our texts have one as long as nothing follows them in a
 * packed message; the byte behind one is always ours to read, since every message is copied
 * with a zero.
 */
static const char *text_end(struct segment *segment, const struct slice *text)
{
    if (text->data == NULL || text->size == 0)
        return "";
    return text->data[text->size] == '\0' ? text->data : arena_text(&segment->arena, *text);
}

const char *api_get_text(bide_task *t, const bide_value *value, const char *key, size_t *size)
{
    const struct value *found = expect(t, value, key, VALUE_STRING);

    if (size != NULL)
        *size = found == NULL ? 0 : found->bytes.size;
    return found == NULL ? "" : text_end(segment_of(t), &found->bytes);
}

const void *api_get_bytes(bide_task *t, const bide_value *value, const char *key, size_t *size)
{
    const struct value *found = expect(t, value, key, VALUE_BYTES);

    if (size != NULL)
        *size = found == NULL ? 0 : found->bytes.size;
    return found == NULL ? NULL : found->bytes.data;
}

const bide_value *api_find(bide_task *t, const bide_value *value, const char *key)
{
    return value_lent(member_of(t, value, key));
}

uint32_t api_count(bide_task *t, const bide_value *value)
{
    const struct value *seen = value_seen(value);

    (void)t;
    return seen != NULL && (seen->kind == VALUE_LIST || seen->kind == VALUE_MAP) ? seen->count
                                                                                 : 0;
}

const bide_value *api_at(bide_task *t, const bide_value *value, uint32_t index)
{
    const struct value *seen = value_seen(value);

    if (index >= api_count(t, value))
        return NULL;
    if (seen->kind == VALUE_MAP)
        state_look(segment_of(t), seen, seen->members[index].key.data);
    return value_lent(seen->kind == VALUE_LIST ? &seen->items[index]
                                               : &seen->members[index].value);
}

const char *api_key_at(bide_task *t, const bide_value *map, uint32_t index)
{
    const struct value *seen = value_seen(map);

    if (index >= api_count(t, map) || seen->kind != VALUE_MAP)
        return "";
    return text_end(segment_of(t), &seen->members[index].key);
}

/* ---- making ----------------------------------------------------------------------------- */

static bide_value *made(bide_task *t, struct value value)
{
    struct segment *segment = segment_of(t);
    struct value *kept;

    if (segment->is_raised)
        return NULL;
    kept = ARENA_NEW(&segment->arena, struct value);
    *kept = value;
    return value_shown(kept);
}

bide_value *api_make_null(bide_task *t)
{
    return made(t, (struct value){ .kind = VALUE_NULL });
}

bide_value *api_make_bool(bide_task *t, bool value)
{
    return made(t, value_bool(value));
}

bide_value *api_make_i64(bide_task *t, int64_t value)
{
    return made(t, value_int(value));
}

bide_value *api_make_u64(bide_task *t, uint64_t value)
{
    if (value <= INT64_MAX)
        return made(t, value_int((int64_t)value));
    return made(t, (struct value){ .kind = VALUE_UINT, .big = value });
}

bide_value *api_make_f64(bide_task *t, double value)
{
    return made(t, value_double(value)); /* value_fits() refuses what is none, by its name */
}

bide_value *api_make_text(bide_task *t, const char *text, size_t size)
{
    struct segment *segment = segment_of(t);
    struct slice bytes = { text, text == NULL ? 0 : size };

    if (segment->is_raised)
        return NULL;
    if (!utf8_is_valid(bytes)) {
        segment_raise(segment, false, "not_utf8", "a text of %zu bytes is not UTF-8: \"%.*s\"",
                      size, SLICE_ARG(text_clean(&segment->arena, bytes, 60)));
        return NULL;
    }
    return made(t, value_string(arena_copy(&segment->arena, bytes)));
}

bide_value *api_make_bytes(bide_task *t, const void *bytes, size_t size)
{
    struct segment *segment = segment_of(t);

    if (segment->is_raised)
        return NULL;
    return made(t, (struct value){ .kind = VALUE_BYTES,
                                   .bytes = arena_copy(
                                       &segment->arena,
                                       (struct slice){ bytes, bytes == NULL ? 0 : size }) });
}

bide_value *api_make_list(bide_task *t)
{
    return made(t, value_list());
}

bide_value *api_make_map(bide_task *t)
{
    return made(t, value_map());
}

/* A copy of what is put in; false: nothing is to be done. */
static bool part_of(struct segment *segment, const struct value *into, enum value_kind kind,
                    const char *key, const bide_value *value, struct value *part)
{
    const struct value *seen = value_seen(value);

    *part = (struct value){ .kind = VALUE_NULL };
    if (segment->is_raised)
        return false;
    if (into == NULL || into->kind != kind)
        return segment_raise(segment, false, "wrong_kind",
                             "%s is put into something that is no %s",
                             key == NULL ? "a value" : key, value_kind_name(kind));
    if (seen != NULL && !value_fits(segment, seen, key))
        return false;
    if (seen != NULL)
        *part = value_copy(&segment->arena, seen);
    return true;
}

void api_put(bide_task *t, bide_map *map, const char *key, const bide_value *value)
{
    struct segment *segment = segment_of(t);
    struct value part;

    if (!part_of(segment, value_of(map), VALUE_MAP, key, value, &part))
        return;
    if (key == NULL || !utf8_is_valid(slice_of(key))) {
        segment_raise(segment, false, "not_utf8", "a key is NULL or not UTF-8");
        return;
    }
    value_put_slice(&segment->arena, value_of(map), arena_copy(&segment->arena, slice_of(key)),
                    part);
}

void api_add(bide_task *t, bide_list *list, const bide_value *value)
{
    struct segment *segment = segment_of(t);
    struct value part;

    if (part_of(segment, value_of(list), VALUE_LIST, NULL, value, &part))
        value_add(&segment->arena, value_of(list), part);
}

const bide_value *api_json_read(bide_task *t, const char *text, size_t size)
{
    struct segment *segment = segment_of(t);
    struct value value;

    if (segment->is_raised ||
        !json_read(&segment->arena, (struct slice){ text, text == NULL ? 0 : size }, &value,
                   NULL))
        return NULL;
    return made(t, value);
}

const char *api_json_write(bide_task *t, const bide_value *value, size_t *size)
{
    static const struct value nothing = { .kind = VALUE_NULL };
    struct segment *segment = segment_of(t);
    struct buffer text = { 0 };

    if (size != NULL)
        *size = 0;
    if (segment->is_raised)
        return "";
    state_look(segment, value_seen(value), NULL);
    json_write(&text, value == NULL ? &nothing : value_seen(value));
    if (size != NULL)
        *size = text.size;
    const char *kept = arena_text(&segment->arena, buffer_view(&text));
    buffer_finish(&text);
    return kept;
}
