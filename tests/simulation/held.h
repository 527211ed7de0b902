/* What a slot has. */
#ifndef HELD_H
#define HELD_H

#include <stdbool.h>
#include <stdint.h>

/* A segment that a slot has, and how far its script is. */
struct held_segment {
    int64_t run_id, id_block;
    uint32_t environment, seq, entry, attempt, call, once_count, reminder;
    char task[16];
    bool in_call, is_canceled, is_ending;
    struct {
        uint32_t sent; /* items */
        bool is_sealed;
    } batch;                        /* that it makes */
    int64_t tokens[5], children[4]; /* the batch is the last of the tokens */
    uint32_t token_count, child_count;
    /* Tokens sent ahead: the END brings them. */
    struct {
        int64_t id, due_ms, timeout_ms;
    } ahead[4];
    uint32_t ahead_count;
};

#endif
