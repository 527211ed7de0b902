/*
 * monthly-digest: one child a month, all at once, then the sum of what they report.
 *
 *   monthly-digest:  fan_out ──all children──▶ collect ──▶ done | failed
 *   month-report:    report ──▶ done
 */
#include <bide/bide.h>

#define DIGEST_STATE(F) F(RUNS(12), months)

#define DIGEST_SEGMENTS(S) \
    S(fan_out)             \
    S(collect)

BIDE_TASK(digest, DIGEST_STATE, DIGEST_SEGMENTS, .id = "monthly-digest")

static bide_next fan_out(bide_task *t)
{
    struct digest *s = bide_state(t);
    const bide_value *in = bide_input(t);
    int64_t months = bide_has(t, in, "months") ? bide_i64(t, in, "months") : 12;

    if (months < 1 || months > 12)
        return bide_fail(t, "bad_months", "a year has 1 to 12 months, not %lld",
                         (long long)months);
    for (s->months.count = 0; s->months.count < (uint32_t)months; s->months.count++) {
        bide_map *payload = bide_map_new(t);
        bide_put_i64(t, payload, "month", s->months.count + 1);
        s->months.item[s->months.count] = bide_trigger(t, "month-report", payload);
    }
    return bide_wait_runs(t, &s->months, collect);
}

static bide_next collect(bide_task *t)
{
    struct digest *s = bide_state(t);
    int64_t total = 0;

    for (uint32_t i = 0; i < s->months.count; i++) {
        const bide_value *report = bide_run_output(t, &s->months.item[i]);
        if (report == NULL) /* child failed or was canceled */
            return bide_fail(t, "child_failed", "month %u has no report: %s", (unsigned)i + 1,
                             bide_run_error(t, &s->months.item[i]));
        total += bide_i64(t, report, "total");
    }
    if (bide_has(t, bide_input(t), "year"))
        bide_out_i64(t, "year", bide_i64(t, bide_input(t), "year"));
    bide_out_i64(t, "months", s->months.count);
    bide_out_i64(t, "total", total);
    return bide_done(t);
}

/* ---- the child ------------------------------------------------------------------------ */

#define REPORT_SEGMENTS(S) S(report)

BIDE_TASK(month_report, BIDE_NO_STATE, REPORT_SEGMENTS, .id = "month-report")

/* Where a shop would ask its database: here a month's total is 100 times its number. */
static bide_next report(bide_task *t)
{
    int64_t month = bide_i64(t, bide_input(t), "month");

    bide_out_i64(t, "month", month);
    bide_out_i64(t, "total", month * 100);
    return bide_done(t);
}

BIDE_PLUGIN("monthly-digest", "1.0.0", digest_task, month_report_task)
