/*
 * Why a run is not done: what holds it, or what it waits for; who has the places; when it may
 * be its turn, and what that rests on. The gate is the one that dispatch asks (hold.h).
 */
#include "base/clock.h"
#include "engine/admission/rates.h"
#include "http/api/pool_view.h"
#include "http/api/routes.h"
#include "http/api/run_view.h"
#include "http/body/members.h"
#include "http/server/reply.h"

#include <inttypes.h>

enum { HOLDERS_MOST = 10 };

struct why {
    int64_t id;
    struct run_view view;
    struct queue_stats *queue; /* NULL: it is not there */
    struct run_page holders;
    int64_t before; /* QUEUED runs of its lane that come first, at most HOLD_BEFORE_MOST */
};

/* ---- reading ----------------------------------------------------------------------------- */

static bool is_gate(const struct why *why, const char *gate)
{
    return why->view.hold.gate != NULL && strcmp(why->view.hold.gate, gate) == 0;
}

/* Of its own environment: what others run is not its client's business. */
static bool holders_read(struct why *why, struct reader *reader, struct arena *arena,
                         struct err *err)
{
    const struct run *run = why->view.run;
    struct run_filter filter = { .environment = run->environment,
                                 .limit = HOLDERS_MOST,
                                 .statuses = { { RUN_RUNNING, 0 } },
                                 .status_count = 1,
                                 .is_test = -1 };

    if (is_gate(why, "pool"))
        filter.queues = pool_queues(arena, why->view.catalog, why->view.hold.pool_at);
    else if (!is_gate(why, "slots"))
        filter.queues = (struct slices){ &why->view.queue, 1 };
    if (!reader->ops->runs(reader, arena, &filter, &why->holders, err))
        return false;
    for (uint32_t i = 0; is_gate(why, "lane") && i < why->holders.count;)
        if (why->holders.rows[i]->lane != run->lane)
            why->holders.rows[i] = why->holders.rows[--why->holders.count];
        else
            i++;
    return true;
}

static bool why_read(struct why *why, struct pool_reader *reader, struct arena *arena,
                     struct err *err)
{
    const struct reader_ops *ops = reader->reader->ops;
    const struct run *run = why->view.run;

    if (!run_view_read(&why->view, reader, arena, err) ||
        !ops->queue(reader->reader, arena, 0, SLICE(""), run->queue, &why->queue, err))
        return false;
    return run->status != RUN_QUEUED ||
           (ops->before(reader->reader, run, HOLD_BEFORE_MOST, &why->before, err) &&
            holders_read(why, reader->reader, arena, err));
}

/* ---- the estimate ------------------------------------------------------------------------ */

/* How many of its lane, or of all, run at a time. */
static int64_t width_of(const struct why *why)
{
    const struct catalog *catalog = why->view.catalog;
    const struct run *run = why->view.run;

    if (catalog == NULL || why->queue == NULL)
        return 0;
    int64_t width = catalog_limit_now(catalog, &why->queue->queue, run->lane != run->queue);
    struct catalog_uses uses = catalog_uses(catalog, why->queue->queue.name);
    for (uint32_t i = 0; i < uses.count; i++) {
        int64_t most = catalog->pools[uses.items[i].pool].tokens / uses.items[i].tokens;
        width = most < width ? most : width;
    }
    /* The others may be kept for other environments. */
    int64_t slots = is_gate(why, "slots") ? why->view.hold.running : catalog->slots;
    return width < slots ? width : slots;
}

/* What starts before it takes so long by its rates, however fast it is, if it costs the same.
 */
static int64_t rates_take_ms(const struct why *why, const struct queue *queue)
{
    bool has_key = why->view.run->lane != why->view.run->queue;
    const struct queue_rules *rules = catalog_rules(why->view.catalog, queue->name);
    int64_t most_ms = 0;

    for (int of_key = 0; of_key <= (int)has_key; of_key++) {
        struct queue_rate room;
        const struct queue_rate *rate =
            catalog_rate_now(why->view.catalog, queue, of_key == 1, &room);
        const struct queue_amount *usual =
            of_key == 1 ? &rules->key_rate_cost : &rules->rate_cost;
        int64_t ms = rate == NULL ? 0
                                  : why->before * rate->per_ms / rate->limit *
                                        rate_cost(rate, usual, why->view.run, of_key == 1);
        most_ms = ms > most_ms ? ms : most_ms;
    }
    if (why->view.hold.until_ms != 0)
        most_ms += why->view.hold.until_ms - clock_now_ms();
    return most_ms;
}

/* What is before it, so many at a time, each as long as those of the queue took till now. */
static void write_estimate(struct out *out, struct arena *arena, const struct why *why)
{
    int64_t width = width_of(why);

    if (width == 0 || is_gate(why, "paused") || is_gate(why, "environment"))
        return;
    const struct queue *queue = &why->queue->queue;
    int64_t ended = queue->completed + queue->failed;
    int64_t rates_ms = rates_take_ms(why, queue);
    int64_t busy_ms =
        ended == 0 ? 0 : (why->before / width + 1) * (queue->busy_us / ended / 1000);
    out_map(out, "estimate");
    if (rates_ms > busy_ms) {
        out_int(out, "startsInMs", rates_ms);
        out_text(out, "basis",
                 arena_format(arena, "%s%" PRId64 " before it, and the rate",
                              why->before == HOLD_BEFORE_MOST ? "at least " : "", why->before));
    } else if (ended == 0) {
        out_word(out, "basis", "none: no run of its queue has ended yet");
    } else {
        int64_t each_ms = queue->busy_us / ended / 1000;
        out_int(out, "startsInMs", busy_ms);
        out_text(out, "basis",
                 arena_format(arena,
                              "%s%" PRId64 " before it, %" PRId64 " at a time, %" PRId64
                              " ms each as the %" PRId64 " of its queue that have ended",
                              why->before == HOLD_BEFORE_MOST ? "at least " : "", why->before,
                              width, each_ms, ended));
    }
    out_end_map(out);
}

