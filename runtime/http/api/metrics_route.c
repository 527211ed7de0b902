/*
 * Metrics: what Prometheus asks for. Rows are counted on the pool, everything that lives in
 * memory on the loop thread.
 *
 * Who comes with a key is told of its environment's runs and queues alone; where the
 * configuration says that metrics are open, everybody of all. What the process itself does has
 * no names in it.
 */
#include "base/clock.h"
#include "http/api/metrics.h"
#include "http/api/pool_view.h"
#include "http/api/routes.h"
#include "http/server/reply.h"

#include <inttypes.h>

/* All behind the first METRIC_QUEUES are one, by a name that no queue can have. */
static const char other[] = "(other)";

struct metrics {
    struct totals *totals; /* by environment */
    struct queue_page *queues;
    struct hours *hours;
    struct pool_counts pools;
    struct environment **environments; /* NULL where there is no row */
    struct list sharing;               /* other requests that get this count */
};

static bool metrics_work(struct request *request, struct pool_reader *reader, struct err *err)
{
    struct metrics *metrics = request->view;
    const struct http *http = request->http;
    const struct reader_ops *ops = reader->reader->ops;

    for (uint32_t i = 0; i < http->world_count; i++) {
        uint32_t number = http->worlds[i].environment->number;
        if (!ops->totals(reader->reader, number, &metrics->totals[i], err) ||
            !reader_environment(reader->reader, &request->arena, number,
                                &metrics->environments[i], err) ||
            !ops->queues(reader->reader, &request->arena, number, 0,
                         http->config->limits.queues, &metrics->queues[i], err) ||
            !hours_read(request, reader, &metrics->queues[i], &metrics->hours[i], err))
            return false;
    }
    return pool_counts_read(&metrics->pools, 0, request->read.catalog, reader->reader,
                            &request->arena, err);
}

void metric_head(struct buffer *out, const char *name, const char *type, const char *help)
{
    buffer_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void line(struct buffer *out, const char *name, const char *type, const char *help,
                 uint64_t number)
{
    metric_head(out, name, type, help);
    buffer_format(out, "%s %" PRIu64 "\n", name, number);
}

void metric_label(struct buffer *out, struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == '\\' || c == '"')
            buffer_byte(out, '\\');
        if (c == '\n')
            buffer_text(out, "\\n");
        else
            buffer_byte(out, c);
    }
}

/* The environments that a request may know of: [*from, *end). */
static void worlds_of(const struct request *request, uint32_t *from, uint32_t *end)
{
    const struct http *http = request->http;
    bool is_one = request->world != NULL;

    *from = is_one ? (uint32_t)(request->world - http->worlds) : 0;
    *end = is_one ? *from + 1 : http->world_count;
}

static void write_totals(struct buffer *out, const struct request *request,
                         const struct metrics *metrics)
{
    const struct http *http = request->http;
    uint32_t from, end;

    static const char *const statuses[RUN_STATUS_COUNT] = { "delayed", "queued",  "parked",
                                                            "running", "waiting", "done" };

    worlds_of(request, &from, &end);
    metric_head(out, "bide_runs", "gauge", "Live runs by status");
    for (uint32_t i = from; i < end; i++)
        for (uint32_t status = 0; status < RUN_DONE; status++)
            buffer_format(out, "bide_runs{environment=\"%s\",status=\"%s\"} %" PRId64 "\n",
                          http->worlds[i].environment->name, statuses[status],
                          metrics->totals[i].live[status]);
    metric_head(out, "bide_runs_finished_total", "counter", "Runs that ended, by outcome");
    for (uint32_t i = from; i < end; i++) {
        const struct totals *totals = &metrics->totals[i];
        const char *name = http->worlds[i].environment->name;
        const char *const outcomes[] = { "completed", "failed", "canceled" };
        const int64_t counts[] = { totals->completed, totals->failed, totals->canceled };
        for (int k = 0; k < 3; k++)
            buffer_format(out,
                          "bide_runs_finished_total{environment=\"%s\",outcome=\"%s\"} %" PRId64
                          "\n",
                          name, outcomes[k], counts[k]);
    }
    metric_head(out, "bide_tokens_pending", "gauge", "Tokens that nobody has completed yet");
    for (uint32_t i = from; i < end; i++)
        buffer_format(out, "bide_tokens_pending{environment=\"%s\"} %" PRId64 "\n",
                      http->worlds[i].environment->name, metrics->totals[i].tokens_pending);
}

static void write_pauses(struct buffer *out, const struct request *request,
                         const struct metrics *metrics)
{
    uint32_t from, end;

    worlds_of(request, &from, &end);
    metric_head(out, "bide_environment_paused", "gauge", "1 while nothing of it is started");
    for (uint32_t i = from; i < end; i++)
        buffer_format(out, "bide_environment_paused{environment=\"%s\"} %d\n",
                      request->http->worlds[i].environment->name,
                      metrics->environments[i] != NULL && metrics->environments[i]->paused);
}

