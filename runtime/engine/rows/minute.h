/*
 * Minutes: what has started and ended in a queue in one minute, and of one of its keys. Such a
 * row is only added to, by whom ever, so that nobody has to load it or to wait for another.
 */
#ifndef MINUTE_H
#define MINUTE_H

#include "engine/rows/rows.h"

enum {
    MINUTE_MS = 60000,
    WAIT_BUCKETS = 26 /* of 0 ms, then of 1, 2 to 3, 4 to 7, …; the last one has all above */
};

struct queue_minute {
    struct row row;
    int64_t minute; /* since 1970, by the wall clock */
    int64_t queue;
    struct slice key; /* empty: of the whole queue */
    int64_t started;  /* segments that were given to a slot: first ones, and those after a wait
                         or a retry */
    int64_t completed, failed, canceled; /* as those of a queue */
    /* Of what has started: how long it had been ready. */
    union {
        int64_t waits[WAIT_BUCKETS];
        struct {
            int64_t w0, w1, w2, w3, w4, w5, w6, w7, w8, w9, w10, w11, w12, w13, w14, w15, w16,
                w17, w18, w19, w20, w21, w22, w23, w24, w25;
        };
    };
};

/* The batch's, made when absent; of a batch all have the same minute. */
struct queue_minute *rows_minute(struct rows *rows, int64_t minute, int64_t queue,
                                 struct slice key);

uint32_t wait_bucket(int64_t wait_ms);
/* So long had `part` of 1 of them waited at most, about: within a bucket they are taken to lie
 * at equal distances. 0 when there are none. */
int64_t wait_quantile(const int64_t waits[WAIT_BUCKETS], double part);

#endif
