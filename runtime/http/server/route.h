/* Routes: which method and path lead to which function. */
#ifndef ROUTE_H
#define ROUTE_H

#include "base/arena.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct request;

enum { ROUTE_CAPTURES = 2 };

enum route_flags {
    ROUTE_OPEN = 1,    /* no API key needed */
    ROUTE_CORS = 2,    /* for browsers too */
    ROUTE_HASH = 4,    /* nor here, but the URL's own hash */
    ROUTE_METRICS = 8, /* nor here, when the configuration says so */
    ROUTE_ITEMS = 16,  /* many bodies in one: eight times as long */
};

struct route {
    const char *method;
    const char *pattern; /* ":name" captures one path segment */
    void (*handle)(struct request *request);
    unsigned flags;
    uint32_t max_body_bytes; /* 0: the server's limit */
};

extern const struct route routes[]; /* ends with a method of NULL */
uint32_t route_count(void);

/* True when the raw `path` fits; captures stay percent-encoded, so that %2F separates nothing.
 */
bool route_fits(const struct route *route, struct slice path,
                struct slice captures[ROUTE_CAPTURES]);

/* NULL: none. *known tells whether another method would have fitted; HEAD is a GET. */
const struct route *route_find(const char *method, struct slice path,
                               struct slice captures[ROUTE_CAPTURES], bool *known);

/* "GET, HEAD, OPTIONS": what the path allows. */
struct slice route_allowed(struct arena *arena, struct slice path);
/* Any route of this path is for browsers. */
bool route_has_cors(struct slice path);

#endif
