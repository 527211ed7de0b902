#include "crypto.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>

void crypto_sha256(struct slice bytes, uint8_t digest[SHA256_SIZE])
{
    SHA256((const unsigned char *)bytes.data, bytes.size, digest);
}

bool crypto_sha256_file(const char *path, uint8_t digest[SHA256_SIZE], struct err *err)
{
    unsigned char block[65536];
    size_t size;
    bool ok = false;
    FILE *file = fopen(path, "rbe");

    if (file == NULL)
        return err_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context == NULL || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
        abort();
    while ((size = fread(block, 1, sizeof block, file)) > 0)
        EVP_DigestUpdate(context, block, size);
    if (ferror(file) == 0) {
        EVP_DigestFinal_ex(context, digest, NULL);
        ok = true;
    } else {
        err_set(err, ERR_SYSTEM, "%s: cannot be read", path);
    }
    EVP_MD_CTX_free(context);
    (void)fclose(file); /* only read from */
    return ok;
}

void crypto_hmac_sha256(struct slice key, struct slice message, uint8_t digest[SHA256_SIZE])
{
    /* The library takes no key for "the key of the call before". */
    if (HMAC(EVP_sha256(), key.data == NULL ? "" : key.data, (int)key.size,
             (const unsigned char *)message.data, message.size, digest, NULL) == NULL)
        abort();
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
