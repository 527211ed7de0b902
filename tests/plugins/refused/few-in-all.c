/* Fewer attempts in all than from one save point. */
#define SETTINGS .max_attempts = 5, .max_attempts_total = 4
#include "raw.h"
