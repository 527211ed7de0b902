/* One stored value as one field of a state that is neither a list nor a struct. */
#ifndef CONVERT_H
#define CONVERT_H

#include "codec/value.h"
#include "plugin/plugin.h"

struct conversion {
    struct arena *arena; /* of what VALUE points to, and of the two texts */
    /* Why it does not fit, to be said behind the field's name; `cause` without the value. */
    struct slice text, cause;
};

/*
 * Put `value` into `memory`, which is zero. Numbers and BOOL become each other where nothing is
 * lost: 2 is no BOOL, 2.5 no I64, 2^53 + 1 no F64. False: it does not fit, `memory` is
 * undefined.
 */
bool convert_value(struct conversion *conversion, uint32_t kind, uint32_t capacity,
                   const struct value *value, char *memory);

/* The same for things that are counted: it has room for `capacity` of `unit`. */
bool convert_too_many(struct conversion *conversion, uint64_t count, uint64_t capacity,
                      const char *unit);
bool convert_not_of_kind(struct conversion *conversion, uint32_t kind,
                         const struct value *value);

#endif
