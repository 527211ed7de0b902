/* A class of errors whose shortest pause is the longer one. */
#define SETTINGS .retry_crash.min_ms = 20, .retry_crash.max_ms = 10
#include "raw.h"
