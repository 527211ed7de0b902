/* URIs as RFC 3986 resolves them: what `$id` and `$ref` are made of. */
#ifndef URI_H
#define URI_H

#include "base/arena.h"

#include <stdbool.h>

struct uri {
    struct slice scheme, authority, path, query, fragment; /* without their punctuation */
    bool has_scheme, has_authority, has_query, has_fragment;
};

struct uri uri_split(struct slice text);

/* `reference` seen from `base`, dots removed, without a fragment. */
struct slice uri_resolve(struct arena *arena, struct slice base, struct slice reference);

/* "%41" becomes "A"; a percent sign without two hex digits stays. */
struct slice uri_decode(struct arena *arena, struct slice text);
/* A file name as a relative reference: what is not unreserved or a slash is percent-encoded. */
struct slice uri_of_path(struct arena *arena, struct slice path);

#endif
