/*
 * Why a run is not done: what holds it, or what it waits for; who has the places; when it may
 * be its turn, and what that rests on. The gate is the one that dispatch asks (hold.h).
 */
#include "engine/failure.h"
#include "engine/timeline.h"
#include "http/api/attempts.h"
#include "http/api/estimate.h"
#include "http/api/pool_view.h"
#include "http/api/routes.h"
#include "http/api/run_view.h"
#include "http/body/members.h"
#include "http/server/reply.h"

#include <inttypes.h>

enum { HOLDERS_MOST = 10, HOLDERS_PAGE = 100, PAGES_MOST = 20 };

struct why {
    int64_t id;
    struct run_view view;
    struct queue_stats *queue;               /* NULL: it is not there */
    const struct run *holders[HOLDERS_MOST]; /* some of those who have the places */
    uint32_t holder_count;
    int64_t holding; /* so many have them */
    int64_t before;  /* QUEUED runs of its lane that come first, at most HOLD_BEFORE_MOST */
    struct estimate estimate;
};

/* ---- reading ----------------------------------------------------------------------------- */

static bool is_gate(const struct why *why, const char *gate)
{
    return why->view.hold.gate != NULL && strcmp(why->view.hold.gate, gate) == 0;
}

static bool holding_read(struct why *why, const struct slices *queues, struct reader *reader,
                         struct arena *arena, struct err *err)
{
    const struct hold *hold = &why->view.hold;
    struct queue_stats *stats;

    why->holding = hold->is_wide          ? hold->of_environment
                   : is_gate(why, "lane") ? hold->facts.lane_running
                                          : hold->facts.queue_running;
    if (!is_gate(why, "pool"))
        return true;
    why->holding = 0;
    for (uint32_t i = 0; i < queues->count; i++) {
        if (!reader->ops->queue(reader, arena, why->view.run->environment, queues->items[i], 0,
                                &stats, err))
            return false;
        why->holding += stats == NULL ? 0 : stats->running;
    }
    return true;
}

/* Of its own environment: what others run is not its client's business. */
static bool holders_read(struct why *why, struct reader *reader, struct arena *arena,
                         struct err *err)
{
    const struct run *run = why->view.run;
    struct run_filter filter = { .environment = run->environment,
                                 .limit = HOLDERS_PAGE,
                                 .statuses = { { .status = RUN_RUNNING } },
                                 .status_count = 1,
                                 .is_test = -1 };
    struct run_page page = { .has_next = true };

    if (is_gate(why, "pool"))
        filter.queues = pool_queues(arena, why->view.catalog, why->view.hold.pool_at);
    else if (!why->view.hold.is_wide)
        filter.queues = (struct slices){ &why->view.queue, 1 };
    for (int i = 0; i < PAGES_MOST && page.has_next && why->holder_count < HOLDERS_MOST; i++) {
        if (!reader->ops->runs(reader, arena, &filter, &page, err))
            return false;
        filter.after = page.next_after;
        for (uint32_t k = 0; k < page.count && why->holder_count < HOLDERS_MOST; k++)
            if (!is_gate(why, "lane") || page.rows[k]->lane == run->lane)
                why->holders[why->holder_count++] = page.rows[k];
    }
    return holding_read(why, &filter.queues, reader, arena, err);
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
            holders_read(why, reader->reader, arena, err) &&
            estimate_read(&why->estimate, &why->view, why->queue, why->before, reader->reader,
                          arena, err));
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
    for (uint32_t i = 0; i < why->holder_count; i++) {
        const struct run *run = why->holders[i];
        out_map(out, NULL);
        out_id(out, "id", "run", run->id);
        out_text(out, "taskIdentifier", run->task);
        out_text(out, "segment", segment_of(why, run));
        out_time(out, "since", run->updated_ms);
        out_end_map(out);
    }
    out_end_list(out);
    out_int(out, "holderCount",
            why->holding > why->holder_count ? why->holding : why->holder_count);
}

/* What a person can do about it; empty: nothing. */
static struct slice next_of(struct arena *arena, const struct run *run,
                            const struct wait_view *wait)
{
    char id[ID_TEXT_SIZE];

    if (wait->message.size > 0)
        return arena_format(arena, "bide runs send %s '%.*s' --payload JSON",
                            id_format("run", run->id, id), SLICE_ARG(wait->message));
    if (wait->held_count > 0) /* it has ended: what holds it is what can be acted on */
        return arena_format(arena, "bide runs why %s", id_format("run", wait->held_by[0], id));
    if (wait->prefix == NULL)
        return (struct slice){ 0 };
    id_format(wait->prefix, wait->id, id);
    if (strcmp(wait->type, "run") == 0)
        return arena_format(arena, "bide runs why %s", id);
    if (strcmp(wait->type, "batch") == 0)
        return arena_format(arena, "bide batches show %s", id);
    return arena_format(arena, "bide tokens complete %s --payload JSON", id);
}

