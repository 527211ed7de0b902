#include "checkpoint.h"

#include "base/memory.h"
#include "store/sqlite/sqlite.h"
#include "store/sqlite/sqlite_connection.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { CACHE_KIB = 64 }; /* pages go by, none is looked at again */

struct checkpointer {
    struct connection connection;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_busy, is_stopping; /* under the mutex */
};

/* What a pass cannot do the next one does, and the store says so when it fails itself. */
static void pass(struct checkpointer *checkpointer)
{
    (void)sqlite3_wal_checkpoint_v2(checkpointer->connection.db, NULL,
                                    SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

static void *work(void *context)
{
    struct checkpointer *checkpointer = context;

    (void)pthread_mutex_lock(&checkpointer->mutex);
    while (!checkpointer->is_stopping) {
        if (checkpointer->is_busy) {
            (void)pthread_mutex_unlock(&checkpointer->mutex);
            pass(checkpointer);
            (void)pthread_mutex_lock(&checkpointer->mutex);
            checkpointer->is_busy = false;
            (void)pthread_cond_broadcast(&checkpointer->changed);
        } else {
            (void)pthread_cond_wait(&checkpointer->changed, &checkpointer->mutex);
        }
    }
    (void)pthread_mutex_unlock(&checkpointer->mutex);
    return NULL;
}

/* Signals are the loop thread's. */
static int thread_start(struct checkpointer *checkpointer)
{
    sigset_t all, before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(&checkpointer->thread, NULL, work, checkpointer);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failure;
}

struct checkpointer *checkpointer_create(const char *path, struct err *err)
{
    struct checkpointer *checkpointer = memory_zeroed(1, sizeof *checkpointer);

    if (!connection_open(&checkpointer->connection, path, SQLITE_OPEN_READWRITE, CACHE_KIB,
                         err)) {
        free(checkpointer);
        return NULL;
    }
    (void)pthread_mutex_init(&checkpointer->mutex, NULL);
    (void)pthread_cond_init(&checkpointer->changed, NULL);
    int failure =
        connection_exec(&checkpointer->connection, path,
                        "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0", err)
            ? thread_start(checkpointer)
            : -1;
    if (failure == 0)
        return checkpointer;
    if (failure > 0)
        err_set(err, ERR_SYSTEM, "cannot start a thread: %s", strerror(failure));
    connection_close(&checkpointer->connection);
    free(checkpointer);
    return NULL;
}

void checkpointer_destroy(struct checkpointer *checkpointer)
{
    if (checkpointer == NULL)
        return;
    (void)pthread_mutex_lock(&checkpointer->mutex);
    checkpointer->is_stopping = true;
    (void)pthread_cond_broadcast(&checkpointer->changed);
    (void)pthread_mutex_unlock(&checkpointer->mutex);
    (void)pthread_join(checkpointer->thread, NULL);
    connection_close(&checkpointer->connection);
    (void)pthread_cond_destroy(&checkpointer->changed);
    (void)pthread_mutex_destroy(&checkpointer->mutex);
    free(checkpointer);
}

void checkpointer_ask(struct checkpointer *checkpointer)
{
    (void)pthread_mutex_lock(&checkpointer->mutex);
    checkpointer->is_busy = true;
    (void)pthread_cond_broadcast(&checkpointer->changed);
    (void)pthread_mutex_unlock(&checkpointer->mutex);
}

bool checkpointer_is_idle(struct checkpointer *checkpointer)
{
    (void)pthread_mutex_lock(&checkpointer->mutex);
    bool is_idle = !checkpointer->is_busy;
    (void)pthread_mutex_unlock(&checkpointer->mutex);
    return is_idle;
}

void checkpointer_wait(struct checkpointer *checkpointer)
{
    (void)pthread_mutex_lock(&checkpointer->mutex);
    while (checkpointer->is_busy)
        (void)pthread_cond_wait(&checkpointer->changed, &checkpointer->mutex);
    (void)pthread_mutex_unlock(&checkpointer->mutex);
}
