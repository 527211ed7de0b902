#include "route.h"

uint32_t route_count(void)
{
    uint32_t count = 0;

    while (routes[count].method != NULL)
        count++;
    return count;
}

bool route_fits(const struct route *route, struct slice path,
                struct slice captures[ROUTE_CAPTURES])
{
    const char *want = route->pattern, *at = path.data, *end = path.data + path.size;
    uint32_t count = 0;

    while (*want != '\0') {
        if (*want != ':') {
            if (at == end || *at++ != *want++)
                return false;
            continue;
        }
        const char *start = at;
        while (at < end && *at != '/')
            at++;
        while (*want != '\0' && *want != '/')
            want++;
        if (at == start || count == ROUTE_CAPTURES)
            return false;
        captures[count++] = (struct slice){ start, (size_t)(at - start) };
    }
    return at == end;
}

const struct route *route_find(const char *method, struct slice path,
                               struct slice captures[ROUTE_CAPTURES], bool *known)
{
    if (strcmp(method, "HEAD") == 0)
        method = "GET";
    *known = false;
    for (const struct route *route = routes; route->method != NULL; route++) {
        if (!route_fits(route, path, captures))
            continue;
        *known = true;
        if (strcmp(route->method, method) == 0)
            return route;
    }
    return NULL;
}

struct slice route_allowed(struct arena *arena, struct slice path)
{
    struct slice captures[ROUTE_CAPTURES], allowed = SLICE("");

    for (const struct route *route = routes; route->method != NULL; route++)
        if (route_fits(route, path, captures))
            allowed = arena_format(arena, "%.*s%s%s, ", SLICE_ARG(allowed), route->method,
                                   strcmp(route->method, "GET") == 0 ? ", HEAD" : "");
    return arena_format(arena, "%.*sOPTIONS", SLICE_ARG(allowed));
}

bool route_has_cors(struct slice path)
{
    struct slice captures[ROUTE_CAPTURES];

    for (const struct route *route = routes; route->method != NULL; route++)
        if ((route->flags & ROUTE_CORS) != 0 && route_fits(route, path, captures))
            return true;
    return false;
}