/* ---- what is missing --------------------------------------------------------------------- */

static void write_missing(struct out *out, const struct why *why)
{
    const struct run *run = why->view.run;
    const struct catalog_task *task =
        why->view.catalog == NULL ? NULL : catalog_task(why->view.catalog, run->task);
    bool has_task = task != NULL && task->available;

    out_map(out, "missing");
    if (!has_task)
        out_text(out, "task", run->task);
    else if (!catalog_has_segment(task, run->segment))
        out_text(out, "segment", run->segment);
    else
        out_text(out, "state", run->segment);
    out_text(out, "text", why->view.parked);
    out_end_map(out);
}

/* ---- the reply --------------------------------------------------------------------------- */

/* A run that has not waited yet is in its task's first one. */
static struct slice segment_of(const struct why *why, const struct run *run)
{
    const struct catalog_task *task =
        why->view.catalog == NULL ? NULL : catalog_task(why->view.catalog, run->task);

    return run->segment.size == 0 && task != NULL && task->segment_count > 0 ? task->segments[0]
                                                                             : run->segment;
}

static void write_holders(struct out *out, const struct why *why)
{
    out_int(out, "before", why->before);
    out_list(out, "holders");
    for (uint32_t i = 0; i < why->holders.count; i++) {
        const struct run *run = why->holders.rows[i];
        out_map(out, NULL);
        out_id(out, "id", "run", run->id);
        out_text(out, "taskIdentifier", run->task);
        out_text(out, "segment", segment_of(why, run));
        out_time(out, "since", run->updated_ms);
        out_end_map(out);
    }
    out_end_list(out);
}

/* What a person can do about it; empty: nothing. */
static struct slice next_of(struct arena *arena, const struct run *run,
                            const struct wait_view *wait)
{
    char id[ID_TEXT_SIZE];

    if (wait->message.size > 0)
        return arena_format(arena, "bide runs send %s '%.*s' --payload JSON",
                            id_format("run", run->id, id), SLICE_ARG(wait->message));
    if (wait->prefix == NULL)
        return (struct slice){ 0 };
    return arena_format(arena, "bide %s %s",
                        strcmp(wait->type, "run") == 0     ? "runs why"
                        : strcmp(wait->type, "batch") == 0 ? "batches show"
                                                           : "tokens complete",
                        id_format(wait->prefix, wait->id, id));
}

static void write_waits(struct out *out, struct arena *arena, const struct run_view *view)
{
    out_list(out, "waitsFor");
    for (uint32_t i = 0; i < view->wait_count; i++) {
        const struct wait_view *wait = &view->waits[i];
        out_map(out, NULL);
        run_wait_head_write(out, wait);
        out_time(out, "until", wait->timeout_ms);
        struct slice next = next_of(arena, view->run, wait);
        if (next.size > 0 && !wait->is_over)
            out_text(out, "next", next);
        out_end_map(out);
    }
    out_end_list(out);
}

static struct slice sentence_of(const struct why *why)
{
    const struct run *run = why->view.run;

    if (run->status == RUN_DONE)
        return SLICE("it is done");
    if (run->status == RUN_RUNNING)
        return SLICE("a segment of it runs");
    if (run->status == RUN_DELAYED)
        return run->attempt > 1 || run->error.size > 0
                   ? SLICE("it pauses before it is tried again")
                   : SLICE("it was triggered with a delay");
    return why->view.hold.text;
}

static void why_write(struct out *out, struct arena *arena, const struct why *why)
{
    const struct run *run = why->view.run;

    out_map(out, NULL);
    out_id(out, "id", "run", run->id);
    out_text(out, "taskIdentifier", run->task);
    out_word(out, "status", run_status_word(run));
    out_time(out, "since", run->updated_ms);
    out_text(out, "text", sentence_of(why));
    hold_write(out, &why->view.hold);
    if (run->status == RUN_QUEUED) {
        write_holders(out, why);
        write_estimate(out, arena, why);
    } else if (run->status == RUN_DELAYED) {
        out_time(out, "until", due_date(run->due_ms, run->due_is_span));
    } else if (run->status == RUN_PARKED) {
        write_missing(out, why);
    } else if (run->status == RUN_WAITING) {
        write_waits(out, arena, &why->view);
    } else if (run->status == RUN_RUNNING) {
        out_text(out, "segment", segment_of(why, run));
    }
    out_end_map(out);
}

static bool why_work(struct request *request, struct pool_reader *reader, struct err *err)
{
    struct why *why = request->view;
    struct run *run;

    if (!reader->reader->ops->run(reader->reader, &request->arena,
                                  request->world->environment->number, why->id, 0, &run, err))
        return false;
    if (run == NULL)
        return err_set(err, ERR_NOT_FOUND, RUN_UNKNOWN);
    why->view.run = run;
    why->view.catalog = request->read.catalog;
    if (!why_read(why, reader, &request->arena, err))
        return false;
    struct out out = reply_out(request);
    why_write(&out, &request->arena, why);
    return true;
}

void run_why(struct request *request)
{
    struct why *why = ARENA_NEW(&request->arena, struct why);

    request->view = why;
    if (request_id(request, "run", RUN_UNKNOWN, &why->id) &&
        request_params(request, (const char *const[]){ NULL }))
        request_read(request, why_work, reply_ok);
}
