/* Members of the API's objects, and times and spans as people say them. */
#ifndef MEMBER_H
#define MEMBER_H

#include "base/arena.h"
#include "codec/value.h"

#include <stdbool.h>
#include <stdint.h>

/* Empty, 0 and false when the member is absent or of another kind. */
struct slice member_text(const struct value *map, const char *name);
int64_t member_int(const struct value *map, const char *name);
double member_number(const struct value *map, const char *name);
bool member_bool(const struct value *map, const char *name);
/* An ISO date as milliseconds; 0 when absent. */
int64_t member_time(const struct value *map, const char *name);
/* The list's items; *count is 0 when the member is absent or no list. */
const struct value *member_list(const struct value *map, const char *name, uint32_t *count);

/* "850ms", "12s", "3m20s", "2h5m", "4d7h": two units at most. */
struct slice span_text(struct arena *arena, int64_t duration_ms);
/* "12s ago", "in 3m"; "-" for 0. */
struct slice ago_text(struct arena *arena, int64_t at_ms, int64_t now_ms);

/* A list of strings with commas between. */
struct slice names_text(struct arena *arena, const struct value *list);

#endif
