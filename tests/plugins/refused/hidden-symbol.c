/* Forgot to export it. */
#include <stddef.h>

const void *bide_plugin_describe(void);

__attribute__((visibility("hidden"), used)) const void *bide_plugin_describe(void)
{
    return NULL;
}
