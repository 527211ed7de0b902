/*
 * Dispatch, the last step of each batch: for every queue that may start something, take its
 * ready runs in rank order while its limit and the slots allow. Environments divide the slots
 * by their shares (share.c); the queues of one take turns, each giving its best run, so that a
 * long backlog in one does not starve another.
 *
 *   gather: which queues, which runs (load) ─▶ pick (pure) ─▶ load what the frames need ─▶
 * assign
 */
#include "engine/batch.h"
#include "engine/contract.h"
#include "engine/deaths.h"

#include <stdlib.h>

enum {
    LINES_MAX = 64, /* queues looked at in one batch; the rest have their turn in the next */
    SUSPECT_WAIT_MS = 10000
};

static struct line *line_get(struct batch *batch, struct table *table, int64_t queue)
{
    struct line *line = table_find(table, (uint64_t)queue);

    if (line == NULL && batch->line_count < LINES_MAX) {
        line = ARENA_NEW(batch->arena, struct line);
        line->queue = queue;
        batch->lines[batch->line_count++] = line;
        table_set(table, (uint64_t)queue, line);
    }
    return line;
}

/* Has anything happened that may let a run start? A batch of nothing goes on with the round. */
static bool is_stirred(const struct batch *batch)
{
    return batch->count > 0 || batch->due_runs.count > 0 || batch->due_waitpoints.count > 0 ||
           batch->unparked.count > 0;
}

/* 0: it is not known. A queue of a backlog whose environment has as much as it may need not be
 * looked at before something ends. */
static bool environment_has_room(struct batch *batch, uint32_t environment)
{
    return environment == 0 || share_room(batch, share_get(batch, environment), true) > 0;
}

/* Queues of the backlog that were not looked at in this round, at most so many of an
 * environment; false when they do not fit. */
static bool lines_of_backlog(struct batch *batch, struct table *table, uint32_t most)
{
    const struct engine *engine = batch->engine;
    uint32_t count = engine->backlog_count;
    uint32_t first = engine_backlog_from(engine, engine->backlog_at);

    for (uint32_t i = 0; i < count; i++) {
        const struct backlog *backlog = &engine->backlog[(first + i) % count];
        struct share *share = share_get(batch, backlog->environment);
        if (backlog->round == batch->looked_round || share->lines >= most ||
            !environment_has_room(batch, backlog->environment) ||
            table_has(table, (uint64_t)backlog->queue))
            continue;
        struct line *line = line_get(batch, table, backlog->queue);
        if (line == NULL) {
            batch->backlog_at = backlog->queue;
            return false;
        }
        batch_ids_add(batch, &batch->backlog_looked, backlog->queue);
        line->in_backlog = true;
        share->lines++;
    }
    return true;
}

/* The queues to look at: some of the backlog, then those with a run QUEUED in this batch. */
static void lines_find(struct batch *batch)
{
    struct table table;

    table_init(&table, batch->arena);
    batch->lines = ARENA_ARRAY(batch->arena, struct line *, LINES_MAX);
    batch->round += is_stirred(batch);
    batch->looked_round = batch->round;
    /* First some of each environment, so that the many queues of one are before nobody's. */
    batch->unseen = !lines_of_backlog(batch, &table, LINES_MAX / batch->share_count + 1) ||
                    !lines_of_backlog(batch, &table, UINT32_MAX);
    for (uint32_t i = 0; i < batch->backlog_add.count; i++) {
        struct line *line = line_get(batch, &table, batch->backlog_add.items[i]);
        if (line != NULL)
            line->in_backlog = true;
    }
    for (struct run *run = batch->rows.run_list; run != NULL; run = run->next) {
        if (run->status != RUN_QUEUED)
            continue;
        struct line *line = line_get(batch, &table, run->queue);
        if (line == NULL) {
            batch_ids_add(batch, &batch->backlog_add, run->queue);
            batch->unseen |= environment_has_room(batch, run->environment);
        } else if (!line->in_backlog) {
            line->in_backlog = engine_backlog_has(batch->engine, run->queue);
        }
    }
}

