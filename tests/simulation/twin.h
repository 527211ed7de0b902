/*
 * The twin store: the real SQLite store on real files, and beside it the memory store, which is
 * asked the same questions. The engine gets SQLite's answers; where the two differ, that is a
 * flaw. What the world looks at is the memory twin, which is plain enough to be believed.
 */
#ifndef TWIN_H
#define TWIN_H

#include "store/memory/memory_store.h"

/* In a directory of its own, below /dev/shm where there is one. `flaw` hears of differences. */
struct store *twin_create(void *context, void (*flaw)(void *context, const char *text));
struct store *twin_memory(struct store *store);
/* The `calls`th call from now on fails; 0: none. */
void twin_fail(struct store *store, int calls);
/* The process is killed: what its files hold at this moment is opened anew, elsewhere. */
void twin_crash(struct store *store);
/* Everything that was committed is read from SQLite and compared. */
void twin_check(struct store *store);

static inline bool ids_same(const struct ids *a, const struct ids *b)
{
    bool same = a->count == b->count;

    for (uint32_t i = 0; same && i < a->count; i++)
        same = a->items[i] == b->items[i];
    return same;
}

/* Two stores are asked the same: what waits in queues (rules_crowd.c). */
void crowds_want(struct lane_rows *to, const struct lane_rows *from);
void crowds_compare(void *context, void (*flaw)(void *context, const char *text),
                    struct rows *rows, struct rows *others);

/* bulk.c */
void selects_compare(void *context, void (*flaw)(void *context, const char *text),
                     struct rows *rows, struct rows *others);

#endif
