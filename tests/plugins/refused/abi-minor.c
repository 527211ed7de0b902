/* Made for a newer minor version than this bide has. */
#define MINOR (BIDE_ABI_MINOR + 1u)
#include "raw.h"
