#include "callback.h"

#include "base/id.h"

char *callback_hash(const uint8_t secret[32], int64_t token_id, char text[SHA256_HEX_SIZE])
{
    char id[ID_TEXT_SIZE];
    uint8_t digest[SHA256_SIZE];
    const char *body = strchr(id_format("waitpoint", token_id, id), '_') + 1;

    crypto_hmac_sha256((struct slice){ (const char *)secret, 32 }, slice_of(body), digest);
    return crypto_hex(digest, sizeof digest, text);
}

bool callback_is_valid(const uint8_t secret[32], int64_t token_id, struct slice hash)
{
    char text[SHA256_HEX_SIZE];

    return crypto_equal(slice_of(callback_hash(secret, token_id, text)), hash);
}

struct slice callback_url(struct arena *arena, const char *origin, const uint8_t secret[32],
                          int64_t token_id)
{
    char id[ID_TEXT_SIZE], hash[SHA256_HEX_SIZE];

    return arena_format(arena, "%s/api/v1/waitpoints/tokens/%s/callback/%s", origin,
                        id_format("waitpoint", token_id, id),
                        callback_hash(secret, token_id, hash));
}
