/* A task that is not there. */
#define TASKS task, NULL
#include "raw.h"
