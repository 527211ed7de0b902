/*
 * nightly-report: every night each store reports its day. Some do not: the report says how
 * many, and adds up what the others say.
 *
 *   nightly-report:  ask ──all stores, however they end──▶ collect ──▶ done | failed
 *   store-report:    count ──▶ done | failed
 *
 * A schedule starts it, and its payload is what the schedule says of the tick:
 *
 *   bide schedules create nightly nightly-report "30 2 * * *" --zone Europe/Berlin
 */
#include "nightly-report.schema.h" /* made from schemas/nightly-report.yaml */
#include "store-report.schema.h"

#include <bide/bide.h>

#define NIGHTLY_STATE(F) F(BATCH, stores)

#define NIGHTLY_SEGMENTS(S) \
    S(ask)                  \
    S(collect)

BIDE_TASK(nightly, NIGHTLY_STATE, NIGHTLY_SEGMENTS, .id = "nightly-report")

static bide_next ask(bide_task *t)
{
    struct nightly *s = bide_state(t);
    struct nightly_report_input in = nightly_report_input_read(t);

    s->stores = bide_batch_begin(t);
    for (int64_t i = 1; i <= in.stores; i++) {
        struct store_report_input store = {
            .store = i, .closed = in.closed_every > 0 && i % in.closed_every == 0
        };
        bide_batch_add(t, &s->stores, "store-report", store_report_input_write(t, &store));
    }
    return bide_wait_batch(t, &s->stores, collect);
}

static bide_next collect(bide_task *t)
{
    struct nightly *s = bide_state(t);
    struct nightly_report_input in = nightly_report_input_read(t);
    struct nightly_report_output out = { .local = in.local,
                                         .stores = bide_batch_count(t, &s->stores) };

    for (uint32_t i = 0; i < bide_batch_count(t, &s->stores); i++) {
        const bide_value *report = bide_batch_output(t, &s->stores, i);
        if (report != NULL) {
            out.total += nightly_report_child_store_report_read(t, report).total;
            continue;
        }
        if (out.failed++ == 0)
            bide_log_warn(t, "store %u has no report: %s", (unsigned)i + 1,
                          bide_batch_error(t, &s->stores, i));
    }
    if (out.failed == out.stores)
        return bide_fail(t, "no_reports", "none of %lld stores has reported",
                         (long long)out.stores);
    nightly_report_output_write(t, &out);
    return bide_done(t);
}

/* ---- the child ------------------------------------------------------------------------ */

#define STORE_SEGMENTS(S) S(count)

BIDE_TASK(store, BIDE_NO_STATE, STORE_SEGMENTS, .id = "store-report")

/* Where a shop would ask its till: here a store's total is 10 times its number. */
static bide_next count(bide_task *t)
{
    struct store_report_input in = store_report_input_read(t);
    struct store_report_output out = { .store = in.store, .total = in.store * 10 };

    if (in.closed)
        return bide_fail(t, "closed", "store %lld is closed", (long long)in.store);
    store_report_output_write(t, &out);
    return bide_done(t);
}

BIDE_PLUGIN("nightly-report", "1.0.0", nightly_task, store_task)
