/*
 * Trials: would a build load what runs have stored? A process of that build answers, which does
 * nothing else and is thrown away. Between who asks (http/plugins) and who has processes
 * (dispatch/trials); loop thread, all of it.
 *
 *   open ─▶ ready ─▶ (ask ─▶ answered)* ─▶ close        or failed at any time, then close
 */
#ifndef TRIAL_H
#define TRIAL_H

#include "base/err.h"
#include "codec/value.h"

struct trial;

/* One of the two. */
struct trial_subject {
    struct slice file;  /* a name in the directory of plugins; removed afterwards */
    struct slice build; /* 16 hex digits of one that is known */
};

struct trial_question {
    int64_t run_id;
    uint32_t entry, attempt;
    int64_t created_ms;
    struct slice task, segment, state, input;
};

/* Valid in `answered` only. */
struct trial_answer {
    bool is_blocked, is_migrated;
    struct slice field, cause; /* why, alike for runs that are so */
    struct slice reason;       /* blocked: the sentence of this one */
    struct value lost; /* list: names that are stored and that the build does not have */
};

struct trial_events {
    /* What the build says of itself (plugin/describe.h); valid now only. */
    void (*ready)(void *context, const struct value *about);
    void (*answered)(void *context, const struct trial_answer *answer);
    void (*failed)(void *context, struct slice reason);
};

struct trial_ops {
    /* NULL: `err` says why. `context` is that of whoever gave these functions. */
    struct trial *(*open)(void *context, const struct trial_subject *subject,
                          const struct trial_events *events, void *asker, struct err *err);
    /* One at a time. */
    void (*ask)(struct trial *trial, const struct trial_question *question);
    void (*close)(struct trial *trial);
};

#endif
