#include "codec/callback.h"

#include "base/id.h"

#include <criterion/criterion.h>
#include <string.h>

static struct arena arena;

static void finish(void)
{
    arena_finish(&arena);
}

TestSuite(callback, .fini = finish);

static const uint8_t secret[32] = { 1, 2, 3 };

Test(callback, a_url_carries_a_hash_that_is_valid_for_its_token_alone)
{
    char hash[SHA256_HEX_SIZE];
    uint8_t other[32] = { 9 };
    callback_hash(secret, 12345, hash);

    cr_assert_eq(strlen(hash), 64);
    cr_assert(callback_is_valid(secret, 12345, slice_of(hash)));
    cr_assert_not(callback_is_valid(secret, 12346, slice_of(hash)));
    cr_assert_not(callback_is_valid(other, 12345, slice_of(hash)));
    cr_assert_not(callback_is_valid(secret, 12345, (struct slice){ hash, 63 }));
    cr_assert_not(callback_is_valid(secret, 12345, (struct slice){ 0 }));
    hash[10] = hash[10] == 'a' ? 'b' : 'a';
    cr_assert_not(callback_is_valid(secret, 12345, slice_of(hash)));
}

Test(callback, the_url_is_the_one_that_the_server_routes)
{
    char hash[SHA256_HEX_SIZE];

    struct slice url = callback_url(&arena, "https://bide.example", secret, 33);

    cr_assert(slice_equal(url, arena_format(&arena,
                                            "https://bide.example/api/v1/waitpoints/tokens/"
                                            "waitpoint_0000000000011/callback/%s",
                                            callback_hash(secret, 33, hash))));
}

Test(callback, a_key_makes_the_urls_of_its_block_and_of_no_other)
{
    static const int64_t id = 5 * ID_BLOCK + 7;
    uint8_t key[CALLBACK_KEY_BYTES], same[CALLBACK_KEY_BYTES], other[CALLBACK_KEY_BYTES];

    callback_key(secret, id, key);
    callback_key(secret, 5 * ID_BLOCK, same);
    callback_key(secret, 6 * ID_BLOCK, other);

    cr_assert_arr_eq(key, same, sizeof key);
    cr_assert(memcmp(key, other, sizeof key) != 0);
    cr_assert(slice_equal(callback_url_of_key(&arena, "http://h", key, id),
                          callback_url(&arena, "http://h", secret, id)));
    cr_assert_not(slice_equal(callback_url_of_key(&arena, "http://h", other, id),
                              callback_url(&arena, "http://h", secret, id)));
}
