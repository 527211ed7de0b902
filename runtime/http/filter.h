/* Filters: a list's query parameters as what a reader understands. */
#ifndef FILTER_H
#define FILTER_H

#include "http/params.h"

struct filter_from {
    struct arena *arena;
    const struct params *params;
    int64_t now_ms;
    uint32_t environment;
};

/* *nothing: the filter asks for what no run here has, so that the page is empty. Errors:
 * BAD_REQUEST. */
bool run_filter_read(const struct filter_from *from, struct run_filter *filter, bool *nothing,
                     struct err *err);
bool token_filter_read(const struct filter_from *from, struct token_filter *filter,
                       struct err *err);

#endif
