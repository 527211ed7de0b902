/* The memory store from the inside: what its files share. */
#ifndef MEMORY_ROWS_H
#define MEMORY_ROWS_H

#include "store/memory/sorted_rows.h"
#include "store/store.h"

/* What is committed; several stores, one a node, may share it. */
struct memory_db {
    struct sorted_rows rows[ROW_KINDS];
    uint32_t version; /* of the last row that was written */
    uint32_t users;
};

struct memory_store {
    struct store store;
    struct memory_db *db;
    void (*between)(void *context); /* called before each call; NULL: it is not */
    void *context;
    struct rows *flushed; /* of the transaction under way */
    int fail_in;          /* calls until one fails; 0: never */
    bool is_low;          /* on room */
    uint64_t commits;     /* that wrote something */
};

static inline struct memory_store *memory_of(struct store *store)
{
    return (struct memory_store *)(void *)store; /* its first member */
}

/* Whether this call is the one that store_memory_fail chose. */
bool memory_fails(struct memory_store *memory, struct err *err);

/* A copy for the batch, put; the big parts only where asked for. */
struct row *memory_lend(struct rows *rows, enum row_kind kind, const struct row *row,
                        uint32_t parts);
/* Answers to questions: memory_questions.c. */
void memory_load_questions(struct memory_store *memory, struct rows *rows);
void memory_load_nodes(struct memory_store *memory, struct rows *rows);
void memory_load_lanes(struct memory_store *memory, struct rows *rows);
/* Has no other node filled a queue to which the batch adds? False: which one. */
bool memory_crowds_hold(const struct memory_store *memory, const struct rows *rows,
                        int64_t *queue);

/* store_ops */
bool memory_due(struct store *store, const struct moment *now, uint32_t limit,
                struct arena *arena, struct row_refs *due, struct err *err);
bool memory_next_due(struct store *store, struct moment *next, struct err *err);
bool memory_mend_due(struct store *store, const struct moment *now, uint32_t limit,
                     struct arena *arena, struct row_refs *lost, struct err *err);
bool memory_touch(struct store *store, struct err *err);
void memory_now(struct store *store, struct moment *now);
void memory_room(struct store *store, struct room *room);

#endif
