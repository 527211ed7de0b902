/* Pauses that shrink. */
#define SETTINGS .retry_factor = 0.5
#include "raw.h"
