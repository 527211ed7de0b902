/* Runs of a filter. */
#include "base/id.h"
#include "engine/rows/labels.h"
#include "index_walk.h"
#include "store/sqlite/rows/record.h"
#include "store/sqlite/sqlite.h"

struct search {
    const struct run_filter *filter;
    int64_t queues[FILTER_QUEUES_MOST];
    uint32_t queue_count;
    int64_t schedules[STREAMS_MAX];
    uint32_t schedule_count;
    struct arena scratch;
    struct stream streams[STREAMS_MAX];
};

/* ---- where to look ----------------------------------------------------------------------- */

static bool ids_of(struct query *query, int64_t *ids, uint32_t limit, uint32_t *count,
                   struct err *err)
{
    bool row;

    while (query_row(query, &row, err)) {
        if (!row)
            return true;
        if (*count == limit) {
            query_finish(query);
            return true;
        }
        ids[(*count)++] = take_int(query);
    }
    return false;
}

/* A run becomes one by a failure that could have been tried again. */
static bool walk_dead(struct walk *walk)
{
    return walk_add(walk, SQL_RUNS_PLACE, PLACE_DEAD + OUTCOME_FAILED) &&
           walk_add(walk, SQL_RUNS_PLACE, PLACE_DEAD + OUTCOME_CRASHED) &&
           walk_add(walk, SQL_RUNS_PLACE, PLACE_DEAD + OUTCOME_TIMED_OUT);
}

/* As many are sorted for each chunk of a page; beyond, some of the newest runs are likely to
 * match. */
enum { SORTED_MOST = 20000 };

static bool live_counts(struct connection *connection, uint32_t environment,
                        int64_t counts[RUN_DONE], struct err *err)
{
    struct query query;
    bool row;

    if (!query_start(&query, connection, SQL_TOTALS, err))
        return false;
    bind_int(&query, environment);
    if (!query_row(&query, &row, err))
        return false;
    for (int status = 0; row && status < RUN_DONE; status++)
        counts[status] = take_int(&query);
    if (row)
        query_finish(&query);
    return true;
}

static bool walk_live(struct walk *walk, uint32_t status, bool may_sort, const int64_t *counts)
{
    static const enum sql lists[RUN_DONE] = {
        [RUN_DELAYED] = SQL_RUNS_PLACE, [RUN_QUEUED] = SQL_RUNS_QUEUED,
        [RUN_PARKED] = SQL_RUNS_PARKED, [RUN_RUNNING] = SQL_RUNS_RUNNING,
        [RUN_WAITING] = SQL_RUNS_PLACE,
    };
    bool sorts = lists[status] != SQL_RUNS_PLACE;

    if (sorts && (!may_sort || counts[status] > SORTED_MOST))
        return false;
    walk->sorts |= sorts;
    return walk_add(walk, lists[status], status);
}

/* A group, if all wanted statuses have a list of their own: anything but completed. Lists that
 * are not in the order of ids are for a walk of nothing else. */
static bool walk_statuses(struct walk *walk, const struct run_filter *filter, struct err *err)
{
    bool may_sort = filter->looks == 0 && walk->groups == 0, added = true;
    int64_t counts[RUN_DONE] = { 0 };

    if (filter->status_count == 0)
        return true;
    if (may_sort && !live_counts(walk->connection, filter->environment, counts, err))
        return false;
    walk_group(walk);
    for (uint32_t i = 0; added && i < filter->status_count; i++) {
        uint32_t status = filter->statuses[i].status, outcome = filter->statuses[i].outcome;
        added = status == RUN_DONE && outcome == OUTCOME_GIVEN_UP ? walk_dead(walk)
                : outcome == OUTCOME_GIVEN_UP ? walk_add(walk, SQL_RUNS_PLACE, PLACE_PAUSED)
                : status < RUN_DONE
                    ? walk_live(walk, status, may_sort, counts)
                    : outcome > OUTCOME_COMPLETED &&
                          walk_add(walk, SQL_RUNS_PLACE, PLACE_ENDED + (int64_t)outcome) &&
                          walk_add(walk, SQL_RUNS_PLACE, PLACE_DEAD + (int64_t)outcome);
    }
    if (!added) {
        walk_ungroup(walk);
        walk->sorts = false;
    }
    return true;
}

static void walk_names(struct walk *walk, const int64_t *names, uint32_t count)
{
    walk_group(walk);
    for (uint32_t i = 0; i < count; i++)
        if (!walk_add(walk, SQL_RUNS_TASK, names[i])) {
            walk_ungroup(walk);
            return;
        }
}