static uint32_t running_in(const struct batch *batch, int64_t queue)
{
    uint32_t running = 0;

    for (uint32_t i = 0; i < batch->rows.running_count; i++)
        if (batch->rows.running[i].queue == queue)
            running += batch->rows.running[i].count;
    for (const struct run *run = batch->rows.run_list; run != NULL; run = run->next) {
        if (run->queue != queue)
            continue;
        running += run_is_executing(run);
        running -= run_was_executing(run);
    }
    return running;
}

/* Load the queue and, where the database may hold more, its first runs. */
static bool line_load(struct batch *batch, struct line *line)
{
    struct queue *queue;
    struct ready *ready;

    if (!rows_queue(&batch->rows, line->queue, &queue))
        return false;
    line->is_paused = queue == NULL || queue->paused;
    if (line->is_paused) {
        line->blocked = true;
        return true;
    }
    line->share = share_get(batch, queue->environment);
    uint32_t capacity = share_room(batch, line->share, true);
    line->running = running_in(batch, line->queue);
    line->limit = catalog_queue_limit(batch->catalog, queue->name);
    if (line->running >= line->limit || capacity == 0) {
        line->blocked = true;
        return true;
    }
    if (!line->in_backlog)
        return true;
    if (!line->asked) {
        uint32_t room = line->limit - line->running;
        line->asked_limit = room < capacity ? room : capacity;
        line->asked_limit += batch->engine->suspect_count; /* that are passed by */
        /* Runs in memory may have left the state the database still shows: ask for as many
         * more. */
        for (const struct run *run = batch->rows.run_list; run != NULL; run = run->next)
            line->asked_limit += run->queue == line->queue && !run->is_new;
        line->asked = true;
    }
    if (!rows_ready(&batch->rows, line->queue, line->queue, line->asked_limit, &ready))
        return false;
    if (ready->count > 0 && ready->count >= line->asked_limit)
        line->horizon = ready->runs[ready->count - 1];
    return true;
}

