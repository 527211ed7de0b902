/* A task that cannot start. */
#define SEGMENTS   \
    {              \
        NULL, NULL \
    }
#include "raw.h"
