/* Formats: texts with a grammar of their own, like dates, addresses and URIs. */
#ifndef FORMAT_H
#define FORMAT_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct suggestion;

struct format {
    const char *name; /* "date-time" */
    const char *noun; /* "a date and time like 2026-01-02T03:04:05Z" */
    bool (*fits)(struct slice text);
    uint32_t steps; /* what it costs, beside the text's length */
};

/* NULL when it is none; what is near is offered to `suggestion` then. */
const struct format *format_find(struct slice name, struct suggestion *suggestion);

#endif
