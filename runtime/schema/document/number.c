/*
 * Doubles are taken for the decimals people wrote: 0.3 is a multiple of 0.1 here, though the
 * nearest doubles are not. A number becomes digits × 10^exponent with at most 17 digits (20 for
 * integers), and the rest is integer arithmetic.
 */
#include "schema/document/number.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* 128 bits: 17 digits times 10^18 must fit. */
__extension__ typedef unsigned __int128 wide;

struct decimal {
    uint64_t digits; /* without sign */
    int exponent;
};

bool number_is(const struct value *value)
{
    return value->kind == VALUE_INT || value->kind == VALUE_UINT || value->kind == VALUE_DOUBLE;
}

bool number_is_integer(const struct value *value)
{
    if (value->kind == VALUE_DOUBLE)
        return isfinite(value->number) && value->number == trunc(value->number);
    return value->kind == VALUE_INT || value->kind == VALUE_UINT;
}

/* Exact for all three kinds where a long double has 64 bits or more, as on x86 and 64-bit ARM.
 */
static long double number_long(const struct value *value)
{
    if (value->kind == VALUE_INT)
        return (long double)value->integer;
    return value->kind == VALUE_UINT ? (long double)value->big : (long double)value->number;
}

int number_compare(const struct value *a, const struct value *b)
{
    if (a->kind == VALUE_INT && b->kind == VALUE_INT)
        return (a->integer > b->integer) - (a->integer < b->integer);
    long double x = number_long(a), y = number_long(b);
    return (x > y) - (x < y);
}

/* The shortest text that reads back as the same double: "-1.25e-07" is 125 × 10^-9. */
static struct decimal double_decimal(double number)
{
    char text[40];
    struct decimal decimal = { 0 };

    for (int precision = DBL_DIG - 1; precision < DBL_DECIMAL_DIG; precision++) {
        (void)snprintf(text, sizeof text, "%.*e", precision, fabs(number));
        if (strtod(text, NULL) == fabs(number))
            break;
    }
    bool is_fraction = false;
    const char *at = text;
    for (; *at != 'e' && *at != '\0'; at++) {
        if (*at == '.') {
            is_fraction = true;
            continue;
        }
        decimal.digits = decimal.digits * 10 + (uint64_t)(*at - '0');
        decimal.exponent -= is_fraction;
    }
    decimal.exponent += *at == 'e' ? (int)strtol(at + 1, NULL, 10) : 0;
    return decimal;
}

static struct decimal number_decimal(const struct value *value)
{
    struct decimal decimal = { 0 };

    if (value->kind == VALUE_DOUBLE)
        decimal = double_decimal(value->number);
    else if (value->kind == VALUE_UINT)
        decimal.digits = value->big;
    else
        decimal.digits =
            value->integer < 0 ? 0 - (uint64_t)value->integer : (uint64_t)value->integer;
    while (decimal.digits != 0 && decimal.digits % 10 == 0) {
        decimal.digits /= 10;
        decimal.exponent++;
    }
    return decimal;
}

bool number_is_multiple(const struct value *value, const struct value *of)
{
    struct decimal a = number_decimal(value), b = number_decimal(of);

    if (a.digits == 0)
        return true;
    if (b.digits == 0)
        return false;
    int shift = a.exponent - b.exponent;
    if (shift >= 0) { /* a · 10^shift mod b */
        wide rest = a.digits % b.digits;
        for (; shift > 0 && rest != 0; shift--)
            rest = rest * 10 % b.digits;
        return rest == 0;
    }
    wide scaled = b.digits; /* a mod b · 10^-shift, which is 0 only while that is at most a */
    for (; shift < 0 && scaled <= a.digits; shift++)
        scaled *= 10;
    return shift == 0 && a.digits % scaled == 0;
}
