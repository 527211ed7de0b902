#include "catalogs.h"

#include "base/log.h"
#include "base/memory.h"
#include "catalog_make.h"
#include "dispatch/host.h"

#include <stdio.h>
#include <stdlib.h>

void offers_init(struct offers *offers)
{
    *offers = (struct offers){ 0 };
    list_init(&offers->all);
}

static void offer_destroy(struct offer *offer)
{
    list_remove(&offer->node);
    for (uint32_t i = 0; i < offer->schema_count; i++)
        schema_file_destroy(offer->schemas[i]);
    catalog_destroy(offer->catalog);
    free(offer->schemas);
    free(offer);
}

void offers_stop(struct dispatch *dispatch)
{
    if (dispatch->offers.making != NULL)
        (void)uv_cancel((uv_req_t *)&dispatch->offers.work); /* or it ends soon */
}

static void strays_forget(struct offers *offers)
{
    for (uint32_t i = 0; i < offers->stray_count; i++)
        free(offers->strays[i]);
    free(offers->strays);
    offers->strays = NULL;
    offers->stray_count = 0;
}

void offers_finish(struct offers *offers)
{
    strays_forget(offers);

    LIST_EACH(&offers->all, node, after)
    offer_destroy(container_of(node, struct offer, node));
    if (offers->has_queues)
        config_queues_finish(&offers->queues);
}

void offers_want(struct dispatch *dispatch)
{
    dispatch->offers.is_wanted = true;
}

bool offers_are_settled(const struct dispatch *dispatch)
{
    const struct offers *offers = &dispatch->offers;

    return !offers->is_wanted && offers->making == NULL && !offers->is_submitted;
}

static void queues_keep(struct offers *offers, struct making *making)
{
    if (making->has_queues) {
        if (offers->has_queues)
            config_queues_finish(&offers->queues);
        offers->queues = making->queues;
        offers->has_queues = true;
    } else if (strncmp(offers->problem, making->problem, sizeof offers->problem - 1) != 0) {
        log_error("queues.refused", "%s (%s)", making->problem,
                  offers->has_queues ? "the old ones stay" : "no queue has limits of its own");
    }
    (void)snprintf(offers->problem, sizeof offers->problem, "%s", making->problem);
}

/* What the catalog says of files that were loaded well. */
static void reasons_keep(struct dispatch *dispatch, const struct making *making)
{
    for (uint32_t i = 0; i < making->count; i++) {
        const struct offered *item = &making->items[i];
        LIST_EACH(&dispatch->watch.files, node, after)
        {
            struct plugin_file *file = container_of(node, struct plugin_file, node);
            if (file->build == item->build && file->candidate == NULL &&
                strcmp(file->name, item->file) == 0 && file->kind == SEEN_COPIED)
                (void)file_say(file, item->reason); /* either way it is said */
        }
    }
}

/* Destroy what nobody uses any more; who reads is asked again in the next turn of the loop. */
static void offers_sweep(struct offers *offers)
{
    LIST_EACH(&offers->all, node, after)
    {
        struct offer *offer = container_of(node, struct offer, node);
        if (offer->is_over && *offer->catalog->readers == 0)
            offer_destroy(offer);
    }
}

const struct catalog *offers_newest(const struct offers *offers)
{
    struct list *last = offers->all.previous;

    return last == &offers->all ? NULL : container_of(last, struct offer, node)->catalog;
}

/* ---- what is said of schemas, when it is new ----------------------------------------------
 */

static bool is_said(const struct offers *offers, struct slice text)
{
    for (uint32_t i = 0; i < offers->stray_count; i++)
        if (slice_is(text, offers->strays[i]))
            return true;
    return false;
}

