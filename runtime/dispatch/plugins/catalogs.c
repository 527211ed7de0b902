#include "catalogs.h"

#include "base/log.h"
#include "base/memory.h"
#include "catalog_make.h"
#include "dispatch/host.h"

#include <stdio.h>
#include <stdlib.h>

void catalogs_init(struct catalogs *catalogs)
{
    *catalogs = (struct catalogs){ 0 };
    list_init(&catalogs->all);
}

static void held_catalog_destroy(struct held_catalog *held)
{
    list_remove(&held->node);
    for (uint32_t i = 0; i < held->schema_count; i++)
        schema_file_destroy(held->schemas[i]);
    catalog_destroy(held->catalog);
    free(held->schemas);
    free(held);
}

void catalogs_stop(struct dispatch *dispatch)
{
    if (dispatch->catalogs.making != NULL)
        (void)uv_cancel((uv_req_t *)&dispatch->catalogs.work); /* or it ends soon */
}

static void strays_forget(struct catalogs *catalogs)
{
    for (uint32_t i = 0; i < catalogs->stray_count; i++)
        free(catalogs->strays[i]);
    free(catalogs->strays);
    catalogs->strays = NULL;
    catalogs->stray_count = 0;
}

void catalogs_finish(struct catalogs *catalogs)
{
    strays_forget(catalogs);

    LIST_EACH(&catalogs->all, node, after)
    held_catalog_destroy(container_of(node, struct held_catalog, node));
    if (catalogs->has_queues)
        config_queues_finish(&catalogs->queues);
    if (catalogs->has_schedules)
        config_schedules_finish(&catalogs->schedules);
}

void catalogs_want(struct dispatch *dispatch)
{
    dispatch->catalogs.is_wanted = true;
}

bool catalogs_are_settled(const struct dispatch *dispatch)
{
    const struct catalogs *catalogs = &dispatch->catalogs;

    return !catalogs->is_wanted && catalogs->making == NULL && !catalogs->is_submitted;
}

static void queues_keep(struct catalogs *catalogs, struct making *making)
{
    if (making->has_queues) {
        if (catalogs->problem[0] != '\0')
            log_info("queues.accepted", "queues=%u tasks=%u", making->queues.queue_count,
                     making->queues.task_count);
        if (catalogs->has_queues) {
            queues_say(&catalogs->queues, &making->queues);
            config_queues_finish(&catalogs->queues);
        }
        catalogs->queues = making->queues;
        catalogs->has_queues = true;
    } else if (strncmp(catalogs->problem, making->problem, sizeof catalogs->problem - 1) != 0) {
        log_error("queues.refused", "%s (%s)", making->problem,
                  catalogs->has_queues ? "the old ones stay"
                                       : "no queue has limits of its own");
    }
    (void)snprintf(catalogs->problem, sizeof catalogs->problem, "%s", making->problem);
}

static void schedules_keep(struct catalogs *catalogs, struct making *making)
{
    char *problem = catalogs->schedules_problem;
    size_t size = sizeof catalogs->schedules_problem;

    if (making->has_schedules) {
        if (problem[0] != '\0')
            log_info("schedules.accepted", "schedules=%u", making->schedules.count);
        if (catalogs->has_schedules) {
            schedules_say(&catalogs->schedules, &making->schedules);
            config_schedules_finish(&catalogs->schedules);
        }
        catalogs->schedules = making->schedules;
        catalogs->has_schedules = true;
    } else if (strncmp(problem, making->schedules_problem, size - 1) != 0) {
        log_error("schedules.refused", "%s (the old ones stay)", making->schedules_problem);
    }
    (void)snprintf(problem, size, "%s", making->schedules_problem);
}

/* What the catalog says of files that were loaded well. */
static void reasons_keep(struct dispatch *dispatch, const struct making *making)
{
    for (uint32_t i = 0; i < making->count; i++) {
        const struct catalog_source *item = &making->items[i];
        LIST_EACH(&dispatch->watch.files, node, after)
        {
            struct plugin_file *file = container_of(node, struct plugin_file, node);
            if (file->build == item->build && file->candidate == NULL &&
                strcmp(file->name, item->file) == 0 && file->kind == SEEN_COPIED)
                (void)plugin_file_say(file, item->reason); /* either way it is said */
        }
    }
}

