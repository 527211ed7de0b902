/* Idempotency keys; for the engine's own files. */
#ifndef KEY_H
#define KEY_H

#include "engine/rows/row.h"

struct batch;

/* What an idempotency key hashes to. `scope` is the task for runs, empty for tokens;
 * owner is the run whose key it is, 0 for all. */
enum key_kind {
    KEY_RUN,
    KEY_TOKEN,
    KEY_REQUEST,
    KEY_BATCH,
    KEY_MESSAGE,
    KEY_WAIT,
    KEY_BULK,
    KEY_DEBOUNCE,
    KEY_COLLECT, /* of a queue, its task and concurrency key: the run that collects */
    KEY_JOINED   /* of a call of a segment: the run that its trigger was made one with */
};
void key_hash(enum key_kind kind, uint32_t environment, struct slice scope, int64_t owner,
              struct slice text, uint8_t hash[16]);
bool key_is_live(const struct batch *batch, const struct key *key);
struct key *key_make(struct batch *batch, const uint8_t hash[16], int64_t target,
                     int64_t ttl_ms);
/* Of a payload, in whatever order its members came; never 0. */
int64_t payload_hash(struct arena *arena, struct slice packed);

/* Does the run's key still stand for it, now that it has ended so? */
bool key_stays(const struct run *run);

/* It was first used with that payload. */
void key_give(struct key *key, int64_t given);
/* What it stands for has other keys as well, and does not take them back when it ends: whoever
 * comes with the key looks at what it stands for. */
void key_share(struct key *key);
bool key_is_shared(const struct key *key);
/* Was it with another one than this? No where the row does not say. */
bool key_differs(const struct key *key, int64_t given);

/* How long the retries of one HTTP call are recognised as such. */
#define REQUEST_TTL_MS (INT64_C(86400) * 1000)

#endif
