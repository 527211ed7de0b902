/* What a compiled file means, as a hash. Internal to schema/. */
#ifndef PROGRAM_HASH_H
#define PROGRAM_HASH_H

#include "schema/compile/program.h"

/* Fill in file->hash, when all is compiled. */
void program_hash(struct schema_file *file);

#endif