/* Destroy what nobody uses any more; who reads is asked again in the next turn of the loop. */
static void catalogs_sweep(struct catalogs *catalogs)
{
    LIST_EACH(&catalogs->all, node, after)
    {
        struct held_catalog *held = container_of(node, struct held_catalog, node);
        if (held->is_over && *held->catalog->readers == 0)
            held_catalog_destroy(held);
    }
}

const struct catalog *catalogs_newest(const struct catalogs *catalogs)
{
    struct list *last = catalogs->all.previous;

    return last == &catalogs->all ? NULL
                                  : container_of(last, struct held_catalog, node)->catalog;
}

/* ---- what is said of schemas, when it is new ----------------------------------------------
 */

static bool is_said(const struct catalogs *catalogs, struct slice text)
{
    for (uint32_t i = 0; i < catalogs->stray_count; i++)
        if (slice_is(text, catalogs->strays[i]))
            return true;
    return false;
}

static void strays_say(struct catalogs *catalogs, const struct making *making)
{
    char **kept = memory_zeroed(making->stray_count + 1, sizeof *kept);

    for (uint32_t i = 0; i < making->stray_count; i++) {
        if (!is_said(catalogs, making->strays[i]))
            log_error("schema.wrong", "%.*s (no task uses it)", SLICE_ARG(making->strays[i]));
        kept[i] = memory_text(arena_text(&making->held->catalog->arena, making->strays[i]));
    }
    strays_forget(catalogs);
    catalogs->strays = kept;
    catalogs->stray_count = making->stray_count;
}

static void task_say(const struct catalog_task *task, const struct catalog_task *before)
{
    bool was_refusing = before != NULL && before->is_refusing;

    if (task->is_refusing && !(was_refusing && slice_equal(before->reason, task->reason)))
        log_error("task.unavailable", "task=%.*s reason=\"%.*s\"", SLICE_ARG(task->id),
                  SLICE_ARG(task->reason));
    if (task->available && was_refusing)
        log_info("task.available", "task=%.*s", SLICE_ARG(task->id));
    if (task->warning.size > 0 &&
        !(before != NULL && slice_equal(before->warning, task->warning)))
        log_warn("task.unsure", "task=%.*s warning=\"%.*s\"", SLICE_ARG(task->id),
                 SLICE_ARG(task->warning));
}

static void schemas_say(struct catalogs *catalogs, const struct making *making)
{
    const struct catalog *catalog = making->held->catalog, *before = catalogs_newest(catalogs);

    for (uint32_t i = 0; i < catalog->task_count; i++)
        task_say(&catalog->tasks[i], catalog_task(before, catalog->tasks[i].id));
    strays_say(catalogs, making);
}

/* The engine has the new catalog, and lets go of the one before. */
static void on_decided(struct outgoing *outgoing)
{
    struct dispatch *dispatch = outgoing->dispatch;
    struct catalogs *catalogs = &dispatch->catalogs;

    catalogs->is_submitted = false;
    if (outgoing->command.err.code != ERR_OK) {
        log_error("catalog.refused", "%s", outgoing->command.err.text);
        return;
    }
    LIST_EACH(&catalogs->all, node, after)
    {
        struct held_catalog *held = container_of(node, struct held_catalog, node);
        if (held->catalog == outgoing->command.catalog.previous)
            held->is_over = true;
    }
    catalogs_sweep(catalogs);
    if (!catalogs->was_accepted)
        log_info("catalog.accepted", "tasks=%u", outgoing->command.catalog.next->task_count);
    catalogs->was_accepted = true;
    dispatch_accepted(dispatch);
    if (catalogs_are_settled(dispatch) && dispatch->options.on_settled != NULL)
        dispatch->options.on_settled(dispatch->options.context);
}

static void catalog_submit(struct dispatch *dispatch, struct held_catalog *held)
{
    struct outgoing *outgoing = outgoing_take(dispatch, COMMAND_CATALOG);

    list_push(&dispatch->catalogs.all, &held->node);
    dispatch->catalogs.is_submitted = true;
    held->catalog->callback_secret = dispatch->options.secret;
    outgoing->command.catalog.next = held->catalog;
    outgoing->on_decided = on_decided;
    if (dispatch->options.on_catalog != NULL)
        dispatch->options.on_catalog(dispatch->options.context, held->catalog);
    outgoing_submit(outgoing);
}

static void on_make(uv_work_t *work)
{
    catalog_make(work->data);
}

