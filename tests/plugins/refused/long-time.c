/* A pause that no date can be behind. */
#define SETTINGS .retry_max_ms = INT64_MAX
#include "raw.h"
