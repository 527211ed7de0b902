/*
 * Queue rules: what queues.yaml may say of one queue. Each key is told once, in a table:
 * reading the file, what a reload says in the log, and where the engine finds it follow from
 * that. What a key may say is in schemas/config/queues.yaml.
 */
#ifndef CONFIG_QUEUE_RULES_H
#define CONFIG_QUEUE_RULES_H

#include "base/duration.h"
#include "codec/expression.h"
#include "config/retry_rules.h"

#include <stdbool.h>
#include <stddef.h>

/* What a trigger does that meets a run of its queue and key. */
enum conflict_rule { CONFLICT_QUEUE, CONFLICT_SKIP, CONFLICT_REPLACE, CONFLICT_CANCEL };

enum full_rule { FULL_REJECT, FULL_DROP_OLDEST };

/* A trigger whose idempotency key stands for a run with another payload. */
enum mismatch_rule { MISMATCH_UNSAID, MISMATCH_TELL, MISMATCH_REFUSE };

/* What becomes of a child whose parent was canceled, or took too long; the SDK's numbers. */
enum children_rule {
    CHILDREN_UNSAID,
    CHILDREN_CANCEL, /* it is canceled as well: what is always so */
    CHILDREN_ABANDON,
    CHILDREN_WAIT /* it goes on, and its parent's end is told when it has ended, too */
};
extern const char *const children_words[]; /* the last is NULL */

/* With which outcomes a run stays the one that its idempotency key stands for: bits. With the
 * others the key is free when the run ends. The numbers are stored, and are the SDK's. */
enum reuse {
    REUSE_SUCCESS = 1,
    REUSE_CANCELED = 2,
    REUSE_FAILED = 4, /* also crashed, timed out */
    REUSE_EXPIRED = 8,
    REUSE_SAID = 16, /* or it is as always: */
    REUSE_STANDARD = REUSE_SUCCESS | REUSE_CANCELED,
    REUSE_MASK = 31
};

/* "success", "canceled", …; 0: there is no such outcome. */
uint32_t reuse_read(struct slice word);

/* A number, or what an expression over the payload gives. */
struct queue_amount {
    double number;
    const struct expression *expression; /* NULL: there is none */
};

/* So many starts in each `per_ms`, evenly; up to `burst` of them at once. limit 0: any number.
 */
struct queue_rate {
    uint32_t limit, burst;
    int64_t per_ms;
};

/* Who shares the starts of a queue: the tenants, and the keys of each. */
enum weight_level { WEIGHT_TENANT, WEIGHT_KEY, WEIGHT_LEVELS };

struct queue_weight {
    struct slice name;
    uint32_t weight;
};

struct queue_fair {
    bool is_said;
    struct queue_level {
        const struct expression *by;  /* over the payload: whose; NULL: it is not said */
        struct queue_weight *weights; /* sorted by name; who is not here has 1 */
        uint32_t count;
    } levels[WEIGHT_LEVELS];
};

/* Tokens of a pool that a run holds while a segment of it runs. */
struct queue_use {
    struct slice pool;
    uint32_t tokens;
};

struct queue_uses {
    struct queue_use *items; /* sorted by pool */
    uint32_t count;
};

/* So many triggers, or so much time after the first of them, are one run. max 0: it is not
 * said.
 */
struct queue_collect {
    uint32_t max;
    int64_t for_ms;
};

/* 0, and what is empty: it is not said. */
struct queue_rules {
    uint32_t concurrency;             /* runs at a time of each lane; */
    uint32_t per_key;                 /* of those with a key; 0: the same */
    uint32_t total;                   /* of all together; 0: any number */
    struct queue_rate rate, key_rate; /* of the queue as a whole; of each lane with a key */
    struct queue_amount rate_cost, key_rate_cost; /* a start counts for so many; 0: for one */
    uint32_t max_queued;                          /* runs that wait in it; 0: any number */
    uint32_t on_full;                             /* enum full_rule */
    uint32_t on_conflict;                         /* enum conflict_rule */
    /* For runs whose trigger says none. */
    int64_t ttl_ms, total_ms;
    struct queue_amount priority; /* seconds */
    /* Before their task's own. */
    struct retry_rule retry, retry_of[RETRY_CLASSES];
    uint32_t retry_total;   /* attempts of a run in all */
    uint32_t on_exhausted;  /* enum exhausted_rule */
    struct queue_fair fair; /* lanes take turns where it is not said */
    struct queue_uses uses; /* all of it, or the run does not start */
    uint32_t reuse;         /* enum reuse; for triggers that say none */
    uint32_t on_parent_end; /* enum children_rule; where neither trigger nor parent say it */
    uint32_t on_mismatch;   /* enum mismatch_rule */
    struct queue_collect collect;
};

enum queue_rule_type {
    RULE_COUNT,  /* uint32_t */
    RULE_SPAN,   /* int64_t, milliseconds */
    RULE_RATE,   /* struct queue_rate */
    RULE_FACTOR, /* double; this and those below: queue_values.c */
    RULE_AMOUNT, /* struct queue_amount */
    RULE_FAIR,   /* struct queue_fair; queue_fair.c */
    RULE_USES,   /* struct queue_uses; queue_pools.c */
    RULE_WORD,   /* uint32_t: which of its words */
    RULE_REUSE   /* uint32_t: a list of outcomes, enum reuse */
};

struct queue_rule {
    const char *key; /* "a.b" is b in the map a */
    enum queue_rule_type type;
    size_t at;     /* in struct queue_rules */
    bool is_alias; /* another word for the one before it */
    const char *const *words;
};

enum { QUEUE_RULES = 44, QUEUE_RULE_TEXT_SIZE = 240 };

extern const struct queue_rule queue_rule_table[QUEUE_RULES];

/* "100/1m" or "100/1m, burst 10"; NULL, or what is wrong with it. */
const char *queue_rate_parse(struct slice text, struct queue_rate *rate);

/* So it is shown; "" where there is none. */
void queue_rate_text(const struct queue_rate *rate, char text[QUEUE_RULE_TEXT_SIZE]);

/* As people write it; "": it is not said. */
void queue_rule_text(const struct queue_rule *rule, const struct queue_rules *rules,
                     char text[QUEUE_RULE_TEXT_SIZE]);

/* "tenant by payload.org; key by …": as queue_rule_text has it. */
void queue_fair_text(const struct queue_fair *fair, char text[QUEUE_RULE_TEXT_SIZE]);

/* "gpu 1, licence 2": as queue_rule_text has it. */
void queue_uses_text(const struct queue_uses *uses, char text[QUEUE_RULE_TEXT_SIZE]);

/* The weight of a tenant, or of a concurrency key. */
uint32_t queue_weight(const struct queue_fair *fair, enum weight_level level,
                      struct slice name);

/* What they point at is in `arena` from now on. */
void queue_rules_own(struct arena *arena, struct queue_rules *rules);

#endif
