/*
 * kinds: fills a state with one field of each kind, waits, and compares what came back.
 */
#include <bide/bide.h>
#include <string.h>

#define PLACE(F)     \
    F(STR(16), city) \
    F(I32, zip)      \
    F(LIST(F64, 2), position)
BIDE_STRUCT(place, PLACE)

#define PERSON(F)    \
    F(STR(16), name) \
    F(STRUCT(place), home)
BIDE_STRUCT(person, PERSON)

#define KINDS_STATE(F)          \
    F(BOOL, yes)                \
    F(I32, low)                 \
    F(U32, high)                \
    F(I64, lower)               \
    F(U64, higher)              \
    F(F64, half)                \
    F(F64, endless)             \
    F(STR(8), text)             \
    F(BYTES(5), bytes)          \
    F(TOKEN, token)             \
    F(TOKEN, no_token)          \
    F(RUN, no_run)              \
    F(VALUE, value)             \
    F(VALUE, no_value)          \
    F(STRUCT(person), person)   \
    F(LIST(BOOL, 3), flags)     \
    F(LIST(U64, 2), numbers)    \
    F(LIST(STR(6), 3), words)   \
    F(LIST(BYTES(3), 2), blobs) \
    F(LIST(TOKEN, 2), tokens)   \
    F(LIST(VALUE, 2), values)   \
    F(LIST(STRUCT(person), 2), people)

#define KINDS_SEGMENTS(S) \
    S(fill)               \
    S(compare)

BIDE_TASK(kinds, KINDS_STATE, KINDS_SEGMENTS, .id = "kinds")

static bide_next fill(bide_task *t)
{
    struct kinds *s = bide_state(t);
    bide_map *map = bide_map_new(t);

    s->yes = true;
    s->low = INT32_MIN;
    s->high = UINT32_MAX;
    s->lower = INT64_MIN;
    s->higher = UINT64_MAX;
    s->half = 0.5;
    s->endless = -__builtin_inf();
    bide_set_str(t, s->text, "sieben7");
    bide_set_bytes(t, s->bytes, "\0\xff\1", 3);
    s->token = bide_token_create(t, (struct bide_token_opts){ .timeout_ms = BIDE_MINUTES(1) });
    bide_put_str(t, map, "a", "b");
    bide_put(t, map, "nested", bide_list_new(t));
    s->value = map;
    bide_set_str(t, s->person.name, "Ada");
    bide_set_str(t, s->person.home.city, "London");
    s->person.home.zip = -1;
    s->person.home.position.count = 2;
    s->person.home.position.item[1] = 51.5;
    s->flags.count = 2;
    s->flags.item[1] = true;
    s->numbers.count = 1;
    s->numbers.item[0] = 1;
    s->words.count = 3;
    bide_set_str(t, s->words.item[2], "three");
    s->blobs.count = 1;
    bide_set_bytes(t, s->blobs.item[0], "xyz", 3);
    s->tokens.count = 1;
    s->tokens.item[0] = s->token;
    s->values.count = 2;
    s->values.item[1] = bide_of_i64(t, 7);
    s->people.count = 1;
    s->people.item[0] = s->person;
    return bide_wait_for(t, 0, compare);
}

static bool place_is_right(const struct place *place)
{
    return strcmp(place->city, "London") == 0 && place->zip == -1 &&
           place->position.count == 2 && place->position.item[1] > 51.4;
}

static bool scalars_are_right(const struct kinds *s)
{
    return s->yes && s->low == INT32_MIN && s->high == UINT32_MAX && s->lower == INT64_MIN &&
           s->higher == UINT64_MAX && s->half > 0.4 && s->endless < -1e300;
}

static bool lists_are_right(bide_task *t, const struct kinds *s)
{
    return s->flags.count == 2 && !s->flags.item[0] && s->flags.item[1] &&
           s->numbers.count == 1 && s->numbers.item[0] == 1 && s->words.count == 3 &&
           s->words.item[0][0] == 0 && strcmp(s->words.item[2], "three") == 0 &&
           s->blobs.count == 1 && s->blobs.item[0].size == 3 && s->tokens.count == 1 &&
           s->tokens.item[0].id == s->token.id && s->values.count == 2 &&
           s->values.item[0] == NULL && bide_i64(t, s->values.item[1], NULL) == 7 &&
           s->people.count == 1 && place_is_right(&s->people.item[0].home);
}

static bide_next compare(bide_task *t)
{
    struct kinds *s = bide_state(t);

    bide_out_bool(t, "scalars", scalars_are_right(s));
    bide_out_bool(t, "texts",
                  strcmp(s->text, "sieben7") == 0 && s->bytes.size == 3 &&
                      s->bytes.data[1] == 0xff);
    bide_out_bool(t, "handles",
                  s->token.id != 0 && s->token.url[0] != 0 && s->no_token.id == 0 &&
                      s->no_run.id == 0);
    bide_out_bool(t, "values",
                  s->no_value == NULL && strcmp(bide_str(t, s->value, "a"), "b") == 0 &&
                      bide_kind(t, s->value, "nested") == BIDE_LIST);
    bide_out_bool(t, "structs",
                  strcmp(s->person.name, "Ada") == 0 && place_is_right(&s->person.home));
    bide_out_bool(t, "lists", lists_are_right(t, s));
    return bide_done(t);
}

BIDE_PLUGIN("kinds", "1.0.0", kinds_task)
