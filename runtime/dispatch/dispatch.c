/*
 * The host's side as one object: made and wired here, driven by the loop's turns and one timer.
 *
 *   pump ── assignment ──▶ route ──▶ a build's backlog ── placement ──▶ slot
 *     ▲                                                                  │
 *     └──────────────── command, until it is decided ──── outgoing ◀─────┘
 */
#include "base/family.h"
#include "base/id.h"
#include "base/log.h"
#include "base/memory.h"
#include "dispatch/processes/autopsy.h"
#include "dispatch/processes/build_slots.h"
#include "dispatch/processes/placement.h"
#include "dispatch/segments/job.h"
#include "dispatch/trials/trials.h"
#include "host.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum {
    ORPHAN_MS = 50, /* between two tries to place a run that no build takes */
    PARKED_PER_SECOND = 10
};

int64_t dispatch_now(const struct dispatch *dispatch)
{
    return (int64_t)uv_now(dispatch->loop);
}

static void on_alarm(uv_timer_t *timer);

void dispatch_alarm(struct dispatch *dispatch, int64_t at_ms)
{
    int64_t now_ms = dispatch_now(dispatch);

    if (at_ms == 0 || at_ms >= dispatch->alarm_ms || dispatch->is_stopped)
        return;
    dispatch->alarm_ms = at_ms;
    (void)uv_timer_start(&dispatch->timer, on_alarm,
                         at_ms > now_ms ? (uint64_t)(at_ms - now_ms) : 0,
                         0); /* cannot fail: it is not closing */
}

static void orphans_place(struct dispatch *dispatch);
static void dispatch_finish_stop(struct dispatch *dispatch);

static void on_alarm(uv_timer_t *timer)
{
    struct dispatch *dispatch = container_of(timer, struct dispatch, timer);
    int64_t now_ms = dispatch_now(dispatch), due_ms;

    dispatch->alarm_ms = INT64_MAX;
    due_ms = outgoings_tick(dispatch, now_ms);
    LIST_EACH(&dispatch->builds, node, after)
    due_ms = sooner(due_ms, build_tick(container_of(node, struct build, node), now_ms));
    if (!dispatch->is_stopping) {
        due_ms = sooner(due_ms, watch_tick(dispatch, now_ms));
        due_ms = sooner(due_ms, kept_walk_tick(dispatch, now_ms));
        orphans_place(dispatch);
    }
    if (dispatch->is_wanting)
        dispatch_stir(dispatch); /* who has waited for long enough may drain a busy slot */
    dispatch_alarm(dispatch, due_ms);
}

void dispatch_stir(struct dispatch *dispatch)
{
    dispatch->is_stirred = true;
}

/* Runs before the loop sleeps, so that whatever came in together goes out together. */
void dispatch_send(struct dispatch *dispatch)
{
    if (dispatch->is_stirred) {
        dispatch->is_stirred = dispatch->is_wanting = false;
        LIST_EACH(&dispatch->builds, node, after)
        {
            struct build *build = container_of(node, struct build, node);
            if (!list_is_empty(&build->backlog))
                build_hunger(build);
            build_settle(build);
        }
    }
    placement_run(dispatch);
    for (struct list *node; (node = list_shift(&dispatch->outbox)) != NULL;)
        slot_send(container_of(node, struct slot, send));
}

static void on_turn(uv_prepare_t *turn)
{
    struct dispatch *dispatch = container_of(turn, struct dispatch, turn);

    dispatch_send(dispatch);
    catalogs_turn(dispatch);
    if (dispatch->is_stopping && !dispatch->is_stopped && list_is_empty(&dispatch->builds))
        dispatch_finish_stop(dispatch);
}

/* ---- jobs ------------------------------------------------------------------------------- */

/* The one it was assigned for; where that is not here any more the newest that has the segment.
 */
static struct build *build_for(struct dispatch *dispatch, const struct job *job)
{
    struct build *newest = NULL;

    LIST_EACH(&dispatch->builds, node, after)
    {
        struct build *build = container_of(node, struct build, node);
        bool offers = build_offers(build, job->task, job->segment);
        if (job->build[0] != '\0' && strncmp(build->sha, job->build, 16) == 0)
            return offers ? build : NULL;
        if (offers)
            newest = build;
    }
    return newest;
}

void dispatch_route(struct dispatch *dispatch, struct job *job)
{
    struct build *build = build_for(dispatch, job);

    if (job->is_canceled) {
        job_release(dispatch, job);
    } else if (build != NULL) {
        build_put(build, job);
    } else {
        list_push(&dispatch->orphans, &job->node);
        dispatch_alarm(dispatch, dispatch_now(dispatch) + ORPHAN_MS);
    }
}