static bool names_of_tasks(struct connection *connection, const struct run_filter *filter,
                           int64_t *names, uint32_t *count, struct err *err)
{
    struct query query;

    for (uint32_t i = 0; i < filter->tasks.count; i++) {
        if (!query_start(&query, connection, SQL_NAMES_OF_TEXT, err))
            return false;
        bind_text(&query, filter->tasks.items[i]);
        bind_int(&query, filter->environment);
        bind_int(&query, STREAMS_MAX + 1);
        if (!ids_of(&query, names, STREAMS_MAX + 1, count, err))
            return false;
    }
    return true;
}

/* A small environment beside a big one is found through its tasks. */
static bool names_of_environment(struct connection *connection, uint32_t environment,
                                 int64_t *names, uint32_t *count, struct err *err)
{
    struct query query;

    if (!query_start(&query, connection, SQL_NAMES_OF_ENVIRONMENT, err))
        return false;
    bind_int(&query, environment);
    bind_int(&query, STREAMS_MAX + 1);
    return ids_of(&query, names, STREAMS_MAX + 1, count, err);
}

static bool environments(struct connection *connection, int64_t *count, struct err *err)
{
    struct query query;

    return query_start(&query, connection, SQL_ENVIRONMENTS, err) &&
           query_number(&query, count, err);
}

/* A version is kept as a word: one that is none has no runs. */
static bool versions_known(struct connection *connection, const struct slices *versions,
                           bool *known, struct err *err)
{
    struct query query;
    int64_t name;

    *known = versions->count == 0;
    for (uint32_t i = 0; i < versions->count && !*known; i++) {
        uint32_t count = 0;
        if (!query_start(&query, connection, SQL_NAME_FIND, err))
            return false;
        bind_int(&query, 0);
        bind_text(&query, versions->items[i]);
        if (!ids_of(&query, &name, 1, &count, err))
            return false;
        *known = count > 0;
    }
    return true;
}

static void walk_labels(struct walk *walk, const struct run_filter *filter)
{
    for (uint32_t i = 0; filter->environment != 0 && i < filter->member_count; i++)
        (void)walk_only(walk, SQL_RUNS_TAG,
                        label_of_member(filter->environment, filter->members[i].key,
                                        filter->members[i].text));
    (void)walk_tags(walk, SQL_RUNS_TAG, filter->environment, &filter->tags);
}

static bool walk_choose(struct walk *walk, const struct search *search, struct err *err)
{
    const struct run_filter *filter = search->filter;
    int64_t names[STREAMS_MAX + 1], count_of_environments = 0;
    uint32_t count = 0;
    bool known;

    walk_labels(walk, filter);
    if (filter->bulk != 0)
        (void)walk_only(walk, SQL_RUNS_BULK, filter->bulk);
    if (filter->schedules.count > 0) {
        walk_group(walk);
        for (uint32_t i = 0; i < search->schedule_count; i++)
            if (!walk_add(walk, SQL_RUNS_SCHEDULE, search->schedules[i])) {
                walk_ungroup(walk);
                break;
            }
    }
    if (!versions_known(walk->connection, &filter->versions, &known, err))
        return false;
    if (!known || (filter->queues.count > 0 && search->queue_count == 0))
        walk_group(walk); /* of none */
    if (!walk_statuses(walk, filter, err))
        return false;
    if (walk->sorts)
        return true;
    if (filter->tasks.count > 0) {
        if (!names_of_tasks(walk->connection, filter, names, &count, err))
            return false;
        walk_names(walk, names, count);
    } else if (walk->groups == 0 && filter->environment != 0) {
        if (!environments(walk->connection, &count_of_environments, err) ||
            (count_of_environments > 1 &&
             !names_of_environment(walk->connection, filter->environment, names, &count, err)))
            return false;
        if (count_of_environments > 1)
            walk_names(walk, names, count);
    }
    if (walk->groups == 0)
        (void)walk_only(walk, SQL_RUNS_ALL, 0);
    return true;
}

static bool queues_find(struct connection *connection, struct search *search, struct err *err)
{
    const struct run_filter *filter = search->filter;
    int64_t last = filter->environment, first = filter->environment;
    struct query query;

    if (filter->environment == 0) {
        first = 1;
        if (!environments(connection, &last, err))
            return false;
    }
    for (uint32_t i = 0; i < filter->queues.count; i++)
        for (int64_t environment = first; environment <= last; environment++) {
            if (!query_start(&query, connection, SQL_QUEUE_NAMED, err))
                return false;
            bind_int(&query, environment);
            bind_text(&query, filter->queues.items[i]);
            if (!ids_of(&query, search->queues, FILTER_QUEUES_MOST, &search->queue_count, err))
                return false;
        }
    return true;
}