static void queue_line(struct buffer *out, const char *name, const char *environment,
                       struct slice queue, int64_t number)
{
    buffer_format(out, "%s{environment=\"%s\",queue=\"", name, environment);
    metric_label(out, queue);
    buffer_format(out, "\"} %" PRId64 "\n", number);
}

/* In the order of the names below. */
struct queue_numbers {
    int64_t numbers[4];
};

static struct queue_numbers numbers_of(const struct queue_stats *stats, int64_t now_ms)
{
    int64_t since_ms = stats->oldest_queued_ms;
    int64_t oldest_ms = since_ms == 0 || since_ms > now_ms ? 0 : now_ms - since_ms;

    return (struct queue_numbers){ { stats->queued, stats->running, oldest_ms / 1000,
                                     stats->queue.paused } };
}

/* All behind the first METRIC_QUEUES: their sums, and the greatest age. */
static struct queue_numbers numbers_of_others(const struct queue_page *page, int64_t now_ms)
{
    struct queue_numbers all = { { 0 } };

    for (uint32_t q = METRIC_QUEUES; q < page->count; q++) {
        struct queue_numbers one = numbers_of(&page->rows[q], now_ms);
        for (int k = 0; k < 4; k++)
            all.numbers[k] = k != 2                            ? all.numbers[k] + one.numbers[k]
                             : all.numbers[k] < one.numbers[k] ? one.numbers[k]
                                                               : all.numbers[k];
    }
    return all;
}

static void write_queues(struct buffer *out, const struct request *request,
                         const struct metrics *metrics)
{
    static const char *const names[] = { "bide_queue_depth", "bide_queue_running",
                                         "bide_queue_oldest_seconds", "bide_queue_paused" };
    static const char *const help[] = {
        "Runs ready to start", "Runs that hold a slot", "Age of the longest waiting ready run",
        "1 while nothing is taken from it; of (other): how many"
    };
    const struct http *http = request->http;
    int64_t now_ms = clock_now_ms();
    uint32_t from, end;

    worlds_of(request, &from, &end);
    for (int k = 0; k < 4; k++) {
        metric_head(out, names[k], "gauge", help[k]);
        for (uint32_t i = from; i < end; i++) {
            const struct queue_page *page = &metrics->queues[i];
            const char *environment = http->worlds[i].environment->name;
            for (uint32_t q = 0; q < page->count && q < METRIC_QUEUES; q++)
                queue_line(out, names[k], environment, page->rows[q].queue.name,
                           numbers_of(&page->rows[q], now_ms).numbers[k]);
            if (page->count > METRIC_QUEUES)
                queue_line(out, names[k], environment, slice_of(other),
                           numbers_of_others(page, now_ms).numbers[k]);
        }
    }
}

/* Of those that have lines of their own. */
static void write_finished(struct buffer *out, const struct request *request,
                           const struct metrics *metrics)
{
    static const char *const outcomes[] = { "completed", "failed", "canceled" };
    uint32_t from, end;

    worlds_of(request, &from, &end);
    metric_head(out, "bide_queue_finished_total", "counter",
                "Runs of it that ended, by outcome");
    for (uint32_t i = from; i < end; i++)
        for (uint32_t q = 0; q < metrics->queues[i].count && q < METRIC_QUEUES; q++) {
            const struct queue *queue = &metrics->queues[i].rows[q].queue;
            const int64_t counts[] = { queue->completed, queue->failed, queue->canceled };
            for (int k = 0; k < 3; k++) {
                buffer_format(out,
                              "bide_queue_finished_total{environment=\"%s\",outcome=\"%s\","
                              "queue=\"",
                              request->http->worlds[i].environment->name, outcomes[k]);
                metric_label(out, queue->name);
                buffer_format(out, "\"} %" PRId64 "\n", counts[k]);
            }
        }
}

/* Of those that have lines of their own. What has no limit has no line. */
static void write_limits(struct buffer *out, const struct request *request,
                         const struct metrics *metrics)
{
    static const char *const of[] = { "lane", "keyed_lane", "total" };
    const struct http *http = request->http;
    uint32_t from, end;

    if (http->catalog == NULL) /* the first one comes soon */
        return;
    worlds_of(request, &from, &end);
    metric_head(
        out, "bide_queue_limit", "gauge",
        "Runs that may hold a slot: in a lane, in one with a concurrency key, in all together");
    for (uint32_t i = from; i < end; i++)
        for (uint32_t q = 0; q < metrics->queues[i].count && q < METRIC_QUEUES; q++) {
            const struct queue *queue = &metrics->queues[i].rows[q].queue;
            uint32_t limits[] = { catalog_limit_now(http->catalog, queue, false),
                                  catalog_limit_now(http->catalog, queue, true),
                                  catalog_total_limit(http->catalog, queue->name) };
            for (int k = 0; k < 3; k++) {
                if (limits[k] == UINT32_MAX)
                    continue;
                buffer_format(out, "bide_queue_limit{environment=\"%s\",of=\"%s\",queue=\"",
                              http->worlds[i].environment->name, of[k]);
                metric_label(out, queue->name);
                buffer_format(out, "\"} %" PRIu32 "\n", limits[k]);
            }
        }
}

