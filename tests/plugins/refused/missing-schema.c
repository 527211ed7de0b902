/* Names a schema file that is not there; the host finds out. */
#define SETTINGS .input_schema = "no-such-schema-file"
#include "raw.h"