/*
 * Runs that the engine gave us by a catalog that is out of date. Sent back at once they would
 * come again at once; with the next catalog they park, or find their build.
 */
static void orphans_place(struct dispatch *dispatch)
{
    struct list waiting;
    bool is_settled = catalogs_are_settled(dispatch);

    list_init(&waiting);
    for (struct list *node; (node = list_shift(&dispatch->orphans)) != NULL;)
        list_push(&waiting, node);
    for (struct list *node; (node = list_shift(&waiting)) != NULL;) {
        struct job *job = container_of(node, struct job, node);
        if (is_settled && build_for(dispatch, job) == NULL &&
            dispatch_now(dispatch) - job->queued_ms >= ORPHAN_MS)
            job_release(dispatch, job);
        else
            dispatch_route(dispatch, job);
    }
}

void dispatch_assign(struct dispatch *dispatch, struct assignment *assignment)
{
    struct job *job = job_create(dispatch, assignment);

    if (dispatch->is_stopping)
        job_destroy(job); /* the next start recovers the run */
    else
        dispatch_route(dispatch, job);
}

static struct job *job_in(struct list *jobs, int64_t run_id)
{
    LIST_EACH(jobs, node, after)
    {
        struct job *job = container_of(node, struct job, node);
        if (job->run_id == run_id)
            return job;
    }
    return NULL;
}

static bool build_cancel(struct build *build, int64_t run_id, bool is_overdue)
{
    struct job *job = job_in(&build->backlog, run_id);

    if (job != NULL) {
        job->is_canceled = true;
        job_release(build->dispatch, job); /* it never started */
        return true;
    }
    LIST_EACH(&build->slots, node, after)
    {
        struct slot *slot = container_of(node, struct slot, node);
        job = job_in(&slot->jobs, run_id);
        if (job != NULL) {
            if (is_overdue && job == slot_job(slot)) /* one that is behind it will not begin */
                job->grace_ms = 0;
            slot_cancel(slot, job);
            return true;
        }
    }
    job = autopsy_job(&build->autopsies, run_id);
    if (job != NULL)
        job->is_canceled = true;
    return job != NULL;
}

/* A deploy may park thousands: some lines say of whom and why, one how many there were. */
static void parked_say(struct dispatch *dispatch, const struct event *event)
{
    int64_t second = dispatch_now(dispatch) / 1000;

    if (dispatch->parked_second != second) {
        if (dispatch->parked > PARKED_PER_SECOND)
            log_warn("run.parked", "%u more runs were parked",
                     dispatch->parked - PARKED_PER_SECOND);
        dispatch->parked_second = second;
        dispatch->parked = 0;
    }
    if (dispatch->parked++ < PARKED_PER_SECOND)
        log_warn("run.parked", "run=%s task=%.*s reason=\"%.*s\"",
                 id_format("run", event->run_id, (char[ID_TEXT_SIZE]){ 0 }),
                 SLICE_ARG(event->task), SLICE_ARG(event->why));
}

void dispatch_event(struct dispatch *dispatch, const struct event *event)
{
    struct job *orphan;

    if (event->status == RUN_PARKED)
        parked_say(dispatch, event);
    if (!event->was_running || dispatch->is_stopping)
        return;
    LIST_EACH(&dispatch->builds, node, after)
    if (build_cancel(container_of(node, struct build, node), event->run_id, event->is_overdue))
        return;
    orphan = job_in(&dispatch->orphans, event->run_id);
    if (orphan == NULL)
        return; /* its end is on its way */
    orphan->is_canceled = true;
    job_release(dispatch, orphan);
}

void dispatch_accepted(struct dispatch *dispatch)
{
    orphans_place(dispatch);
    dispatch_stir(dispatch);
    if (dispatch->is_ready || dispatch->is_stopping)
        return;
    dispatch->is_ready = true;
    if (dispatch->options.on_ready != NULL)
        dispatch->options.on_ready(dispatch->options.context);
}

void dispatch_crashed(struct dispatch *dispatch, struct build *build)
{
    kept_crashed(dispatch, build);
}

/* ---- what somebody asks of builds ---------------------------------------------------------
 */

bool dispatch_plugins_ask(struct dispatch *dispatch, const struct plugins_wish *wish,
                          struct command *command, struct err *err)
{
    command->kind = COMMAND_BUILDS_PUT;
    return kept_ask(dispatch, wish, command, err);
}

