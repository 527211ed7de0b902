/* A field upon another. */
#define TEXT                                                \
    {                                                       \
        "text", 4, 8, BIDE_KIND_STR, 8, 0, 0, 0, NULL, NULL \
    }
#include "raw.h"
