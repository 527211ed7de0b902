/* What a trigger says of others like it. */
#ifndef DEBOUNCE_ASK_H
#define DEBOUNCE_ASK_H

#include "base/slice.h"

#include <stdint.h>

/* Triggers of one key are one run as long as that has not started. */
struct debounce {
    struct slice key; /* empty: it is not debounced */
    enum { DEBOUNCE_LEADING, DEBOUNCE_TRAILING, DEBOUNCE_MERGE } mode; /* whose data it has */
    int64_t delay_ms, most_ms; /* after the last of them; after the first one at the latest */
};

#endif