/* They are the server's, so everybody's. */
static void write_pools(struct buffer *out, const struct pool_counts *pools)
{
    static const char *const names[] = { "bide_pool_tokens", "bide_pool_in_use" };
    static const char *const help[] = { "Tokens that there are of a pool",
                                        "Tokens that runs hold, of all environments" };

    for (int k = 0; pools->count > 0 && k < 2; k++) {
        metric_head(out, names[k], "gauge", help[k]);
        for (uint32_t i = 0; i < pools->count; i++) {
            buffer_format(out, "%s{pool=\"", names[k]);
            metric_label(out, pools->pools[i].name);
            buffer_format(out, "\"} %" PRId64 "\n",
                          k == 0 ? pools->pools[i].tokens : pools->pools[i].in_use);
        }
    }
}

/* As many as hold a slot, of all its queues; and how many may, where it has a limit. */
static void write_environments(struct buffer *out, const struct request *request,
                               const struct metrics *metrics)
{
    static const char *const of[] = { "queue", "all" };
    const struct http *http = request->http;
    uint32_t from, end;

    worlds_of(request, &from, &end);
    metric_head(out, "bide_environment_running", "gauge",
                "Runs that hold a slot, of all its queues");
    for (uint32_t i = from; i < end; i++) {
        uint64_t running = 0;
        for (uint32_t q = 0; q < metrics->queues[i].count; q++)
            running += (uint64_t)metrics->queues[i].rows[q].running;
        buffer_format(out, "bide_environment_running{environment=\"%s\"} %" PRIu64 "\n",
                      http->worlds[i].environment->name, running);
    }
    metric_head(out, "bide_environment_limit", "gauge",
                "Runs that may hold a slot: of one of its queues, and of all together");
    for (uint32_t i = from; http->catalog != NULL && i < end; i++) {
        const struct config_environment *environment = http->worlds[i].environment;
        struct config_burst burst =
            catalog_environment_limit(http->catalog, environment->number);
        uint32_t limits[] = { burst.base, burst.most };
        for (int k = 0; k < 2 && burst.base != UINT32_MAX; k++)
            buffer_format(out,
                          "bide_environment_limit{environment=\"%s\",of=\"%s\"} %" PRIu32 "\n",
                          environment->name, of[k], limits[k]);
    }
}

static void write_pump(struct buffer *out, const struct http *http)
{
    struct pump_stats stats;

    pump_stats(http->options.pump, &stats);
    line(out, "bide_batches_total", "counter", "Batches committed", stats.batches);
    line(out, "bide_batches_failed_total", "counter", "Batches that the store refused",
         stats.failed_batches);
    line(out, "bide_commands_total", "counter", "Commands decided", stats.commands);
    line(out, "bide_commands_waiting", "gauge", "Commands not yet decided", stats.waiting);
    line(out, "bide_clock_steps_total", "counter", "Times the system's clock was set",
         stats.clock_steps);
    line(out, "bide_timers_aside_total", "counter",
         "Timers put aside because what was due could not be handled", stats.timers_aside);
    const struct pruned *pruned = &stats.pruned;
    metric_head(out, "bide_pruned_total", "counter", "What was removed because it was old");
    buffer_format(out,
                  "bide_pruned_total{kind=\"runs\"} %u\n"
                  "bide_pruned_total{kind=\"tokens\"} %u\n"
                  "bide_pruned_total{kind=\"early_answers\"} %u\n"
                  "bide_pruned_total{kind=\"logs\"} %u\n"
                  "bide_pruned_total{kind=\"queues\"} %u\n",
                  pruned->runs.count, pruned->tokens.count, pruned->early_answers.count,
                  pruned->logs.count, pruned->queues.count);
    line(out, "bide_store_ok", "gauge", "1 while the last batch was written", stats.store_ok);
    metric_head(out, "bide_commit_seconds_total", "counter", "Time spent in commits");
    buffer_format(out, "bide_commit_seconds_total %.6f\n", (double)stats.commit_ns / 1e9);
    metric_head(out, "bide_store_busy_seconds_total", "counter",
                "Time the store thread was at work");
    buffer_format(out, "bide_store_busy_seconds_total %.6f\n", (double)stats.busy_ns / 1e9);
    metric_head(out, "bide_batch_work_seconds_max", "gauge",
                "Longest batch since the start, without its commit");
    buffer_format(out, "bide_batch_work_seconds_max %.6f\n", (double)stats.work_most_ns / 1e9);
}

