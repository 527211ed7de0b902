/* A batch from begin to end. */
#include "engine/batch.h"

#include "base/duration.h"
#include "engine/builds/builds.h"
#include "engine/bulk/bulk.h"
#include "engine/deaths.h"
#include "engine/schedules/schedules.h"

enum {
    STEPS_USUAL = 1000, /* before there is a catalog, and where it does not say */
    FEW = 8
};

static struct batch *begin(struct engine *engine, struct arena *arena, const struct moment *now,
                           struct command **commands, uint32_t count)
{
    struct batch *batch = ARENA_NEW(arena, struct batch);

    batch->engine = engine;
    batch->arena = arena;
    batch->now_ms = now->wall_ms;
    batch->steady_ms = now->steady_ms > 0 ? now->steady_ms : 1; /* due at 0 is never due */
    batch->commands = commands;
    batch->count = count;
    batch->assignment_tail = &batch->first_assignment;
    batch->event_tail = &batch->first_event;
    rows_init(&batch->rows, arena);
    batch->rows.node = engine->node.number;
    table_init(&batch->admission.grants, arena);
    table_init(&batch->crowds, arena);
    table_init(&batch->kept, arena);
    table_init(&batch->waits, arena);
    table_init(&batch->mails, arena);
    prune_look(batch);
    batch->catalog = engine->catalog;
    batch->steps = batch->catalog != NULL && batch->catalog->limits.steps > 0
                       ? batch->catalog->limits.steps
                       : STEPS_USUAL;
    batch->few = batch->steps < FEW ? batch->steps : FEW;
    batch->admission.suspect = engine->suspect;
    censuses_lend(batch);
    batch->is_sweep = batch->catalog != NULL && batch->catalog->environment_count > 0 &&
                      batch->catalog->limits.idle_queue_ms > 0 &&
                      batch->now_ms >= engine->sweep_ms;
    batch->is_lane_sweep = batch->count > 0 && batch->now_ms >= engine->lane_sweep_ms;
    batch->unpark_next = engine->unpark_at;
    batch->unpark_after = engine->unpark_after;
    for (uint32_t i = 0; i < count; i++) {
        const struct command_rule *rule = &command_rules[commands[i]->kind];
        commands[i]->err = (struct err){ 0 };
        batch->wishes += command_weight(commands[i]);
        commands[i]->problems = NULL;
        if (rule->clear != NULL)
            rule->clear(commands[i]);
    }
    return batch;
}

struct batch *batch_begin(struct engine *engine, struct arena *arena, const struct moment *now,
                          struct command **commands, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (command_rules[commands[i]->kind].take != NULL)
            command_rules[commands[i]->kind].take(engine, commands[i]);
    rings_ring(&engine->rings, now->steady_ms);
    return begin(engine, arena, now, commands, count);
}

struct batch *batch_again(struct batch *batch)
{
    struct moment now = { batch->now_ms, batch->steady_ms };

    for (struct assignment *a = batch->first_assignment; a != NULL; a = a->next)
        buffer_finish(&a->bytes);
    return begin(batch->engine, batch->arena, &now, batch->commands, batch->count);
}

struct rows *batch_rows(struct batch *batch)
{
    return &batch->rows;
}

void batch_low(struct batch *batch, int64_t free_bytes, int64_t low_bytes, int64_t file_bytes)
{
    batch->is_low = true;
    batch->free_bytes = free_bytes;
    batch->low_bytes = low_bytes;
    batch->file_bytes = file_bytes;
}

bool batch_has_room(const struct batch *batch, struct command *command)
{
    if (batch->is_low && batch->file_bytes > 0)
        return err_set(
            &command->err, ERR_STORE,
            "no file of the server may be larger than %lld KiB (ulimit -f, LimitFSIZE), "
            "and one wants to be: nothing new is taken until the limit is raised",
            (long long)(batch->file_bytes / 1024));
    return !batch->is_low ||
           err_set(&command->err, ERR_STORE,
                   "the disk is nearly full (%lld KiB are free; %lld KiB are kept for what was "
                   "accepted already): nothing new is taken until there is room",
                   (long long)(batch->free_bytes / 1024), (long long)(batch->low_bytes / 1024));
}

void batch_ids_add(struct batch *batch, struct ids *ids, int64_t id)
{
    rows_ids_add(batch->arena, ids, id);
}

struct deadline batch_deadline(const struct batch *batch, int64_t date_ms, int64_t span_ms)
{
    if (date_ms != 0)
        return (struct deadline){ time_moment(date_ms), false };
    if (span_ms != 0)
        return (struct deadline){ time_after(batch->steady_ms, span_ms), true };
    return (struct deadline){ 0, false };
}

bool batch_is_over(const struct batch *batch, int64_t due_ms, bool is_span)
{
    return due_ms != 0 && due_ms <= (is_span ? batch->steady_ms : batch->now_ms);
}

bool batch_was_due(const struct batch *batch, enum row_kind kind, const struct row *row)
{
    if (!node_is_alone(&batch->engine->node))
        return true; /* another node may have handled it since it was asked for */
    if (row == NULL || row->loaded == NULL)
        return false;
    return batch_is_over(batch, row_due(kind, row->loaded, false), false) ||
           batch_is_over(batch, row_due(kind, row->loaded, true), true);
}

void batch_due(struct batch *batch, const struct row_refs *due)
{
    batch->due = *due;
}

enum { UNPARK_LIMIT = 500 };

/* The next task that is there; false when there is none. */
static bool unpark_more(struct batch *batch)
{
    const struct catalog *catalog = batch->catalog;

    if (catalog == NULL)
        return false;
    while (batch->unpark_next < catalog->task_count &&
           !catalog->tasks[batch->unpark_next].available) {
        batch->unpark_next++;
        batch->unpark_after = 0;
    }
    return batch->unpark_next < catalog->task_count;
}

