/* A segment that may go on for an hour when its run is canceled. */
#define SETTINGS .grace_ms = 3600000
#include "raw.h"
