/* Queries: percent-encoding, and the parameters behind the question mark. */
#ifndef QUERY_H
#define QUERY_H

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "store/reader.h"

#include <stdbool.h>
#include <stdint.h>

enum { QUERY_PARAMS = 64, QUERY_ITEMS = 64 };

struct query {
    struct {
        struct slice name, value;
    } params[QUERY_PARAMS];
    uint32_t count;
};

/*
 * Undo percent-encoding; `plus_is_space` as in queries. Errors (BAD_REQUEST): a broken escape,
 * a zero byte, what is no UTF-8 afterwards.
 */
bool percent_decode(struct arena *arena, struct slice text, bool plus_is_space,
                    struct slice *decoded, struct err *err);

/* Errors (BAD_REQUEST): as above, or more than QUERY_PARAMS. */
bool query_read(struct arena *arena, struct slice text, struct query *query, struct err *err);

/* The last of that name; false: absent or empty. */
bool query_find(const struct query *query, const char *name, struct slice *value);

/* A whole number in [least, most]; absent leaves *number alone. Errors: BAD_REQUEST. */
bool query_number(const struct query *query, const char *name, int64_t least, int64_t most,
                  int64_t *number, struct err *err);

/* A list separated by commas, blank items dropped. Errors: BAD_REQUEST when over QUERY_ITEMS.
 */
bool query_list(struct arena *arena, const struct query *query, const char *name,
                struct slices *list, struct err *err);

#endif