void dispatch_plugins_apply(struct dispatch *dispatch, const struct command *command)
{
    if (!dispatch->is_stopping)
        kept_apply(dispatch, command->builds_put.items, command->builds_put.count);
}

/* ---- its life --------------------------------------------------------------------------- */

static bool directory_make(const char *path, struct err *err)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return err_set(err, ERR_SYSTEM, "cannot make the directory %s: %s", path,
                       strerror(errno));
    return true;
}

bool dispatch_create(const struct dispatch_options *options, struct dispatch **result,
                     struct err *err)
{
    struct dispatch *dispatch = memory_zeroed(1, sizeof *dispatch);
    size_t size = strlen(options->config->data) + sizeof "/builds";

    dispatch->options = *options;
    dispatch->config = options->config;
    dispatch->loop = options->loop;
    dispatch->alarm_ms = INT64_MAX;
    dispatch->builds_path = memory_get(size);
    (void)snprintf(dispatch->builds_path, size, "%s/builds", options->config->data);
    if (!directory_make(options->config->data, err) ||
        !directory_make(dispatch->builds_path, err)) {
        free(dispatch->builds_path);
        free(dispatch);
        return false;
    }
    dispatch->read_bytes = memory_get(READ_BYTES);
    list_init(&dispatch->builds);
    list_init(&dispatch->hungry);
    list_init(&dispatch->outbox);
    list_init(&dispatch->orphans);
    list_init(&dispatch->nurseries);
    list_init(&dispatch->trials);
    outgoings_init(&dispatch->outgoings);
    task_durations_init(&dispatch->task_durations);
    catalogs_init(&dispatch->catalogs);
    (void)uv_timer_init(dispatch->loop, &dispatch->timer); /* none of these can fail */
    (void)uv_prepare_init(dispatch->loop, &dispatch->turn);
    (void)uv_prepare_start(&dispatch->turn, on_turn);
    dispatch->open = 2;
    list_init(&dispatch->kept.all);
    family_adopt();
    uv_update_time(dispatch->loop);
    watch_start(dispatch);
    *result = dispatch; /* from now on it is stopped like any other */
    return kept_load(dispatch, err);
}

void dispatch_closed(struct dispatch *dispatch)
{
    if (--dispatch->open > 0)
        return;
    if (dispatch->on_stopped != NULL)
        dispatch->on_stopped(dispatch->stop_context);
}

static void on_timer_closed(uv_handle_t *handle)
{
    dispatch_closed(container_of((uv_timer_t *)handle, struct dispatch, timer));
}

static void on_turn_closed(uv_handle_t *handle)
{
    dispatch_closed(container_of((uv_prepare_t *)handle, struct dispatch, turn));
}

/* The last of its builds is gone: nothing is due any more. */
static void dispatch_finish_stop(struct dispatch *dispatch)
{
    dispatch->is_stopped = true;
    uv_close((uv_handle_t *)&dispatch->timer, on_timer_closed);
    uv_close((uv_handle_t *)&dispatch->turn, on_turn_closed);
}

static void jobs_drop(struct list *jobs)
{
    LIST_EACH(jobs, node, after)
    job_destroy(container_of(node, struct job, node));
}

static void build_stop(struct build *build)
{
    jobs_drop(&build->backlog);
    autopsies_drop(&build->autopsies);
    if (build->nursery != NULL && !build->nursery->has_loaded)
        nursery_kill(build->nursery); /* it does not listen while it loads */
    LIST_EACH(&build->slots, node, after)
    {
        struct slot *slot = container_of(node, struct slot, node);
        jobs_drop(&slot->jobs);
        slot->job_count = 0;
        build_kill(build, slot, SIGKILL);
    }
}

void dispatch_stop(struct dispatch *dispatch, void (*done)(void *context), void *context)
{
    dispatch->is_stopping = true;
    dispatch->on_stopped = done;
    dispatch->stop_context = context;
    watch_stop(dispatch);
    kept_stop(dispatch);
    catalogs_stop(dispatch);
    jobs_drop(&dispatch->orphans);
    trials_stop(dispatch);
    LIST_EACH(&dispatch->builds, node, after)
    build_stop(container_of(node, struct build, node));
    dispatch_stir(dispatch);
}

void dispatch_destroy(struct dispatch *dispatch)
{
    if (dispatch == NULL)
        return;
    outgoings_finish(&dispatch->outgoings);
    catalogs_finish(&dispatch->catalogs);
    kept_finish(dispatch);
    task_durations_finish(&dispatch->task_durations);
    arena_finish(&dispatch->arena);
    free(dispatch->read_bytes);
    free(dispatch->builds_path);
    free(dispatch);
}
