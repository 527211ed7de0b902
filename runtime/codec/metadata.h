/* Metadata: a run's open notes for the world, changed by operations so that writers do not
 * collide. */
#ifndef METADATA_H
#define METADATA_H

#include "base/err.h"
#include "codec/value.h"

/* Operations on metadata and tags, in order. */
enum meta_kind {
    META_SET,
    META_DELETE,
    META_APPEND,
    META_INCREMENT,
    META_REMOVE, /* of a list, what equals the value */
    META_TAG,    /* the key is one more tag */
    META_UPDATE, /* all of it is the value; from outside only */
    META_KIND_COUNT
};

/* Of the run itself; of its parent, its root: of itself where it has none. */
enum meta_whose { META_OWN, META_OF_PARENT, META_OF_ROOT, META_WHOSE_COUNT };

enum { META_WHOSE_AT = 8 };

struct frame_meta {
    uint32_t kind;           /* enum meta_kind, and enum meta_whose << META_WHOSE_AT */
    struct slice key, value; /* value: msgpack; empty for DELETE, TAG */
};

static inline enum meta_kind meta_kind_of(const struct frame_meta *operation)
{
    return (enum meta_kind)(operation->kind & ((1U << META_WHOSE_AT) - 1));
}

static inline enum meta_whose meta_whose_of(const struct frame_meta *operation)
{
    return (enum meta_whose)(operation->kind >> META_WHOSE_AT);
}

static inline bool meta_is_known(uint32_t kind)
{
    return (kind & ((1U << META_WHOSE_AT) - 1)) < META_KIND_COUNT &&
           kind >> META_WHOSE_AT < META_WHOSE_COUNT;
}

/* On a map that is its owner's alone; both may be borrowed by it then. A key that begins with
 * "$." is a path: "$.order.items[0].price". Members that it lacks are made; an item of a list
 * must be there, or be the next. Errors: BAD_REQUEST; the map is half changed then. No TAG. */
bool metadata_operate(struct arena *arena, struct value *map, enum meta_kind kind,
                      struct slice key, const struct value *value, struct err *err);

/* Tags as they are stored: sorted, each once. */
void tags_sort(struct value *list);
/* The same, packed; empty where there are none. */
struct slice tags_pack(struct arena *arena, struct value *list);

#endif
