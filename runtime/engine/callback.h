/* Callback URLs: who knows one may complete its token, nobody can guess one. */
#ifndef CALLBACK_H
#define CALLBACK_H

#include "base/arena.h"
#include "base/crypto.h"

/* Lowercase hex HMAC-SHA256 of the id's text (without "waitpoint_") under the server's secret.
 */
char *callback_hash(const uint8_t secret[32], int64_t token_id, char text[SHA256_HEX_SIZE]);

/* Constant time. */
bool callback_is_valid(const uint8_t secret[32], int64_t token_id, struct slice hash);

/* {origin}/api/v1/waitpoints/tokens/{id}/callback/{hash} */
struct slice callback_url(struct arena *arena, const char *origin, const uint8_t secret[32],
                          int64_t token_id);

#endif
