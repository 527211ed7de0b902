/*
 * Callback URLs: who knows one may complete its token, nobody can guess one.
 *
 *   server's secret ─HMAC─▶ key of a block of ids ─HMAC─▶ hash of a token of the block
 *
 * The key in between is for slots: with their block's key they know the URL of a token before
 * the server knows the token, and nothing about anybody else's.
 */
#ifndef CALLBACK_H
#define CALLBACK_H

#include "base/arena.h"
#include "base/crypto.h"

enum { CALLBACK_KEY_BYTES = 32 };

/* The key of the block that `id` belongs to (ID_BLOCK ids, base/id.h). */
void callback_key(const uint8_t secret[32], int64_t id, uint8_t key[CALLBACK_KEY_BYTES]);

/* Lowercase hex HMAC-SHA256 of the id's text (without "waitpoint_") under its block's key. */
char *callback_hash(const uint8_t secret[32], int64_t token_id, char text[SHA256_HEX_SIZE]);

/* Constant time. */
bool callback_is_valid(const uint8_t secret[32], int64_t token_id, struct slice hash);

/* {origin}/api/v1/waitpoints/tokens/{id}/callback/{hash} */
struct slice callback_url(struct arena *arena, const char *origin, const uint8_t secret[32],
                          int64_t token_id);
/* The same from the block's key. */
struct slice callback_url_of_key(struct arena *arena, const char *origin,
                                 const uint8_t key[CALLBACK_KEY_BYTES], int64_t token_id);

#endif
