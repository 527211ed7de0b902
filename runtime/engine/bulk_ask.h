/* What is asked for of many runs at once: commands, each with its reply. */
#ifndef BULK_ASK_H
#define BULK_ASK_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct bulk_create {
    uint32_t environment;
    uint32_t what;            /* enum bulk_what */
    struct slice filter;      /* packed (bulk/bulk.h); empty: `runs` */
    struct slice runs;        /* eight bytes each */
    uint32_t total;           /* as they were counted; 0: nobody has */
    struct slice name;        /* empty: none */
    struct slice by, why;     /* empty: it was not said */
    struct slice request_key; /* the HTTP call's own; empty: none */
    int64_t bulk_id;          /* reply */
};

struct bulk_stop {
    uint32_t environment;
    int64_t id;
    struct slice by; /* empty: it was not said */
    bool was_over;   /* reply */
};

#endif
