/* A field that has not the size of its kind. */
#define NUMBER                                                \
    {                                                         \
        "number", 0, 4, BIDE_KIND_I64, 0, 0, 0, 0, NULL, NULL \
    }
#include "raw.h"
