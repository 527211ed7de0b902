/* Numbers of queues, lanes and keys, as the API shows them. */
#ifndef NUMBERS_SQLITE_H
#define NUMBERS_SQLITE_H

#include "store/reader.h"
#include "store/sqlite/sqlite_connection.h"

/* Since when the longest waiting run of the queue is there. */
bool sqlite_oldest(struct connection *connection, struct arena *arena,
                   struct queue_stats *stats, struct err *err);
bool sqlite_running(struct connection *connection, struct arena *arena,
                    struct running_page *page, struct err *err);
/* As reader_ops.hour; `hour` is zeroed. */
bool sqlite_hour(struct connection *connection, struct arena *arena, int64_t queue,
                 int64_t since, int64_t until, bool has_keys, struct queue_hour *hour,
                 struct err *err);

#endif