static void strays_say(struct offers *offers, const struct making *making)
{
    char **kept = memory_zeroed(making->stray_count + 1, sizeof *kept);

    for (uint32_t i = 0; i < making->stray_count; i++) {
        if (!is_said(offers, making->strays[i]))
            log_error("schema.wrong", "%.*s (no task uses it)", SLICE_ARG(making->strays[i]));
        kept[i] = memory_text(arena_text(&making->offer->catalog->arena, making->strays[i]));
    }
    strays_forget(offers);
    offers->strays = kept;
    offers->stray_count = making->stray_count;
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

static void schemas_say(struct offers *offers, const struct making *making)
{
    const struct catalog *catalog = making->offer->catalog, *before = offers_newest(offers);

    for (uint32_t i = 0; i < catalog->task_count; i++)
        task_say(&catalog->tasks[i], catalog_task(before, catalog->tasks[i].id));
    strays_say(offers, making);
}

/* The engine has the new catalog, and lets go of the one before. */
static void on_decided(struct cell *cell)
{
    struct dispatch *dispatch = cell->dispatch;
    struct offers *offers = &dispatch->offers;

    offers->is_submitted = false;
    if (cell->command.err.code != ERR_OK) {
        log_error("catalog.refused", "%s", cell->command.err.text);
        return;
    }
    LIST_EACH(&offers->all, node, after)
    {
        struct offer *offer = container_of(node, struct offer, node);
        if (offer->catalog == cell->command.catalog.previous)
            offer->is_over = true;
    }
    offers_sweep(offers);
    if (!offers->was_accepted)
        log_info("catalog.accepted", "tasks=%u", cell->command.catalog.next->task_count);
    offers->was_accepted = true;
    dispatch_accepted(dispatch);
}

static void offer_submit(struct dispatch *dispatch, struct offer *offer)
{
    struct cell *cell = cell_take(dispatch, COMMAND_CATALOG);

    list_push(&dispatch->offers.all, &offer->node);
    dispatch->offers.is_submitted = true;
    offer->catalog->callback_secret = dispatch->options.secret;
    cell->command.catalog.next = offer->catalog;
    cell->on_decided = on_decided;
    if (dispatch->options.on_catalog != NULL)
        dispatch->options.on_catalog(dispatch->options.context, offer->catalog);
    cell_submit(cell);
}

static void on_make(uv_work_t *work)
{
    making_run(work->data);
}

static void making_destroy(struct making *making)
{
    for (uint32_t i = 0; i < making->count; i++)
        file_drop_build(&making->items[i].build);
    arena_finish(&making->arena);
    free(making);
}

static void on_made(uv_work_t *work, int status)
{
    struct making *making = work->data;
    struct offers *offers = container_of(work, struct offers, work);
    struct dispatch *dispatch = container_of(offers, struct dispatch, offers);

    offers->making = NULL;
    if (status == 0) {
        queues_keep(offers, making);
        reasons_keep(dispatch, making);
        schemas_say(offers, making);
        if (dispatch->is_stopping)
            offer_destroy(making->offer);
        else
            offer_submit(dispatch, making->offer);
    }
    making_destroy(making);
    dispatch_closed(dispatch);
}

static void item_add(struct making *making, const struct plugin_file *file)
{
    struct build *build = file->build;
    struct offered *item = &making->items[making->count++];

    build->users++;
    *item = (struct offered){ .file = arena_text(&making->arena, slice_of(file->name)),
                              .build = build,
                              .is_refused = build_is_aside(build),
                              .reason = arena_text(&making->arena, slice_of(build->reason)) };
}

void offers_turn(struct dispatch *dispatch)
{
    struct offers *offers = &dispatch->offers;

    offers_sweep(offers);
    if (!offers->is_wanted || offers->making != NULL || offers->is_submitted ||
        dispatch->is_stopping || !dispatch->watch.was_scanned)
        return;
    /* The first one says that the server is ready: it waits for all plugins. */
    if (!offers->was_accepted && !watch_is_quiet(dispatch))
        return;
    struct making *making = memory_zeroed(1, sizeof *making);
    making->config = dispatch->config;
    making->old_queues = offers->has_queues ? &offers->queues : NULL;
    making->items =
        ARENA_ARRAY(&making->arena, struct offered, dispatch->config->limits.plugins + 1);
    LIST_EACH(&dispatch->watch.files, node, after)
    {
        const struct plugin_file *file = container_of(node, struct plugin_file, node);
        if (file->build != NULL && making->count < dispatch->config->limits.plugins)
            item_add(making, file);
    }
    offers->is_wanted = false;
    offers->making = making;
    offers->work.data = making;
    dispatch->open++;
    if (uv_queue_work(dispatch->loop, &offers->work, on_make, on_made) != 0)
        on_made(&offers->work, UV_ECANCELED); /* only for wrong arguments */
}
