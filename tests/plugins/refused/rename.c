/* Renames something to what does not exist. */
#include <bide/bide.h>
static const struct bide_rename renames[] = { { "old", "nowhere" }, { NULL, NULL } };
#define SETTINGS .renamed = renames
#include "raw.h"
