/* The formats of draft 2020-12 and the rules of their standards: the short ones, and the table
 * of all. */
#include "schema/format/format.h"

#include "base/suggest.h"
#include "schema/format/format_functions.h"
#include "schema/format/regex.h"

#include <arpa/inet.h>

static const struct format formats[] = {
    { "date-time", "a date and time like 2026-01-02T03:04:05Z", format_date_time, 1 },
    { "date", "a date like 2026-01-02", format_date, 1 },
    { "time", "a time with its zone like 03:04:05Z", format_time, 1 },
    { "duration", "an ISO 8601 duration like P1DT12H", format_duration, 1 },
    { "email", "an email address", format_email, 1 },
    { "idn-email", "an email address", format_idn_email, 1 },
    { "hostname", "a host name", format_hostname, 1 },
    { "idn-hostname", "a host name", format_idn_hostname, 1 },
    { "ipv4", "an IPv4 address", format_ipv4, 1 },
    { "ipv6", "an IPv6 address", format_ipv6, 1 },
    { "uri", "a URI with its scheme", format_uri, 1 },
    { "uri-reference", "a URI or a part of one", format_uri_reference, 1 },
    { "iri", "a URI with its scheme", format_iri, 1 },
    { "iri-reference", "a URI or a part of one", format_iri_reference, 1 },
    { "uri-template", "a URI template", format_uri_template, 1 },
    { "uuid", "a UUID", format_uuid, 1 },
    { "json-pointer", "a JSON pointer", format_json_pointer, 1 },
    { "relative-json-pointer", "a relative JSON pointer", format_relative_json_pointer, 1 },
    { "regex", "a regular expression", format_regex, 10000 },
};

const struct format *format_find(struct slice name, struct suggestion *suggestion)
{
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (slice_is(name, formats[i].name))
            return &formats[i];
        suggestion_offer(suggestion, slice_of(formats[i].name));
    }
    return NULL;
}

/* ---- addresses --------------------------------------------------------------------------- */

/* The C library knows the rules; it wants a zero at the end. */
static bool address_fits(int family, struct slice text)
{
    char copy[INET6_ADDRSTRLEN + 1], bytes[16];

    if (text.size == 0 || text.size >= sizeof copy || memchr(text.data, 0, text.size) != NULL)
        return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return inet_pton(family, copy, bytes) == 1;
}

bool format_ipv4(struct slice text)
{
    return address_fits(AF_INET, text);
}

bool format_ipv6(struct slice text)
{
    return address_fits(AF_INET6, text);
}

/* ---- email ------------------------------------------------------------------------------- */

static bool letter_or_digit_is(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || digit_is(c);
}

/* Words of RFC 5322's atoms with single dots between them. */
static bool atoms_fit(struct slice text, bool wide)
{
    bool after_dot = true;

    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == '.' && after_dot)
            return false;
        after_dot = c == '.';
        bool fits = letter_or_digit_is(c) || c == '.' ||
                    (c != '\0' && strchr("!#$%&'*+/=?^_`{|}~-", c) != NULL) ||
                    (wide && (unsigned char)c >= 0x80);
        if (!fits)
            return false;
    }
    return !after_dot;
}

static bool quoted_fits(struct slice text, bool wide)
{
    if (text.size < 2 || text.data[0] != '"' || text.data[text.size - 1] != '"')
        return false;
    for (size_t i = 1; i < text.size - 1; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == '\\' && i + 2 < text.size)
            c = (unsigned char)text.data[++i];
        else if (c == '"' || c == '\\')
            return false;
        if (c < ' ' || c == 0x7f || (c >= 0x80 && !wide))
            return false;
    }
    return true;
}

static bool email_fits(struct slice text, bool wide)
{
    enum { LOCAL_MAX = 64 };
    size_t at = text.size;

    while (at > 0 && text.data[at - 1] != '@')
        at--;
    if (at < 2 || at - 1 > LOCAL_MAX)
        return false;
    struct slice local = { text.data, at - 1 }, host = { text.data + at, text.size - at };
    if (!atoms_fit(local, wide) && !quoted_fits(local, wide))
        return false;
    if (host.size < 2 || host.data[0] != '[' || host.data[host.size - 1] != ']')
        return host_fits(host, wide);
    host = (struct slice){ host.data + 1, host.size - 2 };
    return slice_starts(host, "IPv6:")
               ? format_ipv6((struct slice){ host.data + 5, host.size - 5 })
               : format_ipv4(host);
}

bool format_email(struct slice text)
{
    return email_fits(text, false);
}

bool format_idn_email(struct slice text)
{
    return email_fits(text, true);
}

/* ---- ids, pointers, regexes -------------------------------------------------------------- */

bool format_uuid(struct slice text)
{
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

    if (text.size != sizeof shape - 1)
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (shape[i] == '-' ? text.data[i] != '-' : !hex_is(text.data[i]))
            return false;
    return true;
}

bool format_json_pointer(struct slice text)
{
    if (text.size > 0 && text.data[0] != '/')
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] == '~' &&
            (i + 1 == text.size || (text.data[i + 1] != '0' && text.data[i + 1] != '1')))
            return false;
    return true;
}

bool format_relative_json_pointer(struct slice text)
{
    size_t digits = 0;

    while (digits < text.size && digit_is(text.data[digits]))
        digits++;
    if (digits == 0 || (digits > 1 && text.data[0] == '0'))
        return false;
    struct slice rest = { text.data + digits, text.size - digits };
    return slice_is(rest, "#") || format_json_pointer(rest);
}

/* What JavaScript takes is one, though we could not match with it. */
bool format_regex(struct slice text)
{
    struct buffer translated = { 0 };
    struct regex_fault fault;
    bool fits = regex_translate(&translated, text, false, &fault) || !fault.is_syntax;

    buffer_finish(&translated);
    return fits;
}