static void write_waits(struct out *out, struct arena *arena, const struct run_view *view)
{
    out_list(out, "waitsFor");
    for (uint32_t i = 0; i < view->wait_count; i++) {
        const struct wait_view *wait = &view->waits[i];
        out_map(out, NULL);
        run_wait_head_write(out, wait);
        if (!wait->is_over)
            out_time(out, "until", wait->timeout_ms);
        struct slice next = next_of(arena, view->run, wait);
        if (next.size > 0 && !wait->is_over)
            out_text(out, "next", next);
        out_end_map(out);
    }
    out_end_list(out);
    run_reminders_write(out, view);
}

/* How it ended, and by what. */
static struct slice end_sentence(struct arena *arena, const struct run *run)
{
    struct slice code, message;
    struct move *moves;
    uint32_t count = timeline_read(arena, run, &moves);
    const char *status = run_status_word(run);

    if (run->outcome == OUTCOME_COMPLETED)
        return SLICE("it is done");
    failure_said(arena, run->error, &code, &message);
    if (run->outcome == OUTCOME_CANCELED) { /* an error would be of an earlier attempt */
        code = (struct slice){ 0 };
        message = count > 0 ? moves[count - 1].text : (struct slice){ 0 };
    }
    bool has_code = code.size > 0 && !slice_is(code, status);
    return arena_format(arena, "it is done: %s%s%.*s%s%.*s", status, has_code ? ", " : "",
                        (int)(has_code ? code.size : 0), code.data,
                        message.size > 0 ? ": " : "", SLICE_ARG(message));
}

/* What it is about to do, and what holds that. */
static struct slice ending_sentence(struct arena *arena, const struct why *why)
{
    const struct run *run = why->view.run;
    struct slice ending = ending_text(arena, run);
    struct slice rest =
        run->status == RUN_RUNNING || run->status == RUN_WAITING ? (struct slice){ 0 }
        : run->status == RUN_DELAYED ? SLICE("it pauses before it is tried again")
                                     : why->view.hold.text;

    return arena_format(arena, "%.*s%s%.*s", SLICE_ARG(ending), rest.size > 0 ? "; " : "",
                        SLICE_ARG(rest));
}

/* Why it has not started yet, though nothing stands in its way. */
static struct slice delay_sentence(struct arena *arena, const struct run *run)
{
    char most[TIME_TEXT_SIZE];

    if (run->attempt > 1 || run->error.size > 0)
        return SLICE("it pauses before it is tried again");
    if (run->bounce_ms == 0)
        return SLICE("it was triggered with a delay");
    time_format(due_date(run->bounce_ms, true), most);
    if (run->collected > 0)
        return arena_format(arena,
                            "it has collected %u triggers, and starts at %s, or as soon as %u "
                            "more have come",
                            run->collected, most, run->collect_most - run->collected);
    return arena_format(arena,
                        "it is delayed by debounce key %.*s, was pushed back %u times, and "
                        "starts at %s at the latest",
                        SLICE_ARG(run->bounce_key), run->bounces, most);
}

static struct slice sentence_of(struct arena *arena, const struct why *why)
{
    const struct run *run = why->view.run;

    if (run->ending != OUTCOME_NONE)
        return ending_sentence(arena, why);
    if (run->status == RUN_DONE && !run_is_over(run))
        return arena_format(arena, "%.*s; whoever waits for it goes on when its %s",
                            SLICE_ARG(end_sentence(arena, run)),
                            run->is_out ? "segment has returned" : "children have ended");
    if (run->status == RUN_DONE)
        return end_sentence(arena, run);
    if (run->status == RUN_RUNNING)
        return SLICE("a segment of it runs");
    if (run->status == RUN_DELAYED && !run_is_paused(run))
        return delay_sentence(arena, run);
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
    out_text(out, "text", sentence_of(arena, why));
    ending_write(out, arena, run);
    run_limits_write(out, run);
    hold_write(out, &why->view.hold);
    if (run->status == RUN_WAITING || why->view.wait_count > 0)
        write_waits(out, arena, &why->view); /* also while it is reminded, or is held */
    if (run->status == RUN_QUEUED) {
        write_holders(out, why);
        estimate_write(out, &why->estimate);
    } else if (run_is_paused(run)) {
        char id[ID_TEXT_SIZE];
        out_text(out, "next",
                 arena_format(arena, "bide runs redrive %s", id_format("run", run->id, id)));
    } else if (run->status == RUN_DELAYED) {
        out_time(out, "until", due_date(run->due_ms, run->due_is_span));
    } else if (run->status == RUN_PARKED) {
        write_missing(out, why);
    } else if (run->status == RUN_RUNNING) {
        out_text(out, "segment", segment_of(why, run));
    } else if (run->status == RUN_DONE) {
        char id[ID_TEXT_SIZE];
        out_text(out, "next",
                 arena_format(arena, "bide runs %s %s", run->is_dead ? "redrive" : "show",
                              id_format("run", run->id, id)));
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
