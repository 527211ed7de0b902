/*
 * Names: words that repeat in every run (tasks, segments, versions, builds) and are stored as
 * small numbers. This is a connection's memory of them: filled as they are met, dropped at a
 * rollback, because a number given out in the transaction that failed will be given to another
 * word.
 */
#ifndef WORDS_H
#define WORDS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/table.h"

#include <stdint.h>

struct connection;

struct names {
    struct arena arena;
    struct table by_text, by_id; /* of struct name */
    bool has_new;                /* given out in this transaction */
};

struct name {
    int64_t id;
    uint32_t environment; /* of a task; 0 for all else */
    struct slice text;
    struct name *next; /* with the same hash */
};

void names_init(struct names *names);
void names_finish(struct names *names);
void names_forget(struct names *names);
/* The transaction has ended: what it gave out stays, or never was. */
void names_committed(struct names *names);
void names_rolled_back(struct names *names);
/* Forget when there are too many; at the start of a transaction, when no word is borrowed. */
void names_trim(struct names *names);

/* The number of a word, given out now if it has none; 0 for the empty word. Inside a
 * transaction. */
bool name_number(struct connection *connection, uint32_t environment, struct slice text,
                 int64_t *id, struct err *err);
/* The number of a word, 0 when it has none. */
bool name_find(struct connection *connection, uint32_t environment, struct slice text,
               int64_t *id, struct err *err);
/* The word of a number; borrowed until forgotten, empty for 0. */
bool name_get(struct connection *connection, int64_t id, struct name *name, struct err *err);

#endif
