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

bool err_set(struct err *err, enum err_code code, const char *format, ...)
{
    if (err != NULL) {
        va_list arguments;
        va_start(arguments, format);
        err->code = code;
        (void)vsnprintf(err->text, sizeof err->text, format, arguments); /* cut is fine */
        va_end(arguments);
    }
    return false;
}

int err_status(enum err_code code)
{
    return codes[code].status;
}

const char *err_name(enum err_code code)
{
    return codes[code].name;
}

const char *err_hint(enum err_code code)
{
    return codes[code].hint;
}
