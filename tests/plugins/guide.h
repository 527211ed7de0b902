/* What the examples of the author's guide lean on; see tests/plugins/guide. */
#ifndef GUIDE_H
#define GUIDE_H

#include <bide/bide.h>
#include <stdlib.h>

#define DEMO_STATE(F)     \
    F(STR(64), order_id)  \
    F(STR(64), charge_id) \
    F(U32, sent)          \
    F(TOKEN, approval)    \
    F(RUNS(12), children)
#define DEMO_SEGMENTS(S) \
    S(start)             \
    S(next)              \
    S(decided)           \
    S(ask)               \
    S(answered)          \
    S(fan_out)           \
    S(collect)           \
    S(pay)

BIDE_TASK(demo, DEMO_STATE, DEMO_SEGMENTS, .id = "demo")

bool card_charge(const char *order, const char *key, char *id, size_t size);
void compute(int step);

#define GUIDE_BODY                            \
    static bide_next body(bide_task *t)       \
    {                                         \
        struct demo *s = bide_state(t);       \
        const bide_value *in = bide_input(t); \
        (void)s;                              \
        (void)in;

#endif
