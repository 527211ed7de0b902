/* Two fields of one name. */
#define TEXT                                                  \
    {                                                         \
        "number", 8, 8, BIDE_KIND_I64, 0, 0, 0, 0, NULL, NULL \
    }
#include "raw.h"
