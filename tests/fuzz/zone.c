/* A file of a time zone: what is read has spans that meet, each behind the other. */
#include "schedule/zone.h"

#include "fuzz.h"

enum { SPANS_LOOKED_AT = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = { 0 };
    struct zone *zone = zone_read((struct slice){ (const char *)data, size }, "fuzz", &err);

    if (zone == NULL) {
        PROMISE(err.code == ERR_CONFIG && err.text[0] != '\0');
        return 0;
    }
    struct zone_span span = zone_span(zone, INT64_MIN);
    for (int i = 0; i < SPANS_LOOKED_AT && span.until_s != INT64_MAX; i++) {
        struct zone_span next = zone_span(zone, span.until_s);
        PROMISE(next.from_s == span.until_s && next.until_s > next.from_s);
        PROMISE(next.offset_before_s == span.offset_s);
        PROMISE(zone_span(zone, next.from_s - 1).from_s == span.from_s);
        span = next;
    }
    zone_destroy(zone);
    return 0;
}
