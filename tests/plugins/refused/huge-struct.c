/* A state struct that nobody would save. */
#define STATE_SIZE UINT32_MAX
#include "raw.h"
