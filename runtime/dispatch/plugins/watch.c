#include "watch.h"

#include "base/log.h"
#include "base/memory.h"
#include "dispatch/host.h"
#include "dispatch/processes/build.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    DEBOUNCE_MS = 100,
    UNSETTLED_MS = 200, /* between looks at a file that is being written */
    CONFIRM_MS = 300,
    POLL_MS = 2000,
};

static void on_event(uv_fs_event_t *event, const char *name, int events, int status)
{
    struct dispatch *dispatch = event->data;
    struct watch *watch = &dispatch->watch;

    (void)name;
    (void)events;
    (void)status;
    watch->due_ms = sooner(watch->due_ms, dispatch_now(dispatch) + DEBOUNCE_MS);
    dispatch_alarm(dispatch, watch->due_ms);
}

/* Directories may appear later; the poll tries again. */
static void events_start(struct dispatch *dispatch)
{
    struct watch *watch = &dispatch->watch;

    for (int i = 0; i < WATCHED; i++)
        if (!watch->is_watched[i])
            watch->is_watched[i] =
                uv_fs_event_start(&watch->events[i], on_event, watch->paths[i], 0) == 0;
}

static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL)
        return memory_text(".");
    if (slash == path)
        return memory_text("/");
    char *directory = memory_text(path);
    directory[slash - path] = '\0';
    return directory;
}

void watch_start(struct dispatch *dispatch)
{
    struct watch *watch = &dispatch->watch;

    *watch = (struct watch){ .due_ms = dispatch_now(dispatch) };
    list_init(&watch->files);
    watch->paths[0] = memory_text(dispatch->config->plugins);
    watch->paths[1] = memory_text(dispatch->config->schemas);
    watch->paths[2] = directory_of(dispatch->config->queues_path);
    watch->paths[3] = directory_of(dispatch->config->schedules_path);
    for (int i = 0; i < WATCHED; i++) {
        (void)uv_fs_event_init(dispatch->loop, &watch->events[i]); /* cannot fail */
        watch->events[i].data = dispatch;
        dispatch->open++;
    }
    events_start(dispatch);
    if (access(watch->paths[0], R_OK | X_OK) != 0)
        log_warn("plugins.missing",
                 "directory=%s error=\"%s\"; no task is offered until it is there",
                 watch->paths[0], strerror(errno));
    dispatch_alarm(dispatch, watch->due_ms);
}

static void on_closed(uv_handle_t *handle)
{
    dispatch_closed(handle->data);
}

void plugin_file_drop_build(struct build **build)
{
    struct build *dropped = *build;

    *build = NULL;
    if (dropped == NULL)
        return;
    dropped->users--;
    dispatch_stir(dropped->dispatch);
}

static void file_remove(struct plugin_file *file)
{
    plugin_file_drop_build(&file->build);
    plugin_file_drop_build(&file->candidate);
    list_remove(&file->node);
    free(file->name);
    free(file);
}

void watch_stop(struct dispatch *dispatch)
{
    struct watch *watch = &dispatch->watch;

    LIST_EACH(&watch->files, node, after)
    file_remove(container_of(node, struct plugin_file, node));
    for (int i = 0; i < WATCHED; i++) {
        uv_close((uv_handle_t *)&watch->events[i], on_closed);
        free(watch->paths[i]);
    }
    if (watch->scan != NULL)
        (void)uv_cancel((uv_req_t *)&watch->work); /* or it ends soon */
}

bool plugin_file_say(struct plugin_file *file, const char *reason)
{
    if (strncmp(file->reason, reason, sizeof file->reason - 1) == 0)
        return false;
    (void)snprintf(file->reason, sizeof file->reason, "%s", reason);
    if (reason[0] != '\0')
        log_error("plugin.refused", "file=%s reason=\"%s\"%s", file->name, reason,
                  file->build != NULL && file->candidate != NULL
                      ? " (what was loaded before goes on)"
                      : "");
    return true;
}

static void file_promote(struct dispatch *dispatch, struct plugin_file *file)
{
    const struct description *about = &file->candidate->about;
    char reason[200];

    if (kept_find(dispatch, slice_of(file->candidate->sha)) == NULL && kept_is_full(dispatch)) {
        (void)snprintf(
            reason, sizeof reason,
            "%u builds are kept already, for runs that need them (limits.builds); it "
            "waits until one goes",
            dispatch->config->limits.builds);
        (void)plugin_file_say(file, reason);
        return;
    }

    log_info("plugin.loaded", "file=%s plugin=%.*s version=%.*s build=%.16s tasks=%u",
             file->name, SLICE_ARG(about->plugin), SLICE_ARG(about->version),
             file->candidate->sha, about->task_count);
    struct build *build = file->candidate;
    file->candidate = NULL; /* it is held on until it is kept */
    file->confirm_ms = 0;
    (void)plugin_file_say(file, "");
    kept_loaded(dispatch, file, build, file->is_drop);
    file->is_drop = false;
    plugin_file_drop_build(&build);
    if (file->warning[0] != '\0')
        log_warn("plugin.globals", "file=%s %s", file->name, file->warning);
}

