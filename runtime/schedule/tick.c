#include "schedule/tick.h"

#include "schedule/civil.h"

/* What a clock on the wall says for the second time from the beginning of this span on, up to
 * here. */
static int64_t repeat_end(const struct zone_span *span)
{
    return span->from_s == INT64_MIN ? INT64_MIN : span->from_s + span->offset_before_s;
}

/* A fixed time in the gap that the span begins with. */
static bool gap_tick(const struct cron *cron, const struct zone_span *span, struct tick *tick)
{
    int64_t nominal_s;

    if (span->from_s == INT64_MIN || span->offset_s <= span->offset_before_s ||
        !cron_next(cron, span->from_s + span->offset_before_s, span->from_s + span->offset_s,
                   &nominal_s))
        return false;
    *tick = (struct tick){
        .at_s = span->from_s,
        .nominal_s = nominal_s,
        .local_s = span->from_s + span->offset_s,
        .occurrence = 1,
        .abbreviation = span->abbreviation,
    };
    return true;
}

static bool span_tick(const struct cron *cron, const struct zone *zone, enum tick_dst dst,
                      const struct zone_span *span, int64_t from_s, int64_t until_s,
                      struct tick *tick)
{
    bool both = cron->open_hour ? dst != TICK_DST_SKIP : dst == TICK_DST_TWICE;
    int64_t repeats_until_s = repeat_end(span), local_s = from_s + span->offset_s;

    if (!both && local_s < repeats_until_s)
        local_s = repeats_until_s;
    if (!cron_next(cron, local_s, until_s + span->offset_s, &local_s))
        return false;
    bool is_second = local_s < repeats_until_s;
    bool is_first = false;
    if (!is_second && span->until_s != INT64_MAX) {
        struct zone_span after = zone_span(zone, span->until_s);
        is_first = local_s >= after.from_s + after.offset_s;
    }
    *tick = (struct tick){
        .at_s = local_s - span->offset_s,
        .nominal_s = local_s,
        .local_s = local_s,
        .occurrence = is_second ? 2 : 1,
        .comes_twice = is_second || is_first,
        .abbreviation = span->abbreviation,
    };
    return true;
}

static bool every_tick(const struct cron *cron, const struct zone *zone, int64_t after_s,
                       struct tick *tick)
{
    int64_t at_s;

    if (!cron_next(cron, after_s + 1, INT64_MAX, &at_s))
        return false;
    struct zone_span span = zone_span(zone, at_s);
    *tick = (struct tick){ .at_s = at_s,
                           .nominal_s = at_s + span.offset_s,
                           .local_s = at_s + span.offset_s,
                           .occurrence = 1,
                           .abbreviation = span.abbreviation };
    return true;
}

bool tick_next(const struct cron *cron, const struct zone *zone, enum tick_dst dst,
               int64_t after_s, struct tick *tick)
{
    int64_t from_s = after_s + 1;
    int64_t until_s = from_s + INT64_C(366) * TICK_HORIZON_YEARS * DAY_S;

    if (cron->every_s > 0)
        return every_tick(cron, zone, after_s, tick);
    while (from_s < until_s) {
        struct zone_span span = zone_span(zone, from_s);
        int64_t end_s = span.until_s < until_s ? span.until_s : until_s;
        bool may_wait = !cron->open_hour && dst != TICK_DST_SKIP;
        if (may_wait && from_s == span.from_s && gap_tick(cron, &span, tick))
            return true;
        if (span_tick(cron, zone, dst, &span, from_s, end_s, tick))
            return true;
        from_s = end_s;
    }
    return false;
}

bool tick_dst_find(struct slice text, enum tick_dst *dst)
{
    static const char *const words[] = {
#define X(code, word) word,
        TICK_DST_MAP(X)
#undef X
    };

    for (*dst = 0; *dst < TICK_DST_COUNT; (*dst)++)
        if (slice_is(text, words[*dst]))
            return true;
    return false;
}
