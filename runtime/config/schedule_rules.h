/*
 * Schedule rules: what schedules.yaml, the API and the command line may say of a schedule. Each
 * word is told once, in a table: reading it, keeping it in a row and showing it follow from
 * that.
 */
#ifndef CONFIG_SCHEDULE_RULES_H
#define CONFIG_SCHEDULE_RULES_H

#include "base/arena.h"
#include "codec/value.h"
#include "schedule/plan.h"

enum missed_rule { MISSED_LAST, MISSED_NONE, MISSED_ALL };
enum overlap_rule {
    OVERLAP_SKIP,
    OVERLAP_QUEUE_ONE,
    OVERLAP_QUEUE_ALL,
    OVERLAP_CANCEL_RUNNING,
    OVERLAP_ALLOW
};

enum {
    SCHEDULE_MISSED_MOST = 1000,
    SCHEDULE_OVERLAP_MOST = 100, /* runs of one schedule that overlap looks at */
    SCHEDULE_DATES_MOST = 366,
    SCHEDULE_DATE_SIZE = 10, /* "2027-12-24" */
};

struct schedule_rules {
    struct slice task, cron, zone, external_id;
    uint32_t dst; /* enum tick_dst */
    uint32_t days;
    uint32_t missed;          /* enum missed_rule */
    int64_t missed_within_ms; /* MISSED_ALL: only those; 0: any */
    uint32_t missed_max;
    uint32_t overlap;     /* enum overlap_rule */
    uint32_t overlap_max; /* QUEUE_ALL: ticks that wait */
    int64_t grace_ms;     /* later than this it is missed */
    int64_t spread_ms, jitter_ms;
    uint32_t spread_percent;    /* of the time up to the tick behind; 0: spread_ms counts */
    int64_t starts_ms, ends_ms; /* 0: none */
    uint32_t fires_max;         /* 0: any number */
    uint32_t pause_after;       /* failures in a row; 0: never */
    struct slice except;        /* dates, SCHEDULE_DATE_SIZE bytes each, one after the other */
};

enum schedule_word_type {
    SCHEDULE_TEXT,
    SCHEDULE_SPAN,
    SCHEDULE_COUNT,
    SCHEDULE_DATE,
    SCHEDULE_DATES,
    SCHEDULE_WORD /* uint32_t: which of its words */
};

struct schedule_word {
    const char *key;
    enum schedule_word_type type;
    size_t at; /* in struct schedule_rules */
    int64_t least, most;
    const char *const *words;
};

enum { SCHEDULE_WORDS = 20 };
extern const struct schedule_word schedule_words[SCHEDULE_WORDS];

/* All that is not said. */
struct schedule_rules schedule_rules_standard(void);

/* One word. False: `flaw` says why; its column is 0, or counts within the text that `value` is.
 */
bool schedule_rules_set(struct arena *arena, struct schedule_rules *rules, struct slice key,
                        const struct value *value, struct cron_flaw *flaw);
/* Is it there at all, and as a whole? *plan is filled. *key: of the word that is wrong. */
bool schedule_rules_check(const struct schedule_rules *rules, const struct zone *zone,
                          int64_t now_s, struct plan *plan, const char **key,
                          struct cron_flaw *flaw);

/* A map of what is said beside the standard, and back. */
struct value schedule_rules_value(struct arena *arena, const struct schedule_rules *rules);
struct slice schedule_rules_pack(struct arena *arena, const struct schedule_rules *rules);
/* False: it is damaged, or of another version. */
bool schedule_rules_unpack(struct arena *arena, struct slice packed,
                           struct schedule_rules *rules);

/* The plan of rules that were checked; false: the text means nothing any more. */
bool schedule_rules_plan(const struct schedule_rules *rules, const struct zone *zone,
                         struct plan *plan);
/* What spread_percent makes of spread_ms for the tick at `at_s`. */
void schedule_rules_spread(struct schedule_rules *rules, const struct plan *plan, int64_t at_s);
/* The next tick that counts: in its time, on no date that is left out. */
bool schedule_rules_next(const struct schedule_rules *rules, const struct plan *plan,
                         int64_t after_s, struct tick *tick);

#endif
