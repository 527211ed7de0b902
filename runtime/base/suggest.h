/* Suggestions: "did you mean …?" for a name that is not known. */
#ifndef SUGGEST_H
#define SUGGEST_H

#include "base/slice.h"

#include <stddef.h>
#include <stdint.h>

struct suggestion {
    struct slice wanted;
    struct slice best; /* empty while nothing is near enough */
    size_t distance;
    uint32_t offered; /* comparing costs: a long list is not looked through to its end */
};

void suggestion_init(struct suggestion *suggestion, struct slice wanted);
void suggestion_offer(struct suggestion *suggestion, struct slice known);

/* Arguments for "%.*s%.*s%s": "; did you mean ", the name, "?", or three times nothing. */
#define SUGGESTION_ARG(s)                                                  \
    SLICE_ARG((s)->best.size == 0 ? SLICE("") : SLICE("; did you mean ")), \
        SLICE_ARG((s)->best), (s)->best.size == 0 ? "" : "?"

#endif
