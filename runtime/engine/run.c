/*
 * Runs: the legal moves, and what each end of an attempt leads to.
 *
 *   DELAYED ─▶ QUEUED ─▶ RUNNING ─▶ WAITING ─▶ QUEUED ─▶ … ─▶ DONE
 *                ▲  └▶ PARKED ┘ │
 *                └── retry ─────┘
 *
 * And back to WAITING, where a reminder that has not begun gives way (wait_again).
 * One that is canceled may enter its queue anew, to undo what it did (endings/).
 */
#include "codec/pack.h"
#include "engine/admission/total.h"
#include "engine/builds/builds.h"
#include "engine/endings/ending.h"
#include "engine/failure.h"
#include "engine/timeline.h"
#include "engine/waits/group.h"
#include "engine/waits/mail.h"
#include "engine/waits/save_points.h"

#include <assert.h>
#include <math.h>

#define TO(status) (1u << RUN_##status)

static const uint32_t next_statuses[RUN_STATUS_COUNT] = {
    [RUN_DELAYED] = TO(QUEUED) | TO(PARKED) | TO(WAITING) | TO(DONE),
    [RUN_QUEUED] = TO(RUNNING) | TO(QUEUED) | TO(PARKED) | TO(WAITING) | TO(DONE),
    [RUN_PARKED] = TO(QUEUED) | TO(PARKED) | TO(WAITING) | TO(DONE),
    [RUN_RUNNING] = TO(WAITING) | TO(QUEUED) | TO(PARKED) | TO(DELAYED) | TO(DONE),
    [RUN_WAITING] = TO(QUEUED) | TO(PARKED) | TO(DONE),
    [RUN_DONE] = 0,
};

void run_note(struct batch *batch, struct run *run, struct slice text)
{
    struct move move = {
        .at_ms = batch->now_ms, .status = run->status, .outcome = run->outcome, .text = text
    };

    run->timeline = timeline_add(batch->arena, run, &move);
}

bool run_move(struct batch *batch, struct run *run, enum run_status to, struct slice text)
{
    /* A new run's first status is no move, but it is the first line of its timeline. */
    if (run->seq > 0 && (next_statuses[run->status] & 1u << to) == 0)
        return false;
    uint32_t before = run->status;
    run->status = to;
    crowd_moved(batch, run, run->seq > 0, before);
    run->is_bystander = false;
    run->seq++;
    run->updated_ms = batch->now_ms;
    run_note(batch, run, text);
    if (to == RUN_PARKED)
        batch_event(batch, run, false)->why = text;
    return true;
}

static void must_move(struct batch *batch, struct run *run, enum run_status to,
                      struct slice text)
{
    bool moved = run_move(batch, run, to, text);

    assert(moved);
    (void)moved; /* only looked at by the assertion */
}

void run_enqueue(struct batch *batch, struct run *run, struct slice text)
{
    const struct catalog_task *task = catalog_task_of(batch->catalog, run);
    bool is_here = task != NULL && task->available && catalog_has_segment(task, run->segment);
    bool is_elsewhere = !is_here && node_is_offered(batch, run->task);

    run->home = is_elsewhere ? 0 : batch->engine->node.number;
    if (task != NULL && task->available && run->ending == OUTCOME_NONE)
        run->hooks = task->hooks;               /* as it is known when the plugin is gone */
    if (batch->catalog == NULL || is_elsewhere) /* the plugins are still being looked at */
        must_move(batch, run, RUN_QUEUED, text);
    else if (task == NULL) /* one that it never had, or one that is gone */
        must_move(batch, run, RUN_PARKED,
                  run->attempt == 0 ? catalog_unknown(batch->catalog, batch->arena, run->task)
                                    : SLICE("no plugin offers the task"));
    else if (!task->available)
        must_move(batch, run, RUN_PARKED, task->reason);
    else if (!catalog_has_segment(task, run->segment))
        must_move(batch, run, RUN_PARKED, SLICE("no loaded build has the segment"));
    else
        must_move(batch, run, RUN_QUEUED, text);
}

