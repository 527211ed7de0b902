/*
 * kill9: the server is killed again and again under load, while clients keep a journal of
 * everything that was acknowledged to them. kill9.c kills and judges, kill9_load.c is the
 * clients.
 */
#ifndef KILL9_H
#define KILL9_H

#include "server.h"

#include <pthread.h>
#include <stdatomic.h>

enum { MAX_ORDERS = 1 << 18, WINNER_A = 1, WINNER_B = 2 };

enum order_kind {
    ORDER_ECHO,    /* hello: the output is the input */
    ORDER_APPROVE, /* ledger: its token is completed */
    ORDER_CANCEL,  /* ledger: canceled while it waits */
    ORDER_KIND_COUNT
};

/* Written by one client only; `run` is there when `is_known` is. */
struct order {
    enum order_kind kind;
    char run[40];
    char ended[200];  /* status and output as once seen; must never read otherwise */
    unsigned winners; /* whose completion may have won */
    atomic_bool is_known, is_complete; /* trigger; completion or cancel acknowledged */
};

struct play {
    struct server server;
    unsigned seed, clients;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_up;
    atomic_bool is_over;
    atomic_uint order_count;
    atomic_ullong answers, broken; /* requests answered; cut off */
    struct order *orders;
    const char *ledger; /* the file */
};

/* One client; the thread's function. */
void *client_main(void *play);

/* Send until a server answers; *was_cut is set when some try may or may not have been taken. */
const struct reply *play_ask(struct play *play, const char *method, const char *path,
                             const char *body, bool *was_cut);
/* "COMPLETED {…}" of a run that has ended; NULL while it has not. */
const char *ending_of(const struct reply *run);
/* What is wrong with how this order ended; NULL: nothing. */
const char *order_judge(struct play *play, unsigned n, const struct reply *run);

#endif
