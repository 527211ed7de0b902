/* Metrics of what queues and their busiest keys have done in the last hour. */
#include "http/api/metrics.h"
#include "http/api/queue_hour.h"
#include "http/server/server.h"

#include <inttypes.h>

static bool keys_read(struct request *request, struct pool_reader *reader,
                      const struct queue *queue, struct hours *hours, struct err *err)
{
    struct queue_hour *hour = ARENA_NEW(&request->arena, struct queue_hour);

    if (!queue_hour_read(request, reader, queue->id, true, hour, err))
        return false;
    for (uint32_t i = 0; i < hour->count && i < METRIC_KEYS && hour->keys[i].hour != NULL; i++)
        hours->keys[hours->key_count++] =
            (struct key_hour){ queue->name, hour->keys[i].key, *hour->keys[i].hour };
    return true;
}

bool hours_read(struct request *request, struct pool_reader *reader,
                const struct queue_page *page, struct hours *hours, struct err *err)
{
    struct queue_hour *hour = ARENA_NEW(&request->arena, struct queue_hour);
    uint32_t count = page->count < METRIC_QUEUES ? page->count : METRIC_QUEUES;
    bool is_keyed[METRIC_QUEUES] = { false };

    for (uint32_t q = 0; q < count; q++) {
        if (!queue_hour_read(request, reader, page->rows[q].queue.id, false, hour, err))
            return false;
        hours->queues[q] =
            (struct key_hour){ .queue = page->rows[q].queue.name, .done = hour->all };
    }
    hours->queue_count = count;
    for (int turn = 0; turn < KEYED_QUEUES; turn++) {
        uint32_t busiest = count;
        for (uint32_t q = 0; q < count; q++)
            if (!is_keyed[q] && hours->queues[q].done.started > 0 &&
                (busiest == count ||
                 hours->queues[q].done.started > hours->queues[busiest].done.started))
                busiest = q;
        if (busiest == count)
            return true;
        is_keyed[busiest] = true;
        if (!keys_read(request, reader, &page->rows[busiest].queue, hours, err))
            return false;
    }
    return true;
}

/* What a line has of the last hour. */
enum hour_number { HOUR_STARTED, HOUR_ENDED, HOUR_WAIT, HOUR_NUMBERS };

/* "NAME{…} ", of a queue, or of its key; quantile: NULL, or of what. */
static void hour_labels(struct buffer *out, const char *name, const char *environment,
                        const struct key_hour *hour, const char *quantile)
{
    buffer_format(out, "%s{environment=\"%s\"", name, environment);
    if (hour->key.size > 0) {
        buffer_text(out, ",key=\"");
        metric_label(out, hour->key);
        buffer_text(out, "\"");
    }
    if (quantile != NULL)
        buffer_format(out, ",quantile=\"%s\"", quantile);
    buffer_text(out, ",queue=\"");
    metric_label(out, hour->queue);
    buffer_text(out, "\"} ");
}

static void hour_lines(struct buffer *out, enum hour_number number, const char *name,
                       const char *environment, const struct key_hour *hour)
{
    static const struct {
        const char *text;
        double part;
    } quantiles[] = { { "0.5", 0.5 }, { "0.95", 0.95 } };
    const struct queue_minute *done = &hour->done;

    if (number != HOUR_WAIT) {
        hour_labels(out, name, environment, hour, NULL);
        buffer_format(out, "%" PRId64 "\n",
                      number == HOUR_STARTED ? done->started
                                             : done->completed + done->failed + done->canceled);
        return;
    }
    for (int i = 0; done->started > 0 && i < 2; i++) {
        hour_labels(out, name, environment, hour, quantiles[i].text);
        buffer_format(out, "%.3f\n",
                      (double)wait_quantile(done->waits, quantiles[i].part) / 1000);
    }
}

static void numbers_write(struct buffer *out, const struct http *http,
                          const struct hours *hours, uint32_t from, uint32_t end, bool is_keys)
{
    static const char *const names[][HOUR_NUMBERS] = {
        { "bide_queue_last_hour_started", "bide_queue_last_hour_ended",
          "bide_queue_last_hour_wait_seconds" },
        { "bide_key_last_hour_started", "bide_key_last_hour_ended",
          "bide_key_last_hour_wait_seconds" },
    };
    static const char *const help[HOUR_NUMBERS] = {
        "Segments given to a slot in the last hour", "Runs that ended in the last hour",
        "How long what started in the last hour had been ready"
    };

    for (int k = 0; k < HOUR_NUMBERS; k++) {
        metric_head(out, names[is_keys][k], "gauge", help[k]);
        for (uint32_t i = from; i < end; i++) {
            const struct key_hour *first = is_keys ? hours[i].keys : hours[i].queues;
            uint32_t count = is_keys ? hours[i].key_count : hours[i].queue_count;
            for (uint32_t n = 0; n < count; n++)
                hour_lines(out, (enum hour_number)k, names[is_keys][k],
                           http->worlds[i].environment->name, &first[n]);
        }
    }
}

void hours_write(struct buffer *out, const struct http *http, const struct hours *hours,
                 uint32_t from, uint32_t end)
{
    numbers_write(out, http, hours, from, end, false);
    numbers_write(out, http, hours, from, end, true);
}