void run_set_part(struct run *run, enum run_part part, struct slice value)
{
    if (part == PART_INPUT)
        run->input = value;
    else if (part == PART_STATE)
        run->state = value;
    else if (part == PART_OUTPUT)
        run->output = value;
    else if (part == PART_MAIL)
        run->mail = value;
    else
        run->states = value;
    run->row.parts |= part;
    run->row.dirty_parts |= part;
}

struct event *batch_event(struct batch *batch, const struct run *run, bool was_running)
{
    struct event *event = ARENA_NEW(batch->arena, struct event);

    *event = (struct event){ .run_id = run->id,
                             .task = run->task,
                             .environment = run->environment,
                             .status = run->status,
                             .outcome = run->outcome,
                             .seq = run->seq,
                             .was_running = was_running,
                             .is_overdue = was_running &&
                                           (run->ending | run->outcome) == OUTCOME_TIMED_OUT,
                             .problems = run->problems };
    *batch->event_tail = event;
    batch->event_tail = &event->next;
    return event;
}

/* Forget what the run waits for: its edges, its due time, what it was told. */
void run_drop_wait(struct batch *batch, struct run *run)
{
    struct wait *wait = run->remaining > 0 ? run_wait(batch, run) : NULL;

    for (uint32_t i = 0; wait != NULL && i < wait->count; i++)
        rows_unlink(&batch->rows, wait->ids[i], run->id);
    run->remaining = 0;
    run->due_ms = 0;
    run->left = (struct slice){ 0 };
}

bool run_finish_ready(struct batch *batch, struct run *run)
{
    struct queue *queue;
    struct key *key;
    bool ready = rows_queue(&batch->rows, run->queue, &queue);
    ready &= save_point_ready(batch, run);

    if (run->key.size == sizeof key->hash)
        ready &= rows_key(&batch->rows, (const uint8_t *)run->key.data, &key);
    return ready;
}

bool key_stays(const struct run *run)
{
    uint32_t reuse = (uint32_t)run->choices & REUSE_MASK;
    uint32_t ended = run->outcome == OUTCOME_COMPLETED  ? REUSE_SUCCESS
                     : run->outcome == OUTCOME_CANCELED ? REUSE_CANCELED
                     : run->outcome == OUTCOME_EXPIRED  ? REUSE_EXPIRED
                                                        : REUSE_FAILED;

    return ((reuse != 0 ? reuse : REUSE_STANDARD) & ended) != 0;
}

static void key_release(struct batch *batch, struct run *run)
{
    struct key *key;

    if (run->key.size != sizeof key->hash || key_stays(run))
        return;
    if (rows_key(&batch->rows, (const uint8_t *)run->key.data, &key) && key != NULL &&
        key->target == run->id)
        key->row.is_deleted = true;
}

static void queue_count(struct batch *batch, const struct run *run)
{
    struct queue *queue;

    if (!rows_queue(&batch->rows, run->queue, &queue) || queue == NULL)
        return;
    if (run->outcome == OUTCOME_COMPLETED)
        queue->completed++;
    else if (run->outcome == OUTCOME_CANCELED)
        queue->canceled++;
    else
        queue->failed++;
    queue->unstarted += run->started_ms == 0;
    if (run->started_ms > run->created_ms) /* else the clock was set back */
        queue->wait_ms += run->started_ms - run->created_ms;
    queue->busy_us += run->busy_us;
    minutes_end(batch, run);
    queue->used_ms = batch->now_ms;
    census_get(batch, run->environment)->is_full = false;
}

void run_tell(struct batch *batch, struct run *run)
{
    if (!run_is_over(run))
        return;
    prune_hold_run(batch, run);                   /* it may have ended long ago */
    batch_ids_add(batch, &batch->fired, run->id); /* a run is its own waitpoint */
    if (run->batch != 0)
        batch_ids_add(batch, &batch->heard, run->id);
}

