/* Leaves while it is loaded. */
#include "raw.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

__attribute__((constructor)) static void at_load(void)
{
    _exit(7);
}
