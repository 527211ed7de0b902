/*
 * Alarms: when what has left its ring for a time comes back. A heap, so that the earliest is
 * known and each is set, moved and taken away without a look at the others.
 */
#ifndef ALARMS_H
#define ALARMS_H

#include <stdbool.h>
#include <stdint.h>

/* A member of what it is for. */
struct alarm {
    int64_t at_ms;
    uint32_t place; /* in the heap, and 1; 0: it is not set */
    bool is_queue;  /* else a lane's */
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
