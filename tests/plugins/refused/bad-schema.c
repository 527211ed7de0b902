/* A schema that leads out of its directory. */
#define SETTINGS .input_schema = "../secret"
#include "raw.h"
