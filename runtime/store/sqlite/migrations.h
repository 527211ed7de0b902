/* The schema: what is in a database file, and how an older file becomes a newer one. */
#ifndef MIGRATIONS_H
#define MIGRATIONS_H

#include "base/err.h"

#include <sqlite3.h>
#include <stdint.h>

#define SCHEMA_APPLICATION UINT32_C(0x62696465) /* "bide" */

/* The version this program writes: the number of steps. */
int schema_version(void);

/* Bring the file from version `from` to schema_version() in one transaction; 0 is an empty
 * file. */
bool schema_apply(sqlite3 *db, int from, struct err *err);

/* The step that marks the tags of rows from before there were marks. */
bool schema_fill_labels(sqlite3 *db);
/* The one that counts the runs of each lane that are delayed, parked or wait. */
bool schema_count_lanes(sqlite3 *db);

#endif
