/* Plain JSON Schema documents: no task's file, but one schema, as any editor understands it. */
#ifndef PLAIN_H
#define PLAIN_H

#include "schema/schema.h"

/* Compile one, as strictly as a task's; it becomes the file's input. False: `problems`. `path`
 * is what it is called in messages. */
bool schema_plain_parse(const char *path, struct slice text, struct schema_file **file,
                        struct arena *arena, struct problems *problems);

#endif
