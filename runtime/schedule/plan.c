#include "schedule/plan.h"

#include "base/duration.h"

#include <stdio.h>
#include <stdlib.h>

bool plan_fires(const struct plan *plan, struct slice text, int64_t now_s, struct tick *first,
                struct err *err)
{
    if (tick_next(&plan->cron, plan->zone, plan->dst, now_s, first))
        return true;
    return err_set(
        err, ERR_RULE,
        "\"%.*s\" never fires from now on: there is no such date; check its days, months "
        "and years",
        text.size > 100 ? 100 : (int)text.size, text.data == NULL ? "" : text.data);
}

static const char *clock_text(int64_t local_s, char text[16])
{
    struct civil c = civil_of(local_s);

    snprintf(text, 16, c.second == 0 ? "%02d:%02d" : "%02d:%02d:%02d", c.hour % 24,
             c.minute % 60, c.second % 60);
    return text;
}

static int gap_why(const struct plan *plan, const struct tick *tick, char *text)
{
    struct zone_span span = zone_span(plan->zone, tick->at_s);
    char nominal[16], from[16], to[16];

    return snprintf(text, PLAN_WHY_SIZE,
                    "there is no %s that day: clocks go from %s to %s, and it fires then",
                    clock_text(tick->nominal_s, nominal),
                    clock_text(span.from_s + span.offset_before_s, from),
                    clock_text(span.from_s + span.offset_s, to));
}

char *plan_why(const struct plan *plan, const struct tick *tick, char text[PLAN_WHY_SIZE])
{
    bool is_open = plan->cron.open_hour;
    char clock[16], length[DURATION_TEXT_SIZE];

    text[0] = '\0';
    if (plan->cron.every_s > 0)
        return text;
    clock_text(tick->nominal_s, clock);
    if (tick->nominal_s != tick->local_s) {
        gap_why(plan, tick, text);
    } else if (tick->comes_twice) {
        bool fires_in_both = is_open ? plan->dst != TICK_DST_SKIP : plan->dst == TICK_DST_TWICE;
        snprintf(text, PLAN_WHY_SIZE,
                 "%s comes twice that day: this is the %s, and it fires in %s", clock,
                 tick->occurrence == 1 ? "first" : "second",
                 fires_in_both ? "both" : "the first only");
    } else {
        /* The first of an open hour behind a gap. */
        struct zone_span span = zone_span(plan->zone, tick->at_s);
        int32_t by_s = span.offset_s - span.offset_before_s;
        struct tick first;
        if (is_open && by_s > 0 && span.from_s > INT64_MIN &&
            tick_next(&plan->cron, plan->zone, plan->dst, span.from_s - 1, &first) &&
            first.at_s == tick->at_s && tick->at_s - span.from_s < DAY_S)
            snprintf(text, PLAN_WHY_SIZE,
                     "clocks went forward by %s: what is missing is left out",
                     duration_format((int64_t)by_s * 1000, length));
    }
    return text;
}

char *plan_local(const struct tick *tick, char text[CIVIL_TEXT_SIZE])
{
    int64_t offset_s = tick->local_s - tick->at_s;
    size_t size;

    civil_format(tick->local_s, 'T', text);
    size = strlen(text);
    snprintf(text + size, CIVIL_TEXT_SIZE - size, "%c%02d:%02d", offset_s < 0 ? '-' : '+',
             (int)(llabs(offset_s) / HOUR_S % 100), (int)(llabs(offset_s) % HOUR_S / MINUTE_S));
    return text;
}
