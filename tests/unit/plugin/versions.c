/* State across versions, and from bytes that are no state. */
#include "state_fixture.h"

TestSuite(versions, .init = state_begin, .fini = state_end);

Test(versions, state_of_an_older_version_is_read_by_name)
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
Test(versions, state_that_is_not_known_survives)
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

static const char *lost(const char *id)
{
    return arena_text(&arena, state_lost(task(id), &arena, buffer_view(&packed), &kept));
}

/* Renamed, and nobody said so: zero without a word would be a guess. */
Test(versions, state_that_is_lost_is_named_with_what_began_at_zero)
{
    struct fresh s;
    pack_json("{\"amount\":5,\"low\":1}");

    decode("fresh", &s);

    cr_assert_eq(strncmp(lost("fresh"),
                         "state field amount is not in this build and is kept aside; ", 59),
                 0, "%s", lost("fresh"));
    cr_assert_not_null(strstr(lost("fresh"), "added"), "%s", lost("fresh"));
    cr_assert_null(strstr(lost("fresh"), "low"), "%s", lost("fresh"));
}

Test(versions, state_that_only_gained_or_is_saved_again_is_not_lost)
{
    struct fresh s;
    pack_json("{\"low\":1}");
    decode("fresh", &s);
    cr_assert_str_empty(lost("fresh"), "only gained");

    pack_json("{\"amount\":5}");
    decode("fresh", &s);
    encode("fresh", &s);
    decode("fresh", &s);
    cr_assert_str_empty(lost("fresh"), "said once");
}

/* An unknown field stays with its item only while it is sure which item that is. */
Test(versions, state_of_items_that_came_or_went_is_not_guessed)
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

Test(versions, state_stored_under_old_and_new_name_is_read_from_the_new)
{
    struct fresh s;
    pack_json("{\"words_of\":\"new\",\"text\":\"old one\"}");

    decode("fresh", &s);

    cr_assert_str_eq(s.words_of, "new");
    cr_assert_eq(kept.count, 1);
}

/* Two former names of one field: what was read first must not shine through. */
Test(versions, state_of_a_field_under_two_old_names_does_not_mix_them)
{
    struct fresh s;
    pack_json("{\"label\":\"longer\",\"text\":\"xy\"}");

    decode("fresh", &s);

    cr_assert_str_eq(s.words_of, "xy");
}

struct parking {
    const char *task;
    const char *stored;
    const char *reason;
};

Test(versions, state_that_does_not_fit_parks_the_run)
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

Test(versions, state_of_a_number_above_all_signed_ones_parks_the_run)
{
    static struct old s;
    struct value map = value_map();
    value_put(&arena, &map, "lower", (struct value){ .kind = VALUE_UINT, .big = UINT64_MAX });
    pack_write(&packed, &map);

    cr_assert_not(state_decode(task("old"), &arena, buffer_view(&packed), &s, &kept, &err));

    cr_assert_not_null(strstr(err.text, "does not fit I64"), "%s", err.text);
}

Test(versions, state_of_a_longer_text_than_a_token_url_parks_the_run)
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
Test(versions, state_of_damaged_bytes_is_an_error_or_a_state)
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
