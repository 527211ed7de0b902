#include "base/duration.h"
#include "trigger_options.h"

bool span_read(struct slice text, int64_t *span_ms)
{
    bool is_over = text.size > 0 && text.data[0] == '-';

    if (is_over)
        text = (struct slice){ text.data + 1, text.size - 1 };
    if (!duration_parse(text, span_ms))
        return false;
    if (is_over && *span_ms > 0)
        *span_ms = -1;
    return true;
}

bool when_read(struct slice text, int64_t *date_ms, int64_t *span_ms)
{
    *date_ms = *span_ms = 0;
    if (span_read(text, span_ms)) {
        if (*span_ms == 0)
            *span_ms = -1; /* 0 would be "none" */
        return true;
    }
    if (!time_parse(text, date_ms))
        return false;
    if (*date_ms < 1)
        *date_ms = 1;
    return true;
}
