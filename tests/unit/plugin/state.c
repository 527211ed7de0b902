/* State: struct to msgpack and back, within one version and across versions. */
#include "plugin/state.h"

#include "codec/json.h"
#include "codec/pack.h"

#include <criterion/criterion.h>
#include <math.h>

/* ---- two versions of a task, declared as an author would ------------------------------------
 */

#define PLACE(F) F(STR(8), city) F(I32, zip)
BIDE_STRUCT(place, PLACE)
#define NEW_PLACE(F) F(I32, zip) F(BOOL, abroad)
BIDE_STRUCT(new_place, NEW_PLACE)

#define OLD_STATE(F)                  \
    F(BOOL, yes)                      \
    F(I32, low)                       \
    F(U32, high)                      \
    F(I64, lower)                     \
    F(U64, higher)                    \
    F(F64, half)                      \
    F(STR(8), text)                   \
    F(BYTES(4), bytes)                \
    F(TOKEN, token)                   \
    F(RUN, run)                       \
    F(VALUE, value)                   \
    F(STRUCT(place), home)            \
    F(LIST(STR(4), 3), words)         \
    F(LIST(STRUCT(place), 2), places) \
    F(RUNS(3), runs)
#define NEW_STATE(F)                      \
    F(STR(64), words_of)                  \
    F(STRUCT(new_place), home)            \
    F(U64, added)                         \
    F(LIST(STRUCT(new_place), 4), places) \
    F(I64, low)
#define SMALL_STATE(F) F(STR(3), text)
#define SHORT_LIST(F)  F(LIST(STR(4), 1), words)
#define OTHER_KIND(F)  F(STR(8), lower)
#define OTHER_LIST(F)  F(LIST(I64, 3), words)
#define NARROW(F)      F(I32, lower)
#define UNSIGNED(F)    F(U64, low)
#define DOUBLES(F)     F(F64, a) F(F64, b) F(F64, c) F(F64, d)
#define ONE_SEGMENT(S) S(only)

static const struct bide_rename renames[] = { { "text", "words_of" },
                                              { "begin", "only" },
                                              { NULL, NULL } };

BIDE_TASK(old, OLD_STATE, ONE_SEGMENT, .id = "old")
BIDE_TASK(fresh, NEW_STATE, ONE_SEGMENT, .id = "fresh", .renamed = renames)
BIDE_TASK(small, SMALL_STATE, ONE_SEGMENT, .id = "small")
BIDE_TASK(shorter, SHORT_LIST, ONE_SEGMENT, .id = "shorter")
BIDE_TASK(kind, OTHER_KIND, ONE_SEGMENT, .id = "kind")
BIDE_TASK(items, OTHER_LIST, ONE_SEGMENT, .id = "items")
BIDE_TASK(narrow, NARROW, ONE_SEGMENT, .id = "narrow")
BIDE_TASK(without_sign, UNSIGNED, ONE_SEGMENT, .id = "unsigned")
BIDE_TASK(doubles, DOUBLES, ONE_SEGMENT, .id = "doubles")
BIDE_TASK(nothing, BIDE_NO_STATE, ONE_SEGMENT, .id = "nothing")

static bide_next only(bide_task *t)
{
    return bide_done(t);
}

BIDE_PLUGIN("state", "1.0.0", old_task, fresh_task, small_task, shorter_task, kind_task,
            items_task, narrow_task, without_sign_task, doubles_task, nothing_task)

/* ---- fixtures -------------------------------------------------------------------------------
 */

static struct arena arena;
static struct plugin plugin;
static struct err err;
static struct buffer packed;
static struct value kept;

static const struct plugin_task *task(const char *id)
{
    const struct plugin_task *found = plugin_task_find(&plugin, slice_of(id));
    cr_assert_not_null(found);
    return found;
}

static void begin(void)
{
    kept = value_map();
    cr_assert(plugin_check(&arena, bide_plugin_describe(), &plugin, &err), "%s", err.text);
}

static void end(void)
{
    buffer_finish(&packed);
    arena_finish(&arena);
}

TestSuite(state, .init = begin, .fini = end);

/* bide_set_str() and its like need a task only to raise errors. */
static struct old full(void)
{
    static struct value value;
    struct old s = { .yes = true,
                     .low = INT32_MIN,
                     .high = UINT32_MAX,
                     .lower = INT64_MIN,
                     .higher = UINT64_MAX,
                     .half = -0.5 };

    value = value_text("any");
    bide_set_str(NULL, s.text, "seven77");
    bide_set_bytes(NULL, s.bytes, "\0\xff", 2);
    s.token.id = 77;
    strcpy(s.token.url, "http://here/callback");
    s.run.id = 78;
    s.value = (const bide_value *)&value;
    bide_set_str(NULL, s.home.city, "Bern");
    s.home.zip = 3000;
    s.words.count = 2;
    bide_set_str(NULL, s.words.item[1], "two");
    s.places.count = 1;
    s.places.item[0] = s.home;
    s.runs.count = 1;
    s.runs.item[0].id = 79;
    return s;
}