bool batch_unpark_task(struct batch *batch, struct slice *task, int64_t *after, uint32_t *limit)
{
    if (!unpark_more(batch))
        return false;
    if (batch->unparked.count >= UNPARK_LIMIT) {
        batch->again = true; /* the others in the next batch */
        return false;
    }
    *task = batch->catalog->tasks[batch->unpark_next].id;
    *after = batch->unpark_after;
    *limit = UNPARK_LIMIT;
    return true;
}

/* Those that stay parked are passed by too, or they would hide the ones behind them. */
void batch_unpark(struct batch *batch, const struct ids *runs, bool all)
{
    for (uint32_t i = 0; i < runs->count; i++)
        batch_ids_add(batch, &batch->unparked, runs->items[i]);
    if (all) {
        batch->unpark_next++;
        batch->unpark_after = 0;
    } else {
        batch->unpark_after = runs->items[runs->count - 1];
    }
}

static bool unpark_one(struct batch *batch, int64_t id)
{
    struct run *run;

    if (!rows_run(&batch->rows, id, 0, &run))
        return false;
    if (run == NULL || run->status != RUN_PARKED)
        return true;
    const struct catalog_task *task = catalog_task_of(batch->catalog, run);
    if (task != NULL && run->deaths.size > 0 && slice_equal(task->build, run->build) &&
        deaths_are_too_many(run))
        return true; /* the server would die with it again */
    run->deaths = (struct slice){ 0 };
    if (task != NULL && task->available && catalog_has_segment(task, run->segment))
        run_enqueue(batch, run, SLICE("a build has come that can run it"));
    return true;
}

static bool command_decide(struct batch *batch, struct command *command)
{
    const struct command_rule *rule = &command_rules[command->kind];

    return rule->decide == NULL || rule->decide(batch, command);
}

static bool due_decide(struct batch *batch)
{
    static bool (*const rules[ROW_KINDS])(struct batch * batch, int64_t id) = {
        [ROW_WAITPOINT] = token_due, [ROW_RUN] = run_due,
        [ROW_QUEUE] = queue_due,     [ROW_ENVIRONMENT] = environment_due,
        [ROW_BATCH] = run_batch_due, [ROW_SCHEDULE] = schedule_due,
        [ROW_BULK_ACTION] = bulk_due
    };

    for (; batch->due_at < batch->due.count; batch->due_at++) {
        const struct row_ref *due = &batch->due.items[batch->due_at];
        if (!rules[due->kind](batch, due->id))
            return false;
    }
    for (; batch->unparked_at < batch->unparked.count; batch->unparked_at++)
        if (!unpark_one(batch, batch->unparked.items[batch->unparked_at]))
            return false;
    return batch_settle(batch);
}

static bool commands_decide(struct batch *batch)
{
    while (batch->at < batch->count) {
        /* What the command before has set off comes first, so that each sees a settled world.
         */
        if (!batch_settle(batch) || !command_decide(batch, batch->commands[batch->at]))
            return false;
        batch->at++;
    }
    return batch_settle(batch);
}

/* Nothing of it is done. */
static bool batch_fence(struct batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++)
        err_set(&batch->commands[i]->err, ERR_STOPPING,
                "this node's lease is over; others have taken over its runs");
    return true;
}

static bool rows_prefetch(struct batch *batch)
{
    batch_prefetch(batch);
    return !rows_wanted(&batch->rows);
}

static bool files_follow(struct batch *batch)
{
    return !batch->engine->queues_missing || batch->catalog == NULL ||
           (queues_ensure(batch) && schedules_ensure(batch));
}

static bool old_queues_sweep(struct batch *batch)
{
    return !batch->is_sweep || queues_sweep(batch);
}

static bool idle_lanes_sweep(struct batch *batch)
{
    return !batch->is_lane_sweep || lanes_sweep(batch);
}

bool batch_decide(struct batch *batch)
{
    /* Each goes on until it is through, over as many calls as it misses rows, and then never
     * again: what goes in one may be needed by the next. */
    static bool (*const phases[])(struct batch * batch) = {
        rows_prefetch,    files_follow, old_queues_sweep,
        idle_lanes_sweep, due_decide,   commands_decide,
    };

    if (!node_begin(batch))
        return false;
    if (batch->is_fenced)
        return batch_fence(batch);
    for (; batch->phase < sizeof phases / sizeof phases[0]; batch->phase++)
        if (!phases[batch->phase](batch))
            return false;
    return true;
}

void batch_committed(struct batch *batch, struct outcome *outcome)
{
    hints_commit(batch);
    *outcome = (struct outcome){ .assignments = batch->first_assignment,
                                 .assignment_count = batch->assignment_count,
                                 .events = batch->first_event,
                                 .resumed = batch->first_resumed,
                                 .again = batch->again ||
                                          (batch->catalog != NULL && !batch->is_stopping &&
                                           rings_are_open(&batch->engine->rings)),
                                 .wake_ms = rings_next_ms(&batch->engine->rings),
                                 .aside = batch->aside,
                                 .is_fenced = batch->is_fenced,
                                 .is_due_wrong = batch->is_due_wrong };
}

void batch_failed(struct batch *batch, const struct err *err)
{
    for (uint32_t i = 0; i < batch->count; i++)
        if (command_rules[batch->commands[i]->kind].take == NULL)
            batch->commands[i]->err = *err;
    for (struct assignment *a = batch->first_assignment; a != NULL; a = a->next)
        buffer_finish(&a->bytes);
}
