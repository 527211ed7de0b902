#include "crypto.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { BLOCK_SIZE = 64 }; /* of SHA-256 */

static const EVP_MD *sha256;
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;

static void sha256_fetch(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (sha256 == NULL)
        abort();
}

/* Looked for once: the library's own short cuts look it up at each call, which takes several
 * times as long as the hash of a short text. */
static EVP_MD_CTX *hash_new(void)
{
    EVP_MD_CTX *hash = EVP_MD_CTX_new();

    if (hash == NULL || pthread_once(&sha256_once, sha256_fetch) != 0)
        abort();
    return hash;
}

static void hash_begin(EVP_MD_CTX *hash)
{
    if (EVP_DigestInit_ex(hash, sha256, NULL) != 1)
        abort();
}

static void hash_add(EVP_MD_CTX *hash, const void *bytes, size_t size)
{
    if (EVP_DigestUpdate(hash, bytes, size) != 1)
        abort();
}

static void hash_end(EVP_MD_CTX *hash, uint8_t digest[SHA256_SIZE])
{
    if (EVP_DigestFinal_ex(hash, digest, NULL) != 1)
        abort();
}

void crypto_sha256(struct slice bytes, uint8_t digest[SHA256_SIZE])
{
    EVP_MD_CTX *hash = hash_new();

    hash_begin(hash);
    hash_add(hash, bytes.data, bytes.size);
    hash_end(hash, digest);
    EVP_MD_CTX_free(hash);
}

bool crypto_sha256_file(const char *path, uint8_t digest[SHA256_SIZE], struct err *err)
{
    unsigned char block[65536];
    size_t size;
    bool ok = false;
    FILE *file = fopen(path, "rbe");

    if (file == NULL)
        return err_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
    EVP_MD_CTX *hash = hash_new();
    hash_begin(hash);
    while ((size = fread(block, 1, sizeof block, file)) > 0)
        hash_add(hash, block, size);
    if (ferror(file) == 0) {
        hash_end(hash, digest);
        ok = true;
    } else {
        err_set(err, ERR_SYSTEM, "%s: cannot be read", path);
    }
    EVP_MD_CTX_free(hash);
    (void)fclose(file); /* only read from */
    return ok;
}

/* RFC 2104 from the library's hash: its own HMAC takes three to four times as long for the
 * short texts of a callback's URL, of which every wait makes several. */
void crypto_hmac_sha256(struct slice key, struct slice message, uint8_t digest[SHA256_SIZE])
{
    uint8_t inner[BLOCK_SIZE] = { 0 }, outer[BLOCK_SIZE];

    if (key.size > BLOCK_SIZE)
        crypto_sha256(key, inner);
    else if (key.size > 0)
        memcpy(inner, key.data, key.size);
    for (size_t i = 0; i < BLOCK_SIZE; i++) {
        outer[i] = inner[i] ^ 0x5c;
        inner[i] ^= 0x36;
    }
    EVP_MD_CTX *hash = hash_new();
    hash_begin(hash);
    hash_add(hash, inner, sizeof inner);
    hash_add(hash, message.data, message.size);
    hash_end(hash, digest);
    hash_begin(hash);
    hash_add(hash, outer, sizeof outer);
    hash_add(hash, digest, SHA256_SIZE);
    hash_end(hash, digest);
    EVP_MD_CTX_free(hash);
    OPENSSL_cleanse(inner, sizeof inner);
    OPENSSL_cleanse(outer, sizeof outer);
}

char *crypto_hex(const uint8_t *bytes, size_t size, char *text)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[2 * size] = '\0';
    return text;
}

bool crypto_equal(struct slice a, struct slice b)
{
    return a.size == b.size && CRYPTO_memcmp(a.data, b.data, a.size) == 0;
}

void crypto_random(void *bytes, size_t size)
{
    if (RAND_bytes(bytes, (int)size) != 1)
        abort();
}
