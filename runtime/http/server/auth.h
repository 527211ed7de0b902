/* Keys: which environment a request may act in. */
#ifndef AUTH_H
#define AUTH_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct world;

/*
 * The environment whose key stands in an Authorization header; NULL when there is none. Every
 * key is compared, and each in the same time, so that a reply's delay tells nothing about them.
 */
const struct world *auth_find(const struct world *worlds, uint32_t count,
                              struct slice authorization);

/* A callback URL's token and hash belong together. */
bool auth_is_callback(const uint8_t secret[32], struct slice token, struct slice hash);

#endif
