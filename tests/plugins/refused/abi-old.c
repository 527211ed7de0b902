/* Made for a major version from before. */
#define MAJOR 0u
#include "raw.h"