static void write_http(struct buffer *out, const struct http *http)
{
    const struct connections *connections = &http->connections;

    metric_head(out, "bide_http_requests_total", "counter",
                "Requests answered, by route and status");
    for (uint32_t row = 0; row < http->request_counts.rows; row++)
        for (uint32_t column = 0; column < REQUEST_COUNTS_STATUSES; column++) {
            uint64_t count = http->request_counts.by_route[row][column];
            bool known = row + 1 < http->request_counts.rows;
            if (count > 0)
                buffer_format(out,
                              "bide_http_requests_total{method=\"%s\",route=\"%s\",status=\"%"
                              "u\"} %" PRIu64 "\n",
                              known ? routes[row].method : "", known ? routes[row].pattern : "",
                              request_counts_status(column), count);
        }
    line(out, "bide_http_connections", "gauge", "Open connections", connections->count);
    line(out, "bide_http_connections_total", "counter", "Connections opened",
         connections->opened);
    line(out, "bide_http_connections_refused_total", "counter",
         "Connections refused because there were too many", connections->refused);
    line(out, "bide_http_connections_evicted_total", "counter",
         "Idle connections closed to make room", connections->evicted);
    line(out, "bide_http_readers_cut_total", "counter",
         "Connections closed because their replies were taken too slowly", connections->slow);
    line(out, "bide_http_replies_bytes", "gauge", "Replies that wait for their readers",
         http->reply_bytes);
    line(out, "bide_http_requests_late_total", "counter",
         "Requests that did not arrive in time", connections->late);
    line(out, "bide_http_requests_under_way", "gauge", "Requests not answered yet",
         http->request_count);
    line(out, "bide_http_longpolls", "gauge", "Requests that wait for a run",
         http->long_polls.count);
    line(out, "bide_http_reads_waiting", "gauge", "Reads that wait for a reader",
         http->read_pool.waiting_count);
}

/* `counter` counted for `request`. */
static void answer(struct request *request, const struct request *counter)
{
    const struct http *http = request->http;
    const struct metrics *metrics = counter->view;
    struct buffer *out = reply_out(request).buffer;

    if (!counter->read.is_done) {
        reply_err(request, &counter->read.err);
        return;
    }
    write_totals(out, request, metrics);
    write_pauses(out, request, metrics);
    write_queues(out, request, metrics);
    write_limits(out, request, metrics);
    write_environments(out, request, metrics);
    write_finished(out, request, metrics);
    uint32_t from, end;
    worlds_of(request, &from, &end);
    hours_write(out, http, metrics->hours, from, end);
    write_pools(out, &metrics->pools);
    write_pump(out, http);
    write_http(out, http);
    if (http->options.metrics != NULL)
        http->options.metrics(http->options.context, out);
    request->type = "text/plain; version=0.0.4; charset=utf-8";
    reply_send(request, HTTP_OK);
}

static void scrape_next(struct http *http);

static void metrics_done(struct request *request)
{
    struct metrics *metrics = request->view;
    struct http *http = request->http;
    struct list *node;

    /* The rows are in the arena of `request`, which is answered last. */
    while ((node = list_shift(&metrics->sharing)) != NULL)
        answer(container_of(node, struct request, read.node), request);
    answer(request, request);
    http->is_scraping = false;
    scrape_next(http);
}

/* The first of those who wait counts for all of them. */
static void scrape_next(struct http *http)
{
    struct list *node = list_shift(&http->scrapes);

    if (node == NULL)
        return;
    struct request *request = container_of(node, struct request, read.node);
    struct metrics *metrics = ARENA_NEW(&request->arena, struct metrics);
    metrics->totals = ARENA_ARRAY(&request->arena, struct totals, http->world_count);
    metrics->queues = ARENA_ARRAY(&request->arena, struct queue_page, http->world_count);
    metrics->hours = ARENA_ARRAY(&request->arena, struct hours, http->world_count);
    metrics->environments =
        ARENA_ARRAY(&request->arena, struct environment *, http->world_count);
    list_init(&metrics->sharing);
    while ((node = list_shift(&http->scrapes)) != NULL)
        list_push(&metrics->sharing, node);
    request->view = metrics;
    request->read.hears_failure = true;
    http->is_scraping = true;
    request_read(request, metrics_work, metrics_done);
}

void metrics_show(struct request *request)
{
    struct http *http = request->http;

    list_push(&http->scrapes, &request->read.node);
    if (!http->is_scraping)
        scrape_next(http);
}
