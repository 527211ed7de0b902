/* A database of an older format is brought to this one, and one of a newer is refused. */
#ifndef UPGRADE_H
#define UPGRADE_H

#include "sqlite_connection.h"

/* `copies_older`: see store_limits. Errors: STORE; nothing of the file was touched. */
bool sqlite_upgrade(struct connection *connection, const char *path, bool copies_older,
                    struct err *err);

#endif
