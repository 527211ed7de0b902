/* Errors: a code with its HTTP status and a sentence. */
#include "base/err.h"

#include <criterion/criterion.h>
#include <string.h>

Test(err, setting_one_returns_false_so_that_a_function_can_end_in_it)
{
    struct err err = { 0 };

    cr_assert_not(err_set(&err, ERR_NOT_FOUND, "run %d is not there", 7));
    cr_assert_eq(err.code, ERR_NOT_FOUND);
    cr_assert_str_eq(err.text, "run 7 is not there");
}

Test(err, nobody_needs_to_listen)
{
    cr_assert_not(err_set(NULL, ERR_STORE, "%s", "nothing"));
}

Test(err, each_code_has_a_status_a_name_and_a_hint)
{
    for (int code = ERR_OK; code < ERR_CODE_COUNT; code++) {
        cr_assert(err_status((enum err_code)code) >= 200 &&
                  err_status((enum err_code)code) < 600);
        cr_assert_gt(strlen(err_name((enum err_code)code)), 0);
        cr_assert_gt(strlen(err_hint((enum err_code)code)), 0);
    }
    cr_assert_str_eq(err_name(ERR_NOT_FOUND), "NOT_FOUND");
    cr_assert_eq(err_status(ERR_STORE), 503);
}

Test(err, a_long_text_is_cut)
{
    struct err err;

    err_set(&err, ERR_RULE, "%0*d", 1000, 1);

    cr_assert_eq(strlen(err.text), sizeof err.text - 1);
}

/* It goes into JSON and into frames, where half a character is no text at all. */
Test(err, a_text_is_never_cut_inside_a_character)
{
    char text[600];

    for (size_t start = 0; start < 4; start++) {
        struct err err;
        memset(text, 'a', sizeof text);
        for (size_t at = start; at + 4 < sizeof text; at += 4)
            memcpy(text + at, "\xf0\x9f\x99\x82", 4);
        text[sizeof text - 1] = '\0';
        err_set(&err, ERR_RULE, "%s", text);
        size_t size = strlen(err.text);
        cr_assert_geq(size, sizeof err.text - 4);
        cr_assert_eq((size - start) % 4, 0, "cut after %zu bytes", size);
    }
}
