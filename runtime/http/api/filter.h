/* Filters: a list's query parameters as what a reader understands. */
#ifndef FILTER_H
#define FILTER_H

#include "http/server/params.h"

struct out;
struct request;

struct filter_from {
    struct arena *arena;
    const struct params *params;
    int64_t now_ms;
    uint32_t environment;
    const char *environment_name;
};

/* Errors: BAD_REQUEST, for what cannot be served, too: a list that ignored a filter would show
 * what was not asked for. */
bool filter_page_read(const struct filter_from *from, const char *prefix, uint32_t *limit,
                      int64_t *after, int64_t *before, struct err *err);
bool run_filter_read(const struct filter_from *from, struct run_filter *filter,
                     struct err *err);
/* What asks for a part of a list. */
/* A list must not show what was not asked for: a filter that is not among `known` (ends with
 * NULL) is refused. */
bool filter_words_check(const struct params *params, const char *const *known, struct err *err);
/* A list by numbered pages, whose query is `page` and `perPage` (`usual` where it is not said)
 * and nothing else. False: answered. */
bool pages_read(struct request *request, int64_t usual, int64_t *page, int64_t *per_page);
void pages_write(struct out *out, int64_t page, int64_t per_page, int64_t total);
bool token_filter_read(const struct filter_from *from, struct token_filter *filter,
                       struct err *err);

#endif
