/* A plugin without tasks. */
#define TASK_COUNT 0
#include "raw.h"
