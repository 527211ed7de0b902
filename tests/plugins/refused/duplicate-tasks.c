/* Two tasks of one id. */
#define TASKS task, task
#include "raw.h"
