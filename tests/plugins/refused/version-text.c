/* A version that is no plain text. */
#define VERSION "1.0\n"
#include "raw.h"
