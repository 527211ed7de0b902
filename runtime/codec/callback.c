#include "codec/callback.h"

#include "base/id.h"

static struct slice key_of(const uint8_t key[32])
{
    return (struct slice){ (const char *)key, 32 };
}

void callback_key(const uint8_t secret[32], int64_t id, uint8_t key[CALLBACK_KEY_BYTES])
{
    char text[ID_TEXT_SIZE];

    crypto_hmac_sha256(key_of(secret),
                       slice_of(id_format("block", id & ~(int64_t)(ID_BLOCK - 1), text)), key);
}

static char *hash_of_key(const uint8_t key[CALLBACK_KEY_BYTES], int64_t token_id,
                         char text[SHA256_HEX_SIZE])
{
    char id[ID_TEXT_SIZE];
    uint8_t digest[SHA256_SIZE];
    const char *body = strchr(id_format("waitpoint", token_id, id), '_') + 1;

    crypto_hmac_sha256(key_of(key), slice_of(body), digest);
    return crypto_hex(digest, sizeof digest, text);
}

char *callback_hash(const uint8_t secret[32], int64_t token_id, char text[SHA256_HEX_SIZE])
{
    uint8_t key[CALLBACK_KEY_BYTES];

    callback_key(secret, token_id, key);
    return hash_of_key(key, token_id, text);
}

bool callback_is_valid(const uint8_t secret[32], int64_t token_id, struct slice hash)
{
    char text[SHA256_HEX_SIZE];

    return crypto_equal(slice_of(callback_hash(secret, token_id, text)), hash);
}

struct slice callback_url_of_key(struct arena *arena, const char *origin,
                                 const uint8_t key[CALLBACK_KEY_BYTES], int64_t token_id)
{
    char id[ID_TEXT_SIZE], hash[SHA256_HEX_SIZE];

    return arena_format(arena, "%s/api/v1/waitpoints/tokens/%s/callback/%s", origin,
                        id_format("waitpoint", token_id, id), hash_of_key(key, token_id, hash));
}

struct slice callback_url(struct arena *arena, const char *origin, const uint8_t secret[32],
                          int64_t token_id)
{
    uint8_t key[CALLBACK_KEY_BYTES];

    callback_key(secret, token_id, key);
    return callback_url_of_key(arena, origin, key, token_id);
}
