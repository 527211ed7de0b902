#include "auth.h"

#include "base/crypto.h"
#include "http/server.h"

#include <strings.h>

const struct world *auth_find(const struct world *worlds, uint32_t count,
                              struct slice authorization)
{
    static const char scheme[] = "bearer ";
    const size_t skip = sizeof scheme - 1;
    const struct world *found = NULL;

    if (authorization.size <= skip || strncasecmp(authorization.data, scheme, skip) != 0)
        return NULL;
    struct slice key = { authorization.data + skip, authorization.size - skip };
    for (uint32_t i = 0; i < count; i++)
        if (worlds[i].key.size > 0 && crypto_equal(worlds[i].key, key))
            found = &worlds[i];
    return found;
}
