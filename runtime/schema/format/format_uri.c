/* URIs (RFC 3986), IRIs (RFC 3987: the same beyond ASCII) and URI templates (RFC 6570). */
#include "schema/document/uri.h"
#include "schema/format/format_functions.h"

static const char unreserved[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

/* Unreserved characters, percent-encoded ones and those of `more`. */
static bool text_fits(struct slice text, const char *more, bool wide)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == '%') {
            if (text.size - i < 3 || !hex_is(text.data[i + 1]) || !hex_is(text.data[i + 2]))
                return false;
            continue;
        }
        bool fits = c != '\0' && (strchr(unreserved, c) != NULL || strchr(more, c) != NULL ||
                                  (wide && (unsigned char)c >= 0x80));
        if (!fits)
            return false;
    }
    return true;
}

/* What stands between the brackets of a host: an IPv6 address, or "v1.something". */
static bool literal_fits(struct slice text)
{
    if (text.size == 0 || (text.data[0] != 'v' && text.data[0] != 'V'))
        return format_ipv6(text);
    size_t dot = 1;
    while (dot < text.size && hex_is(text.data[dot]))
        dot++;
    struct slice rest = { text.data + dot + 1, text.size - dot - (dot < text.size) };
    return dot > 1 && dot < text.size && text.data[dot] == '.' && rest.size > 0 &&
           text_fits(rest, "!$&'()*+,;=:", false);
}

static bool port_fits(struct slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if (!digit_is(text.data[i]))
            return false;
    return true;
}

/* [user@]host[:port] */
static bool authority_fits(struct slice text, bool wide)
{
    const char *at = text.size == 0 ? NULL : memchr(text.data, '@', text.size);

    if (at != NULL) {
        size_t size = (size_t)(at - text.data);
        if (!text_fits((struct slice){ text.data, size }, "!$&'()*+,;=:", wide))
            return false;
        text = (struct slice){ at + 1, text.size - size - 1 };
    }
    if (slice_starts(text, "[")) {
        const char *end = memchr(text.data, ']', text.size);
        if (end == NULL)
            return false;
        size_t size = (size_t)(end - text.data);
        struct slice rest = { end + 1, text.size - size - 1 };
        return literal_fits((struct slice){ text.data + 1, size - 1 }) &&
               (rest.size == 0 || (rest.data[0] == ':' &&
                                   port_fits((struct slice){ rest.data + 1, rest.size - 1 })));
    }
    const char *colon = text.size == 0 ? NULL : memchr(text.data, ':', text.size);
    if (colon != NULL) {
        size_t size = (size_t)(colon - text.data);
        if (!port_fits((struct slice){ colon + 1, text.size - size - 1 }))
            return false;
        text.size = size;
    }
    return text_fits(text, "!$&'()*+,;=", wide);
}

static bool uri_fits(struct slice text, bool needs_scheme, bool wide)
{
    struct uri uri = uri_split(text);

    if (needs_scheme && !uri.has_scheme)
        return false;
    if (uri.has_authority && !authority_fits(uri.authority, wide))
        return false;
    /* Without a scheme, a colon before the first slash would have been one. */
    if (!uri.has_scheme && !uri.has_authority) {
        const char *colon =
            uri.path.size == 0 ? NULL : memchr(uri.path.data, ':', uri.path.size);
        const char *slash =
            uri.path.size == 0 ? NULL : memchr(uri.path.data, '/', uri.path.size);
        if (colon != NULL && (slash == NULL || colon < slash))
            return false;
    }
    return text_fits(uri.path, "!$&'()*+,;=:@/", wide) &&
           text_fits(uri.query, "!$&'()*+,;=:@/?", wide) &&
           text_fits(uri.fragment, "!$&'()*+,;=:@/?", wide);
}

bool format_uri(struct slice text)
{
    return uri_fits(text, true, false);
}

bool format_uri_reference(struct slice text)
{
    return uri_fits(text, false, false);
}

bool format_iri(struct slice text)
{
    return uri_fits(text, true, true);
}

bool format_iri_reference(struct slice text)
{
    return uri_fits(text, false, true);
}

/* ---- templates --------------------------------------------------------------------------- */

/* name, name:3 or name* */
static bool variable_fits(struct slice text)
{
    size_t size = text.size;

    if (size > 0 && text.data[size - 1] == '*')
        size--;
    for (size_t i = 0; i < size; i++)
        if (text.data[i] == ':') {
            struct slice digits = { text.data + i + 1, text.size - i - 1 };
            if (digits.size == 0 || digits.size > 4 || digits.data[0] == '0' ||
                !port_fits(digits))
                return false;
            size = i;
        }
    struct slice name = { text.data, size };
    bool has_edge_dot = size > 0 && (name.data[0] == '.' || name.data[size - 1] == '.');
    return size > 0 && !has_edge_dot && memchr(name.data, '-', size) == NULL &&
           memchr(name.data, '~', size) == NULL && text_fits(name, "", false);
}

static bool expression_fits(struct slice text)
{
    if (text.size > 0 && text.data[0] != '\0' && strchr("+#./;?&", text.data[0]) != NULL)
        text = (struct slice){ text.data + 1, text.size - 1 };
    for (;;) {
        const char *comma = text.size == 0 ? NULL : memchr(text.data, ',', text.size);
        size_t size = comma == NULL ? text.size : (size_t)(comma - text.data);
        if (!variable_fits((struct slice){ text.data, size }))
            return false;
        if (comma == NULL)
            return true;
        text = (struct slice){ comma + 1, text.size - size - 1 };
    }
}

bool format_uri_template(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == '{') {
            const char *end = memchr(text.data + i, '}', text.size - i);
            size_t size = end == NULL ? 0 : (size_t)(end - text.data) - i - 1;
            if (end == NULL || !expression_fits((struct slice){ text.data + i + 1, size }))
                return false;
            i += size + 1;
        } else if (c <= ' ' || c == 0x7f || strchr("\"'<>\\^`|}", (int)c) != NULL) {
            return false;
        } else if (c == '%' && (text.size - i < 3 || !hex_is(text.data[i + 1]) ||
                                !hex_is(text.data[i + 2]))) {
            return false;
        }
    }
    return true;
}