static void making_destroy(struct making *making)
{
    for (uint32_t i = 0; i < making->count; i++)
        plugin_file_drop_build(&making->items[i].build);
    arena_finish(&making->arena);
    free(making);
}

static void on_made(uv_work_t *work, int status)
{
    struct making *making = work->data;
    struct catalogs *catalogs = container_of(work, struct catalogs, work);
    struct dispatch *dispatch = container_of(catalogs, struct dispatch, catalogs);

    catalogs->making = NULL;
    if (status == 0) {
        queues_keep(catalogs, making);
        schedules_keep(catalogs, making);
        reasons_keep(dispatch, making);
        schemas_say(catalogs, making);
        if (dispatch->is_stopping)
            held_catalog_destroy(making->held);
        else
            catalog_submit(dispatch, making->held);
    }
    making_destroy(making);
    dispatch_closed(dispatch);
}

static struct catalog_source *item_add(struct making *making, struct build *build,
                                       const char *file)
{
    struct catalog_source *item = &making->items[making->count++];

    build->users++;
    *item = (struct catalog_source){ .file = arena_text(&making->arena, slice_of(file)),
                                     .build = build,
                                     .is_refused = build_is_aside(build),
                                     .reason =
                                         arena_text(&making->arena, slice_of(build->reason)) };
    return item;
}

/* What the catalog is to know of a build that is kept. */
static void item_keep(struct dispatch *dispatch, struct making *making,
                      struct catalog_source *item, const struct kept *kept)
{
    LIST_EACH(&dispatch->kept.all, node, after)
    {
        const struct kept *heir = container_of(node, struct kept, node);
        if (heir->row.id == kept->row.heir && kept->row.heir != 0)
            item->heir = arena_copy(&making->arena, (struct slice){ heir->build->sha, 16 });
    }
    item->rank_ms = kept->row.rank_ms;
    item->ramp_percent = kept->row.ramp_percent;
    item->ramp_from_ms = kept->row.ramp_from_ms;
    item->ramp_ms = kept->row.ramp_ms;
}

static void items_add(struct dispatch *dispatch, struct making *making)
{
    uint32_t count = dispatch->config->limits.plugins + 1;
    struct kept *kept;

    LIST_EACH(&dispatch->kept.all, each, next)
    count++;
    making->items = ARENA_ARRAY(&making->arena, struct catalog_source, count);
    LIST_EACH(&dispatch->watch.files, node, after)
    {
        const struct plugin_file *file = container_of(node, struct plugin_file, node);
        if (file->build == NULL || !file->build->was_loaded ||
            making->count >= dispatch->config->limits.plugins)
            continue;
        struct catalog_source *item = item_add(making, file->build, file->name);
        kept = kept_find(dispatch, slice_of(file->build->sha));
        if (kept != NULL)
            item_keep(dispatch, making, item, kept);
    }
    making->current_count = making->count;
    LIST_EACH(&dispatch->kept.all, other, last)
    {
        kept = container_of(other, struct kept, node);
        if (!kept->build->rests || !kept->build->was_loaded || kept->is_leaving)
            continue;
        struct catalog_source *item =
            item_add(making, kept->build, arena_text(&making->arena, kept->row.file));
        item->is_kept = true;
        item_keep(dispatch, making, item, kept);
    }
}

void catalogs_turn(struct dispatch *dispatch)
{
    struct catalogs *catalogs = &dispatch->catalogs;

    catalogs_sweep(catalogs);
    if (!catalogs->is_wanted || catalogs->making != NULL || catalogs->is_submitted ||
        dispatch->is_stopping || !dispatch->watch.was_scanned)
        return;
    /* The first one says that the server is ready: it waits for all plugins. */
    if (!catalogs->was_accepted && !watch_is_quiet(dispatch))
        return;
    struct making *making = memory_zeroed(1, sizeof *making);
    making->config = dispatch->config;
    making->old_queues = catalogs->has_queues ? &catalogs->queues : NULL;
    making->old_schedules = catalogs->has_schedules ? &catalogs->schedules : NULL;
    making->zones = &dispatch->options.zones;
    items_add(dispatch, making);
    catalogs->is_wanted = false;
    catalogs->making = making;
    catalogs->work.data = making;
    dispatch->open++;
    if (uv_queue_work(dispatch->loop, &catalogs->work, on_make, on_made) != 0)
        on_made(&catalogs->work, UV_ECANCELED); /* only for wrong arguments */
}
