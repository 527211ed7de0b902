/* Hashes, HMACs, random bytes and comparisons that take the same time whatever the difference.
 */
#ifndef CRYPTO_H
#define CRYPTO_H

#include "err.h"
#include "slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHA256_SIZE = 32, SHA256_HEX_SIZE = 65 };

void crypto_sha256(struct slice bytes, uint8_t digest[SHA256_SIZE]);
bool crypto_sha256_file(const char *path, uint8_t digest[SHA256_SIZE], struct err *err);
void crypto_hmac_sha256(struct slice key, struct slice message, uint8_t digest[SHA256_SIZE]);

/* Lowercase hex with a terminating zero: 2 * size + 1 bytes. */
char *crypto_hex(const uint8_t *bytes, size_t size, char *text);

/* Constant time for equal sizes; sizes are not secret. */
bool crypto_equal(struct slice a, struct slice b);

/* From the system's generator; aborts when there is none. */
void crypto_random(void *bytes, size_t size);

#endif
