#include "reader_gate.h"

#include "base/clock.h"
#include "base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

/* A job of a reader takes some milliseconds. One that takes longer than the first while the
 * gate is closed is interrupted, so the writer never waits for the second. */
enum { READ_MS = 500, DRAIN_MS = 1500, HOLD_MS = 5000 };

struct gate *gate_create(void)
{
    struct gate *gate = memory_zeroed(1, sizeof *gate);
    pthread_condattr_t attributes;

    atomic_init(&gate->is_closed, false);
    atomic_init(&gate->owners, 1);
    (void)pthread_mutex_init(&gate->mutex, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&gate->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    return gate;
}

struct gate *gate_share(struct gate *gate)
{
    (void)atomic_fetch_add(&gate->owners, 1); /* what it was is of no interest */
    return gate;
}

void gate_drop(struct gate *gate)
{
    if (atomic_fetch_sub(&gate->owners, 1) > 1)
        return;
    (void)pthread_cond_destroy(&gate->changed);
    (void)pthread_mutex_destroy(&gate->mutex);
    free(gate);
}

static struct timespec after_ms(int64_t ms)
{
    uint64_t at_ns = clock_monotonic_ns() + (uint64_t)ms * 1000000;

    return (struct timespec){ (time_t)(at_ns / 1000000000), (long)(at_ns % 1000000000) };
}

void gate_enter(struct gate *gate)
{
    struct timespec until = after_ms(HOLD_MS);
    int rc = 0;

    (void)pthread_mutex_lock(&gate->mutex);
    while (atomic_load(&gate->is_closed) && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&gate->changed, &gate->mutex, &until);
    gate->readers++;
    (void)pthread_mutex_unlock(&gate->mutex);
}

void gate_leave(struct gate *gate)
{
    (void)pthread_mutex_lock(&gate->mutex);
    if (--gate->readers == 0)
        (void)pthread_cond_broadcast(&gate->changed);
    (void)pthread_mutex_unlock(&gate->mutex);
}

void gate_close(struct gate *gate)
{
    struct timespec until = after_ms(DRAIN_MS);
    int rc = 0;

    (void)pthread_mutex_lock(&gate->mutex);
    atomic_store(&gate->is_closed, true);
    while (gate->readers > 0 && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&gate->changed, &gate->mutex, &until);
    (void)pthread_mutex_unlock(&gate->mutex);
}

void gate_open(struct gate *gate)
{
    (void)pthread_mutex_lock(&gate->mutex);
    atomic_store(&gate->is_closed, false);
    (void)pthread_cond_broadcast(&gate->changed);
    (void)pthread_mutex_unlock(&gate->mutex);
}

bool gate_is_over(const struct gate *gate, uint64_t since_ns)
{
    return atomic_load(&gate->is_closed) &&
           clock_monotonic_ns() - since_ns > (uint64_t)READ_MS * 1000000;
}
