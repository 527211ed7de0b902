/*
 * monthly-digest: one child a month, all at once, then the sum of what they report.
 *
 *   monthly-digest:  fan_out ──all children──▶ collect ──▶ done | failed
 *   month-report:    report ──▶ done
 */
#include "month-report.schema.h" /* made from schemas/month-report.yaml */
#include "monthly-digest.schema.h"

#include <bide/bide.h>

#define DIGEST_STATE(F) F(RUNS(12), months)

#define DIGEST_SEGMENTS(S) \
    S(fan_out)             \
    S(collect)

BIDE_TASK(digest, DIGEST_STATE, DIGEST_SEGMENTS, .id = "monthly-digest")

static bide_next fan_out(bide_task *t)
{
    struct digest *s = bide_state(t);
    struct monthly_digest_input in = monthly_digest_input_read(t);

    if (in.months > 12) /* the schema says so too, but the state has room for no more */
        return bide_fail(t, "bad_months", "a year has 12 months, not %lld",
                         (long long)in.months);
    for (s->months.count = 0; s->months.count < in.months; s->months.count++) {
        struct month_report_input month = { .month = s->months.count + 1 };
        s->months.item[s->months.count] =
            bide_trigger(t, "month-report", month_report_input_write(t, &month));
    }
    return bide_wait_runs(t, &s->months, collect);
}

static bide_next collect(bide_task *t)
{
    struct digest *s = bide_state(t);
    struct monthly_digest_input in = monthly_digest_input_read(t);
    struct monthly_digest_output out = { .year = in.year, .months = s->months.count };

    for (uint32_t i = 0; i < s->months.count; i++) {
        const bide_value *report = bide_run_output(t, &s->months.item[i]);
        if (report == NULL) /* child failed or was canceled */
            return bide_fail(t, "child_failed", "month %u has no report: %s", (unsigned)i + 1,
                             bide_run_error(t, &s->months.item[i]));
        out.total += monthly_digest_child_month_report_read(t, report).total;
    }
    monthly_digest_output_write(t, &out);
    return bide_done(t);
}

/* ---- the child ------------------------------------------------------------------------ */

#define REPORT_SEGMENTS(S) S(report)

BIDE_TASK(month_report, BIDE_NO_STATE, REPORT_SEGMENTS, .id = "month-report")

/* Where a shop would ask its database: here a month's total is 100 times its number. */
static bide_next report(bide_task *t)
{
    struct month_report_input in = month_report_input_read(t);
    struct month_report_output out = { .month = in.month, .total = in.month * 100 };

    month_report_output_write(t, &out);
    return bide_done(t);
}

BIDE_PLUGIN("monthly-digest", "1.0.0", digest_task, month_report_task)
