#include "base/crypto.h"
#include "batch.h"

#include <inttypes.h>

void key_hash(enum key_kind kind, uint32_t environment, struct slice scope, int64_t owner,
              struct slice text, uint8_t hash[16])
{
    struct buffer message = { 0 };
    uint8_t digest[SHA256_SIZE];

    /* Sizes go along, so that no two different sets of parts make the same message. */
    buffer_format(&message, "%d %" PRIu32 " %" PRId64 " %zu ", (int)kind, environment, owner,
                  scope.size);
    buffer_slice(&message, scope);
    buffer_slice(&message, text);
    crypto_sha256(buffer_view(&message), digest);
    buffer_finish(&message);
    memcpy(hash, digest, 16);
}

bool key_is_live(const struct batch *batch, const struct key *key)
{
    return key != NULL && !key->is_deleted &&
           (key->expires_ms == 0 || key->expires_ms > batch->steady_ms);
}

void key_make(struct batch *batch, const uint8_t hash[16], int64_t target, int64_t ttl_ms)
{
    struct key *key = rows_new_key(&batch->rows, hash);

    key->target = target;
    key->expires_ms = batch_deadline(batch, 0, ttl_ms).due_ms;
}
