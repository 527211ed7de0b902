/* A struct that contains itself, as no C struct can. */
#include <bide/bide.h>
static const struct bide_field *rows(void);
#define TEXT                                                   \
    {                                                          \
        "text", 8, 8, BIDE_KIND_STRUCT, 0, 0, 0, 0, rows, NULL \
    }
#include "raw.h"
static const struct bide_field *rows(void)
{
    static const struct bide_field self[] = { { "self", 0, 8, BIDE_KIND_STRUCT, 0, 0, 0, 0,
                                                rows, NULL },
                                              { NULL, 0, 0, 0, 0, 0, 0, 0, NULL, NULL } };
    return self;
}
