/*
 * The gate between readers and the log. The log can only start over while nobody reads in it,
 * and with readers that overlap somebody always does: for that moment those who come wait at
 * the gate, and those who are in it too long are sent out.
 */
#ifndef READER_GATE_H
#define READER_GATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    uint32_t readers;      /* under the mutex */
    atomic_bool is_closed; /* changed under the mutex */
    atomic_uint owners;    /* the store, and its readers, which may outlive it */
};

struct gate *gate_create(void);
struct gate *gate_share(struct gate *gate);
/* By each owner; the last one frees it. */
void gate_drop(struct gate *gate);

/* A reader: wait while it is closed, for some seconds at most. */
void gate_enter(struct gate *gate);
void gate_leave(struct gate *gate);
/* The writer: let nobody in and wait until all are out, for a moment at most. */
void gate_close(struct gate *gate);
void gate_open(struct gate *gate);

/* Is a reader that entered at `since_ns` of the monotonic clock to leave? */
bool gate_is_over(const struct gate *gate, uint64_t since_ns);

#endif
