/* What a queue and its keys have done in the last hour, and what limits them, as JSON. */
#ifndef QUEUE_HOUR_H
#define QUEUE_HOUR_H

#include "http/api/queue_view.h"
#include "http/server/out.h"

/* On the pool. With its keys, or without. */
bool queue_hour_read(struct request *request, struct pool_reader *reader, int64_t queue,
                     bool has_keys, struct queue_hour *hour, struct err *err);
/* On the loop: "lastHour". */
void queue_hour_write(struct out *out, const struct queue_minute *hour, int64_t created_ms);
/* "effectiveLimit" and "limitedBy": of the runs without a key, or of those of one key. */
void queue_limited_write(const struct request *request, struct out *out,
                         const struct queue *queue, bool has_key, const char *held);
/* On the pool: what lets nothing start just now, whatever the limits are: "rate", "pushedBack";
 * NULL: nothing does. Of each key: also "keyRate". */
bool queue_held_read(struct request *request, struct pool_reader *reader,
                     const struct queue *queue, const char **held, struct err *err);
bool queue_keys_held_read(struct request *request, struct pool_reader *reader,
                          const struct queue *queue, const struct queue_hour *hour,
                          const char *held[KEYS_MOST], struct err *err);
/* "keys". */
void queue_keys_write(const struct request *request, struct out *out, const struct queue *queue,
                      const struct queue_hour *hour);
/* Since when the oldest queued run is there, and how long that is. */
void queue_oldest_write(struct out *out, const struct queue_stats *stats);

#endif
