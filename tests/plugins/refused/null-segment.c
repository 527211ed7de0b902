/* A segment without a function. */
#define SEGMENTS      \
    { "only", NULL }, \
    {                 \
        NULL, NULL    \
    }
#include "raw.h"
