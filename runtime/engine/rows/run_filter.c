#include "engine/rows/run_filter.h"

#include "codec/pack.h"
#include "engine/rows/labels.h"
#include "engine/rows/rows_known.h"

/* ---- does a run match? ------------------------------------------------------------------- */

static bool slices_have(const struct slices *any, struct slice text)
{
    for (uint32_t i = 0; i < any->count; i++)
        if (slice_equal(any->items[i], text))
            return true;
    return any->count == 0;
}

bool list_has_any(struct arena *scratch, struct slice packed, const struct slices *any)
{
    struct value list;

    arena_reset(scratch);
    if (packed.size == 0 || !pack_read(scratch, packed, &list, NULL) || list.kind != VALUE_LIST)
        return false;
    for (uint32_t i = 0; i < list.count; i++)
        for (uint32_t j = 0; j < any->count; j++)
            if (list.items[i].kind == VALUE_STRING &&
                slice_equal(list.items[i].bytes, any->items[j]))
                return true;
    return false;
}

static bool outcome_matches(uint32_t outcome, const struct run *run)
{
    if (run->status != RUN_DONE)
        return (outcome == OUTCOME_GIVEN_UP) == run_is_paused(run);
    return outcome == OUTCOME_GIVEN_UP ? run->is_dead
                                       : outcome == OUTCOME_NONE || outcome == run->outcome;
}

static bool status_matches(const struct run_filter *filter, const struct run *run)
{
    for (uint32_t i = 0; i < filter->status_count; i++)
        if (filter->statuses[i].status == run->status &&
            outcome_matches(filter->statuses[i].outcome, run))
            return true;
    return filter->status_count == 0;
}

static bool queue_matches(const struct run_filter *filter, const int64_t *queues,
                          uint32_t count, int64_t queue)
{
    for (uint32_t i = 0; i < count; i++)
        if (queues[i] == queue)
            return true;
    return filter->queues.count == 0;
}

static bool members_match(const struct run_filter *filter, const struct run *run,
                          struct arena *scratch)
{
    for (uint32_t i = 0; i < filter->member_count; i++)
        if (!labels_have(scratch, run->metadata, filter->members[i].key,
                         filter->members[i].text))
            return false;
    return true;
}

bool run_filter_matches(const struct run_filter *filter, const int64_t *queues,
                        uint32_t queue_count, const struct run *run, struct arena *scratch)
{
    return (filter->environment == 0 || filter->environment == run->environment) &&
           (filter->from_ms == 0 || run->created_ms >= filter->from_ms) &&
           (filter->to_ms == 0 || run->created_ms <= filter->to_ms) &&
           (filter->bulk == 0 || run->bulk == filter->bulk) &&
           (filter->is_test < 0 || run->is_test == (filter->is_test != 0)) &&
           status_matches(filter, run) &&
           queue_matches(filter, queues, queue_count, run->queue) &&
           slices_have(&filter->tasks, run->task) &&
           slices_have(&filter->versions, run->version) &&
           (filter->tags.count == 0 || list_has_any(scratch, run->tags, &filter->tags)) &&
           members_match(filter, run, scratch);
}

/* ---- asked for in a batch ---------------------------------------------------------------- */

static struct selected *selected_of(struct rows *rows, struct known *known)
{
    if (known->row == NULL)
        known->row = ARENA_NEW(rows->arena, struct selected);
    return known->row;
}

bool rows_selected(struct rows *rows, int64_t by, const struct run_filter *filter,
                   struct selected **selected)
{
    struct known *known = known_get(rows, &rows->selected, (uint64_t)by);
    struct wants *wants = &rows->wants;

    *selected = selected_of(rows, known);
    if (!known->is_loaded && !known->is_wanted) {
        ROOM(rows->arena, wants->selects, wants->select_count, wants->select_capacity);
        wants->selects[wants->select_count++] = (struct select_want){ by, filter };
        known->is_wanted = true;
    }
    return known->is_loaded;
}

void rows_put_selected(struct rows *rows, int64_t by, int64_t run_id)
{
    struct selected *selected =
        selected_of(rows, known_get(rows, &rows->selected, (uint64_t)by));

    ROOM(rows->arena, selected->ids, selected->count, selected->capacity);
    selected->ids[selected->count++] = run_id;
}

void rows_put_selected_next(struct rows *rows, int64_t by, int64_t next)
{
    selected_of(rows, known_get(rows, &rows->selected, (uint64_t)by))->next = next;
}

void selects_loaded(struct rows *rows)
{
    for (uint32_t i = 0; i < rows->wants.select_count; i++)
        rows_known_loaded(&rows->selected, rows->wants.selects[i].by);
    rows->wants.select_count = 0;
}
