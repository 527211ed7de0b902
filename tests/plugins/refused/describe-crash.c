/* Loads well and dies when it is asked what it is. */
#include <bide/bide.h>
#include <signal.h>

const struct bide_plugin *bide_plugin_describe(void)
{
    raise(SIGSEGV);
    return NULL;
}
