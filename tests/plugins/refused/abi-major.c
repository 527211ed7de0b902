/* Made for another major version of the ABI. */
#define MAJOR 99u
#include "raw.h"
