/* A segment name with a blank. */
#define SEGMENTS       \
    { "on ly", only }, \
    {                  \
        NULL, NULL     \
    }
#include "raw.h"
