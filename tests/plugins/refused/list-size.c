/* A list with more items than it has room for. */
#define TEXT                                                                \
    {                                                                       \
        "text", 8, 8, BIDE_KIND_LIST, 1000, 8, BIDE_KIND_I64, 0, NULL, NULL \
    }
#include "raw.h"
