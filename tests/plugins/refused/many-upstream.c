/* More of one class of errors than any server allows. */
#define SETTINGS .retry_upstream.max_attempts = 1000
#include "raw.h"
