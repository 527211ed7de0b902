/*
 * The read pool: reading on libuv's thread pool.
 *
 *   loop: request_read ──▶ [read_pool] ──▶ a pool thread with a reader: work ──▶ loop: finish
 *
 * At most READ_POOL_READERS run at a time, each with a reader of its own, opened when it is
 * first needed; the rest wait in line. Long checks of payloads need no reader and have a line
 * of their own, one at a time, so that they keep nobody from reading. Between the two calls the
 * request's arena and reply buffer belong to the pool thread.
 */
#ifndef HTTP_READ_POOL_H
#define HTTP_READ_POOL_H

#include "base/list.h"
#include "base/table.h"
#include "store/reader.h"

#include <stdint.h>
#include <uv.h>

struct http;
struct request;
struct store;

/* One less than libuv has threads: file operations must not wait behind a long list. */
enum { READ_POOL_READERS = 3 };

struct pool_reader {
    struct reader *reader; /* NULL until opened */
    struct arena arena;    /* of the names */
    struct table names;    /* queue id → name; names never change */
    bool is_taken;
};

struct read_pool {
    struct store *store;
    struct pool_reader readers[READ_POOL_READERS];
    struct list waiting; /* requests */
    struct list checks;  /* requests, too */
    uint32_t waiting_count;
    uint32_t running;
    bool is_checking;
};

typedef bool (*read_work)(struct request *request, struct pool_reader *reader, struct err *err);

void read_pool_init(struct read_pool *pool, struct store *store);
/* None may be running. */
void read_pool_finish(struct read_pool *pool);

/*
 * Pool thread: `work`, then loop thread: `finish`, or a reply that says what err says when
 * `work` returned false; with read.hears_failure set, `finish` comes then too, and looks at
 * read.is_done.
 */
void request_read(struct request *request, read_work work,
                  void (*finish)(struct request *request));

/* The same without a reader: `work` gets NULL, and is only worked off the loop thread. */
void request_check(struct request *request, read_work work,
                   void (*finish)(struct request *request));

/* For `work`: the name of a queue; empty when there is none. */
bool read_pool_queue_name(struct pool_reader *reader, int64_t id, struct slice *name,
                          struct err *err);

#endif
