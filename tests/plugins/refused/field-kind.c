/* A kind of field that does not exist. */
#define TEXT                                     \
    {                                            \
        "text", 8, 8, 77, 0, 0, 0, 0, NULL, NULL \
    }
#include "raw.h"
