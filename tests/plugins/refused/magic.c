/* Exports the symbol, but what it gives is something else. */
#define MAGIC                                  \
    {                                          \
        'n', 'o', 't', 'b', 'i', 'd', 'e', '!' \
    }
#include "raw.h"
