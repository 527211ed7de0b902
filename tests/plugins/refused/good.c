/* The good one that the others spoil. */
#include "raw.h"
