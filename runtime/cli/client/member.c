#include "cli/client/member.h"

#include "base/buffer.h"
#include "base/duration.h"

#include <inttypes.h>

struct slice member_text(const struct value *map, const char *name)
{
    const struct value *found = value_find(map, name);
    return found != NULL && found->kind == VALUE_STRING ? found->bytes : SLICE("");
}

int64_t member_int(const struct value *map, const char *name)
{
    const struct value *found = value_find(map, name);

    if (found == NULL)
        return 0;
    if (found->kind == VALUE_DOUBLE && found->number > -9e15 && found->number < 9e15)
        return (int64_t)found->number;
    return found->kind == VALUE_INT ? found->integer : 0;
}

double member_number(const struct value *map, const char *name)
{
    const struct value *found = value_find(map, name);

    if (found != NULL && found->kind == VALUE_INT)
        return (double)found->integer;
    return found != NULL && found->kind == VALUE_DOUBLE ? found->number : 0;
}

bool member_bool(const struct value *map, const char *name)
{
    const struct value *found = value_find(map, name);
    return found != NULL && found->kind == VALUE_BOOL && found->boolean;
}

int64_t member_time(const struct value *map, const char *name)
{
    int64_t at_ms = 0;
    return time_parse(member_text(map, name), &at_ms) ? at_ms : 0;
}

const struct value *member_list(const struct value *map, const char *name, uint32_t *count)
{
    const struct value *found = value_find(map, name);

    *count = 0;
    if (found == NULL || found->kind != VALUE_LIST)
        return NULL;
    *count = found->count;
    return found->items;
}

struct slice span_text(struct arena *arena, int64_t duration_ms)
{
    static const struct {
        int64_t size_ms;
        const char *name, *next_name;
        int64_t next_ms;
    } units[] = {
        { INT64_C(31536000000), "y", "d", 86400000 },
        { 86400000, "d", "h", 3600000 },
        { 3600000, "h", "m", 60000 },
        { 60000, "m", "s", 1000 },
    };

    if (duration_ms < 0)
        duration_ms = 0;
    if (duration_ms < 1000)
        return arena_format(arena, "%" PRId64 "ms", duration_ms);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        int64_t count = duration_ms / units[i].size_ms;
        int64_t rest = duration_ms % units[i].size_ms / units[i].next_ms;
        if (count > 0 && rest > 0)
            return arena_format(arena, "%" PRId64 "%s%" PRId64 "%s", count, units[i].name, rest,
                                units[i].next_name);
        if (count > 0)
            return arena_format(arena, "%" PRId64 "%s", count, units[i].name);
    }
    if (duration_ms < 10000)
        return arena_format(arena, "%" PRId64 ".%" PRId64 "s", duration_ms / 1000,
                            duration_ms % 1000 / 100);
    return arena_format(arena, "%" PRId64 "s", duration_ms / 1000);
}

struct slice ago_text(struct arena *arena, int64_t at_ms, int64_t now_ms)
{
    if (at_ms == 0)
        return SLICE("-");
    if (at_ms > now_ms)
        return arena_format(arena, "in %.*s", SLICE_ARG(span_text(arena, at_ms - now_ms)));
    return arena_format(arena, "%.*s ago", SLICE_ARG(span_text(arena, now_ms - at_ms)));
}

struct slice names_text(struct arena *arena, const struct value *list)
{
    struct buffer out = { 0 };

    for (uint32_t i = 0; list != NULL && list->kind == VALUE_LIST && i < list->count; i++) {
        if (out.size > 0)
            buffer_text(&out, ", ");
        if (list->items[i].kind == VALUE_STRING)
            buffer_slice(&out, list->items[i].bytes);
    }
    struct slice text = arena_copy(arena, buffer_view(&out));
    buffer_finish(&out);
    return text;
}