/*
 * A linker writes a file in place, and a half-written one can look whole. So the refusal of a
 * young file counts only when the next scan finds it unchanged.
 */
static void file_refused(struct dispatch *dispatch, struct plugin_file *file)
{
    int64_t now_ms = dispatch_now(dispatch);

    if (signature_age_ms(&file->signature) < SCAN_SETTLE_MS) {
        file->confirm_ms = now_ms + CONFIRM_MS;
        dispatch->watch.due_ms = sooner(dispatch->watch.due_ms, file->confirm_ms);
        dispatch_alarm(dispatch, dispatch->watch.due_ms);
        return;
    }
    file->confirm_ms = 0;
    (void)plugin_file_say(file, file->candidate->reason);
    catalogs_want(dispatch);
}

void watch_settled(struct dispatch *dispatch, struct build *build)
{
    LIST_EACH(&dispatch->watch.files, node, after)
    {
        struct plugin_file *file = container_of(node, struct plugin_file, node);
        if (file->candidate == build && build->state == BUILD_READY)
            file_promote(dispatch, file);
        else if (file->candidate == build)
            file_refused(dispatch, file);
        else if (file->build == build)
            catalogs_want(dispatch); /* its tasks are not available, or again */
    }
}

bool watch_is_quiet(const struct dispatch *dispatch)
{
    if (!dispatch->watch.was_scanned)
        return false;
    LIST_EACH(&dispatch->watch.files, node, after)
    {
        const struct plugin_file *file = container_of(node, struct plugin_file, node);
        if (file->kind == SEEN_UNSETTLED || file->confirm_ms != 0 ||
            (file->candidate != NULL && file->candidate->state != BUILD_REFUSED &&
             file->candidate->state != BUILD_READY && !file->candidate->is_slow))
            return false;
    }
    return true;
}

static struct plugin_file *file_find(struct dispatch *dispatch, const char *name)
{
    LIST_EACH(&dispatch->watch.files, node, after)
    {
        struct plugin_file *file = container_of(node, struct plugin_file, node);
        if (strcmp(file->name, name) == 0)
            return file;
    }
    struct plugin_file *file = memory_zeroed(1, sizeof *file);
    file->name = memory_text(name);
    list_push(&dispatch->watch.files, &file->node);
    return file;
}

static void file_content(struct dispatch *dispatch, struct plugin_file *file, const char *sha)
{
    struct build *build = build_find(dispatch, sha);

    file->confirm_ms = 0;
    file->is_drop = dispatch->watch.was_scanned;
    if (build != NULL)
        build_retry(build); /* the file was touched: whatever was wrong may be right now */
    else
        build = build_create(dispatch, sha, file->name, watch_settled);
    plugin_file_drop_build(&file->candidate);
    if (file->build == build && build->state == BUILD_READY) {
        (void)plugin_file_say(file, "");
        catalogs_want(dispatch);
        return;
    }
    file->candidate = build;
    build->users++;
    build->rests = false;
    if (build->state == BUILD_READY)
        file_promote(dispatch, file);
    dispatch_stir(dispatch);
}

/* A file that changed while it was copied has left a copy that nobody asked for. */
static void copy_forget(struct dispatch *dispatch, const char *sha)
{
    char path[PATH_MAX];

    if (sha[0] == '\0' || build_find(dispatch, sha) != NULL)
        return;
    (void)snprintf(path, sizeof path, "%s/%s.so", dispatch->builds_path, sha);
    (void)unlink(path); /* swept at the next start otherwise */
}

static void file_seen(struct dispatch *dispatch, const struct seen *seen)
{
    struct watch *watch = &dispatch->watch;
    struct plugin_file *file = file_find(dispatch, seen->name);
    int64_t now_ms = dispatch_now(dispatch);

    if (seen->kind == SEEN_SAME) {
        if (file->confirm_ms != 0 && now_ms >= file->confirm_ms) {
            file->confirm_ms = 0;
            (void)plugin_file_say(file, file->candidate->reason);
            catalogs_want(dispatch);
        }
        return;
    }
    file->kind = seen->kind;
    file->signature = seen->signature;
    if (seen->kind != SEEN_COPIED)
        copy_forget(dispatch, seen->sha);
    if (seen->kind == SEEN_COPIED) {
        (void)snprintf(file->warning, sizeof file->warning, "%s",
                       seen->warning); /* cut is fine */
        file_content(dispatch, file, seen->sha);
    } else if (seen->kind == SEEN_UNSETTLED) {
        watch->due_ms = sooner(watch->due_ms, now_ms + UNSETTLED_MS);
    } else {
        plugin_file_drop_build(&file->candidate);
        if (seen->kind == SEEN_OVER)
            plugin_file_drop_build(&file->build); /* the limit has become lower */
        file->confirm_ms = 0;
        if (plugin_file_say(file, seen->reason))
            catalogs_want(dispatch);
    }
}

