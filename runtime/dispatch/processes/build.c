#include "build.h"

#include "autopsy.h"
#include "base/log.h"
#include "base/memory.h"
#include "build_slots.h"
#include "dispatch/host.h"
#include "dispatch/segments/job.h"
#include "placement.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    LOADING_MAX = 4, /* at once: plugins may be many, cores are few */
    RESTART_MIN_MS = 100,
    RESTART_MAX_MS = 10000,
    IN_A_ROW_MS = 60000,
    RESTARTS_MAX = 6, /* in a row, then the build is set aside */
    PROBE_MIN_MS = 10000,
    PROBE_MAX_MS = 300000,
    REST_MS = 10000, /* without work, of one that only locked runs want */
    SLOW_MS = 2000,  /* then others need not wait for what is being loaded */
};

struct build *build_create(struct dispatch *dispatch, const char *sha, const char *name,
                           void (*settled)(struct dispatch *dispatch, struct build *build))
{
    struct build *build = memory_zeroed(1, sizeof *build);
    size_t size = strlen(dispatch->builds_path) + SHA256_HEX_SIZE + 8;

    build->dispatch = dispatch;
    build->settled = settled;
    memcpy(build->sha, sha, SHA256_HEX_SIZE);
    build->path = memory_get(size);
    (void)snprintf(build->path, size, "%s/%s.so", dispatch->builds_path, sha);
    build->name = memory_text(name);
    list_init(&build->hunger);
    list_init(&build->slots);
    list_init(&build->backlog);
    list_init(&build->autopsies);
    list_push(&dispatch->builds, &build->node);
    dispatch_stir(dispatch);
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
    if (!build->dispatch->is_stopping)
        (void)unlink(build->path); /* swept at the next start otherwise */
    description_finish(&build->about);
    free(build->suspects.items);
    free(build->path);
    free(build->name);
    free(build);
}

bool build_rest(struct build *build, struct slice description, struct err *err)
{
    if (!description_read(&build->about, description, err)) {
        description_finish(&build->about);
        return false;
    }
    build->was_loaded = build->rests = true;
    build->state = BUILD_RESTING;
    return true;
}

void build_retry(struct build *build)
{
    if (build->state != BUILD_REFUSED || build->nursery != NULL)
        return;
    build->state = BUILD_NEW;
    build->reason[0] = '\0';
    build->restarts = build->probes = 0;
    build->retry_ms = 0;
    dispatch_stir(build->dispatch);
}

bool build_is_aside(const struct build *build)
{
    return build->state == BUILD_REFUSED || build->probes > 0;
}

bool build_offers(const struct build *build, struct slice task, struct slice segment)
{
    return build->was_loaded && !build_is_aside(build) &&
           description_has(&build->about, task, segment);
}

void build_put(struct build *build, struct job *job)
{
    list_push(&build->backlog, &job->node);
    build->starts++;
    build->busy_ms = dispatch_now(build->dispatch);
    if (build->state == BUILD_RESTING)
        dispatch_stir(build->dispatch);
    build_hunger(build);
}

void build_hunger(struct build *build)
{
    if (list_is_empty(&build->hunger))
        list_push(&build->dispatch->hungry, &build->hunger);
}

