/* More than any server allows; it is known where the limits are. */
#define SETTINGS .max_attempts = UINT32_MAX
#include "raw.h"
