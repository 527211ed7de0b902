/* Two segments of one name: a run could not know where to resume. */
#define SEGMENTS                        \
    { "only", only }, { "only", only }, \
    {                                   \
        NULL, NULL                      \
    }
#include "raw.h"
