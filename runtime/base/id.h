/*
 * Ids: 63 bits, time-ordered, unique per node.
 *
 *   41 bits milliseconds since 2024 | 22 bits counter
 *
 * Where several nodes make ids for one store, the first 6 bits of the counter are the node.
 *
 * As text: a prefix and 13 lowercase base-32 digits whose lexical order is the order of
 * creation, "run_01hq3k7v9x2aa". Ids are names, not secrets: what must not be guessed carries
 * an HMAC.
 */
#ifndef ID_H
#define ID_H

#include "slice.h"

#include <stdbool.h>
#include <stdint.h>

enum { ID_TEXT_SIZE = 40, ID_BLOCK = 64, ID_NODES = 64, ID_MANY = 65536 };

/* State is the caller's, so that a simulation replays. One thread. */
struct id_source {
    int64_t last_ms;                /* the clock may step back, ids may not */
    uint32_t counter, first, limit; /* of the counter: those that are this node's */
    uint64_t random;                /* xorshift state, never 0; for jitter, not for secrets */
};

void id_source_init(struct id_source *source, uint64_t seed);

/* One of ID_NODES nodes that make ids at the same time: no two make the same. */
void id_source_node(struct id_source *source, uint32_t node);

/* The ids to come are above `last`: one that an earlier process has made. */
void id_source_skip(struct id_source *source, int64_t last);

int64_t id_next(struct id_source *source, int64_t now_ms);

/* The first of ID_BLOCK consecutive ids; the low 6 bits are zero. */
int64_t id_next_block(struct id_source *source, int64_t now_ms);

/* The first of `count` consecutive ids, of ID_MANY at most. */
int64_t id_next_many(struct id_source *source, int64_t now_ms, uint32_t count);

/* Uniform in [0, below); 0 when below is 0. */
uint64_t id_random(struct id_source *source, uint64_t below);

int64_t id_time_ms(int64_t id);
/* The smallest id that may be made at `at_ms`; for time filters over ids. */
int64_t id_floor(int64_t at_ms);

/* "run_…" into text; returns text. `prefix` without the underscore, at most 24 characters. */
char *id_format(const char *prefix, int64_t id, char text[ID_TEXT_SIZE]);
/* False when `text` is not `prefix`, an underscore and 13 digits. */
bool id_parse(const char *prefix, struct slice text, int64_t *id);

#endif
