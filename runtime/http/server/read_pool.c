#include "read_pool.h"

#include "http/server/reply.h"
#include "http/server/request.h"
#include "store/store.h"

enum { NAMES_MAX = 4096 };

static void job_start(struct jobs *jobs, struct request *request);
static void job_queue(struct request *request, struct job_reader *reader);

void jobs_init(struct jobs *jobs, struct store *store)
{
    *jobs = (struct jobs){ .store = store };
    list_init(&jobs->waiting);
    list_init(&jobs->checks);
}

void jobs_finish(struct jobs *jobs)
{
    for (uint32_t i = 0; i < JOB_READERS; i++) {
        if (jobs->readers[i].reader != NULL)
            jobs->readers[i].reader->ops->close(jobs->readers[i].reader);
        arena_finish(&jobs->readers[i].arena);
    }
}

static void catalog_hold(struct request *request)
{
    request->job.catalog = request->http->catalog;
    if (request->job.catalog != NULL)
        ++*request->job.catalog->readers;
}

static void job_set(struct request *request, job_work work,
                    void (*finish)(struct request *request))
{
    request->job.work = work;
    request->job.finish = finish;
    request->job.err = (struct err){ 0 };
}

void request_read(struct request *request, job_work work,
                  void (*finish)(struct request *request))
{
    struct jobs *jobs = &request->http->jobs;

    job_set(request, work, finish);
    if (jobs->running < JOB_READERS) {
        job_start(jobs, request);
    } else {
        list_push(&jobs->waiting, &request->job.node);
        jobs->waiting_count++;
    }
}

/* Pool thread. */
static bool reader_ready(struct jobs *jobs, struct job_reader *reader, struct err *err)
{
    if (reader->reader != NULL)
        return true;
    if (jobs->store->ops->reader_open == NULL)
        return err_set(err, ERR_STORE, "this store cannot be read");
    reader->reader = jobs->store->ops->reader_open(jobs->store, err);
    return reader->reader != NULL;
}

/* Pool thread. */
static void on_work(uv_work_t *work)
{
    struct request *request = container_of(work, struct request, job.uv);

    struct job_reader *reader = request->job.reader;
    struct err *err = &request->job.err;

    if (reader == NULL) {
        request->job.is_done = request->job.work(request, NULL, err);
        return;
    }
    request->job.is_done = reader_ready(&request->http->jobs, reader, err) &&
                           reader->reader->ops->begin(reader->reader, err);
    if (!request->job.is_done)
        return;
    request->job.is_done = request->job.work(request, reader, err);
    reader->reader->ops->end(reader->reader);
}

/* The reader is free: whoever is next gets it. */
static void reader_return(struct jobs *jobs, struct job_reader *reader)
{
    jobs->running--;
    reader->is_taken = false;
    struct list *next = list_shift(&jobs->waiting);
    if (next == NULL)
        return;
    jobs->waiting_count--;
    job_start(jobs, container_of(next, struct request, job.node));
}

static void check_next(struct jobs *jobs)
{
    struct list *next = list_shift(&jobs->checks);

    jobs->is_checking = next != NULL;
    if (next != NULL)
        job_queue(container_of(next, struct request, job.node), NULL);
}

static void on_done(uv_work_t *work, int status)
{
    struct request *request = container_of(work, struct request, job.uv);
    struct jobs *jobs = &request->http->jobs;

    (void)status; /* nothing cancels a job */
    if (request->job.catalog != NULL)
        --*request->job.catalog->readers;
    if (request->job.reader != NULL)
        reader_return(jobs, request->job.reader);
    else
        check_next(jobs);
    if (request->job.is_done || request->job.hears_failure)
        request->job.finish(request);
    else
        reply_err(request, &request->job.err);
}

static void job_start(struct jobs *jobs, struct request *request)
{
    struct job_reader *reader = jobs->readers;

    while (reader->is_taken)
        reader++;
    reader->is_taken = true;
    jobs->running++;
    catalog_hold(request);
    job_queue(request, reader);
}

static void job_queue(struct request *request, struct job_reader *reader)
{
    request->job.reader = reader;
    /* Fails only for a missing callback. */
    (void)uv_queue_work(request->http->options.loop, &request->job.uv, on_work, on_done);
}

void request_check(struct request *request, job_work work,
                   void (*finish)(struct request *request))
{
    struct jobs *jobs = &request->http->jobs;

    job_set(request, work, finish);
    catalog_hold(request); /* whose schema it is about */
    list_push(&jobs->checks, &request->job.node);
    if (!jobs->is_checking)
        check_next(jobs);
}

bool job_queue_name(struct job_reader *reader, int64_t id, struct slice *name, struct err *err)
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
