/* A pause of less than nothing. */
#define SETTINGS .retry_min_ms = -1
#include "raw.h"
