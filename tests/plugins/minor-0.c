/* Built with the header of ABI 1.0, which is good for ever. */
#define MINOR 0u
#include "refused/raw.h"
