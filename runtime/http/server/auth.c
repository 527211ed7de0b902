#include "auth.h"

#include "base/crypto.h"
#include "base/id.h"
#include "codec/callback.h"
#include "http/server/server.h"

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

bool auth_is_callback(const uint8_t secret[32], struct slice token, struct slice hash)
{
    int64_t id;

    return id_parse("waitpoint", token, &id) && callback_is_valid(secret, id, hash);
}
