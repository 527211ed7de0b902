/* The time zones that there are. */
#include "http/api/routes.h"
#include "http/body/members.h"
#include "http/server/reply.h"
#include "schedule/zones.h"

#include <stdlib.h>

struct names {
    struct arena *arena;
    struct slice *items;
    uint32_t count, capacity;
};

static void on_name(void *context, struct slice name)
{
    struct names *names = context;

    if (slice_is(name, "UTC"))
        return;
    if (names->count == names->capacity) {
        uint32_t capacity = names->capacity == 0 ? 600 : names->capacity * 2;
        struct slice *items = ARENA_ARRAY(names->arena, struct slice, capacity);
        if (names->count > 0)
            memcpy(items, names->items, names->count * sizeof *items);
        names->items = items;
        names->capacity = capacity;
    }
    names->items[names->count++] = arena_copy(names->arena, name);
}

static int name_order(const void *a, const void *b)
{
    return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

void timezone_list(struct request *request)
{
    struct names names = { .arena = &request->arena };
    struct slice without = { 0 };

    if (!request_params(request, (const char *const[]){ "excludeUtc", NULL }))
        return;
    (void)params_find(request->params, "excludeUtc", &without);      /* optional */
    (void)zones_list(request->http->options.zones, on_name, &names); /* no list: UTC alone */
    if (names.count > 0)
        qsort(names.items, names.count, sizeof *names.items, name_order);
    struct out out = reply_out(request);
    out_map(&out, NULL);
    out_list(&out, "timezones");
    if (!slice_is(without, "true"))
        out_word(&out, NULL, "UTC");
    for (uint32_t i = 0; i < names.count; i++)
        out_text(&out, NULL, names.items[i]);
    out_end_list(&out);
    out_end_map(&out);
    reply_send(request, HTTP_OK);
}
