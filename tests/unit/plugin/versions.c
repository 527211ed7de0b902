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

static const char *lost(void)
{
    return arena_text(&arena, state_lost(&report, &arena));
}

/* Renamed, and nobody said so: zero without a word would be a guess. */
Test(versions, state_that_is_lost_is_named_with_what_began_anew)
{
    struct fresh s;
    pack_json("{\"amount\":5,\"low\":1,\"home\":{\"city\":\"Bern\"}}");

    decode("fresh", &s);

    cr_assert_str_eq(lost(),
                     "state fields amount, home.city are not in this build and are kept "
                     "aside; home.zip, home.abroad, words_of, added, places began anew "
                     "(a field that was renamed is a row of .renamed)");
}

Test(versions, state_that_only_lost_is_named_once)
{
    struct old s;
    pack_json("{\"yes\":true,\"low\":1,\"high\":1,\"lower\":1,\"higher\":1,\"half\":1,"
              "\"text\":\"\",\"token\":null,\"run\":null,\"value\":1,"
              "\"home\":{\"city\":\"\",\"zip\":0},\"words\":[],\"places\":[{\"city\":\"\","
              "\"zip\":1,\"street\":\"a\"},{\"city\":\"\",\"zip\":1,\"street\":\"b\"}],"
              "\"runs\":[]}");
    decode("old", &s);
    cr_assert_str_eq(lost(),
                     "state field places[].street is not in this build and is kept aside");

    encode("old", &s);
    decode("old", &s);
    cr_assert_str_empty(lost(), "said once");
    cr_assert_eq(kept.count, 1);
}

Test(versions, state_that_only_gained_is_not_lost)
{
    struct fresh s;
    pack_json("{\"low\":1}");
    decode("fresh", &s);
    cr_assert_str_empty(lost());
}

/* What was aside is known by its new name as well, and by another kind. */
Test(versions, state_that_was_aside_is_read_by_the_version_that_has_it)
{
    struct fresh s;
    pack_json("{\"low\":1,\"~aside\":{\"text\":\"former\",\"added\":true,\"more\":[1]}}");

    decode("fresh", &s);
    encode("fresh", &s);

    cr_assert_str_eq(s.words_of, "former");
    cr_assert_eq(s.added, 1);
    cr_assert_str_empty(lost());
    cr_assert_str_eq(as_json(),
                     "{\"words_of\":\"former\",\"home\":{\"zip\":0,\"abroad\":false},"
                     "\"added\":1,\"places\":[],\"low\":1,\"~aside\":{\"more\":[1]}}");
}

/* One level more would be one too many for who reads it again. */
Test(versions, state_that_is_nested_as_deep_as_possible_stays_readable)
{
    struct buffer json = { 0 };
    struct fresh s;
    buffer_text(&json, "{\"deep\":");
    for (int i = 0; i < VALUE_MAX_DEPTH - 1; i++)
        buffer_byte(&json, '[');
    for (int i = 0; i < VALUE_MAX_DEPTH - 1; i++)
        buffer_byte(&json, ']');
    buffer_byte(&json, '}');
    pack_json(arena_text(&arena, buffer_view(&json)));
    buffer_finish(&json);

    for (int i = 0; i < 3; i++) {
        decode("fresh", &s);
        encode("fresh", &s);
    }
    cr_assert_eq(kept.count, 1);
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
        { "items", "{\"words\":[\"a\"]}", "state field words[0] is I64 here" },
        { "narrow", "{\"lower\":2147483648}",
          "state field lower is I32 here, and 2147483648 does not fit it" },
        { "unsigned", "{\"low\":-1}", "state field low is U64 here, and -1 does not fit it" },
        { "old", "{\"high\":4294967296}",
          "state field high is U32 here, and 4294967296 does not fit it" },
        { "old", "{\"lower\":1.5}", "state field lower is I64 here, and 1.5 does not fit it" },
        { "old", "{\"half\":\"much\"}", "state field half is F64 here" },
        { "old", "{\"yes\":2}", "state field yes is BOOL here, and 2 does not fit it" },
        { "old", "{\"token\":\"waitpoint_1\"}", "state field token is TOKEN here" },
        { "old", "{\"token\":{\"id\":\"x\",\"url\":\"\"}}", "state field token is TOKEN here" },
        { "old", "{\"run\":\"run_x\"}", "state field run is RUN here" },
        { "old", "{\"home\":[]}", "state field home is STRUCT here" },
        { "old", "{\"home\":{\"zip\":\"3000\"}}", "state field home.zip is I32 here" },
        { "old", "{\"places\":[{},{\"zip\":\"3000\"}]}", "state field places[1].zip is I32" },
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
            state_decode(task(parking->task), &arena, buffer_view(&packed), &s, &kept, &report);
        cr_assert_not(read, "%s reads %s", parking->task, parking->stored);
        cr_assert_eq(report.err.code, ERR_RULE);
        cr_assert_not_null(strstr(report.err.text, parking->reason), "%s: %s", parking->stored,
                           report.err.text);
    }
}

Test(versions, state_of_a_number_above_all_signed_ones_parks_the_run)
{
    static struct old s;
    struct value map = value_map();
    value_put(&arena, &map, "lower", (struct value){ .kind = VALUE_UINT, .big = UINT64_MAX });
    pack_write(&packed, &map);

    cr_assert_not(state_decode(task("old"), &arena, buffer_view(&packed), &s, &kept, &report));

    cr_assert_not_null(strstr(report.err.text, "18446744073709551615 does not fit"), "%s",
                       report.err.text);
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

    cr_assert_not(state_decode(task("old"), &arena, buffer_view(&packed), &s, &kept, &report));

    cr_assert_not_null(strstr(report.err.text, "has room for 247 bytes of text"), "%s",
                       report.err.text);
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
        if (state_decode(task("old"), &scratch, buffer_view(&packed), &read, &kept, &report)) {
            struct buffer out = { 0 };
            cr_assert(state_encode(task("old"), &read, &kept, &out, &err), "%s", err.text);
            buffer_finish(&out);
        }
        arena_finish(&scratch);
    }
}
