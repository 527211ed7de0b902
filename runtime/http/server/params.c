#include "params.h"

#include "codec/value.h"

#include <inttypes.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool percent_decode(struct arena *arena, struct slice text, bool plus_is_space,
                    struct slice *decoded, struct err *err)
{
    char *out = arena_alloc(arena, text.size + 1);
    size_t size = 0;

    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == '+' && plus_is_space)
            c = ' ';
        if (c == '%') {
            bool is_whole = text.size - i > 2;
            int high = is_whole ? hex_digit(text.data[i + 1]) : -1;
            int low = is_whole ? hex_digit(text.data[i + 2]) : -1;
            if (high < 0 || low < 0 || (high | low) == 0)
                return err_set(err, ERR_BAD_REQUEST,
                               "The URL contains a broken percent escape");
            c = (char)(high << 4 | low);
            i += 2;
        }
        out[size++] = c;
    }
    *decoded = (struct slice){ out, size };
    return utf8_is_valid(*decoded) ||
           err_set(err, ERR_BAD_REQUEST, "The URL is not valid UTF-8");
}

bool params_read(struct arena *arena, struct slice text, struct params *params, struct err *err)
{
    size_t at = 0;

    params->count = 0;
    while (at < text.size) {
        const char *end = memchr(text.data + at, '&', text.size - at);
        struct slice part = { text.data + at,
                              end == NULL ? text.size - at : (size_t)(end - text.data) - at };
        at += part.size + 1;
        if (part.size == 0)
            continue;
        if (params->count == PARAMS_MAX)
            return err_set(err, ERR_BAD_REQUEST, "The query has more than %d parameters",
                           PARAMS_MAX);
        const char *equals = memchr(part.data, '=', part.size);
        struct slice name = { part.data,
                              equals == NULL ? part.size : (size_t)(equals - part.data) };
        struct slice value = { NULL, 0 };
        if (equals != NULL)
            value = (struct slice){ equals + 1, part.size - name.size - 1 };
        if (!percent_decode(arena, name, true, &params->items[params->count].name, err) ||
            !percent_decode(arena, value, true, &params->items[params->count].value, err))
            return false;
        for (uint32_t i = 0; i < params->count; i++)
            if (slice_equal(params->items[i].name, params->items[params->count].name))
                return err_set(err, ERR_BAD_REQUEST, "The query has a parameter twice");
        params->count++;
    }
    return true;
}

bool params_find(const struct params *params, const char *name, struct slice *value)
{
    for (uint32_t i = params == NULL ? 0 : params->count; i > 0; i--)
        if (slice_is(params->items[i - 1].name, name)) {
            *value = params->items[i - 1].value;
            return true;
        }
    return false;
}

bool params_given(struct slice name, struct slice value, struct err *err)
{
    return value.size > 0 ||
           err_set(err, ERR_BAD_REQUEST, "%.*s is empty; give it a value, or leave it out",
                   SLICE_ARG(name));
}

bool params_number(const struct params *params, const char *name, int64_t least, int64_t most,
                   int64_t *number, struct err *err)
{
    struct slice text;
    int64_t value = 0;
    bool ok = true;

    if (!params_find(params, name, &text))
        return true;
    for (size_t i = 0; i < text.size && ok; i++) {
        ok = text.data[i] >= '0' && text.data[i] <= '9' && value <= most;
        value = value * 10 + (text.data[i] - '0');
    }
    if (!ok || value < least || value > most)
        return err_set(err, ERR_BAD_REQUEST,
                       "%s must be a whole number from %" PRId64 " to %" PRId64, name, least,
                       most);
    *number = value;
    return true;
}

bool params_list(struct arena *arena, const struct params *params, const char *name,
                 struct slices *list, struct err *err)
{
    struct slice text;

    *list = (struct slices){ 0 };
    if (!params_find(params, name, &text))
        return true;
    list->items = ARENA_ARRAY(arena, struct slice, PARAM_ITEMS);
    for (size_t at = 0, end; at <= text.size; at = end + 1) {
        const char *comma =
            at == text.size ? NULL : memchr(text.data + at, ',', text.size - at);
        end = comma == NULL ? text.size : (size_t)(comma - text.data);
        struct slice item = { text.data + at, end - at };
        while (item.size > 0 && item.data[0] == ' ')
            item = (struct slice){ item.data + 1, item.size - 1 };
        while (item.size > 0 && item.data[item.size - 1] == ' ')
            item.size--;
        if (item.size == 0)
            return err_set(err, ERR_BAD_REQUEST, "%s has an empty item", name);
        if (list->count == PARAM_ITEMS)
            return err_set(err, ERR_BAD_REQUEST, "%s has more than %d items", name,
                           PARAM_ITEMS);
        list->items[list->count++] = item;
    }
    return true;
}
