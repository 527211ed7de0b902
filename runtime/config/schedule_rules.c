#include "config/schedule_rules.h"

#include "base/duration.h"
#include "base/suggest.h"
#include "codec/pack.h"

#include <inttypes.h>
#include <stdio.h>

#define YEAR_MS (INT64_C(366) * 86400 * 1000)
#define DAYS_MS (INT64_C(86400) * 1000)

/* Ticks stay in order: none is moved by more than half of what lies between two. */
enum { SPREAD_PERCENT_MOST = 50 };

static const char *const dst_words[] = {
#define X(code, word) word,
    TICK_DST_MAP(X)
#undef X
        NULL
};
static const char *const days_words[] = { "or", "and", NULL };
static const char *const missed_words[] = { "last", "none", "all", NULL };
static const char *const overlap_words[] = { "skip",           "queue_one", "queue_all",
                                             "cancel_running", "allow",     NULL };

#define WORD(key_, type_, member, least_, most_, words_)                                      \
    {                                                                                         \
        .key = key_, .type = SCHEDULE_##type_, .at = offsetof(struct schedule_rules, member), \
        .least = least_, .most = most_, .words = words_,                                      \
    }

const struct schedule_word schedule_words[SCHEDULE_WORDS] = {
    WORD("task", TEXT, task, 1, 128, NULL),
    WORD("cron", TEXT, cron, 1, CRON_TEXT_MAX, NULL),
    WORD("zone", TEXT, zone, 1, ZONE_NAME_MAX, NULL),
    WORD("external_id", TEXT, external_id, 0, 256, NULL),
    WORD("dst", WORD, dst, 0, 0, dst_words),
    WORD("days", WORD, days, 0, 0, days_words),
    WORD("missed", WORD, missed, 0, 0, missed_words),
    WORD("missed_within", SPAN, missed_within_ms, 1000, YEAR_MS, NULL),
    WORD("missed_max", COUNT, missed_max, 1, SCHEDULE_MISSED_MOST, NULL),
    WORD("overlap", WORD, overlap, 0, 0, overlap_words),
    WORD("overlap_max", COUNT, overlap_max, 1, SCHEDULE_OVERLAP_MOST, NULL),
    WORD("grace", SPAN, grace_ms, 1000, DAYS_MS, NULL),
    WORD("spread", SPAN, spread_ms, 0, DAYS_MS, NULL),
    WORD("jitter", SPAN, jitter_ms, 0, DAYS_MS, NULL),
    WORD("spread_percent", COUNT, spread_percent, 1, SPREAD_PERCENT_MOST, NULL),
    WORD("starts", DATE, starts_ms, 0, 0, NULL),
    WORD("ends", DATE, ends_ms, 0, 0, NULL),
    WORD("fires_max", COUNT, fires_max, 1, INT32_MAX, NULL),
    WORD("pause_after", COUNT, pause_after, 1, 1000, NULL),
    WORD("except", DATES, except, 0, 0, NULL),
};

struct schedule_rules schedule_rules_standard(void)
{
    return (struct schedule_rules){ .zone = SLICE("UTC"),
                                    .missed_max = 100,
                                    .overlap_max = SCHEDULE_OVERLAP_MOST,
                                    .grace_ms = 60 * 1000 };
}

/* ---- reading ----------------------------------------------------------------------------- */

