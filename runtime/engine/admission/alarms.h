/*
 * Alarms: when what has left its ring for a time comes back. A heap, so that the earliest is
 * known and each is set, moved and taken away without a look at the others.
 */
#ifndef ALARMS_H
#define ALARMS_H

#include <stdbool.h>
#include <stdint.h>

enum alarm_kind {
    ALARM_LANE,
    ALARM_QUEUE,
    ALARM_SWEEP /* of a queue: of its lanes that are not remembered (early.c) */
};

/* A member of what it is for. */
struct alarm {
    int64_t at_ms;
    uint32_t place; /* in the heap, and 1; 0: it is not set */
    enum alarm_kind kind;
    bool is_saving; /* for one run, which may go before (rates.h) */
};

struct alarms {
    struct alarm **items; /* malloc'ed */
    uint32_t count, capacity;
};

/* 0 takes it away. */
void alarm_set(struct alarms *alarms, struct alarm *alarm, int64_t at_ms);
/* NULL: there is none. */
struct alarm *alarms_first(const struct alarms *alarms);

#endif
