/* An id that leads out of the schema directory. */
#define ID "../../etc/passwd"
#include "raw.h"