static void encode(const char *id, const void *state)
{
    packed.size = 0;
    cr_assert(state_encode(task(id), state, &kept, &packed, &err), "%s", err.text);
}

static void decode(const char *id, void *state)
{
    struct slice copy = arena_copy(&arena, buffer_view(&packed));
    cr_assert(state_decode(task(id), &arena, copy, state, &kept, &err), "%s", err.text);
}

static const char *as_json(void)
{
    struct buffer text = { 0 };
    json_write_packed(&text, buffer_view(&packed));
    const char *copy = arena_copy(&arena, buffer_view(&text)).data;
    buffer_finish(&text);
    return copy;
}

static void pack_json(const char *json)
{
    struct value value;
    cr_assert(json_read(&arena, slice_of(json), &value, &err), "%s", err.text);
    packed.size = 0;
    pack_write(&packed, &value);
}

/* ---- one version ----------------------------------------------------------------------------
 */

Test(state, comes_back_as_it_was)
{
    struct old before = full(), after;
    memset(&after, 0xee, sizeof after);

    encode("old", &before);
    decode("old", &after);

    cr_assert(after.yes && after.low == INT32_MIN && after.high == UINT32_MAX);
    cr_assert(after.lower == INT64_MIN && after.higher == UINT64_MAX);
    cr_assert_float_eq(after.half, -0.5, 1e-9);
    cr_assert_str_eq(after.text, "seven77");
    cr_assert(after.bytes.size == 2 && memcmp(after.bytes.data, "\0\xff\0\0", 4) == 0);
    cr_assert(after.token.id == 77 && after.run.id == 78);
    cr_assert_str_eq(after.token.url, "http://here/callback");
    cr_assert(slice_is(((const struct value *)(const void *)after.value)->bytes, "any"));
    cr_assert_str_eq(after.home.city, "Bern");
    cr_assert_eq(after.home.zip, 3000);
    cr_assert(after.words.count == 2 && after.words.item[0][0] == 0);
    cr_assert_str_eq(after.words.item[1], "two");
    cr_assert(after.places.count == 1 && after.places.item[0].zip == 3000);
    cr_assert(after.runs.count == 1 && after.runs.item[0].id == 79);
    cr_assert_eq(kept.count, 0);
}

Test(state, reads_well_in_json)
{
    struct old s = full();

    encode("old", &s);

    cr_assert_str_eq(
        as_json(),
        "{\"yes\":true,\"low\":-2147483648,\"high\":4294967295,\"lower\":-9223372036854775808,"
        "\"higher\":18446744073709551615,\"half\":-0.5,\"text\":\"seven77\",\"bytes\":\"AP8=\","
        "\"token\":{\"id\":\"waitpoint_000000000002d\",\"url\":\"http://here/callback\"},"
        "\"run\":\"run_000000000002e\",\"value\":\"any\",\"home\":{\"city\":\"Bern\",\"zip\":"
        "3000},"
        "\"words\":[\"\",\"two\"],\"places\":[{\"city\":\"Bern\",\"zip\":3000}],"
        "\"runs\":[\"run_000000000002f\"]}");
}

Test(state, starts_from_zeroes)
{
    struct old s, zero;
    memset(&s, 0xee, sizeof s);
    memset(&zero, 0, sizeof zero);

    decode("old", &s);

    cr_assert_eq(memcmp(&s, &zero, sizeof s), 0);
}

/* Zeroes are told from nothing: they come back as zeroes. */
Test(state, of_zeroes_comes_back_as_zeroes)
{
    struct old before, after;
    memset(&before, 0, sizeof before);

    encode("old", &before);
    decode("old", &after);

    cr_assert_eq(memcmp(&before, &after, sizeof before), 0);
}

Test(state, of_a_task_without_any_is_an_empty_map)
{
    struct nothing s = { 0 };

    encode("nothing", &s);
    decode("nothing", &s);

    cr_assert_str_eq(as_json(), "{}");
}

/* What stands behind the end of a text, and padding, is nobody's business. */
Test(state, does_not_leak_what_was_not_declared)
{
    struct old s = full();
    strcpy(s.text, "secret");
    strcpy(s.text, "a");

    encode("old", &s);

    cr_assert_null(memmem(packed.data, packed.size, "cret", 4));
}

