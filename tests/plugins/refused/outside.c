/* A field that lies outside the state. */
#define TEXT                                                      \
    {                                                             \
        "text", 1 << 20, 8, BIDE_KIND_STR, 8, 0, 0, 0, NULL, NULL \
    }
#include "raw.h"
