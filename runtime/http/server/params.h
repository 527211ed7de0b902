/* Queries: percent-encoding, and the parameters behind the question mark. */
#ifndef PARAMS_H
#define PARAMS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "store/reader.h"

#include <stdbool.h>
#include <stdint.h>

enum { PARAMS_MAX = 64, PARAM_ITEMS = 64 };

struct params {
    struct {
        struct slice name, value;
    } items[PARAMS_MAX];
    uint32_t count;
};

/*
 * Undo percent-encoding; `plus_is_space` as in queries. Errors (BAD_REQUEST): a broken escape,
 * a zero byte, what is no UTF-8 afterwards.
 */
bool percent_decode(struct arena *arena, struct slice text, bool plus_is_space,
                    struct slice *decoded, struct err *err);

/* Errors (BAD_REQUEST): as above, or more than PARAMS_MAX. */
bool params_read(struct arena *arena, struct slice text, struct params *params,
                 struct err *err);

/* False: absent. NULL holds nothing. An empty value is refused before routes look
 * (params_given). */
bool params_find(const struct params *params, const char *name, struct slice *value);

/* What is named is given a value. Errors: BAD_REQUEST, for an empty one. */
bool params_given(struct slice name, struct slice value, struct err *err);

/* A whole number in [least, most]; absent leaves *number alone. Errors: BAD_REQUEST. */
bool params_number(const struct params *params, const char *name, int64_t least, int64_t most,
                   int64_t *number, struct err *err);

/* A list separated by commas, without the blanks around its items. Errors: BAD_REQUEST, for an
 * empty item and more than PARAM_ITEMS. */
bool params_list(struct arena *arena, const struct params *params, const char *name,
                 struct slices *list, struct err *err);

#endif
