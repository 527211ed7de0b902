/*
 * adder: a task whose triggers are collected, or debounced.
 *
 *   add    adds up the "n" of the list that it gets. Its output: {"sum", "count"}.
 *   once   gives back the "n" that it gets.
 *   giver  gives {"n"} of its input to `add`, in queue "points", and to `once`, debounced, and
 * waits for both; its first try fails behind that. Its output: {"sum", "n"}.
 */
#include <bide/bide.h>

#define ADD_SEGMENTS(S) S(add_start)

BIDE_TASK(add, BIDE_NO_STATE, ADD_SEGMENTS, .id = "add")

static bide_next add_start(bide_task *t)
{
    const bide_value *in = bide_input(t);
    int64_t sum = 0;

    for (uint32_t i = 0; i < bide_count(t, in); i++)
        sum += bide_i64(t, bide_at(t, in, i), "n");
    bide_out_i64(t, "sum", sum);
    bide_out_i64(t, "count", bide_count(t, in));
    return bide_done(t);
}

#define ONCE_SEGMENTS(S) S(once_start)

BIDE_TASK(once, BIDE_NO_STATE, ONCE_SEGMENTS, .id = "once")

static bide_next once_start(bide_task *t)
{
    bide_out_i64(t, "n", bide_i64(t, bide_input(t), "n"));
    return bide_done(t);
}

#define GIVER_STATE(F)    F(RUN, sum) F(RUN, last)
#define GIVER_SEGMENTS(S) S(giver_start) S(giver_summed) S(giver_end)

BIDE_TASK(giver, GIVER_STATE, GIVER_SEGMENTS, .id = "giver", .max_attempts = 2,
          .retry_min_ms = 1, .retry_max_ms = 1)

static bide_next giver_start(bide_task *t)
{
    struct giver *s = bide_state(t);
    const bide_value *in = bide_input(t);

    s->sum = bide_trigger_with(t, "add", in, (struct bide_trigger_opts){ .queue = "points" });
    s->last =
        bide_trigger_with(t, "once", in,
                          (struct bide_trigger_opts){ .debounce_key = "k",
                                                      .debounce_ms = BIDE_SECONDS(1),
                                                      .debounce = BIDE_DEBOUNCE_TRAILING });
    if (bide_info(t)->attempt == 1)
        return bide_retry(t, "again", "what is given is given once");
    return bide_wait_run(t, &s->sum, giver_summed);
}

static bide_next giver_summed(bide_task *t)
{
    struct giver *s = bide_state(t);

    return bide_wait_run(t, &s->last, giver_end);
}

static bide_next giver_end(bide_task *t)
{
    struct giver *s = bide_state(t);

    bide_out_i64(t, "sum", bide_i64(t, bide_run_output(t, &s->sum), "sum"));
    bide_out_i64(t, "n", bide_i64(t, bide_run_output(t, &s->last), "n"));
    return bide_done(t);
}

BIDE_PLUGIN("adder", "1.0.0", add_task, once_task, giver_task)
