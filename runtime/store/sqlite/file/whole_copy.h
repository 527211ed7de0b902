/* A copy of a database: whole or not there, of what is used in it alone, and on the disk. */
#ifndef WHOLE_COPY_H
#define WHOLE_COPY_H

#include "base/err.h"

#include <sqlite3.h>
#include <stdbool.h>

/*
 * `target` is replaced; the copy has the owner of `path`, which `db` has open, and nobody else
 * may read it. Nothing of the database itself is written. Errors: STORE, with what it was for
 * (`what`): too little room, too, which is looked at first.
 */
bool whole_copy(sqlite3 *db, const char *path, const char *target, const char *what,
                struct err *err);

#endif
