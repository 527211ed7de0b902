/*
 * careless: loads, and has one of each that `bide plugins lint` tells of a plugin that does.
 *
 *   hasty     a segment may run longer than the run; its state takes more than is stored
 *   patient   can wait, and says no end
 *   lost      names a schema that nobody wrote
 */
#include <bide/bide.h>

#define SHOWN __attribute__((visibility("default")))

int sqlite3_libversion_number(void); /* bide has it; none of the plugin's libraries does */

SHOWN int careless_calls = 1;
SHOWN unsigned long uv_hrtime(void); /* a library of bide's has that, too */

unsigned long uv_hrtime(void)
{
    return 7;
}

#define HASTY_STATE(F) F(STR(8), code) F(I32, amount) F(BOOL, sure) F(STR(2097152), all)
#define ONLY(S)        S(only)

BIDE_TASK(hasty, HASTY_STATE, ONLY, .id = "hasty", .limit_ms = BIDE_SECONDS(10),
          .total_time_ms = BIDE_SECONDS(5))

static bide_next only(bide_task *t)
{
    bide_out_i64(t, "answer", careless_calls++ + (int64_t)uv_hrtime());
    bide_out_i64(t, "version", sqlite3_libversion_number());
    return bide_done(t);
}

#define TWO(S) S(first) S(second)

BIDE_TASK(patient, BIDE_NO_STATE, TWO, .id = "patient")

static bide_next first(bide_task *t)
{
    return bide_wait_for(t, BIDE_SECONDS(1), second);
}

static bide_next second(bide_task *t)
{
    return bide_done(t);
}

#define LOST(S) S(alone)

BIDE_TASK(lost, BIDE_NO_STATE, LOST, .id = "lost", .input_schema = "nowhere")

static bide_next alone(bide_task *t)
{
    return bide_done(t);
}

BIDE_PLUGIN("careless", "1.0.0", hasty_task, patient_task, lost_task)