static void run_forget(struct run *run, bool has_state)
{
    run->wait = run->once = (struct slice){ 0 };
    if (has_state)
        run_set_part(run, PART_STATE, (struct slice){ 0 });
    mail_close(run);
}

void run_bury(struct run *run)
{
    run->is_dead = false;
    if (run->keeps == 0)
        run_forget(run, true);
}

void run_finish(struct batch *batch, struct run *run, enum run_outcome outcome)
{
    bool was_running = run->status == RUN_RUNNING;
    bool has_state = !was_running || run->entry > 0; /* its first segment has saved none */
    bool has_undone = run->ending != OUTCOME_NONE;

    if (!has_undone)
        save_point_leave(batch, run);
    total_stop(run);
    if (!has_undone && ending_begin(batch, run, outcome))
        return;
    run->ending = OUTCOME_NONE;
    run->hooks = 0;
    run->aborts = (struct slice){ 0 };
    run_drop_wait(batch, run);
    run->outcome = outcome;
    run->finished_ms = batch->now_ms;
    must_move(batch, run, RUN_DONE, run->why);
    /* Else people look at its last save point, and replay from it. */
    if (!run_has_failed(run) && (run->keeps == 0 || has_undone))
        run_forget(run, has_state);
    else if (has_undone && !run->is_dead)
        run->segment = (struct slice){ 0 }; /* one that undoes is none to begin at */
    key_release(batch, run);
    queue_count(batch, run);
    run->is_out = was_running && (outcome == OUTCOME_CANCELED || run->is_cut) && !has_undone;
    if (run_ends_children(run)) {
        run->remaining = (run->choices & RUN_IS_HELD) != 0; /* until all of them are known */
        batch_ids_add(batch, &batch->swept, run->id);
    }
    (void)batch_event(batch, run, run->is_out); /* as it is */
    run_tell(batch, run); /* else when its segment has returned, or its children have ended */
    if (run->has_tokens)
        batch_ids_add(batch, &batch->ended, run->id);
}

void run_free(struct batch *batch, struct run *run)
{
    run->is_out = false;
    run_tell(batch, run);
}

struct slice run_segment(const struct batch *batch, const struct run *run)
{
    const struct catalog_task *task = catalog_task_of(batch->catalog, run);

    return run->segment.size == 0 && task != NULL && task->segment_count > 0 ? task->segments[0]
                                                                             : run->segment;
}

int64_t retry_delay(struct batch *batch, const struct catalog_retry *retry, uint32_t tries)
{
    double cap = retry->min_ms * pow(retry->factor, tries);

    if (!(cap < retry->max_ms)) /* also when it is not a number */
        cap = retry->max_ms;
    /* Full jitter: a crowd that failed together must not come back together. */
    return cap < 1 ? 0 : (int64_t)id_random(batch->engine->ids, (uint64_t)cap + 1);
}

void run_begin_anew(struct batch *batch, struct run *run)
{
    save_point_keep(batch, run, false);
    run->segment = run->wait = run->once = (struct slice){ 0 };
    run_set_part(run, PART_STATE, (struct slice){ 0 });
    run->entry++; /* so that tokens and children are new ones */
    run->id_block = 0;
}

/* It goes on when somebody says so (again/redrive.c). */
static void run_pause(struct batch *batch, struct run *run, struct slice why)
{
    run->due_ms = 0;
    must_move(batch, run, RUN_DELAYED,
              arena_format(batch->arena, "paused, as its attempts are used up: %.*s",
                           SLICE_ARG(why)));
}

void run_again(struct batch *batch, struct run *run, struct deadline begin, struct slice why)
{
    if (begin.due_ms != 0 && !batch_is_over(batch, begin.due_ms, begin.is_span)) {
        run->due_ms = begin.due_ms;
        run->due_is_span = begin.is_span;
        must_move(batch, run, RUN_DELAYED, why);
    } else {
        run_enqueue(batch, run, why);
    }
}

