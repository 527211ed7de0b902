/*
 * crash: tasks that die by a signal. Each takes { times }: it misbehaves in that many attempts
 * (default: all of them), then completes with { attempt }.
 */
#include <bide/bide.h>
#include <signal.h>
#include <stdlib.h>

#define SEGFAULT(S)    S(read_null)
#define ABORT(S)       S(call_abort)
#define DIVIDE(S)      S(divide_by_zero)
#define OVERFLOW(S)    S(overflow_stack)
#define DOUBLE_FREE(S) S(free_twice)
#define LATER(S)       S(wait_first) S(then_crash)

BIDE_TASK(segfault, BIDE_NO_STATE, SEGFAULT, .id = "segfault")
BIDE_TASK(aborts, BIDE_NO_STATE, ABORT, .id = "abort")
BIDE_TASK(divide, BIDE_NO_STATE, DIVIDE, .id = "divide")
BIDE_TASK(overflow, BIDE_NO_STATE, OVERFLOW, .id = "stack-overflow")
BIDE_TASK(double_free, BIDE_NO_STATE, DOUBLE_FREE, .id = "double-free")
BIDE_TASK(later, BIDE_NO_STATE, LATER, .id = "crash-later")

static bool is_bad_attempt(bide_task *t)
{
    const bide_value *in = bide_input(t);
    return !bide_has(t, in, "times") ||
           bide_info(t)->attempt <= (uint64_t)bide_i64(t, in, "times");
}

static bide_next finish(bide_task *t)
{
    bide_out_i64(t, "attempt", bide_info(t)->attempt);
    return bide_done(t);
}

static bide_next read_null(bide_task *t)
{
    volatile int *nowhere = NULL;
    if (is_bad_attempt(t))
        bide_log_info(t, "%d", *nowhere); /* the crash that reports name */
    return finish(t);
}

static bide_next call_abort(bide_task *t)
{
    if (is_bad_attempt(t))
        abort();
    return finish(t);
}

static bide_next divide_by_zero(bide_task *t)
{
    if (is_bad_attempt(t))
        raise(SIGFPE); /* not every machine traps a division */
    return finish(t);
}

/* Not a tail call, and each frame is used. */
static unsigned descend(volatile unsigned *above, unsigned depth)
{
    volatile unsigned here[256];
    here[depth % 256] = depth + above[0];
    if (depth == UINT32_MAX)
        return 0;
    return descend(here, depth + 1) + here[depth % 256];
}

static bide_next overflow_stack(bide_task *t)
{
    volatile unsigned top = 1;
    if (is_bad_attempt(t))
        bide_log_info(t, "%u", descend(&top, 0));
    return finish(t);
}

static bide_next free_twice(bide_task *t)
{
    void *volatile memory = malloc(100);
    free(memory);
    if (is_bad_attempt(t))
        free(memory);
    return finish(t);
}

static bide_next wait_first(bide_task *t)
{
    return bide_wait_for(t, 0, then_crash);
}

static bide_next then_crash(bide_task *t)
{
    volatile int *nowhere = NULL;
    if (is_bad_attempt(t))
        *nowhere = 1;
    return finish(t);
}

BIDE_PLUGIN("crash", "1.0.0", segfault_task, aborts_task, divide_task, overflow_task,
            double_free_task, later_task)
