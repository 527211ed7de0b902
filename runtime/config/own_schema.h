/*
 * Own schemas: what bide.yaml and queues.yaml may say. They are the schemas in schemas/config,
 * which are in the library; the same code that checks the values of tasks checks these files.
 * Internal to config/.
 */
#ifndef CONFIG_OWN_SCHEMA_H
#define CONFIG_OWN_SCHEMA_H

#include "base/name.h"
#include "schema/document/document.h"

#include <stddef.h>

enum own_schema_name { OWN_SCHEMA_BIDE, OWN_SCHEMA_QUEUES };

/* The files, put there when the library is built (embed.cmake). */
struct own_schema_text {
    const char *path;
    const unsigned char *bytes;
    size_t size;
};

extern const struct own_schema_text own_schema_texts[];

struct own_schema {
    struct arena arena;
    struct schema_file *file;
    struct node root; /* the schema as it is written */
};

void own_schema_open(struct own_schema *own_schema, enum own_schema_name name);
void own_schema_close(struct own_schema *own_schema);

/* Check `value`, which was made of `root`: problems point at the lines of the report's file. */
bool own_schema_check(const struct own_schema *own_schema, struct value *value,
                      const struct node *root, struct report *report);

/* The names in it, which have one rule at all doors: the keys of `map`, or its texts. */
bool names_check(enum name_kind kind, const struct node *map, bool is_keys,
                 struct report *report);

#endif
