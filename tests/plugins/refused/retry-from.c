/* A choice that does not exist. */
#define SETTINGS .retry_from = 9
#include "raw.h"
