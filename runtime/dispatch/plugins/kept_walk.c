/*
 * Which builds do runs need? Now and then all runs that are not over are looked through, a page
 * at a time with pauses between, so that nobody notices. A build that none of them is locked to
 * leaves the catalog; when a second walk, begun after the engine had that catalog, finds none
 * either, it is gone.
 */
#include "base/clock.h"
#include "base/memory.h"
#include "dispatch/host.h"
#include "dispatch/processes/build.h"
#include "kept.h"

#include <stdlib.h>

enum {
    WALK_PAGE = 1000,
    WALK_FIRST_MS = 500,  /* after something changed */
    WALK_LEAST_MS = 2000, /* between two walks */
    WALK_MOST_MS = 600000,
    WALK_REST = 30, /* times as long as it took is waited until the next */
    PAGE_REST = 4
};

struct walk_page {
    struct arena arena;
    struct reader *reader;
    struct run_filter filter;
    struct run_page page;
    bool is_good;
    int64_t took_ms;
};

/* What its file has stays, or the next start would take it for a drop; the one before the
 * current one stays for a rollback while there is room. */
static bool may_go(struct dispatch *dispatch, const struct kept *kept)
{
    struct kept *current = kept_current(dispatch, kept->row.file);

    return kept != current && !kept->row.in_file &&
           (current == NULL || kept_is_full(dispatch) ||
            kept != kept_before(dispatch, current)) &&
           !build_has_work(kept->build);
}

void kept_walk_want(struct dispatch *dispatch)
{
    struct kept_builds *all = &dispatch->kept;
    int64_t due_ms = dispatch_now(dispatch) + WALK_FIRST_MS;

    if (all->reader == NULL || all->is_walking)
        return;
    if (all->due_ms == 0 || all->due_ms > due_ms)
        all->due_ms = due_ms;
    dispatch_alarm(dispatch, all->due_ms);
}

/* ---- a page ------------------------------------------------------------------------------ */

static void on_read(uv_work_t *work)
{
    struct kept_builds *all = container_of(work, struct kept_builds, work);
    struct walk_page *page = all->page;
    struct err err = { 0 };
    int64_t began_ms = clock_now_ms();

    page->is_good =
        page->reader->ops->runs(page->reader, &page->arena, &page->filter, &page->page, &err);
    page->took_ms = clock_now_ms() - began_ms;
}

static void page_count(struct dispatch *dispatch, const struct run_page *page)
{
    struct slice last = { 0 };
    struct kept *kept = NULL;

    for (uint32_t i = 0; i < page->count; i++) {
        struct slice build = page->rows[i]->build;
        if (build.size == 0)
            continue;
        if (!slice_equal(build, last))
            kept = kept_find(dispatch, build);
        last = build;
        if (kept != NULL)
            kept->found++;
    }
}

static void walk_end(struct dispatch *dispatch)
{
    struct kept_builds *all = &dispatch->kept;
    int64_t pause_ms = all->took_ms * WALK_REST;
    bool is_more = false;

    all->is_walking = false;
    LIST_EACH(&all->all, node, after)
    {
        struct kept *kept = container_of(node, struct kept, node);
        if (!kept->is_walked) {
            is_more = true;
            continue;
        }
        kept->runs = kept->found;
        kept->was_counted = true;
        bool goes = kept->runs == 0 && may_go(dispatch, kept);
        if (goes && kept->has_left) {
            kept_retire(dispatch, kept);
            continue;
        }
        if (goes != kept->is_leaving) {
            kept->is_leaving = goes;
            catalogs_want(dispatch);
        }
        is_more |= !kept_is_current(kept);
    }
    if (!is_more) /* nobody counts again: a number that stays would be wrong soon */
        LIST_EACH(&all->all, node, after)
    container_of(node, struct kept, node)->was_counted = false;
    if (pause_ms < WALK_LEAST_MS)
        pause_ms = WALK_LEAST_MS;
    if (pause_ms > WALK_MOST_MS)
        pause_ms = WALK_MOST_MS;
    all->due_ms = is_more ? dispatch_now(dispatch) + pause_ms : 0;
    dispatch_alarm(dispatch, all->due_ms);
}

static void on_page(uv_work_t *work, int status)
{
    struct kept_builds *all = container_of(work, struct kept_builds, work);
    struct dispatch *dispatch = container_of(all, struct dispatch, kept);
    struct walk_page *page = all->page;

    all->page = NULL;
    if (status == 0 && !dispatch->is_stopping) {
        all->took_ms += page->took_ms;
        if (page->is_good)
            page_count(dispatch, &page->page);
        all->after = page->page.next_after;
        if (!page->is_good) { /* what is not known is not removed */
            all->is_walking = false;
            all->due_ms = dispatch_now(dispatch) + WALK_LEAST_MS;
        } else if (page->page.has_next) {
            all->due_ms = dispatch_now(dispatch) + 1 + page->took_ms * PAGE_REST;
        } else {
            walk_end(dispatch);
        }
        dispatch_alarm(dispatch, all->due_ms);
    }
    arena_finish(&page->arena);
    free(page);
    dispatch_closed(dispatch);
}

static void page_begin(struct dispatch *dispatch)
{
    static const uint32_t live[] = { RUN_DELAYED, RUN_QUEUED, RUN_PARKED, RUN_RUNNING,
                                     RUN_WAITING };
    struct kept_builds *all = &dispatch->kept;
    struct walk_page *page = memory_zeroed(1, sizeof *page);

    page->reader = all->reader;
    page->filter = (struct run_filter){ .limit = WALK_PAGE, .is_test = -1 };
    page->filter.after = all->after;
    for (size_t i = 0; i < sizeof live / sizeof live[0]; i++)
        page->filter.statuses[page->filter.status_count++].status = live[i];
    all->page = page;
    dispatch->open++;
    if (uv_queue_work(dispatch->loop, &all->work, on_read, on_page) != 0)
        on_page(&all->work, UV_ECANCELED); /* only for wrong arguments */
}

int64_t kept_walk_tick(struct dispatch *dispatch, int64_t now_ms)
{
    struct kept_builds *all = &dispatch->kept;
    bool is_settled = catalogs_are_settled(dispatch);

    if (all->due_ms == 0 || all->page != NULL || now_ms < all->due_ms)
        return all->page != NULL ? 0 : all->due_ms; /* its end asks for the next alarm */
    if (!all->is_walking) {
        all->is_walking = true;
        all->after = 0;
        all->took_ms = 0;
        LIST_EACH(&all->all, node, after)
        {
            struct kept *kept = container_of(node, struct kept, node);
            kept->is_walked = true;
            kept->found = 0;
            kept->has_left = kept->is_leaving && is_settled;
        }
    }
    page_begin(dispatch);
    return 0;
}