static void build_refuse(struct build *build, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Whatever came of it. */
static void loading_end(struct build *build)
{
    if (build->state == BUILD_LOADING && !build->is_slow)
        build->dispatch->loading--;
    build->is_slow = false;
}

static void build_ready(struct build *build)
{
    loading_end(build);
    build->state = BUILD_READY;
    build->retry_ms = 0;
    build->probes = 0;
    build->reason[0] = '\0';
    suspects_expect(build);
    build_hunger(build);
    dispatch_stir(build->dispatch);
}

static void build_refuse(struct build *build, const char *format, ...)
{
    struct dispatch *dispatch = build->dispatch;
    va_list arguments;

    if (build->state == BUILD_REFUSED)
        return;
    loading_end(build);
    build->state = BUILD_REFUSED;
    build->retry_ms = 0;
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
    dispatch_stir(dispatch);
    build->settled(dispatch, build);
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

/* Refused for now: what stands in its way may be gone later. */
static void build_set_aside(struct build *build, int64_t now_ms)
{
    int64_t pause_ms = (int64_t)PROBE_MIN_MS << (build->probes < 5 ? build->probes : 5);

    build->probes++;
    build->retry_ms = now_ms + (pause_ms > PROBE_MAX_MS ? PROBE_MAX_MS : pause_ms);
    dispatch_alarm(build->dispatch, build->retry_ms);
    log_warn("plugin.aside", "plugin=%s build=%.16s probe=%u tried again in %lld s",
             build->name, build->sha, build->probes,
             (long long)(build->retry_ms - now_ms) / 1000);
}

static void build_loaded(struct build *build, struct slice description)
{
    struct err err = { 0 };

    if (build->was_loaded) { /* the same file says the same: jobs point into the first */
        build_ready(build);
        build->settled(build->dispatch, build); /* a file may have come back meanwhile */
        return;
    }
    if (!description_read(&build->about, description, &err) ||
        !description_fits(&build->about, &build->dispatch->config->limits, &err)) {
        description_finish(&build->about);
        build_refuse(build, "%s", err.text);
        return;
    }
    build->was_loaded = true;
    build_ready(build);
    build->settled(build->dispatch, build);
}

static void on_heard(void *context)
{
    struct build *build = context;
    struct frame frame;

    while (nursery_next(build->nursery, &frame))
        if (frame.kind == FRAME_LOADED)
            build_loaded(build, frame.loaded.description);
        else if (frame.kind == FRAME_REFUSED)
            build_refuse(build, "%.*s", SLICE_ARG(frame.refused.reason));
        else if (frame.kind == FRAME_FORKED)
            build_slot_forked(build, &frame.forked);
        else if (frame.kind == FRAME_EXITED)
            build_slot_ended(build, &frame.exited);
        else
            autopsy_symbols(&build->autopsies, frame.symbols.slot, frame.symbols.text);
}

static void nursery_died(struct build *build, const char *how)
{
    struct dispatch *dispatch = build->dispatch;
    int64_t now_ms = dispatch_now(dispatch);
    bool was_leaving = build->users == 0 || build->is_leaving || dispatch->is_stopping;
    struct slot *guilty;

    autopsies_tick(&build->autopsies, INT64_MAX);
    if (!dispatch->is_stopping && (guilty = suspects_name(build)) != NULL) {
        build_slot_blame(build, guilty, how);
        build->restarts = 0; /* the next one may live longer */
    }
    LIST_EACH(&build->slots, node, after)
    build_slot_orphaned(build, container_of(node, struct slot, node));
    dispatch_stir(dispatch);
    bool goes_to_rest = build->is_leaving && !dispatch->is_stopping;
    build->is_leaving = false;
    if (build->state == BUILD_REFUSED)
        return;
    if (goes_to_rest) {
        loading_end(build);
        build->state = BUILD_RESTING;
        return;
    }
    if (!build->was_loaded) {
        build_refuse(build, "loading it failed: its process %s (a constructor?)", how);
        build_set_aside(build, now_ms);
        return;
    }
    if (build->state == BUILD_READY && now_ms - build->death_ms > IN_A_ROW_MS)
        build->restarts = 0;
    build->death_ms = now_ms;
    loading_end(build);
    if (!was_leaving)
        log_error("nursery.died",
                  "plugin=%s build=%.16s it %s; what it ran goes back to its queue",
                  build->name, build->sha, how);
    if (build->restarts >= RESTARTS_MAX && build->state == BUILD_LOADING) {
        build_refuse(build, "its nursery cannot be started again: it %s", how);
        build_set_aside(build, now_ms);
    } else {
        build_restart(build, now_ms);
    }
}

static void on_died(void *context, const char *how)
{
    struct build *build = context;

    build->nursery = NULL;
    nursery_died(build, how);
}

static void build_start(struct build *build)
{
    static const struct nursery_events events = { .heard = on_heard, .died = on_died };
    struct err err = { 0 };

    build->state = BUILD_LOADING;
    build->started_ms = dispatch_now(build->dispatch);
    build->dispatch->loading++;
    dispatch_alarm(build->dispatch, build->started_ms + SLOW_MS);
    build->nursery =
        nursery_start(build->dispatch, build->path, build->name, &events, build, &err);
    if (build->nursery == NULL)
        nursery_died(build, err.text);
}

bool build_has_work(const struct build *build)
{
    if (!list_is_empty(&build->backlog) || !list_is_empty(&build->autopsies))
        return true;
    LIST_EACH(&build->slots, node, after)
    if (container_of(node, struct slot, node)->job_count > 0)
        return true;
    return false;
}

/* Is its nursery of no use, now or for a while? */
static bool build_is_done(struct build *build)
{
    int64_t now_ms = dispatch_now(build->dispatch);

    if ((build->users > 0 && !build->rests) || build->state == BUILD_NEW)
        return build->users == 0 && !build_has_work(build);
    if (build_has_work(build)) {
        build->busy_ms = now_ms;
        return false;
    }
    return build->users == 0 || now_ms - build->busy_ms >= REST_MS;
}

void build_settle(struct build *build)
{
    struct dispatch *dispatch = build->dispatch;

    if (dispatch->is_stopping || build_is_done(build)) {
        if (build->nursery != NULL) {
            build->is_leaving = build->users > 0;
            nursery_leave(build->nursery);
        } else if (build->slot_count == 0 && build->users == 0)
            build_destroy(build);
    } else if (build->state == BUILD_NEW || build->state == BUILD_RESTARTING ||
               (build->state == BUILD_RESTING &&
                (!build->rests || !list_is_empty(&build->backlog))) ||
               (build->state == BUILD_REFUSED && build->retry_ms != 0 &&
                build->nursery == NULL)) {
        if (dispatch->loading < LOADING_MAX && dispatch_now(dispatch) >= build->retry_ms)
            build_start(build);
    }
}

/* One that takes long does not keep the place that the next one could load in. */
static int64_t loading_tick(struct build *build, int64_t now_ms)
{
    if (build->state != BUILD_LOADING || build->is_slow)
        return 0;
    if (now_ms < build->started_ms + SLOW_MS)
        return build->started_ms + SLOW_MS;
    build->is_slow = true;
    build->dispatch->loading--;
    dispatch_stir(build->dispatch);
    return 0;
}

int64_t build_tick(struct build *build, int64_t now_ms)
{
    int64_t due_ms =
        sooner(autopsies_tick(&build->autopsies, now_ms), loading_tick(build, now_ms));

    if (build->rests && build->nursery != NULL && !build->is_leaving) {
        if (now_ms - build->busy_ms >= REST_MS)
            dispatch_stir(build->dispatch);
        due_ms = sooner(due_ms, now_ms + REST_MS);
    }
    if (build->suspects.count > 0)
        due_ms = sooner(due_ms, suspects_tick(build, now_ms));
    if (build->nursery != NULL)
        due_ms = sooner(due_ms, nursery_tick(build->nursery, now_ms));
    LIST_EACH(&build->slots, node, after)
    due_ms = sooner(due_ms, slot_tick(container_of(node, struct slot, node), now_ms));
    due_ms = sooner(due_ms, placement_retire(build, now_ms));
    if (build->retry_ms > now_ms)
        return sooner(due_ms, build->retry_ms);
    if (build->retry_ms != 0) {
        build->retry_ms = build->state == BUILD_READY ? 0 : build->retry_ms;
        build_hunger(build);
        dispatch_stir(build->dispatch);
    }
    return due_ms;
}
