#include "base/crypto.h"
#include "codec/pack.h"
#include "engine/batch.h"

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
    return key != NULL && !key->row.is_deleted &&
           (key->expires_ms == 0 || key->expires_ms > batch->steady_ms);
}

static uint64_t value_hash(const struct value *value)
{
    struct buffer bytes = { 0 };
    uint64_t sum = (uint64_t)value->kind + 1;

    if (value->kind == VALUE_MAP) {
        for (uint32_t i = 0; i < value->count; i++)
            sum += table_hash(value->members[i].key, value_hash(&value->members[i].value));
    } else if (value->kind == VALUE_LIST) {
        for (uint32_t i = 0; i < value->count; i++)
            sum = sum * UINT64_C(0x100000001b3) + value_hash(&value->items[i]);
    } else {
        pack_write(&bytes, value);
        sum = table_hash(buffer_view(&bytes), sum);
        buffer_finish(&bytes);
    }
    return sum;
}

int64_t payload_hash(struct arena *arena, struct slice packed)
{
    struct value value = { .kind = VALUE_NULL };

    if (packed.size > 0)
        (void)pack_read(arena, packed, &value, NULL); /* else it is refused soon */
    return (int64_t)(value_hash(&value) | 1);
}

struct key *key_make(struct batch *batch, const uint8_t hash[16], int64_t target,
                     int64_t ttl_ms)
{
    struct key *key = rows_new_key(&batch->rows, hash);

    key->target = target;
    key->expires_ms = batch_deadline(batch, 0, ttl_ms).due_ms;
    return key;
}

void key_give(struct key *key, int64_t given)
{
    memcpy(key->payload, &given, sizeof given);
}

/* A payload's hash is odd. */
void key_share(struct key *key)
{
    int64_t given;

    memcpy(&given, key->payload, sizeof given);
    key_give(key, given & ~INT64_C(1));
}

bool key_is_shared(const struct key *key)
{
    int64_t given;

    memcpy(&given, key->payload, sizeof given);
    return given != 0 && (given & 1) == 0;
}

bool key_differs(const struct key *key, int64_t given)
{
    int64_t first;

    memcpy(&first, key->payload, sizeof first);
    return first != 0 && (first | 1) != given;
}
