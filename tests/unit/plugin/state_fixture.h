/* Tasks whose states are versions of one another, and what encodes and decodes them. */
#ifndef STATE_FIXTURE_H
#define STATE_FIXTURE_H

#include "codec/json.h"
#include "codec/pack.h"
#include "plugin/state.h"

#include <criterion/criterion.h>

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
#define NUMBERS(F)     F(BOOL, yes) F(I32, i32) F(U32, u32) F(I64, i64) F(U64, u64) F(F64, f64)
#define THREE          3
#define SHOP(F)        F(STR(8), city, "Bern") F(I32, zip)
BIDE_STRUCT(shop, SHOP)
#define BEGINNING(F)           \
    F(I32, tries, THREE)       \
    F(I64, low, -5)            \
    F(STR(8), currency, "EUR") \
    F(BOOL, yes, true)         \
    F(F64, rate, 0.5)          \
    F(VALUE, any, "x")         \
    F(U32, none)               \
    F(STRUCT(shop), shop)      \
    F(LIST(STRUCT(shop), 2), shops)
#define ONE_SEGMENT(S) S(only)

/* BIDE_TASK makes these in state_fixture.c, together with what describes them. */
#define STATE_STRUCT(name, STATE) \
    struct name {                 \
        STATE(BIDE_MEMBER_)       \
        char bide_end_;           \
    };
#ifndef STATE_FIXTURE_OWN
STATE_STRUCT(old, OLD_STATE)
STATE_STRUCT(fresh, NEW_STATE)
STATE_STRUCT(doubles, DOUBLES)
STATE_STRUCT(numbers, NUMBERS)
STATE_STRUCT(beginning, BEGINNING)
STATE_STRUCT(nothing, BIDE_NO_STATE)
#endif

extern struct arena arena;
extern struct err err;
extern struct buffer packed; /* what encode() made and decode() reads */
extern struct value kept;
extern struct state_report report;

void state_begin(void);
void state_end(void);
const struct plugin_task *task(const char *id);
void encode(const char *id, const void *state);
void decode(const char *id, void *state);
void pack_json(const char *json);
const char *as_json(void);

#ifndef STATE_FIXTURE_OWN
/* bide_set_str() and its like need a task only to raise errors. */
static inline struct old full(void)
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
#endif

#endif
