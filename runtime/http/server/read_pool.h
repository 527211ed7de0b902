/*
 * Jobs: reading on libuv's thread pool.
 *
 *   loop: request_read ──▶ [jobs] ──▶ a pool thread with a reader: work ──▶ loop: finish
 *
 * At most JOB_READERS run at a time, each with a reader of its own, opened when it is first
 * needed; the rest wait in line. Long checks of payloads need no reader and have a line of
 * their own, one at a time, so that they keep nobody from reading. Between the two calls the
 * request's arena and reply buffer belong to the pool thread.
 */
#ifndef JOB_H
#define JOB_H

#include "base/list.h"
#include "base/table.h"
#include "store/reader.h"

#include <stdint.h>
#include <uv.h>

struct http;
struct request;
struct store;

/* One less than libuv has threads: file operations must not wait behind a long list. */
enum { JOB_READERS = 3 };

struct job_reader {
    struct reader *reader; /* NULL until opened */
    struct arena arena;    /* of the names */
    struct table names;    /* queue id → name; names never change */
    bool is_taken;
};

struct jobs {
    struct store *store;
    struct job_reader readers[JOB_READERS];
    struct list waiting; /* requests */
    struct list checks;  /* requests, too */
    uint32_t waiting_count;
    uint32_t running;
    bool is_checking;
};

typedef bool (*job_work)(struct request *request, struct job_reader *reader, struct err *err);

void jobs_init(struct jobs *jobs, struct store *store);
/* None may be running. */
void jobs_finish(struct jobs *jobs);

/*
 * Pool thread: `work`, then loop thread: `finish`, or a reply that says what err says when
 * `work` returned false; with job.hears_failure set, `finish` comes then too, and looks at
 * job.is_done.
 */
void request_read(struct request *request, job_work work,
                  void (*finish)(struct request *request));

/* The same without a reader: `work` gets NULL, and is only worked off the loop thread. */
void request_check(struct request *request, job_work work,
                   void (*finish)(struct request *request));

/* For `work`: the name of a queue; empty when there is none. */
bool job_queue_name(struct job_reader *reader, int64_t id, struct slice *name, struct err *err);

#endif
