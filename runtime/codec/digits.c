/*
 * Up to fifteen digits always come back from a double as they went in. With more of them the
 * double is written again with as many digits as there were, and has to show the same ones: so
 * 0.10000000000000001, as printf("%.17g") writes 0.1, is kept, and 9007199254740993.0 is not.
 */
#include "codec/digits.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* The exact value of the smallest double has 767 digits; an exponent this side of 290 is far
 * from both ends. */
enum { SURE_DIGITS = 15, MOST_DIGITS = 767, TOKEN_BYTES = 1100, SURE_EXPONENT = 290 };

static const char lost[] = "has more digits than a 64-bit number keeps; send it as a string";

struct decimal {
    char digits[MOST_DIGITS + 1]; /* without zeroes at either end */
    size_t count;
    bool is_real, has_exponent, is_long;
};

static void digit_add(struct decimal *decimal, char digit, size_t *zeroes)
{
    if (digit == '0') {
        *zeroes += decimal->count > 0;
        return;
    }
    if (decimal->count + *zeroes >= MOST_DIGITS) {
        decimal->is_long = true;
        return;
    }
    for (; *zeroes > 0; --*zeroes)
        decimal->digits[decimal->count++] = '0';
    decimal->digits[decimal->count++] = digit;
}

static void decimal_read(struct slice token, struct decimal *decimal)
{
    size_t zeroes = 0;

    for (size_t i = 0; i < token.size; i++) {
        char c = token.data[i];
        if (c >= '0' && c <= '9') {
            digit_add(decimal, c, &zeroes);
        } else if (c == '.') {
            decimal->is_real = true;
        } else if (c != '-' && c != '+') {
            decimal->is_real = decimal->has_exponent = true;
            return;
        }
    }
}

static bool fits_64_bits(struct slice token)
{
    bool negative = token.data[0] == '-', ok = true;
    uint64_t number = 0;

    for (size_t i = negative || token.data[0] == '+'; i < token.size && ok; i++)
        ok = !__builtin_mul_overflow(number, 10, &number) &&
             !__builtin_add_overflow(number, (uint64_t)(token.data[i] - '0'), &number);
    return ok && (!negative || number <= (uint64_t)INT64_MAX + 1);
}

static const char *real_flaw(struct slice token, const struct decimal *decimal)
{
    enum { PLAIN_BYTES = 200 }; /* without an exponent: not near either end */
    char text[TOKEN_BYTES];
    int exponent;

    if (decimal->count <= SURE_DIGITS && !decimal->has_exponent && token.size < PLAIN_BYTES)
        return NULL;
    if (decimal->is_long || token.size >= sizeof text)
        return lost;
    memcpy(text, token.data, token.size);
    text[token.size] = '\0';
    double number = fabs(strtod(text, NULL));
    if (!isfinite(number))
        return "is greater than a 64-bit number can be; send it as a string";
    (void)frexp(number, &exponent);
    if (decimal->count <= SURE_DIGITS && number != 0 && exponent > -SURE_EXPONENT * 3)
        return NULL;
    /* Written as d.ddde+xx. */
    (void)snprintf(text, sizeof text, "%.*e", (int)decimal->count - 1, number);
    bool same =
        text[0] == decimal->digits[0] &&
        (decimal->count == 1 || memcmp(text + 2, decimal->digits + 1, decimal->count - 1) == 0);
    return same ? NULL : lost;
}

const char *digits_flaw(struct slice token)
{
    struct decimal decimal;

    decimal.count = 0;
    decimal.is_real = decimal.has_exponent = decimal.is_long = false;
    decimal_read(token, &decimal);
    if (!decimal.is_real)
        return fits_64_bits(token) ? NULL : "does not fit into 64 bits; send it as a string";
    return decimal.count == 0 ? NULL : real_flaw(token, &decimal);
}
