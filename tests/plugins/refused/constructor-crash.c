/* Dies while it is loaded. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "raw.h"

__attribute__((constructor)) static void at_load(void)
{
    raise(SIGSEGV);
}
