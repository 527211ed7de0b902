/* A list of lists, which no macro makes. */
#define TEXT                                                              \
    {                                                                     \
        "text", 8, 8, BIDE_KIND_LIST, 1, 8, BIDE_KIND_LIST, 0, NULL, NULL \
    }
#include "raw.h"
