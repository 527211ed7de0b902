#include "read_pool.h"

#include "http/server/reply.h"
#include "http/server/request.h"
#include "store/store.h"

enum { NAMES_MAX = 4096 };

static void read_start(struct read_pool *pool, struct request *request);
static void read_queue(struct request *request, struct pool_reader *reader);

void read_pool_init(struct read_pool *pool, struct store *store)
{
    *pool = (struct read_pool){ .store = store };
    list_init(&pool->waiting);
    list_init(&pool->checks);
}

void read_pool_finish(struct read_pool *pool)
{
    for (uint32_t i = 0; i < READ_POOL_READERS; i++) {
        if (pool->readers[i].reader != NULL)
            pool->readers[i].reader->ops->close(pool->readers[i].reader);
        arena_finish(&pool->readers[i].arena);
    }
}

static void catalog_hold(struct request *request)
{
    request->read.catalog = request->http->catalog;
    if (request->read.catalog != NULL)
        ++*request->read.catalog->readers;
}

static void read_set(struct request *request, read_work work,
                     void (*finish)(struct request *request))
{
    request->read.work = work;
    request->read.finish = finish;
    request->read.err = (struct err){ 0 };
}

void request_read(struct request *request, read_work work,
                  void (*finish)(struct request *request))
{
    struct read_pool *pool = &request->http->read_pool;

    read_set(request, work, finish);
    if (pool->running < READ_POOL_READERS) {
        read_start(pool, request);
    } else {
        list_push(&pool->waiting, &request->read.node);
        pool->waiting_count++;
    }
}

/* Pool thread. */
static bool reader_ready(struct read_pool *pool, struct pool_reader *reader, struct err *err)
{
    if (reader->reader != NULL)
        return true;
    if (pool->store->ops->reader_open == NULL)
        return err_set(err, ERR_STORE, "this store cannot be read");
    reader->reader = pool->store->ops->reader_open(pool->store, err);
    return reader->reader != NULL;
}

/* Pool thread. */
static void on_work(uv_work_t *work)
{
    struct request *request = container_of(work, struct request, read.uv);

    struct pool_reader *reader = request->read.reader;
    struct err *err = &request->read.err;

    if (reader == NULL) {
        request->read.is_done = request->read.work(request, NULL, err);
        return;
    }
    request->read.is_done = reader_ready(&request->http->read_pool, reader, err) &&
                            reader->reader->ops->begin(reader->reader, err);
    if (!request->read.is_done)
        return;
    request->read.is_done = request->read.work(request, reader, err);
    reader->reader->ops->end(reader->reader);
}

/* The reader is free: whoever is next gets it. */
static void reader_return(struct read_pool *pool, struct pool_reader *reader)
{
    pool->running--;
    reader->is_taken = false;
    struct list *next = list_shift(&pool->waiting);
    if (next == NULL)
        return;
    pool->waiting_count--;
    read_start(pool, container_of(next, struct request, read.node));
}

static void check_next(struct read_pool *pool)
{
    struct list *next = list_shift(&pool->checks);

    pool->is_checking = next != NULL;
    if (next != NULL)
        read_queue(container_of(next, struct request, read.node), NULL);
}

static void on_done(uv_work_t *work, int status)
{
    struct request *request = container_of(work, struct request, read.uv);
    struct read_pool *pool = &request->http->read_pool;

    (void)status; /* nothing cancels a read */
    if (request->read.catalog != NULL)
        --*request->read.catalog->readers;
    if (request->read.reader != NULL)
        reader_return(pool, request->read.reader);
    else
        check_next(pool);
    if (request->read.is_done || request->read.hears_failure)
        request->read.finish(request);
    else
        reply_err(request, &request->read.err);
}

static void read_start(struct read_pool *pool, struct request *request)
{
    struct pool_reader *reader = pool->readers;

    while (reader->is_taken)
        reader++;
    reader->is_taken = true;
    pool->running++;
    catalog_hold(request);
    read_queue(request, reader);
}

static void read_queue(struct request *request, struct pool_reader *reader)
{
    request->read.reader = reader;
    /* Fails only for a missing callback. */
    (void)uv_queue_work(request->http->options.loop, &request->read.uv, on_work, on_done);
}

void request_check(struct request *request, read_work work,
                   void (*finish)(struct request *request))
{
    struct read_pool *pool = &request->http->read_pool;

    read_set(request, work, finish);
    catalog_hold(request); /* whose schema it is about */
    list_push(&pool->checks, &request->read.node);
    if (!pool->is_checking)
        check_next(pool);
}

bool read_pool_queue_name(struct pool_reader *reader, int64_t id, struct slice *name,
                          struct err *err)
{
    struct slice *known = table_find(&reader->names, (uint64_t)id);
    struct arena arena = { 0 };
    struct queue_stats *row;

    if (known == NULL) {
        if (reader->names.arena == NULL || reader->names.count >= NAMES_MAX) {
            arena_reset(&reader->arena);
            table_init(&reader->names, &reader->arena);
        }
        bool ok =
            reader->reader->ops->queue(reader->reader, &arena, 0, SLICE(""), id, &row, err);
        if (ok && row != NULL) {
            known = ARENA_NEW(&reader->arena, struct slice);
            *known = arena_copy(&reader->arena, row->queue.name);
            table_set(&reader->names, (uint64_t)id, known);
        }
        arena_finish(&arena);
        if (!ok)
            return false;
    }
    *name = known == NULL ? (struct slice){ 0 } : *known;
    return true;
}
