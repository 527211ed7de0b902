/* Hashes and HMACs against the vectors of their standards. */
#include "base/crypto.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *sha256(struct slice bytes)
{
    static char text[SHA256_HEX_SIZE];
    uint8_t digest[SHA256_SIZE];

    crypto_sha256(bytes, digest);
    return crypto_hex(digest, sizeof digest, text);
}

static const char *hmac(struct slice key, struct slice message)
{
    static char text[SHA256_HEX_SIZE];
    uint8_t digest[SHA256_SIZE];

    crypto_hmac_sha256(key, message, digest);
    return crypto_hex(digest, sizeof digest, text);
}

/* FIPS 180-4 */
Test(crypto, sha256_of_the_standard_texts)
{
    cr_assert_str_eq(sha256((struct slice){ NULL, 0 }),
                     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    cr_assert_str_eq(sha256(SLICE("abc")),
                     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    cr_assert_str_eq(sha256(SLICE("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
                     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

/* RFC 4231, cases 1, 2, 3 and 6 */
Test(crypto, hmac_of_the_standard_texts)
{
    char aa[131], dd[50];
    memset(aa, 0xaa, sizeof aa);
    memset(dd, 0xdd, sizeof dd);

    cr_assert_str_eq(hmac(SLICE("\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"
                                "\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"),
                          SLICE("Hi There")),
                     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    cr_assert_str_eq(hmac(SLICE("Jefe"), SLICE("what do ya want for nothing?")),
                     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    cr_assert_str_eq(hmac((struct slice){ aa, 20 }, (struct slice){ dd, 50 }),
                     "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    cr_assert_str_eq(hmac((struct slice){ aa, 131 },
                          SLICE("Test Using Larger Than Block-Size Key - Hash Key First")),
                     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

Test(crypto, an_empty_key_and_an_empty_message_are_allowed)
{
    cr_assert_str_eq(hmac((struct slice){ NULL, 0 }, (struct slice){ NULL, 0 }),
                     "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

Test(crypto, a_file_hashes_like_its_bytes)
{
    char path[] = "/tmp/bide-crypto-XXXXXX", text[SHA256_HEX_SIZE];
    uint8_t digest[SHA256_SIZE];
    struct err err = { 0 };
    size_t size = 200000; /* more than one block of reading */
    char *bytes = malloc(size);
    int fd = mkstemp(path);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(i * 31);
    cr_assert_eq(write(fd, bytes, size), (ssize_t)size);

    bool ok = crypto_sha256_file(path, digest, &err);

    cr_assert(ok, "%s", err.text);
    cr_assert_str_eq(crypto_hex(digest, sizeof digest, text),
                     sha256((struct slice){ bytes, size }));
    close(fd);
    unlink(path);
    free(bytes);
}

Test(crypto, a_file_that_is_not_there_is_named)
{
    uint8_t digest[SHA256_SIZE];
    struct err err = { 0 };

    cr_assert_not(crypto_sha256_file("/nowhere/at/all", digest, &err));
    cr_assert_eq(err.code, ERR_SYSTEM);
    cr_assert_str_eq(err.text, "/nowhere/at/all: No such file or directory");
    cr_assert_not(crypto_sha256_file("/tmp", digest, &err), "a directory");
}

Test(crypto, equality_needs_the_same_size_and_bytes)
{
    cr_assert(crypto_equal(SLICE("abc"), SLICE("abc")));
    cr_assert_not(crypto_equal(SLICE("abc"), SLICE("abd")));
    cr_assert_not(crypto_equal(SLICE("abc"), SLICE("ab")));
    cr_assert_not(crypto_equal(SLICE("abc"), (struct slice){ NULL, 0 }));
    cr_assert(crypto_equal((struct slice){ NULL, 0 }, (struct slice){ NULL, 0 }));
}

Test(crypto, random_bytes_differ)
{
    char a[32] = { 0 }, b[32] = { 0 };

    crypto_random(a, sizeof a);
    crypto_random(b, sizeof b);

    cr_assert_neq(memcmp(a, b, sizeof a), 0);
}
