/* Headers: the C types that a schema file describes, for the plugin that reads and writes them.
 */
#ifndef HEADER_H
#define HEADER_H

#include "schema/schema.h"

enum { HEADER_MAX_BYTES = 16 << 20 };

/*
 * Write the header of `file`, which was read from `path`. `prefix` starts all names; empty: the
 * file's own name, "approve-refund.yaml" gives approve_refund. The same file gives the same
 * text, wherever it is. False: `problems` says what C cannot express.
 */
bool schema_header_write(const struct schema_file *file, const char *path, struct slice prefix,
                         struct buffer *out, struct arena *arena, struct problems *problems);

/* The files that the schema was read from, itself included: paths, without order. */
struct slice *schema_file_sources(const struct schema_file *file, struct arena *arena,
                                  uint32_t *count);

#endif
