/* What is due in a SQLite database: marks by time, dates and spans apart (store.h). */
#ifndef DUE_SQLITE_H
#define DUE_SQLITE_H

#include "store/sqlite/sqlite_connection.h"
#include "store/store.h"

bool sqlite_due(struct connection *connection, const struct moment *now, uint32_t limit,
                struct arena *arena, struct row_refs *due, struct err *err);
bool sqlite_next_due(struct connection *connection, struct moment *next, struct err *err);
bool sqlite_mend_due(struct connection *connection, const struct moment *now, uint32_t limit,
                     struct arena *arena, struct row_refs *lost, struct err *err);

#endif
