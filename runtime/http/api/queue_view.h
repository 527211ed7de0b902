/* One queue, or a page of them: which is meant, and how it is shown. */
#ifndef QUEUE_VIEW_H
#define QUEUE_VIEW_H

#include "base/slice.h"
#include "engine/operate.h"
#include "http/server/request.h"
#include "store/reader.h"

struct queue_view {
    struct slice name; /* empty: by id */
    int64_t id;
    int64_t page, per_page;
    struct queue_page rows;
    struct queue_stats *row;
    struct queue_minute *hours; /* of each of `rows` */
    struct queue_hour *hour;    /* of `row` */
    const char **held;          /* of each of `rows`, or of `row`: queue_hour.h */
    const char *keys_held[KEYS_MOST];
    bool has_keys;                   /* it is to have those of its keys */
    struct environment *environment; /* NULL: it has no row */
    struct pause_order order;
    bool is_percent;
    int64_t limit; /* of an override, or its part of the configured one */
    bool sets[2];  /* not of that: of its rates */
    struct queue_rate rates[2];
    struct slice by;
};

/* The queue in capture 0. A type that is not given is found out: an id looks like one. */
bool queue_named(struct request *request, struct slice type, struct queue_view *view,
                 struct err *err);
/* "type" of a body; absent: *type stays empty. */
bool queue_type_read(const struct value *body, struct slice *type, struct err *err);
/* On the pool: fills `row`, or NOT_FOUND. Then, on the loop: the queue as a reply. */
bool queue_read(struct request *request, struct pool_reader *reader, struct err *err);
void queue_reply(struct request *request);

#endif
