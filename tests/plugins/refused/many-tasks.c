/* More tasks than anybody has. */
#define TASK_COUNT 1000000
#include "raw.h"
