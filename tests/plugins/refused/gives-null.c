/* Exports the symbol and gives nothing. */
#include <bide/bide.h>

const struct bide_plugin *bide_plugin_describe(void)
{
    return NULL;
}
