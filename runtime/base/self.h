/* Self: where the running program is, and what belongs to it. */
#ifndef BASE_SELF_H
#define BASE_SELF_H

#include "base/arena.h"

/* The folder that it is in; "" when nobody knows. */
const char *self_folder(struct arena *arena);
/* The first of `places`, paths from that folder, that can be read; NULL: none. They end with
 * NULL. */
const char *self_find(struct arena *arena, const char *const *places);

#endif
