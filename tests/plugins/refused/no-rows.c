/* A struct without rows. */
#define TEXT                                                   \
    {                                                          \
        "text", 8, 8, BIDE_KIND_STRUCT, 0, 0, 0, 0, NULL, NULL \
    }
#include "raw.h"
