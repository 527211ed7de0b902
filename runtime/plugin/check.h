/* What checking a plugin's tables has in hand; check.c and check_fields.c. */
#ifndef PLUGIN_CHECK_H
#define PLUGIN_CHECK_H

#include "plugin/plugin.h"

struct checking {
    struct arena *arena;
    struct err *err;
    const char *task;     /* for messages */
    uint32_t fields_left; /* of all structs together */
};

/* Copies that do not follow a text without an end: at most `most` bytes. */
struct slice check_text(struct checking *checking, const char *text, size_t most);
struct slice check_name(struct checking *checking, const char *name);

/*
 * The rows of a struct as they are in memory, in the order of their offsets, so that none lies
 * upon another; `depth` is 1 for the state itself.
 */
bool check_fields(struct checking *checking, const struct bide_field *rows, uint32_t row_size,
                  uint32_t struct_size, uint32_t depth, struct plugin_struct *copy);

#endif