static void run_retry(struct batch *batch, struct run *run, const struct catalog_task *task,
                      const struct catalog_retry *retry, const struct failure *failure)
{
    struct deadline begin = batch_deadline(batch, failure->due_ms, failure->span_ms);

    if (begin.due_ms == 0) /* its code does not say when */
        begin = batch_deadline(batch, 0, retry_delay(batch, retry, run->tries));
    run->attempt++;
    run->tries++;
    if (task != NULL && task->retry_from == RETRY_FROM_START)
        run_begin_anew(batch, run);
    run_again(batch, run, begin, failure->name);
}

void run_fail(struct batch *batch, struct run *run, const struct failure *failure)
{
    const struct catalog_task *task = catalog_task_of(batch->catalog, run);
    struct catalog_retry retry = catalog_retry(batch->catalog, task, queue_name_of(batch, run),
                                               run->max_attempts, failure->class);

    if (run->ending != OUTCOME_NONE) {
        ending_fail(batch, run, failure);
        return;
    }
    run->error = failure_pack(batch, run, failure);
    if (failure->retryable && run->attempt < run_last_attempt(run, &retry)) {
        run_retry(batch, run, task, &retry, failure);
        return;
    }
    if (failure->retryable && retry.exhausted == EXHAUSTED_PAUSE) {
        run_pause(batch, run, failure->name);
        return;
    }
    run->is_dead = failure->retryable && retry.exhausted == EXHAUSTED_DEAD_LETTER;
    run_finish(batch, run, failure->outcome);
}

void run_expire(struct batch *batch, struct run *run, struct slice why)
{
    run->error = failure_pack(batch, run,
                              &(struct failure){ .outcome = OUTCOME_EXPIRED,
                                                 .name = SLICE("EXPIRED"),
                                                 .message = why });
    run->why = why;
    run_finish(batch, run, OUTCOME_EXPIRED);
}

static void run_late(struct batch *batch, struct run *run)
{
    run_expire(batch, run, SLICE("the run did not start within its ttl"));
}

/* The time of a row that is in no state to have one: nothing follows, but that it is seen. */
static void due_put_aside(struct batch *batch, struct run *run)
{
    run->due_ms = 0;
    run_note(batch, run,
             SLICE("its timer went off, but nothing was waiting for a time; it is "
                   "put aside"));
    row_refs_add(batch->arena, &batch->aside, ROW_RUN, run->id);
}

/* The timer of a delayed, queued or waiting run, or of one that is done and has left something
 * to do. */
bool run_due(struct batch *batch, int64_t id)
{
    struct run *run;
    bool has_ended = false, was_due;

    if (!rows_run(&batch->rows, id, 0, &run))
        return false;
    was_due = run != NULL && batch_is_over(batch, run_total_due(run), true);
    if (was_due && !total_look(batch, run, &has_ended))
        return false;
    if (was_due && (has_ended || !batch_is_over(batch, run->due_ms, run->due_is_span)))
        return true;
    if (run == NULL || !batch_is_over(batch, run->due_ms, run->due_is_span)) {
        /* Moved on since the batch began, or the store is wrong about it. */
        batch->is_due_wrong |= !batch_was_due(batch, ROW_RUN, run == NULL ? NULL : &run->row);
        return true;
    }
    if (run->status == RUN_DONE || run->swept_id != 0) {
        settle_run(batch, run);
        return true;
    }
    if (run->status != RUN_WAITING &&
        (!run_finish_ready(batch, run) || !run_ttl_ready(batch, run)))
        return false;
    if (run->status == RUN_QUEUED || run->status == RUN_PARKED) {
        if (run_ttl_is_over(batch, run))
            run_late(batch, run);
    } else if (run->status == RUN_DELAYED) {
        run_ttl_begin(batch, run);
        run_enqueue(batch, run, (struct slice){ 0 });
        if (batch_is_over(batch, run->due_ms, run->due_is_span))
            run_late(batch, run);
    } else if (run->status == RUN_WAITING && run_wait(batch, run) != NULL) {
        return wait_due(batch, run);
    } else {
        due_put_aside(batch, run);
    }
    return true;
}