/* The oldest content first: of two files with the same task it has the older right. */
static int seen_compare(const void *a, const void *b)
{
    const struct seen *one = a, *other = b;
    int64_t order = one->signature.modified_ns - other->signature.modified_ns;

    return order != 0 ? (order > 0) - (order < 0) : strcmp(one->name, other->name);
}

static void scan_say(struct dispatch *dispatch, const struct scan *scan)
{
    struct watch *watch = &dispatch->watch;
    bool has_problem = scan->problem[0] != '\0';

    if (has_problem && !watch->has_problem)
        log_error("plugins.unreadable", "%s", scan->problem);
    if (scan->is_cut && !watch->was_cut)
        log_error("plugins.too_many", "only %d files of %s are listed", SCAN_MAX_NAMES,
                  scan->plugins);
    watch->has_problem = has_problem;
    watch->was_cut = scan->is_cut;
}

static void scan_apply(struct dispatch *dispatch, struct scan *scan)
{
    struct watch *watch = &dispatch->watch;

    scan_say(dispatch, scan);
    if (scan->problem[0] == '\0') {
        for (uint32_t i = 0; i < scan->known_count; i++) {
            if (scan->known[i].was_found)
                continue;
            log_info("plugin.removed", "file=%s", scan->known[i].name);
            file_remove(file_find(dispatch, scan->known[i].name));
            kept_file_gone(dispatch, scan->known[i].name);
            catalogs_want(dispatch);
        }
        if (scan->count > 0)
            qsort(scan->files, scan->count, sizeof *scan->files, seen_compare);
        for (uint32_t i = 0; i < scan->count; i++)
            file_seen(dispatch, &scan->files[i]);
    }
    if (!watch->was_scanned || watch->environment != scan->environment)
        catalogs_want(dispatch);
    watch->environment = scan->environment;
    if (!watch->was_scanned && scan->problem[0] == '\0')
        kept_check_files(dispatch);
    watch->was_scanned = true;
}

static void on_scan(uv_work_t *work)
{
    struct scan *scan = work->data;

    scan_run(scan);
}

static void on_scanned(uv_work_t *work, int status)
{
    struct scan *scan = work->data;
    struct watch *watch = container_of(work, struct watch, work);
    struct dispatch *dispatch = container_of(watch, struct dispatch, watch);

    watch->scan = NULL;
    if (status == 0 && !dispatch->is_stopping)
        scan_apply(dispatch, scan);
    arena_finish(&scan->arena);
    free(scan);
    if (!dispatch->is_stopping)
        dispatch_alarm(dispatch, watch->due_ms);
    dispatch_closed(dispatch);
}

static void scan_begin(struct dispatch *dispatch)
{
    struct watch *watch = &dispatch->watch;
    struct scan *scan = memory_zeroed(1, sizeof *scan);
    uint32_t count = 1;

    scan->plugins = dispatch->config->plugins;
    scan->schemas = dispatch->config->schemas;
    scan->queues = dispatch->config->queues_path;
    scan->schedules = dispatch->config->schedules_path;
    scan->builds = dispatch->builds_path;
    scan->limit = dispatch->config->limits.plugins;
    LIST_EACH(&watch->files, each, next)
    count++;
    scan->known = ARENA_ARRAY(&scan->arena, struct seen, count);
    LIST_EACH(&watch->files, node, after)
    {
        const struct plugin_file *file = container_of(node, struct plugin_file, node);
        scan->known[scan->known_count++] =
            (struct seen){ .name = arena_text(&scan->arena, slice_of(file->name)),
                           .signature = file->signature,
                           .kind = file->kind };
    }
    watch->scan = scan;
    watch->work.data = scan;
    dispatch->open++;
    if (uv_queue_work(dispatch->loop, &watch->work, on_scan, on_scanned) != 0)
        on_scanned(&watch->work, UV_ECANCELED); /* only for wrong arguments */
}

int64_t watch_tick(struct dispatch *dispatch, int64_t now_ms)
{
    struct watch *watch = &dispatch->watch;

    if (now_ms < watch->due_ms || watch->scan != NULL)
        return watch->scan == NULL ? watch->due_ms : 0; /* its end asks for the next alarm */
    watch->due_ms = now_ms + POLL_MS;
    events_start(dispatch);
    scan_begin(dispatch);
    return watch->due_ms;
}
