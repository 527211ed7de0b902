/* Plain YAML scalars by the core schema of YAML 1.2: null, booleans, integers, floats, else
 * text. */
#include "schema/document/document.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static bool text_is_one(struct slice text, const char *a, const char *b, const char *c)
{
    return slice_is(text, a) || slice_is(text, b) || slice_is(text, c);
}

static size_t digits_skip(struct slice text, size_t at)
{
    while (at < text.size && text.data[at] >= '0' && text.data[at] <= '9')
        at++;
    return at;
}

static size_t sign_skip(struct slice text, size_t at)
{
    return at < text.size && (text.data[at] == '-' || text.data[at] == '+') ? at + 1 : at;
}

/* [-+]? [0-9]+ */
static bool integer_is(struct slice text)
{
    size_t start = sign_skip(text, 0);
    return start < text.size && digits_skip(text, start) == text.size;
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static bool float_is(struct slice text)
{
    size_t start = sign_skip(text, 0);
    size_t at = digits_skip(text, start);
    size_t digits = at - start;

    if (at < text.size && text.data[at] == '.') {
        size_t point = at;
        at = digits_skip(text, at + 1);
        digits += at - point - 1;
    }
    if (digits == 0)
        return false;
    if (at < text.size && (text.data[at] == 'e' || text.data[at] == 'E')) {
        size_t exponent = sign_skip(text, at + 1);
        at = digits_skip(text, exponent);
        if (at == exponent)
            return false;
    }
    return at == text.size;
}

/* 0o17 and 0x1f. */
static bool radix_is(struct slice text, int *base)
{
    if (text.size < 3 || text.data[0] != '0')
        return false;
    *base = text.data[1] == 'o' ? 8 : text.data[1] == 'x' ? 16 : 0;
    if (*base == 0)
        return false;
    const char *digits = *base == 8 ? "01234567" : "0123456789abcdefABCDEF";
    return strspn(text.data + 2, digits) == text.size - 2;
}

static void float_set(struct node *node)
{
    node->kind = VALUE_DOUBLE;
    node->number = strtod(node->text.data, NULL);
}

/* An integer that fits neither int64_t nor uint64_t is a double here; the reader refuses it. */
static void integer_set(struct node *node, const char *digits, int base)
{
    errno = 0;
    long long number = strtoll(digits, NULL, base);
    if (errno == 0) {
        node->kind = VALUE_INT;
        node->integer = number;
        return;
    }
    errno = 0;
    unsigned long long big = strtoull(digits, NULL, base);
    if (errno == 0 && digits[0] != '-') {
        node->kind = VALUE_UINT;
        node->big = big;
        return;
    }
    if (base == 10) {
        float_set(node);
    } else {
        node->kind = VALUE_DOUBLE;
        node->number = INFINITY; /* refused by the reader as too large */
    }
}

void scalar_resolve(struct node *node)
{
    struct slice text = node->text;
    int base = 0;

    if (text.size == 0 || slice_is(text, "~") || text_is_one(text, "null", "Null", "NULL")) {
        node->kind = VALUE_NULL;
    } else if (text_is_one(text, "true", "True", "TRUE")) {
        node->kind = VALUE_BOOL;
        node->boolean = true;
    } else if (text_is_one(text, "false", "False", "FALSE")) {
        node->kind = VALUE_BOOL;
        node->boolean = false;
    } else if (integer_is(text)) {
        integer_set(node, text.data, 10);
    } else if (radix_is(text, &base)) {
        integer_set(node, text.data + 2, base);
    } else if (float_is(text)) {
        float_set(node);
    } else if (text_is_one(text, ".nan", ".NaN", ".NAN")) {
        node->kind = VALUE_DOUBLE;
        node->number = NAN;
    } else {
        size_t start = sign_skip(text, 0);
        struct slice rest = { text.data + start, text.size - start };
        if (text_is_one(rest, ".inf", ".Inf", ".INF")) {
            node->kind = VALUE_DOUBLE;
            node->number = INFINITY;
        } else {
            node->kind = VALUE_STRING;
        }
    }
}

bool scalar_to_double(struct node *node)
{
    if (node->kind != VALUE_INT && node->kind != VALUE_UINT)
        return node->kind == VALUE_DOUBLE;
    long double whole =
        node->kind == VALUE_INT ? (long double)node->integer : (long double)node->big;
    node->number = (double)whole;
    node->kind = VALUE_DOUBLE;
    return (long double)node->number == whole;
}
