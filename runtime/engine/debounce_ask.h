/* What a trigger says of others like it. */
#ifndef DEBOUNCE_ASK_H
#define DEBOUNCE_ASK_H

#include "base/err.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* Triggers of one key are one run as long as that has not started. */
struct debounce {
    struct slice key; /* empty: it is not debounced */
    /* Whose data it has; the SDK's numbers. */
    enum { DEBOUNCE_LEADING, DEBOUNCE_TRAILING, DEBOUNCE_MERGE } mode;
    int64_t delay_ms, most_ms; /* after the last of them; after the first one at the latest */
};

/* Its parts are what they may be; most_ms 0 becomes what is usual. It has a key. */
bool debounce_check(struct debounce *debounce, struct err *err);

#endif
