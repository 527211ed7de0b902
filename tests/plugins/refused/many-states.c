/* More save points than are kept of any run. */
#define SETTINGS .keep_states = 21
#include "raw.h"