Test(state, keeps_doubles_that_are_no_numbers)
{
    struct doubles before = { (double)NAN, (double)INFINITY, -(double)INFINITY, 3.0, 0 }, after;

    encode("doubles", &before);
    decode("doubles", &after);

    cr_assert(isnan(after.a));
    cr_assert(isinf(after.b) && after.b > 0);
    cr_assert(isinf(after.c) && after.c < 0);
    cr_assert_float_eq(after.d, 3.0, 1e-9);
}

/* ---- what an author can get wrong -----------------------------------------------------------
 */

static void assert_refused(const struct old *s, const char *reason)
{
    packed.size = 0;
    buffer_text(&packed, "before");

    cr_assert_not(state_encode(task("old"), s, &kept, &packed, &err));

    cr_assert_eq(err.code, ERR_RULE);
    cr_assert_not_null(strstr(err.text, reason), "%s", err.text);
    cr_assert_eq(packed.size, 6, "nothing is left of it");
}

Test(state, with_a_text_without_an_end_is_refused)
{
    struct old s = full();
    memset(s.text, 'x', sizeof s.text);

    assert_refused(&s, "state field text has no zero at its end");
}

Test(state, with_a_text_that_is_not_utf8_is_refused)
{
    struct old s = full();
    strcpy(s.home.city, "\xff");

    assert_refused(&s, "state field city is not UTF-8");
}

Test(state, with_a_count_over_its_capacity_is_refused)
{
    struct old s = full();
    s.runs.count = 4;

    assert_refused(&s, "state field runs has a count over its capacity");
}

Test(state, with_a_size_over_its_capacity_is_refused)
{
    struct old s = full();
    s.bytes.size = 5;

    assert_refused(&s, "state field bytes has a size over its capacity");
}

/* A value that could be written but not read again would lose the run. */
Test(state, with_a_value_nested_too_deep_is_refused)
{
    struct old s = full();
    struct value lists[VALUE_MAX_DEPTH + 1];
    lists[0] = value_int(1);
    for (int i = 1; i <= VALUE_MAX_DEPTH; i++) {
        lists[i] = value_list();
        lists[i].items = &lists[i - 1];
        lists[i].count = 1;
    }

    s.value = (const bide_value *)&lists[VALUE_MAX_DEPTH];
    assert_refused(&s, "state field value is nested too deep");

    s.value = (const bide_value *)&lists[VALUE_MAX_DEPTH - 1];
    encode("old", &s);
    decode("old", &s);
}

/* ---- across versions ------------------------------------------------------------------------
 */

Test(state, of_an_older_version_is_read_by_name)
{
    struct old before = full();
    struct fresh after;

    encode("old", &before);
    decode("fresh", &after);

    cr_assert_str_eq(after.words_of, "seven77", "renamed, and longer");
    cr_assert_eq(after.low, INT32_MIN, "wider");
    cr_assert_eq(after.home.zip, 3000);
    cr_assert_not(after.home.abroad, "added, in a struct");
    cr_assert_eq(after.added, 0, "added");
    cr_assert(after.places.count == 1 && after.places.item[0].zip == 3000);
}

/* Back to the old version: what the new one did not know is still there. */
Test(state, that_is_not_known_survives)
{
    struct old before = full(), again;
    struct fresh between;

    encode("old", &before);
    decode("fresh", &between);
    between.home.zip = 4000;
    encode("fresh", &between);
    decode("old", &again);

    cr_assert_eq(again.home.zip, 4000, "changed in between");
    cr_assert_str_eq(again.home.city, "Bern", "unknown in between, in a struct");
    cr_assert_str_eq(again.places.item[0].city, "Bern", "and in a list of them");
    cr_assert(again.yes && again.higher == UINT64_MAX && again.token.id == 77);
    cr_assert_str_eq(again.words.item[1], "two");
    cr_assert(slice_is(((const struct value *)(const void *)again.value)->bytes, "any"));
}

/* An unknown field stays with its item only while it is sure which item that is. */
Test(state, of_items_that_came_or_went_is_not_guessed)
{
    struct old before = full(), again;
    struct fresh between;

    encode("old", &before);
    decode("fresh", &between);
    between.places.count = 2;
    encode("fresh", &between);
    decode("old", &again);

    cr_assert_eq(again.places.count, 2);
    cr_assert_str_empty(again.places.item[0].city);
    cr_assert_str_eq(again.home.city, "Bern");
}

Test(state, stored_under_old_and_new_name_is_read_from_the_new)
{
    struct fresh s;
    pack_json("{\"words_of\":\"new\",\"text\":\"old one\"}");

    decode("fresh", &s);

    cr_assert_str_eq(s.words_of, "new");
    cr_assert_eq(kept.count, 1);
}

Test(state, of_a_field_stored_twice_does_not_mix_the_two)
{
    struct old s;
    packed.size = 0;
    pack_map(&packed, 2);
    pack_string(&packed, SLICE("text"));
    pack_string(&packed, SLICE("longer"));
    pack_string(&packed, SLICE("text"));
    pack_string(&packed, SLICE("xy"));

    decode("old", &s);

    cr_assert_str_eq(s.text, "xy");
}

