/* A task without an id. */
#define ID NULL
#include "raw.h"