static int rank_order(const void *a, const void *b)
{
    const struct run *x = *(const struct run *const *)a, *y = *(const struct run *const *)b;

    if (x->rank_ms != y->rank_ms)
        return x->rank_ms < y->rank_ms ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

static void lines_fill(struct batch *batch)
{
    struct table table;

    table_init(&table, batch->arena);
    for (uint32_t i = 0; i < batch->line_count; i++)
        table_set(&table, (uint64_t)batch->lines[i]->queue, batch->lines[i]);
    for (struct run *run = batch->rows.run_list; run != NULL; run = run->next) {
        struct line *line =
            run->status == RUN_QUEUED ? table_find(&table, (uint64_t)run->queue) : NULL;
        if (line == NULL)
            continue;
        if (line->count == line->capacity) {
            struct run **old = line->runs;
            line->capacity = line->capacity == 0 ? 16 : line->capacity * 2;
            line->runs = ARENA_ARRAY(batch->arena, struct run *, line->capacity);
            if (line->count > 0)
                memcpy(line->runs, old, line->count * sizeof *old);
        }
        line->runs[line->count++] = run;
    }
    for (uint32_t i = 0; i < batch->line_count; i++)
        if (batch->lines[i]->count > 1)
            qsort(batch->lines[i]->runs, batch->lines[i]->count, sizeof(struct run *),
                  rank_order);
}

static bool task_is_short(const struct engine *engine, struct slice task)
{
    for (uint32_t i = 0; i < engine->short_count; i++)
        if (slice_is(task, engine->short_tasks[i]))
            return true;
    return false;
}

/*
 * A run that was out when the server died, again and again, starts when nothing else is there,
 * so that the next death says who it was. Where there is always something, it waits for a while
 * and then starts beside it; never beside another suspect.
 */
static bool suspect_may_start(struct batch *batch, const struct run *run)
{
    bool has_waited = batch->now_ms - run->updated_ms >= SUSPECT_WAIT_MS;

    if (deaths_recent(batch, run) < DEATHS_ALONE)
        return true;
    if (batch->suspect != 0 || (!has_waited && (!batch->picks_suspects || batch->in_use > 0)))
        return false;
    batch->suspect = run->id;
    return true;
}

/* The next run of the line that can be started, NULL when the line is done for this batch. */
static struct run *line_pick(struct batch *batch, struct line *line)
{
    while (!line->blocked && line->at < line->count) {
        struct run *run = line->runs[line->at];
        const struct catalog_task *task = catalog_task(batch->catalog, run->task);
        if (run->status != RUN_QUEUED) {
            line->at++; /* picked, or set aside, when the line was gone through before */
            continue;
        }
        if (task == NULL || !task->available || !catalog_has_segment(task, run->segment)) {
            /* It would block the line for runs that can go: set it aside until a build comes.
             */
            (void)run_move(batch, run, RUN_PARKED,
                           task != NULL && !task->available ? task->reason
                           : task == NULL                   ? SLICE("no plugin offers the task")
                                          : SLICE("no loaded build has the segment"));
            line->at++;
            batch->again = true;
            batch->round++; /* its line may have more */
            continue;
        }
        if (line->running >= line->limit ||
            (line->horizon != NULL && rank_order(&run, &line->horizon) > 0) ||
            share_room(batch, line->share, task_is_short(batch->engine, run->task)) == 0) {
            line->blocked = true;
            return NULL;
        }
        line->at++;
        if (run->deaths.size > 0 && !suspect_may_start(batch, run)) {
            line->suspects++; /* nobody waits for it */
            continue;
        }
        line->running++;
        return run;
    }
    return NULL;
}

/* The environment's queues take turns. */
static struct run *share_pick(struct batch *batch, struct share *share)
{
    for (uint32_t i = 0; i < batch->line_count; i++) {
        struct line *line = batch->lines[(share->at + i) % batch->line_count];
        struct run *run = line->share == share ? line_pick(batch, line) : NULL;
        if (run == NULL)
            continue;
        share->at = (share->at + i + 1) % batch->line_count;
        return run;
    }
    share->is_done = true;
    return NULL;
}

static void lines_pick(struct batch *batch, uint32_t most)
{
    struct share *share;

    while (batch->in_use < most && (share = share_next(batch)) != NULL) {
        struct run *run = share_pick(batch, share);
        if (run == NULL)
            continue;
        batch->picks[batch->pick_count++] = run;
        share_start(batch, share);
    }
}

/* The suspect that was out is through. */
static void suspect_look(struct batch *batch)
{
    for (const struct run *run = batch->rows.run_list; run != NULL; run = run->next)
        if (run->id == batch->suspect && !run_is_executing(run))
            batch->suspect = 0;
}

static void runs_pick(struct batch *batch)
{
    uint32_t most = running_most(batch);

    if (batch->suspect != 0)
        suspect_look(batch);
    batch->picks = ARENA_ARRAY(batch->arena, struct run *, most + 1);
    lines_pick(batch, most);
    for (uint32_t i = 0; i < batch->line_count; i++)
        batch->suspect_count += batch->lines[i]->suspects;
    if (batch->suspect_count > batch->engine->suspect_count) {
        batch->again = true; /* they may have hidden others: more are loaded then */
        batch->round++;
    } else if (batch->in_use == 0 && batch->suspect_count > 0) {
        batch->picks_suspects = true;
        for (uint32_t i = 0; i < batch->line_count; i++)
            batch->lines[i]->at = 0;
        for (uint32_t i = 0; i < batch->share_count; i++)
            batch->shares[i].is_done = false;
        lines_pick(batch, 1);
    }
    batch->again |= batch->unseen && batch->in_use < most;
}

/* What the next batches must know: which queues still hold something. A paused one is found
 * again when it is resumed. */
static void backlog_note(struct batch *batch)
{
    for (uint32_t i = 0; i < batch->line_count; i++) {
        struct line *line = batch->lines[i];
        struct ready *ready;
        bool left = line->at < line->count || line->suspects > 0;
        if (line->in_backlog) {
            if (!line->asked)
                left = true; /* not looked at: paused, full, or no slot */
            else if (rows_ready(&batch->rows, line->queue, line->queue, line->asked_limit,
                                &ready))
                left |= ready->count >= line->asked_limit;
        }
        left &= !line->is_paused;
        batch_ids_add(batch, left ? &batch->backlog_add : &batch->backlog_drop, line->queue);
    }
}

static void run_assign(struct batch *batch, struct run *run)
{
    const struct catalog_task *task = catalog_task(batch->catalog, run->task);
    struct assignment *assignment = ARENA_NEW(batch->arena, struct assignment);
    struct frame frame = { .kind = FRAME_SEGMENT };
    bool is_rerun = run->id_block != 0;

    if (run->started_ms == 0)
        run->started_ms = batch->now_ms;
    if (run->attempt == 0)
        run->attempt = 1;
    if (!is_rerun)
        run->id_block = id_next_block(batch->engine->ids, batch->now_ms);
    run->due_ms = 0; /* its ttl was kept */
    contract_follow(batch->arena, task, run, batch->now_ms);
    run->version = task->version;
    run->build = task->build;
    (void)run_move(batch, run, RUN_RUNNING,
                   run->segment.size > 0     ? run->segment
                   : task->segment_count > 0 ? task->segments[0]
                                             : run->segment);
    assignment->run_id = run->id;
    assignment->seq = run->seq;
    assignment->task = run->task;
    assignment->build = task->build;
    assignment->frame = segment_frame(batch, run);
    assignment->frame->is_rerun = is_rerun;
    assignment->limit_ms = assignment->frame->limit_ms;
    frame.segment = *assignment->frame;
    frame_write(&assignment->bytes, &frame);
    *batch->assignment_tail = assignment;
    batch->assignment_tail = &assignment->next;
    batch->assignment_count++;
}

static bool has_work(const struct batch *batch)
{
    if (batch->engine->backlog_count > 0 || batch->backlog_add.count > 0)
        return true;
    for (const struct run *run = batch->rows.run_list; run != NULL; run = run->next)
        if (run->status == RUN_QUEUED)
            return true;
    return false;
}

bool batch_dispatch(struct batch *batch)
{
    bool loaded;

    if (batch->catalog == NULL || batch->is_stopping) { /* the first one comes soon */
        for (const struct run *run = batch->rows.run_list; run != NULL; run = run->next)
            if (run->status == RUN_QUEUED)
                batch_ids_add(batch, &batch->backlog_add, run->queue);
        return true;
    }
    if (!batch->picked) {
        if (!has_work(batch))
            return true;
        loaded = rows_running(&batch->rows);
        if (!loaded)
            return false;
        if (batch->lines == NULL) {
            shares_begin(batch);
            lines_find(batch);
        }
        for (uint32_t i = 0; i < batch->line_count; i++)
            loaded &= line_load(batch, batch->lines[i]);
        if (!loaded)
            return false;
        lines_fill(batch);
        runs_pick(batch);
        backlog_note(batch);
        batch->picked = true;
    }
    loaded = true;
    for (uint32_t i = 0; i < batch->pick_count; i++)
        loaded &= segment_frame_ready(batch, batch->picks[i]);
    if (!loaded)
        return false;
    for (uint32_t i = 0; i < batch->pick_count; i++)
        run_assign(batch, batch->picks[i]);
    batch->pick_count = 0;
    return true;
}
