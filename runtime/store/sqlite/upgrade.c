#include "upgrade.h"

#include "base/log.h"
#include "migrations.h"
#include "sqlite.h"
#include "store/sqlite/file/database_file.h"
#include "store/sqlite/file/whole_copy.h"

#include <stdio.h>

static bool older_copy(sqlite3 *db, const char *path, int version, struct err *err)
{
    char suffix[32], target[FILE_PATH_BYTES];

    (void)snprintf(suffix, sizeof suffix, ".format-%d", version); /* it fits */
    if (!file_name(target, path, suffix, err) ||
        !whole_copy(db, path, target, "the copy before the migration", err))
        return false;
    log_info("store.copied",
             "file=%s format=%d; it is the database as it was before it was "
             "brought to format %d",
             target, version, schema_version());
    return true;
}

/* The header has been looked at; what a crashed newer server left in the log has not. */
bool sqlite_upgrade(struct connection *connection, const char *path, bool copies_older,
                    struct err *err)
{
    int64_t version = 0;
    int keeps_log = 0;

    if (!connection_number(connection, "PRAGMA user_version", &version, err))
        return false;
    if (version > schema_version())
        return err_set(err, ERR_STORE,
                       "%s was written by a newer bide (format %lld, this one knows up to %d); "
                       "the file was not touched",
                       path, (long long)version, schema_version());
    if (copies_older && version > 0 && version < schema_version() &&
        !older_copy(connection->db, path, (int)version, err))
        return false;
    /* From here on the file is ours, and closing may tidy up. */
    (void)sqlite3_db_config(connection->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, &keeps_log);
    return connection_exec(connection, path, WRITER_PRAGMAS "; PRAGMA wal_autocheckpoint = 0",
                           err) &&
           schema_apply(connection->db, (int)version, err);
}
