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
/* As reader_ops.before, of any lane; and as reader_ops.others. */
bool sqlite_before(struct connection *connection, const struct run *run, int64_t queue,
                   int64_t lane, uint32_t most, int64_t *count, struct err *err);
bool sqlite_others(struct connection *connection, struct arena *arena, const struct run *run,
                   int64_t queue, uint32_t turns, uint32_t most, int64_t *count,
                   struct err *err);
/* As reader_ops.hour; `hour` is zeroed. */
bool sqlite_hour(struct connection *connection, struct arena *arena, int64_t queue,
                 int64_t since, int64_t until, bool has_keys, struct queue_hour *hour,
                 struct err *err);

bool sqlite_totals(struct connection *connection, uint32_t environment, struct totals *totals,
                   struct err *err);

#endif
