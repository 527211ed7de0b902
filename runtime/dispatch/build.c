#include "build.h"

#include "base/log.h"
#include "base/memory.h"
#include "host.h"
#include "job.h"
#include "slot_end.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    LOADING_MAX = 4, /* at once: plugins may be many, cores are few */
    RESTART_MIN_MS = 100,
    RESTART_MAX_MS = 10000,
    RESTARTS_MAX = 6, /* that failed to load, in a row */
    FORK_PAUSE_MS = 200,
};

struct build *build_create(struct dispatch *dispatch, const char *sha, const char *name)
{
    struct build *build = memory_zeroed(1, sizeof *build);
    size_t size = strlen(dispatch->builds_path) + SHA256_HEX_SIZE + 8;

    build->dispatch = dispatch;
    memcpy(build->sha, sha, SHA256_HEX_SIZE);
    build->path = memory_get(size);
    (void)snprintf(build->path, size, "%s/%s.so", dispatch->builds_path, sha);
    build->name = memory_text(name);
    list_init(&build->hunger);
    list_init(&build->slots);
    list_init(&build->backlog);
    list_init(&build->autopsies);
    list_push(&dispatch->builds, &build->node);
    builds_stir(dispatch);
    return build;
}

struct build *build_find(struct dispatch *dispatch, const char *sha)
{
    LIST_EACH(&dispatch->builds, node, after)
    {
        struct build *build = container_of(node, struct build, node);
        if (strcmp(build->sha, sha) == 0)
            return build;
    }
    return NULL;
}

void build_destroy(struct build *build)
{
    list_remove(&build->node);
    list_remove(&build->hunger);
    LIST_EACH(&build->backlog, node, after)
    job_destroy(container_of(node, struct job, node));
    (void)unlink(build->path); /* swept at the next start otherwise */
    description_finish(&build->about);
    free(build->path);
    free(build->name);
    free(build);
}

void build_retry(struct build *build)
{
    if (build->state != BUILD_REFUSED || build->nursery != NULL)
        return;
    build->state = BUILD_NEW;
    build->reason[0] = '\0';
    build->restarts = 0;
    build->retry_ms = 0;
    memset(build->deaths_ms, 0, sizeof build->deaths_ms);
    builds_stir(build->dispatch);
}

bool build_offers(const struct build *build, struct slice task, struct slice segment)
{
    return build->was_loaded && build->state != BUILD_REFUSED &&
           description_has(&build->about, task, segment);
}

void build_put(struct build *build, struct job *job)
{
    list_push(&build->backlog, &job->node);
    build_hunger(build);
}

void build_take_back(struct build *build, struct job *job)
{
    if (job->is_canceled) {
        job_destroy(job);
        return;
    }
    job->began_ns = 0;
    job->deadline_ms = 0;
    job->queued_ms = dispatch_now(build->dispatch);
    list_push(build->backlog.next, &job->node); /* in front of the first */
    build_hunger(build);
}

void build_hunger(struct build *build)
{
    if (list_is_empty(&build->hunger))
        list_push(&build->dispatch->hungry, &build->hunger);
}

struct slot *build_slot(struct build *build, uint32_t id)
{
    LIST_EACH(&build->slots, node, after)
    {
        struct slot *slot = container_of(node, struct slot, node);
        if (slot->id == id)
            return slot;
    }
    return NULL;
}

void build_fork(struct build *build, uint32_t slot, int fd)
{
    struct frame frame = { .kind = FRAME_FORK, .fork = { .slot = slot } };

    nursery_send(build->nursery, &frame, fd);
}

void build_kill(struct build *build, uint32_t slot, int signal)
{
    struct frame frame = { .kind = FRAME_KILL,
                           .kill = { .slot = slot, .signal = (uint32_t)signal } };

    if (build->nursery != NULL)
        nursery_send(build->nursery, &frame, -1);
}

bool build_symbolize(struct build *build, uint32_t slot, const struct frame_crash *crash)
{
    struct frame frame = { .kind = FRAME_SYMBOLIZE,
                           .symbolize = { .slot = slot, .depth = crash->depth } };

    if (build->nursery == NULL || build->nursery->is_leaving)
        return false;
    memcpy(frame.symbolize.stack, crash->stack, sizeof crash->stack);
    nursery_send(build->nursery, &frame, -1);
    return true;
}

void build_pause(struct build *build, int error)
{
    int64_t now_ms = dispatch_now(build->dispatch);

    if (build->retry_ms <= now_ms) /* once, not for each slot */
        log_error("slot.no_fork", "plugin=%s error=\"%s\"", build->name, strerror(error));
    build->retry_ms = now_ms + FORK_PAUSE_MS;
    dispatch_alarm(build->dispatch, build->retry_ms);
}

static void build_ready(struct build *build)
{
    if (build->state == BUILD_LOADING)
        build->dispatch->loading--;
    build->state = BUILD_READY;
    build->retry_ms = 0;
    build_hunger(build);
    builds_stir(build->dispatch);
}

void build_loaded(struct build *build, struct slice description)
{
    struct err err = { 0 };

    if (build->was_loaded) { /* the same file says the same: jobs point into the first */
        build_ready(build);
        return;
    }
    if (!description_read(&build->about, description, &err)) {
        description_finish(&build->about);
        build_refuse(build, "%s", err.text);
        return;
    }
    build->was_loaded = true;
    build_ready(build);
    watch_settled(build->dispatch, build);
}

