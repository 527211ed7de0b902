/*
 * Host names: labels of letters, digits and inner hyphens (RFC 1123), and those that stand for
 * more than ASCII (IDNA2008, RFC 5890 to 5893; libidn2 knows their tables). An A-label (xn--…)
 * is one only if what it says is a U-label, and that says it back.
 */
#include "codec/value.h"
#include "schema/format/format_functions.h"

#include <idn2.h>

enum { HOST_MAX = 253, LABEL_MAX = 63, UTF8_MAX = 4 };

struct host {
    size_t size;  /* as A-labels, dots included */
    bool is_wide; /* may be more than ASCII */
    bool has_right_to_left, has_digit_first;
};

static bool letter_or_digit_is(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || digit_is(c);
}

static bool ascii_fits(struct slice label)
{
    for (size_t i = 0; i < label.size; i++)
        if (!letter_or_digit_is(label.data[i]) &&
            (label.data[i] != '-' || i == 0 || i + 1 == label.size))
            return false;
    return label.size > 0 && label.size <= LABEL_MAX;
}

static bool ascii_is(struct slice label)
{
    for (size_t i = 0; i < label.size; i++)
        if ((unsigned char)label.data[i] >= 0x80)
            return false;
    return true;
}

/* The blocks that Unicode keeps for scripts that run from right to left. */
static bool right_to_left_has(const char *text)
{
    static const struct {
        uint32_t first, last;
    } blocks[] = { { 0x590, 0x8ff },
                   { 0xfb1d, 0xfdff },
                   { 0xfe70, 0xfeff },
                   { 0x10800, 0x10fff },
                   { 0x1e800, 0x1efff } };
    const unsigned char *at = (const unsigned char *)text;

    while (*at != '\0') {
        uint32_t size = *at < 0x80 ? 1 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4;
        uint32_t code = size == 1 ? *at : *at & (0x7fU >> size);
        for (uint32_t i = 1; i < size; i++)
            code = code << 6 | (at[i] & 0x3f);
        for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
            if (code >= blocks[i].first && code <= blocks[i].last)
                return true;
        at += size;
    }
    return false;
}

/* `label` ends in a zero; one of xn--… is in small letters. */
static bool international_fits(struct host *host, const char *label, bool is_a_label)
{
    const uint8_t *text = (const uint8_t *)label;
    uint8_t *written = NULL;
    char *read = NULL;
    bool fits = idn2_register_u8(is_a_label ? NULL : text, is_a_label ? text : NULL, &written,
                                 0) == IDN2_OK;

    if (fits && is_a_label)
        fits = idn2_to_unicode_8z8z(label, &read, 0) == IDN2_OK;
    if (fits) {
        host->size += strlen((const char *)written);
        host->has_right_to_left =
            host->has_right_to_left || right_to_left_has(read != NULL ? read : label);
    }
    idn2_free(written);
    idn2_free(read);
    return fits;
}

static bool label_fits(struct host *host, struct slice label)
{
    char copy[LABEL_MAX * UTF8_MAX + 1];
    bool is_ascii = ascii_is(label);

    if (label.size == 0 || label.size >= sizeof copy || (is_ascii && !ascii_fits(label)))
        return false;
    for (size_t i = 0; i < label.size; i++) {
        char c = label.data[i];
        copy[i] = (char)(is_ascii && c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    copy[label.size] = '\0';
    host->has_digit_first = host->has_digit_first || digit_is(label.data[0]);
    if (!is_ascii || strncmp(copy, "xn--", 4) == 0)
        return (is_ascii || host->is_wide) && memchr(copy, '\0', label.size) == NULL &&
               international_fits(host, copy, is_ascii);
    host->size += label.size;
    /* Other letters before two hyphens are kept for what may come after xn. */
    return !host->is_wide || label.size < 4 || copy[2] != '-' || copy[3] != '-';
}

/* A dot, or what counts as one where more than ASCII does; 0: none is here. */
static size_t dot_size(struct slice text, size_t at, bool is_wide)
{
    static const char *const dots[] = { "\u3002", "\uff0e", "\uff61" };
    struct slice rest = { text.data + at, text.size - at };

    if (rest.data[0] == '.')
        return 1;
    for (size_t i = 0; is_wide && i < sizeof dots / sizeof dots[0]; i++)
        if (slice_starts(rest, dots[i]))
            return strlen(dots[i]);
    return 0;
}

bool host_fits(struct slice text, bool is_wide)
{
    struct host host = { .is_wide = is_wide };
    size_t start = 0, dot = 0;

    if (text.size > (size_t)HOST_MAX * UTF8_MAX || !utf8_is_valid(text))
        return false;
    for (size_t at = 0; at <= text.size; at += dot > 0 ? dot : 1) {
        dot = at == text.size ? 1 : dot_size(text, at, is_wide);
        if (dot == 0)
            continue;
        if (!label_fits(&host, (struct slice){ text.data + start, at - start }))
            return false;
        host.size++;
        start = at + dot;
    }
    /* RFC 5893: beside a label that runs from right to left none begins with a digit. */
    return host.size - 1 <= HOST_MAX && !(host.has_right_to_left && host.has_digit_first);
}

bool format_hostname(struct slice text)
{
    return host_fits(text, false);
}

bool format_idn_hostname(struct slice text)
{
    return host_fits(text, true);
}
