/* A field that begins with more than it has room for. */
#define TEXT                                                          \
    {                                                                 \
        "text", 8, 8, BIDE_KIND_STR, 8, 0, 0, 0, NULL, "\"12345678\"" \
    }
#include "raw.h"
