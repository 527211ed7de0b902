#include "span_option.h"

#include "base/duration.h"
#include "trigger_options.h"

#include <math.h>
#include <string.h>

static bool seconds_of(const struct value *value, double *seconds)
{
    *seconds = value->kind == VALUE_INT    ? (double)value->integer
               : value->kind == VALUE_UINT ? (double)value->big
                                           : value->number;
    return value->kind == VALUE_INT || value->kind == VALUE_UINT || value->kind == VALUE_DOUBLE;
}

/* A shell's words are strings: "90" is a number of seconds as well. */
static bool text_read(struct arena *arena, struct slice text, int64_t *span_ms)
{
    if (text.size > 0 && strspn(arena_text(arena, text), "0123456789") == text.size)
        text = arena_format(arena, "%.*ss", SLICE_ARG(text));
    return span_read(text, span_ms);
}

bool span_option(struct arena *arena, const struct value *options, const char *name,
                 bool may_be_none, int64_t *span_ms, struct err *err)
{
    const struct value *value = value_find(options, name);
    int64_t said_ms = -1;
    double seconds;
    bool is_read;

    if (value == NULL || value->kind == VALUE_NULL)
        return true;
    if (value->kind == VALUE_STRING) {
        is_read = text_read(arena, value->bytes, &said_ms);
    } else {
        is_read =
            seconds_of(value, &seconds) && fabs(seconds) <= (double)(DURATION_MAX_MS / 1000);
        /* However short: 0 alone is none. */
        said_ms = is_read && seconds >= 0 ? (int64_t)ceil(seconds * 1000) : -1;
    }
    if (is_read && (may_be_none || said_ms > 0)) {
        *span_ms = said_ms;
        return true;
    }
    return err_set(err, ERR_BAD_REQUEST,
                   "%s must be a duration like \"10m\" or a number of seconds, %s, at most "
                   "100 years",
                   name, may_be_none ? "0 for none" : "above 0");
}
