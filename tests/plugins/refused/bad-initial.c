/* A field that begins with what is not in JSON. */
#define TEXT                                                        \
    {                                                               \
        "text", 8, 8, BIDE_KIND_STR, 8, 0, 0, 0, NULL, "'unquoted'" \
    }
#include "raw.h"
