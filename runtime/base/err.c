#include "err.h"

#include <stddef.h>
#include <stdio.h>

static const struct {
    int status;
    const char *name;
    const char *hint;
} codes[] = {
#define X(code, status, text) { status, #code, text },
    ERR_MAP(X)
#undef X
};

/* A text that was cut must not end in half a character: JSON and frames want UTF-8. */
static void character_cut(char *text, size_t size)
{
    size_t start = size;

    while (start > 0 && size - start < 4 && (text[start - 1] & 0xc0) == 0x80)
        start--;
    if (start == 0 || (text[start - 1] & 0xc0) != 0xc0)
        return; /* plain ASCII, or no UTF-8 at all */
    unsigned char lead = (unsigned char)text[start - 1];
    size_t wanted = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (size - (start - 1) < wanted)
        text[start - 1] = '\0';
}

bool err_set(struct err *err, enum err_code code, const char *format, ...)
{
    if (err != NULL) {
        va_list arguments;
        va_start(arguments, format);
        err->code = code;
        int size = vsnprintf(err->text, sizeof err->text, format, arguments);
        va_end(arguments);
        if (size >= (int)sizeof err->text)
            character_cut(err->text, sizeof err->text - 1);
    }
    return false;
}

int err_status(enum err_code code)
{
    return codes[code].status;
}

bool err_passes(enum err_code code)
{
    return err_status(code) == 503;
}

const char *err_name(enum err_code code)
{
    return codes[code].name;
}

const char *err_hint(enum err_code code)
{
    return codes[code].hint;
}
