/*
 * Contracts: what bide.yaml and queues.yaml may say. They are the schemas in schemas/config,
 * which are in the library; the same code that checks the values of tasks checks these files.
 * Internal to config/.
 */
#ifndef CONTRACT_H
#define CONTRACT_H

#include "base/name.h"
#include "schema/document/document.h"

#include <stddef.h>

enum contract_name { CONTRACT_BIDE, CONTRACT_QUEUES };

/* The files, put there when the library is built (embed.cmake). */
struct contract_text {
    const char *path;
    const unsigned char *bytes;
    size_t size;
};

extern const struct contract_text contract_texts[];

struct contract {
    struct arena arena;
    struct schema_file *file;
    struct node root; /* the schema as it is written */
};

void contract_open(struct contract *contract, enum contract_name name);
void contract_close(struct contract *contract);

/* Check `value`, which was made of `root`: problems point at the lines of the report's file. */
bool contract_check(const struct contract *contract, struct value *value,
                    const struct node *root, struct report *report);

/* The names in it, which have one rule at all doors: the keys of `map`, or its texts. */
bool names_check(enum name_kind kind, const struct node *map, bool is_keys,
                 struct report *report);

#endif