struct parking {
    const char *task;
    const char *stored;
    const char *reason;
};

Test(state, that_does_not_fit_parks_the_run)
{
    static const struct parking parkings[] = {
        { "small", "{\"text\":\"abc\"}",
          "state field text has room for 2 bytes of text, but 3" },
        { "shorter", "{\"words\":[\"a\",\"b\"]}",
          "state field words has room for 1 items, but 2" },
        { "kind", "{\"lower\":5}",
          "state field lower is STR here, but what is stored is of kind integer" },
        { "items", "{\"words\":[\"a\"]}", "state field words is I64 here" },
        { "narrow", "{\"lower\":2147483648}",
          "state field lower: the number stored does not fit I32" },
        { "unsigned", "{\"low\":-1}", "state field low: the number stored does not fit U64" },
        { "old", "{\"high\":4294967296}", "does not fit U32" },
        { "old", "{\"lower\":1.5}",
          "state field lower is I64 here, but what is stored is of kind number" },
        { "old", "{\"half\":\"much\"}", "state field half is F64 here" },
        { "old", "{\"yes\":1}", "state field yes is BOOL here" },
        { "old", "{\"token\":\"waitpoint_1\"}", "state field token is TOKEN here" },
        { "old", "{\"token\":{\"id\":\"x\",\"url\":\"\"}}", "state field token is TOKEN here" },
        { "old", "{\"run\":\"run_x\"}", "state field run is RUN here" },
        { "old", "{\"home\":[]}", "state field home is STRUCT here" },
        { "old", "{\"home\":{\"zip\":\"3000\"}}", "state field zip is I32 here" },
        { "old", "{\"words\":\"a\"}", "state field words is LIST here" },
        { "old", "{\"bytes\":\"AP8=\"}", "state field bytes is BYTES here" },
        { "old", "{\"text\":null}", "state field text is STR here" },
        { "old", "[]", "the stored state is no map" },
    };
    static struct old s;

    for (size_t i = 0; i < sizeof parkings / sizeof parkings[0]; i++) {
        const struct parking *parking = &parkings[i];
        pack_json(parking->stored);
        bool read =
            state_decode(task(parking->task), &arena, buffer_view(&packed), &s, &kept, &err);
        cr_assert_not(read, "%s reads %s", parking->task, parking->stored);
        cr_assert_eq(err.code, ERR_RULE);
        cr_assert_not_null(strstr(err.text, parking->reason), "%s: %s", parking->stored,
                           err.text);
    }
}

Test(state, of_a_number_above_all_signed_ones_parks_the_run)
{
    static struct old s;
    struct value map = value_map();
    value_put(&arena, &map, "lower", (struct value){ .kind = VALUE_UINT, .big = UINT64_MAX });
    pack_write(&packed, &map);

    cr_assert_not(state_decode(task("old"), &arena, buffer_view(&packed), &s, &kept, &err));

    cr_assert_not_null(strstr(err.text, "does not fit I64"), "%s", err.text);
}

Test(state, of_a_longer_text_than_a_token_url_parks_the_run)
{
    static struct old s;
    struct value map = value_map(), token = value_map();
    char url[249];
    memset(url, 'u', sizeof url - 1);
    url[sizeof url - 1] = 0;
    value_put(&arena, &token, "id", value_text("waitpoint_000000000002d"));
    value_put(&arena, &token, "url", value_text(url));
    value_put(&arena, &map, "token", token);
    pack_write(&packed, &map);

    cr_assert_not(state_decode(task("old"), &arena, buffer_view(&packed), &s, &kept, &err));

    cr_assert_not_null(strstr(err.text, "has room for 247 bytes of text"), "%s", err.text);
}

/* Whatever the database holds, reading it neither crashes nor writes outside of the state. */
Test(state, of_damaged_bytes_is_an_error_or_a_state)
{
    struct old s = full(), read;
    uint64_t random = 88172645463325252u;
    encode("old", &s);
    struct slice good = arena_copy(&arena, buffer_view(&packed));

    for (int round = 0; round < 20000; round++) {
        struct arena scratch = { 0 };
        packed.size = 0;
        buffer_slice(&packed, good);
        for (int i = 0; i < 3; i++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            packed.data[random % packed.size] = (char)(random >> 32);
        }
        if (state_decode(task("old"), &scratch, buffer_view(&packed), &read, &kept, &err)) {
            struct buffer out = { 0 };
            cr_assert(state_encode(task("old"), &read, &kept, &out, &err), "%s", err.text);
            buffer_finish(&out);
        }
        arena_finish(&scratch);
    }
}