/* An id is an id; else it is a name. */
static bool schedules_find(struct connection *connection, struct search *search,
                           struct err *err)
{
    const struct run_filter *filter = search->filter;
    struct query query;

    for (uint32_t i = 0; i < filter->schedules.count; i++) {
        struct slice text = filter->schedules.items[i];
        if (search->schedule_count == STREAMS_MAX)
            return err_set(err, ERR_BAD_REQUEST, "filter[schedule] names more than %d",
                           STREAMS_MAX);
        if (id_parse("sched", text, &search->schedules[search->schedule_count])) {
            search->schedule_count++;
            continue;
        }
        if (!query_start(&query, connection, SQL_SCHEDULE_NAMED, err))
            return false;
        bind_int(&query, filter->environment);
        bind_text(&query, text);
        if (!ids_of(&query, search->schedules, STREAMS_MAX, &search->schedule_count, err))
            return false;
    }
    return true;
}

/* ---- what to keep ------------------------------------------------------------------------ */

static bool schedule_matches(const struct search *search, const struct run *run)
{
    for (uint32_t i = 0; i < search->schedule_count; i++)
        if (search->schedules[i] == run->schedule)
            return true;
    return search->filter->schedules.count == 0;
}

static bool is_match(struct search *search, const struct run *run)
{
    return schedule_matches(search, run) &&
           run_filter_matches(search->filter, search->queues, search->queue_count, run,
                              &search->scratch);
}

/* Most rows are looked at in place; only one that matches is copied. */
static bool match(void *context, struct connection *connection, struct arena *arena, int64_t id,
                  void **row, struct err *err)
{
    struct run run, *copy = NULL;
    struct query query;
    bool found;

    *row = NULL;
    if (!query_start(&query, connection, kind_sql(ROW_RUN, KIND_FIND), err))
        return false;
    bind_int(&query, id);
    if (!query_row(&query, &found, err))
        return false;
    if (!found)
        return true;
    bool done = row_take(&query, ROW_RUN, &run.row, err);
    if (done && (context == NULL || is_match(context, &run))) {
        query.next = 0;
        query.arena = arena;
        copy = ARENA_NEW(arena, struct run);
        done = row_take(&query, ROW_RUN, &copy->row, err);
    }
    query_finish(&query);
    *row = copy;
    return done;
}

static void page_give(const struct page *from, struct run_page *to, struct arena *arena)
{
    *to = (struct run_page){ .rows = ARENA_ARRAY(arena, struct run *, from->count + 1),
                             .count = from->count,
                             .has_next = from->has_next,
                             .has_previous = from->has_previous,
                             .next_after = from->next_after,
                             .previous_before = from->previous_before };
    for (uint32_t i = 0; i < from->count; i++)
        to->rows[i] = from->rows[i];
}

bool sqlite_runs(struct connection *connection, struct arena *arena,
                 const struct run_filter *filter, struct run_page *page, struct err *err)
{
    struct search *search = ARENA_NEW(arena, struct search);
    struct target target = { search, match };
    struct page found = { 0 };
    struct walk walk;

    search->filter = filter;
    walk_init(&walk, connection, search->streams, filter->from_ms, filter->to_ms);
    walk.looks_most = filter->looks;
    bool done = queues_find(connection, search, err) &&
                schedules_find(connection, search, err) && walk_choose(&walk, search, err);
    done = done && list_page(&walk, &target, arena, filter->limit, filter->after,
                             filter->before, &found, err);
    arena_finish(&search->scratch);
    page_give(&found, page, arena);
    return done;
}

bool sqlite_select(struct connection *connection, struct rows *rows,
                   const struct select_want *want, struct err *err)
{
    struct run_page page = { 0 };

    if (!sqlite_runs(connection, rows->arena, want->filter, &page, err))
        return false;
    for (uint32_t i = 0; i < page.count; i++) {
        (void)rows_put(rows, ROW_RUN, &page.rows[i]->row); /* found by its id */
        rows_put_selected(rows, want->by, page.rows[i]->id);
    }
    if (page.has_next)
        rows_put_selected_next(rows, want->by,
                               page.count == want->filter->limit ? page.rows[page.count - 1]->id
                                                                 : page.next_after);
    return true;
}

bool sqlite_children(struct connection *connection, struct arena *arena, int64_t parent_id,
                     uint32_t limit, struct run_page *page, struct err *err)
{
    struct stream stream;
    struct target target = { NULL, match };
    struct page found = { 0 };
    struct walk walk;

    walk_init(&walk, connection, &stream, 0, 0);
    (void)walk_only(&walk, SQL_RUNS_CHILDREN, parent_id);
    bool done = list_page(&walk, &target, arena, limit, 0, 0, &found, err);
    page_give(&found, page, arena);
    return done;
}
