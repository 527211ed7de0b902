/* What the files of /metrics share. */
#ifndef METRICS_H
#define METRICS_H

#include "http/server/request.h"
#include "store/reader.h"

/* An environment's queues that have lines of their own: more would be a burden to whoever
 * scrapes. Of its busiest queues the busiest keys have. */
enum { METRIC_QUEUES = 100, KEYED_QUEUES = 8, METRIC_KEYS = 10 };

/* What has been done in the last hour; of a queue without a key. */
struct key_hour {
    struct slice queue, key;
    struct queue_minute done;
};

struct hours {
    struct key_hour queues[METRIC_QUEUES], keys[KEYED_QUEUES * METRIC_KEYS];
    uint32_t queue_count, key_count;
};

/* On the pool: of the queues of an environment. */
bool hours_read(struct request *request, struct pool_reader *reader,
                const struct queue_page *page, struct hours *hours, struct err *err);
/* Of the environments [from, end). */
void hours_write(struct buffer *out, const struct http *http, const struct hours *hours,
                 uint32_t from, uint32_t end);

/* HELP and TYPE. */
void metric_head(struct buffer *out, const char *name, const char *type, const char *help);
/* A label's value: backslash, quote and line break are escaped. */
void metric_label(struct buffer *out, struct slice text);

#endif