void build_refuse(struct build *build, const char *format, ...)
{
    struct dispatch *dispatch = build->dispatch;
    va_list arguments;

    if (build->state == BUILD_REFUSED)
        return;
    if (build->state == BUILD_LOADING)
        dispatch->loading--;
    build->state = BUILD_REFUSED;
    va_start(arguments, format);
    (void)vsnprintf(build->reason, sizeof build->reason, format, arguments);
    va_end(arguments);
    /* The loader names the private copy, which says nothing to a person. */
    size_t size = strlen(build->path);
    if (strncmp(build->reason, build->path, size) == 0 && build->reason[size] == ' ')
        memmove(build->reason, build->reason + size + 1, strlen(build->reason + size));
    if (build->nursery != NULL)
        nursery_leave(build->nursery);
    while (!list_is_empty(&build->backlog)) {
        struct job *job = container_of(build->backlog.next, struct job, node);
        list_remove(&job->node);
        dispatch_route(dispatch, job);
    }
    builds_stir(dispatch);
    watch_settled(dispatch, build);
}

static void build_start(struct build *build)
{
    struct err err = { 0 };

    build->state = BUILD_LOADING;
    build->dispatch->loading++;
    build->nursery = nursery_start(build, &err);
    if (build->nursery == NULL)
        build_nursery_died(build, err.text);
}

/* Three times in a minute is no accident. */
static bool deaths_are_enough(struct build *build, int64_t now_ms)
{
    for (int i = 0; i < DEATHS_MAX - 1; i++)
        build->deaths_ms[i] = build->deaths_ms[i + 1];
    build->deaths_ms[DEATHS_MAX - 1] = now_ms;
    return build->deaths_ms[0] != 0 && now_ms - build->deaths_ms[0] <= DEATHS_PERIOD_MS;
}

static void build_restart(struct build *build, int64_t now_ms)
{
    int64_t pause_ms = (int64_t)RESTART_MIN_MS
                       << (build->restarts < RESTARTS_MAX ? build->restarts : RESTARTS_MAX);

    build->state = BUILD_RESTARTING;
    build->restarts++;
    build->retry_ms = now_ms + (pause_ms > RESTART_MAX_MS ? RESTART_MAX_MS : pause_ms);
    dispatch_alarm(build->dispatch, build->retry_ms);
}

void build_nursery_died(struct build *build, const char *how)
{
    struct dispatch *dispatch = build->dispatch;
    int64_t now_ms = dispatch_now(dispatch);
    bool was_leaving = build->users == 0 || dispatch->is_stopping;

    autopsies_tick(build, INT64_MAX);
    build->deaths_at_work = 0;
    LIST_EACH(&build->slots, node, after)
    slot_orphaned(container_of(node, struct slot, node));
    builds_stir(dispatch);
    if (build->state == BUILD_REFUSED)
        return;
    if (!build->was_loaded) {
        build_refuse(build, "loading it failed: its process %s (a constructor?)", how);
        return;
    }
    if (build->state == BUILD_LOADING)
        dispatch->loading--;
    else
        build->restarts = 0;
    if (!was_leaving)
        log_error("nursery.died",
                  "plugin=%s build=%.16s it %s, %u runs go back to their queues", build->name,
                  build->sha, how, build->deaths_at_work);
    if (build->deaths_at_work > 0 && deaths_are_enough(build, now_ms))
        build_refuse(build, "its nursery died %d times within a minute at work: it %s",
                     DEATHS_MAX, how);
    else if (build->restarts >= RESTARTS_MAX)
        build_refuse(build, "its nursery cannot be started again: it %s", how);
    else
        build_restart(build, now_ms);
}

static bool build_is_done(const struct build *build)
{
    if (build->users > 0 || !list_is_empty(&build->backlog) ||
        !list_is_empty(&build->autopsies))
        return false;
    LIST_EACH(&build->slots, node, after)
    if (container_of(node, struct slot, node)->job_count > 0)
        return false;
    return true;
}

void build_settle(struct build *build)
{
    struct dispatch *dispatch = build->dispatch;

    if (dispatch->is_stopping || build_is_done(build)) {
        if (build->nursery != NULL)
            nursery_leave(build->nursery);
        else if (build->slot_count == 0 && build->users == 0)
            build_destroy(build);
    } else if (build->state == BUILD_NEW || build->state == BUILD_RESTARTING) {
        if (dispatch->loading < LOADING_MAX && dispatch_now(dispatch) >= build->retry_ms)
            build_start(build);
    }
}

int64_t build_tick(struct build *build, int64_t now_ms)
{
    int64_t due_ms = autopsies_tick(build, now_ms);

    if (build->nursery != NULL)
        due_ms = sooner(due_ms, nursery_tick(build->nursery, now_ms));
    LIST_EACH(&build->slots, node, after)
    due_ms = sooner(due_ms, slot_tick(container_of(node, struct slot, node), now_ms));
    due_ms = sooner(due_ms, slots_retire(build, now_ms));
    if (build->retry_ms > now_ms)
        return sooner(due_ms, build->retry_ms);
    if (build->retry_ms != 0) {
        build->retry_ms = build->state == BUILD_RESTARTING ? build->retry_ms : 0;
        build_hunger(build);
        builds_stir(build->dispatch);
    }
    return due_ms;
}
