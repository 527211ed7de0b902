/* Expressions word by word, and where in them something is wrong. */
#include "codec/expression_token.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

bool flaw_set(struct expression_flaw *flaw, struct slice text, uint32_t at, const char *format,
              ...)
{
    va_list arguments;

    if (flaw->line != 0)
        return false;
    flaw->line = flaw->column = 1;
    for (uint32_t i = 0; i < at && i < text.size; i++)
        if (text.data[i] == '\n') {
            flaw->line++;
            flaw->column = 1;
        } else if (((unsigned char)text.data[i] & 0xc0) != 0x80) {
            flaw->column++;
        }
    va_start(arguments, format);
    (void)vsnprintf(flaw->text, sizeof flaw->text, format, arguments); /* cut, if need be */
    va_end(arguments);
    for (size_t end = strlen(flaw->text); !utf8_is_valid(slice_of(flaw->text)); end--)
        flaw->text[end - 1] = '\0'; /* not within a character */
    return false;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static uint32_t digits_end(struct slice text, uint32_t at)
{
    while (at < text.size && isdigit((unsigned char)text.data[at]))
        at++;
    return at;
}

static uint32_t number_end(struct slice text, uint32_t at)
{
    at = digits_end(text, at);
    if (at + 1 < text.size && text.data[at] == '.' && isdigit((unsigned char)text.data[at + 1]))
        at = digits_end(text, at + 1);
    if (at < text.size && (text.data[at] == 'e' || text.data[at] == 'E')) {
        uint32_t sign = at + 1;
        if (sign < text.size && (text.data[sign] == '-' || text.data[sign] == '+'))
            sign++;
        if (digits_end(text, sign) > sign)
            at = digits_end(text, sign);
    }
    return at;
}

/* Where the string that begins at `at` is over; 0: nowhere. */
static uint32_t string_end(struct slice text, uint32_t at)
{
    char quote = text.data[at++];

    while (at < text.size && text.data[at] != quote && text.data[at] != '\n')
        at += text.data[at] == '\\' ? 2 : 1;
    return at < text.size && text.data[at] == quote ? at + 1 : 0;
}

void token_next(struct parser *parser)
{
    static const char *const pairs[] = { "||", "&&", "==", "!=", "<=", ">=" };
    struct slice text = parser->text;
    uint32_t at = parser->end;

    while (at < text.size && strchr(" \t\r\n", text.data[at]) != NULL)
        at++;
    uint32_t end = at + 1;
    if (at >= text.size) {
        parser->kind = TOKEN_END;
        at = end = (uint32_t)text.size;
    } else if (isdigit((unsigned char)text.data[at])) {
        parser->kind = TOKEN_NUMBER;
        end = number_end(text, at);
        if (end < text.size && is_word(text.data[end]))
            (void)flaw_set(parser->flaw, text, end, "a number ends in '%c'", text.data[end]);
    } else if (is_word(text.data[at])) {
        parser->kind = TOKEN_WORD;
        while (end < text.size && is_word(text.data[end]))
            end++;
    } else if (text.data[at] == '"' || text.data[at] == '\'') {
        parser->kind = TOKEN_STRING;
        end = string_end(text, at);
        if (end == 0)
            (void)flaw_set(parser->flaw, text, at, "the string that begins here has no end");
    } else {
        parser->kind = TOKEN_SIGN;
        for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
            if (at + 1 < text.size && memcmp(text.data + at, pairs[i], 2) == 0)
                end = at + 2;
        while (end < text.size && ((unsigned char)text.data[end] & 0xc0) == 0x80)
            end++; /* a character that is no sign is shown whole */
    }
    if (has_failed(parser)) { /* nothing follows */
        parser->kind = TOKEN_END;
        at = end = (uint32_t)text.size;
    }
    parser->at = at;
    parser->end = end;
    parser->token = (struct slice){ text.data + at, end - at };
}

bool token_is(const struct parser *parser, const char *text)
{
    return (parser->kind == TOKEN_SIGN || parser->kind == TOKEN_WORD) &&
           slice_is(parser->token, text);
}

bool token_take(struct parser *parser, const char *text)
{
    bool is = token_is(parser, text);

    if (is)
        token_next(parser);
    return is;
}

static size_t utf8_write(char *at, uint32_t c)
{
    if (c < 0x80) {
        at[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        at[0] = (char)(0xc0 | c >> 6);
        at[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    at[0] = (char)(0xe0 | c >> 12);
    at[1] = (char)(0x80 | (c >> 6 & 63));
    at[2] = (char)(0x80 | (c & 63));
    return 3;
}

/* \uXXXX; 0: it is none, or half a character. */
static uint32_t unicode_read(struct slice rest)
{
    char digits[5] = { 0 };

    if (rest.size < 5)
        return 0;
    memcpy(digits, rest.data + 1, 4);
    if (strspn(digits, "0123456789abcdefABCDEF") != 4)
        return 0;
    uint32_t c = (uint32_t)strtoul(digits, NULL, 16);
    return c >= 0xd800 && c < 0xe000 ? 0 : c;
}

bool token_string(struct parser *parser, struct slice *text)
{
    static const char names[] = "\\\"'nrt", meant[] = "\\\"'\n\r\t";
    struct slice inner = { parser->token.data + 1, parser->token.size - 2 };
    char *to = arena_alloc(parser->arena, inner.size + 1);
    size_t size = 0;

    for (size_t i = 0; i < inner.size; i++) {
        if (inner.data[i] != '\\') {
            to[size++] = inner.data[i];
            continue;
        }
        struct slice rest = { inner.data + i + 1, inner.size - i - 1 };
        const char *name = strchr(names, rest.data[0]);
        uint32_t c = rest.data[0] == 'u' ? unicode_read(rest) : 0;
        if (name == NULL && c == 0)
            return flaw_set(parser->flaw, parser->text, parser->at + 1 + (uint32_t)i,
                            "\\ must be followed by one of \\ \" ' n r t, or by u and four "
                            "digits of a character");
        size += name != NULL ? utf8_write(to + size, (unsigned char)meant[name - names])
                             : utf8_write(to + size, c);
        i += name != NULL ? 1 : 5;
    }
    *text = (struct slice){ to, size };
    return true;
}
