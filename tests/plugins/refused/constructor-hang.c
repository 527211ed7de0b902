/* Never ends being loaded; gives up after two minutes should nobody stop it. */
#include "raw.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

__attribute__((constructor)) static void at_load(void)
{
    for (int i = 0; i < 120; i++)
        sleep(1);
    abort();
}