static bool flaw_set(struct cron_flaw *flaw, uint32_t column, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool flaw_set(struct cron_flaw *flaw, uint32_t column, const char *format, ...)
{
    va_list arguments;

    flaw->column = column;
    va_start(arguments, format);
    (void)vsnprintf(flaw->text, sizeof flaw->text, format, arguments);
    va_end(arguments);
    return false;
}

static const struct schedule_word *word_find(struct slice key, struct cron_flaw *flaw)
{
    struct suggestion near;

    suggestion_init(&near, key);
    for (int i = 0; i < SCHEDULE_WORDS; i++) {
        if (slice_is(key, schedule_words[i].key))
            return &schedule_words[i];
        suggestion_offer(&near, slice_of(schedule_words[i].key));
    }
    flaw_set(flaw, 0, "a schedule has no \"%.*s\"%.*s%.*s%s",
             key.size > 40 ? 40 : (int)key.size, key.data, SUGGESTION_ARG(&near));
    return NULL;
}

static bool which_word(const struct schedule_word *word, struct slice text, uint32_t *which,
                       struct cron_flaw *flaw)
{
    char all[120] = "";

    for (*which = 0; word->words[*which] != NULL; ++*which)
        if (slice_is(text, word->words[*which]))
            return true;
    for (int i = 0; word->words[i] != NULL; i++) {
        size_t used = strlen(all);
        (void)snprintf(all + used, sizeof all - used, "%s%s", i == 0 ? "" : ", ",
                       word->words[i]);
    }
    return flaw_set(flaw, 0, "%s is one of %s", word->key, all);
}

static bool date_check(struct slice text)
{
    int64_t at_ms;

    return text.size == SCHEDULE_DATE_SIZE && time_parse(text, &at_ms);
}

static bool dates_set(struct arena *arena, const struct value *value, struct slice *dates,
                      struct cron_flaw *flaw)
{
    if (value->kind != VALUE_LIST || value->count > SCHEDULE_DATES_MOST)
        return flaw_set(flaw, 0, "except is a list of at most %d dates, like [\"2027-12-24\"]",
                        SCHEDULE_DATES_MOST);
    char *bytes = arena_alloc(arena, (size_t)value->count * SCHEDULE_DATE_SIZE + 1);
    for (uint32_t i = 0; i < value->count; i++) {
        if (value->items[i].kind != VALUE_STRING || !date_check(value->items[i].bytes))
            return flaw_set(flaw, 0,
                            "except: the date number %" PRIu32 " is not one like 2027-12-24",
                            i + 1);
        memcpy(bytes + (size_t)i * SCHEDULE_DATE_SIZE, value->items[i].bytes.data,
               SCHEDULE_DATE_SIZE);
    }
    *dates = (struct slice){ bytes, (size_t)value->count * SCHEDULE_DATE_SIZE };
    return true;
}

static bool count_set(const struct schedule_word *word, const struct value *value,
                      uint32_t *count, struct cron_flaw *flaw)
{
    if (value->kind != VALUE_INT || value->integer < word->least || value->integer > word->most)
        return flaw_set(flaw, 0, "%s is a whole number from %" PRId64 " to %" PRId64, word->key,
                        word->least, word->most);
    *count = (uint32_t)value->integer;
    return true;
}

static bool text_set(struct arena *arena, const struct schedule_word *word, struct slice text,
                     char *member, struct cron_flaw *flaw)
{
    char least[DURATION_TEXT_SIZE], most[DURATION_TEXT_SIZE];
    int64_t *time_ms = (int64_t *)(void *)member;

    switch (word->type) {
    case SCHEDULE_TEXT:
        if ((int64_t)text.size < word->least || (int64_t)text.size > word->most)
            return flaw_set(flaw, 0, "%s is a text of %" PRId64 " to %" PRId64 " bytes",
                            word->key, word->least, word->most);
        *(struct slice *)(void *)member = arena_copy(arena, text);
        return true;
    case SCHEDULE_SPAN:
        return (duration_parse(text, time_ms) && *time_ms >= word->least &&
                *time_ms <= word->most) ||
               flaw_set(flaw, 0, "%s is a duration from %s to %s, like 10m", word->key,
                        duration_format(word->least, least), duration_format(word->most, most));
    case SCHEDULE_DATE:
        return (time_parse(text, time_ms) && *time_ms != 0) ||
               flaw_set(flaw, 0, "%s is a date like 2027-12-24 or 2027-12-24T12:00Z",
                        word->key);
    case SCHEDULE_WORD:
        return which_word(word, text, (uint32_t *)(void *)member, flaw);
    case SCHEDULE_COUNT:
    case SCHEDULE_DATES:
        break;
    }
    return false;
}

bool schedule_rules_set(struct arena *arena, struct schedule_rules *rules, struct slice key,
                        const struct value *value, struct cron_flaw *flaw)
{
    const struct schedule_word *word = word_find(key, flaw);

    if (word == NULL)
        return false;
    char *member = (char *)rules + word->at;
    if (word->type == SCHEDULE_DATES)
        return dates_set(arena, value, (struct slice *)(void *)member, flaw);
    if (word->type == SCHEDULE_COUNT)
        return count_set(word, value, (uint32_t *)(void *)member, flaw);
    if (value->kind != VALUE_STRING)
        return flaw_set(flaw, 0, "%s is a text", word->key);
    return text_set(arena, word, value->bytes, member, flaw);
}

/* ---- as a whole -------------------------------------------------------------------------- */

static bool is_excepted(const struct schedule_rules *rules, const struct tick *tick)
{
    char text[CIVIL_TEXT_SIZE];

    if (rules->except.size == 0)
        return false;
    civil_format(tick->nominal_s, 'T', text);
    for (size_t at = 0; at < rules->except.size; at += SCHEDULE_DATE_SIZE)
        if (memcmp(rules->except.data + at, text, SCHEDULE_DATE_SIZE) == 0)
            return true;
    return false;
}

bool schedule_rules_next(const struct schedule_rules *rules, const struct plan *plan,
                         int64_t after_s, struct tick *tick)
{
    int64_t starts_s = rules->starts_ms / 1000;
    /* A date that is left out may have a tick each second. */
    enum { TRIES = 100000 };

    if (rules->starts_ms != 0 && after_s < starts_s - 1)
        after_s = starts_s - 1;
    for (int i = 0; i < TRIES; i++) {
        if (!tick_next(&plan->cron, plan->zone, plan->dst, after_s, tick) ||
            (rules->ends_ms != 0 && tick->at_s * 1000 >= rules->ends_ms))
            return false;
        if (!is_excepted(rules, tick))
            return true;
        after_s = tick->at_s;
    }
    return false;
}

void schedule_rules_spread(struct schedule_rules *rules, const struct plan *plan, int64_t at_s)
{
    struct tick behind;

    if (rules->spread_percent == 0)
        return;
    rules->spread_ms = schedule_rules_next(rules, plan, at_s, &behind)
                           ? (behind.at_s - at_s) * 10 * rules->spread_percent
                           : 0;
}

bool schedule_rules_plan(const struct schedule_rules *rules, const struct zone *zone,
                         struct plan *plan)
{
    struct cron_flaw flaw;

    *plan = (struct plan){ .zone = zone, .dst = (enum tick_dst)rules->dst };
    if (!cron_read(rules->cron, &plan->cron, &flaw))
        return false;
    plan->cron.both_days = rules->days == 1;
    return true;
}

static bool spread_check(const struct schedule_rules *rules, const struct plan *plan,
                         int64_t now_s, const char **key, struct cron_flaw *flaw)
{
    enum { TICKS_LOOKED_AT = 200 };
    int64_t least_s = INT64_MAX;
    struct tick tick = { .at_s = now_s }, next;
    char text[DURATION_TEXT_SIZE];

    if (rules->spread_ms == 0 && rules->jitter_ms == 0)
        return true;
    for (int i = 0; i < TICKS_LOOKED_AT && schedule_rules_next(rules, plan, tick.at_s, &next);
         i++) {
        if (i > 0 && next.at_s - tick.at_s < least_s)
            least_s = next.at_s - tick.at_s;
        tick = next;
    }
    if (least_s == INT64_MAX)
        return true; /* there is one alone */
    *key = rules->spread_ms > least_s * 500 ? "spread" : "jitter";
    if (rules->spread_ms <= least_s * 500 && rules->jitter_ms <= least_s * 500)
        return true;
    return flaw_set(flaw, 0, "%s is at most half of the smallest time between two ticks, %s",
                    *key, duration_format(least_s * 500, text));
}

bool schedule_rules_check(const struct schedule_rules *rules, const struct zone *zone,
                          int64_t now_s, struct plan *plan, const char **key,
                          struct cron_flaw *flaw)
{
    struct tick first;

    *key = "spread_percent";
    if (rules->spread_percent != 0 && rules->spread_ms != 0)
        return flaw_set(flaw, 0, "spread and spread_percent say the same; give one of them");
    *key = "task";
    if (rules->task.size == 0)
        return flaw_set(flaw, 0, "it is not said which task the schedule starts");
    *key = "cron";
    if (rules->cron.size == 0)
        return flaw_set(flaw, 0,
                        "it is not said when the schedule fires: \"30 2 * * *\" is every "
                        "day at half past two");
    if (!cron_read(rules->cron, &plan->cron, flaw))
        return false;
    (void)schedule_rules_plan(rules, zone, plan); /* it was read */
    if (rules->ends_ms != 0 && rules->ends_ms <= rules->starts_ms) {
        *key = "ends";
        return flaw_set(flaw, 0, "ends is not after starts");
    }
    if (!schedule_rules_next(rules, plan, now_s, &first))
        return flaw_set(flaw, 1, "it never fires: there is no such date from now on%s",
                        rules->ends_ms != 0 ? " before its end" : "");
    return spread_check(rules, plan, now_s, key, flaw);
}

/* ---- keeping ----------------------------------------------------------------------------- */

static struct value text_value(struct arena *arena, const char *text)
{
    return value_string(arena_copy(arena, slice_of(text)));
}

static struct value dates_value(struct arena *arena, struct slice dates)
{
    struct value list = value_list();

    for (size_t at = 0; at < dates.size; at += SCHEDULE_DATE_SIZE)
        value_add(arena, &list,
                  value_string((struct slice){ dates.data + at, SCHEDULE_DATE_SIZE }));
    return list;
}

static struct value word_value(struct arena *arena, const struct schedule_word *word,
                               const char *member)
{
    const int64_t *time_ms = (const int64_t *)(const void *)member;
    const uint32_t *count = (const uint32_t *)(const void *)member;
    char text[DURATION_TEXT_SIZE];

    switch (word->type) {
    case SCHEDULE_SPAN:
        return text_value(arena, duration_format(*time_ms, text));
    case SCHEDULE_COUNT:
        return value_int(*count);
    case SCHEDULE_DATE:
        return text_value(arena, time_format(*time_ms, text));
    case SCHEDULE_WORD:
        return value_text(word->words[*count]);
    case SCHEDULE_DATES:
        return dates_value(arena, *(const struct slice *)(const void *)member);
    case SCHEDULE_TEXT:
        break;
    }
    return value_string(*(const struct slice *)(const void *)member);
}

static bool is_standard(const struct schedule_word *word, const char *member,
                        const char *standard)
{
    switch (word->type) {
    case SCHEDULE_TEXT:
    case SCHEDULE_DATES:
        return slice_equal(*(const struct slice *)(const void *)member,
                           *(const struct slice *)(const void *)standard);
    case SCHEDULE_SPAN:
    case SCHEDULE_DATE:
        return memcmp(member, standard, sizeof(int64_t)) == 0;
    case SCHEDULE_COUNT:
    case SCHEDULE_WORD:
        break;
    }
    return memcmp(member, standard, sizeof(uint32_t)) == 0;
}

struct value schedule_rules_value(struct arena *arena, const struct schedule_rules *rules)
{
    struct schedule_rules standard = schedule_rules_standard();
    struct value map = value_map();

    for (int i = 0; i < SCHEDULE_WORDS; i++) {
        const struct schedule_word *word = &schedule_words[i];
        const char *member = (const char *)rules + word->at;
        if (!is_standard(word, member, (const char *)&standard + word->at))
            value_put(arena, &map, word->key, word_value(arena, word, member));
    }
    return map;
}

struct slice schedule_rules_pack(struct arena *arena, const struct schedule_rules *rules)
{
    struct value map = schedule_rules_value(arena, rules);

    return pack_value(arena, &map);
}

bool schedule_rules_unpack(struct arena *arena, struct slice packed,
                           struct schedule_rules *rules)
{
    struct value map;
    struct cron_flaw flaw;

    *rules = schedule_rules_standard();
    if (!pack_read(arena, packed, &map, NULL) || map.kind != VALUE_MAP)
        return false;
    for (uint32_t i = 0; i < map.count; i++)
        if (!schedule_rules_set(arena, rules, map.members[i].key, &map.members[i].value, &flaw))
            return false;
    return true;
}
