/*
 * Pruning.
 *
 *   run     DONE, all that follows from its end is done  ──▶ its parent lives?  ─▶ stays
 *   token   settled, all who waited for it are told       ──▶ its maker lives?   ─▶ stays
 *                                                             marked (marks.h)?  ─▶ stays
 *   batch   finished, and its items with it              ──▶ its parent lives?  ─▶ stays
 *   queue   removed (queue_room.c)                        ──▶ a run knows it, and so it is
 *                                                             marked?            ─▶ stays
 *
 * Each goes alone: a child may go before its parent's parent. What lives is never touched.
 * A walk over all rows by rising id, some of them in a command, costs nothing when rows are
 * written. What a walk over the runs has marked counts for what had ended before that walk
 * began: whoever began to wait for it since has held it (prune_hold_*), which is written.
 */
#include "engine/prune.h"

#include "base/duration.h"
#include "engine/batch.h"
#include "engine/batches/prune_batches.h"
#include "engine/bulk/bulk.h"
#include "engine/commands/command_table.h"

enum {
    EARLY_STANDARD_MS = 24 * 3600 * 1000,
    HOLD_MS = 1000 /* what ended so short ago need not be held, for it stays anyway */
};

/* ---- how long ---------------------------------------------------------------------------- */

static const struct config_retention *retention_named(const struct catalog_retention *items,
                                                      uint32_t count, struct slice name)
{
    for (uint32_t i = 0; i < count; i++)
        if (slice_equal(items[i].name, name))
            return &items[i].retention;
    return NULL;
}

/* What is said of one kind; 0: nothing. */
static int64_t span_of(const struct config_retention *retention, enum retention_kind kind)
{
    return retention == NULL ? 0 : retention->span_ms[kind];
}

/* Most specific wins. */
static int64_t span_for(const struct catalog *catalog, enum retention_kind kind,
                        uint32_t environment, struct slice task, struct slice queue)
{
    const struct config_retention *of_task =
        retention_named(catalog->task_retentions, catalog->task_retention_count, task);
    const struct config_retention *of_queue =
        retention_named(catalog->queue_retentions, catalog->queue_retention_count, queue);
    const struct config_retention *of_environment = NULL;

    for (uint32_t i = 0; i < catalog->environment_count; i++)
        if (catalog->environment_retentions != NULL && catalog->environments[i] == environment)
            of_environment = &catalog->environment_retentions[i];
    const struct config_retention *all[] = { of_task, of_queue, of_environment,
                                             &catalog->retention };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (span_of(all[i], kind) != 0)
            return span_of(all[i], kind);
    return RETENTION_FOREVER;
}

static int64_t early_ms(const struct catalog *catalog)
{
    return catalog != NULL && catalog->early_ms > 0 ? catalog->early_ms : EARLY_STANDARD_MS;
}

static bool is_past_at(const struct catalog *catalog, int64_t now_ms, int64_t id)
{
    return id_time_ms(id) < now_ms - early_ms(catalog);
}

bool prune_is_past(const struct batch *batch, int64_t id)
{
    return is_past_at(batch->catalog, batch->now_ms, id);
}

bool prune_token_missing(const struct catalog *catalog, int64_t now_ms, int64_t id,
                         struct err *err)
{
    if (is_past_at(catalog, now_ms, id))
        return err_set(
            err, ERR_GONE,
            "This token is gone: it has ended, and what has ended is removed after a "
            "time; nobody waits for an answer any more");
    return err_set(err, ERR_NOT_FOUND, "Waitpoint not found");
}

static bool is_past(const struct batch *batch, int64_t since_ms, int64_t span_ms)
{
    return span_ms != RETENTION_FOREVER && since_ms <= batch->now_ms - span_ms;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void prune_hold_run(const struct batch *batch, struct run *run)
{
    if (later(run->finished_ms, run->updated_ms) <= batch->now_ms - HOLD_MS)
        run->updated_ms = batch->now_ms;
}

/* That of a batch is asked for its answers, too. */
void prune_hold_token(struct batch *batch, struct waitpoint *token)
{
    struct run_batch *made =
        token->kind == WAITPOINT_BATCH ? rows_run_batch_here(&batch->rows, token->id) : NULL;

    if (later(token->completed_ms, token->used_ms) <= batch->now_ms - HOLD_MS)
        token->used_ms = batch->now_ms;
    if (made != NULL && later(made->finished_ms, made->used_ms) <= batch->now_ms - HOLD_MS)
        made->used_ms = batch->now_ms;
}

/* Times in rows can be compared with those of the marks while the clock only goes forward. */
void prune_look(struct batch *batch)
{
    struct engine *engine = batch->engine;

    if (batch->now_ms < engine->latest_ms)
        engine->marks.since_ms = engine->marking.since_ms = engine->marks_wanted_ms = 0;
    engine->latest_ms = batch->now_ms;
}

/* Has it ended before the marks began to be made, and is not among them? What another node
 * decides may be committed as late as its lease ends. */
static bool is_let_go(const struct batch *batch, int64_t id, int64_t since_ms)
{
    const struct marks *marks = &batch->engine->marks;
    int64_t late_ms = node_is_alone(&batch->engine->node) ? 0 : NODE_LEASE_MS;

    return since_ms < marks->since_ms - HOLD_MS - late_ms && !marks_have(marks, id);
}

bool prune_may_go(const struct batch *batch, uint32_t environment, int64_t id, int64_t since_ms)
{
    struct slice none = { 0 };
    int64_t span_ms = span_for(batch->catalog, RETAIN_RUNS, environment, none, none);

    return is_past(batch, since_ms, span_ms) && is_let_go(batch, id, since_ms);
}

static bool is_alive(const struct run *run)
{
    return run != NULL && !run_is_over(run);
}

static void run_mark(struct batch *batch, const struct run *run)
{
    struct wait wait;

    if (run == NULL)
        return;
    marks_add(&batch->engine->marking, run->queue);
    if (!is_alive(run) || !wait_read(batch->arena, run->wait, &wait))
        return;
    for (uint32_t i = 0; i < wait.count; i++)
        marks_add(&batch->engine->marking, wait.ids[i]);
}

/* ---- what went --------------------------------------------------------------------------- */

static void kind_add(struct pruned_kind *to, const struct pruned_kind *more)
{
    if (more->count == 0)
        return;
    if (to->count == 0 || more->oldest_ms < to->oldest_ms)
        to->oldest_ms = more->oldest_ms;
    if (to->count == 0 || more->newest_ms > to->newest_ms)
        to->newest_ms = more->newest_ms;
    to->count += more->count;
}

void pruned_count_one(struct pruned_kind *to, int64_t ended_ms)
{
    kind_add(to, &(struct pruned_kind){ 1, ended_ms, ended_ms });
}

void pruned_add(struct pruned *to, const struct pruned *more)
{
    kind_add(&to->runs, &more->runs);
    kind_add(&to->tokens, &more->tokens);
    kind_add(&to->early_answers, &more->early_answers);
    kind_add(&to->logs, &more->logs);
    kind_add(&to->queues, &more->queues);
    kind_add(&to->batches, &more->batches);
}

/* ---- runs -------------------------------------------------------------------------------- */

struct old_run {
    struct run *run;
    bool is_old, has_old_log;
};

/* False: not loaded. */
static bool run_look(struct batch *batch, const struct prune *prune, int64_t id,
                     struct old_run *old)
{
    const struct catalog *catalog = batch->catalog;
    struct queue *queue = NULL;
    struct run_batch *made;
    struct run *run;

    *old = (struct old_run){ 0 };
    if (!rows_run(&batch->rows, id, 0, &run))
        return false;
    if (run == NULL || run->row.is_deleted)
        return true;
    old->run = run;
    if (is_alive(run) || run->due_ms != 0 ||
        (prune->environment != 0 && run->environment != prune->environment))
        return true;
    if (catalog->queue_retention_count > 0 && !rows_queue(&batch->rows, run->queue, &queue))
        return false;
    struct slice name = queue == NULL ? (struct slice){ 0 } : queue->name;
    int64_t runs_ms = span_for(catalog, RETAIN_RUNS, run->environment, run->task, name);
    int64_t logs_ms = span_for(catalog, RETAIN_LOGS, run->environment, run->task, name);
    old->is_old = is_past(batch, run->finished_ms, runs_ms) &&
                  is_let_go(batch, run->id, later(run->finished_ms, run->updated_ms));
    if (old->is_old && run->batch != 0) { /* not before its batch has its answers */
        if (!rows_run_batch(&batch->rows, run->batch, &made))
            return false;
        old->is_old = made == NULL || made->finished_ms != 0;
    }
    old->has_old_log = run->log_lines > 0 && is_past(batch, run->finished_ms, logs_ms);
    return true;
}

static void run_prune(struct batch *batch, struct prune *prune, const struct old_run *old)
{
    struct run *run = old->run, *parent = NULL;

    if (run->parent_id != 0)
        (void)rows_run(&batch->rows, run->parent_id, 0, &parent); /* loaded */
    bool goes = old->is_old && !is_alive(parent);
    if (goes)
        pruned_count_one(&prune->pruned.runs, run->finished_ms);
    else if (old->has_old_log)
        pruned_count_one(&prune->pruned.logs, run->finished_ms);
    if (prune->is_dry || (!goes && !old->has_old_log))
        return;
    if (run->log_lines > 0)
        rows_drop_log(&batch->rows, run->id);
    run->log_lines = 0;
    run->row.is_deleted = goes;
}

static bool runs_prune(struct batch *batch, struct prune *prune)
{
    struct old_run *olds = ARENA_ARRAY(batch->arena, struct old_run, prune->ids.count + 1);
    uint32_t count = 0, found = 0;
    struct run *parent;
    bool loaded = true;

    for (uint32_t i = 0; i < prune->ids.count; i++)
        loaded &= run_look(batch, prune, prune->ids.items[i], &olds[i]);
    for (; loaded && count < prune->ids.count && found < prune->most; count++)
        found += olds[count].is_old || olds[count].has_old_log;
    for (uint32_t i = 0; i < count; i++)
        if (olds[i].is_old && olds[i].run->parent_id != 0)
            loaded &= rows_run(&batch->rows, olds[i].run->parent_id, 0, &parent);
    if (!loaded)
        return false;
    if (prune->environment == 0 && prune->after == 0)
        marks_begin(&batch->engine->marking, batch->now_ms);
    for (uint32_t i = 0; i < count; i++) {
        if (olds[i].run != NULL && !row_is_changed(ROW_RUN, &olds[i].run->row))
            olds[i].run->is_bystander = true;
        if (prune->environment == 0)
            run_mark(batch, olds[i].run);
        if (olds[i].is_old || olds[i].has_old_log)
            run_prune(batch, prune, &olds[i]);
    }
    prune->last = count == 0 ? prune->after : prune->ids.items[count - 1];
    prune->is_end = prune->is_all && count == prune->ids.count;
    batch->is_marked |= prune->is_end && prune->environment == 0;
    return true;
}

/* ---- tokens ------------------------------------------------------------------------------ */

static bool is_old_token(const struct batch *batch, const struct prune *prune,
                         const struct waitpoint *token)
{
    const struct catalog *catalog = batch->catalog;

    if (token == NULL || token->row.is_deleted || token->status == WAITPOINT_PENDING ||
        token->due_ms != 0)
        return false;
    if (token->environment == 0)
        return prune->environment == 0 && is_past(batch, token->created_ms, early_ms(catalog));
    int64_t span_ms =
        span_for(catalog, RETAIN_TOKENS, token->environment, token->task, (struct slice){ 0 });
    return (prune->environment == 0 || prune->environment == token->environment) &&
           is_past(batch, later(token->completed_ms, token->used_ms), span_ms) &&
           is_let_go(batch, token->id, later(token->completed_ms, token->used_ms));
}

/* Who made it, and the key that it is found by: it goes with the token. */
static bool token_rows_load(struct batch *batch, const struct waitpoint *token,
                            struct run **maker, struct key **key)
{
    bool loaded = true;

    *maker = NULL;
    *key = NULL;
    if (token->run_id != 0)
        loaded &= rows_run(&batch->rows, token->run_id, 0, maker);
    if (token->key.size == sizeof(*key)->hash)
        loaded &= rows_key(&batch->rows, (const uint8_t *)token->key.data, key);
    return loaded;
}

static void token_prune(struct batch *batch, struct prune *prune, struct waitpoint *token)
{
    struct run *maker;
    struct key *key;

    (void)token_rows_load(batch, token, &maker, &key); /* loaded */
    if (is_alive(maker))
        return;
    if (token->environment == 0)
        pruned_count_one(&prune->pruned.early_answers, token->created_ms);
    else
        pruned_count_one(&prune->pruned.tokens, token->completed_ms);
    if (prune->is_dry)
        return;
    token->row.is_deleted = true;
    if (key != NULL && key->target == token->id)
        key->row.is_deleted = true;
}

static bool tokens_prune(struct batch *batch, struct prune *prune)
{
    uint32_t count = 0, found = 0;
    struct waitpoint *token;
    bool loaded = true;
    struct run *maker;
    struct key *key;

    for (uint32_t i = 0; i < prune->ids.count; i++)
        loaded &= rows_waitpoint(&batch->rows, prune->ids.items[i], &token);
    for (; loaded && count < prune->ids.count && found < prune->most; count++)
        found += is_old_token(batch, prune,
                              rows_waitpoint_here(&batch->rows, prune->ids.items[count]));
    for (uint32_t i = 0; i < count; i++) {
        token = rows_waitpoint_here(&batch->rows, prune->ids.items[i]);
        if (is_old_token(batch, prune, token))
            loaded &= token_rows_load(batch, token, &maker, &key);
    }
    if (!loaded)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        token = rows_waitpoint_here(&batch->rows, prune->ids.items[i]);
        if (is_old_token(batch, prune, token))
            token_prune(batch, prune, token);
    }
    prune->last = count == 0 ? prune->after : prune->ids.items[count - 1];
    prune->is_end = prune->is_all && count == prune->ids.count;
    return true;
}

/* ---- queues ------------------------------------------------------------------------------ */

/* Its totals are in the queue without a name. */
static bool queues_prune(struct batch *batch, struct prune *prune)
{
    bool loaded = true;
    struct queue *queue;

    for (uint32_t i = 0; i < prune->ids.count; i++)
        loaded &= rows_queue(&batch->rows, prune->ids.items[i], &queue);
    if (!loaded)
        return false;
    prune->last = prune->after;
    for (uint32_t i = 0; i < prune->ids.count; i++) {
        (void)rows_queue(&batch->rows, prune->ids.items[i], &queue); /* loaded */
        prune->last = prune->ids.items[i];
        if (queue == NULL || queue->row.is_deleted || !queue->removed ||
            !is_let_go(batch, queue->id, queue->used_ms))
            continue;
        pruned_count_one(&prune->pruned.queues, queue->used_ms);
        if (!prune->is_dry)
            queue->row.is_deleted = true;
    }
    prune->is_end = prune->is_all;
    return true;
}

static void shortest_of(const struct config_retention *retention, int64_t *shortest_ms)
{
    for (int kind = 0; kind < RETAIN_KINDS; kind++)
        if (retention->span_ms[kind] != 0 && retention->span_ms[kind] < *shortest_ms)
            *shortest_ms = retention->span_ms[kind];
}

static int64_t shortest_span(const struct catalog *catalog)
{
    int64_t shortest_ms = early_ms(catalog);

    shortest_of(&catalog->retention, &shortest_ms);
    for (uint32_t i = 0; i < catalog->task_retention_count; i++)
        shortest_of(&catalog->task_retentions[i].retention, &shortest_ms);
    for (uint32_t i = 0; i < catalog->queue_retention_count; i++)
        shortest_of(&catalog->queue_retentions[i].retention, &shortest_ms);
    for (uint32_t i = 0;
         catalog->environment_retentions != NULL && i < catalog->environment_count; i++)
        shortest_of(&catalog->environment_retentions[i], &shortest_ms);
    return shortest_ms;
}

/* ---- what is wished ---------------------------------------------------------------------- */

static bool are_same(const struct catalog_retention *a, uint32_t a_count,
                     const struct catalog_retention *b, uint32_t b_count)
{
    bool same = a_count == b_count;

    for (uint32_t i = 0; same && i < a_count; i++)
        same = slice_equal(a[i].name, b[i].name) &&
               memcmp(&a[i].retention, &b[i].retention, sizeof a[i].retention) == 0;
    return same;
}

/* Environments are the server's as long as it runs, and so is what is said of all. */
void prune_catalog(struct engine *engine, const struct catalog *next)
{
    const struct catalog *before = engine->catalog;

    if (before != NULL && next != NULL &&
        (early_ms(before) != early_ms(next) ||
         memcmp(&before->retention, &next->retention, sizeof next->retention) != 0 ||
         !are_same(before->task_retentions, before->task_retention_count, next->task_retentions,
                   next->task_retention_count) ||
         !are_same(before->queue_retentions, before->queue_retention_count,
                   next->queue_retentions, next->queue_retention_count)))
        engine->retention_changes++;
}

struct prune_wish prune_wish(const struct engine *engine)
{
    return (struct prune_wish){ engine->marks_wanted_ms > engine->marks.since_ms,
                                engine->retention_changes };
}

/* What has ended since the last walk over all began goes only after another one. */
static bool is_looked_through(struct batch *batch, struct prune *prune)
{
    struct engine *engine = batch->engine;

    if (prune->asked_ms == 0 || prune->asked_ms > batch->now_ms)
        prune->asked_ms = batch->now_ms;
    if (engine->marks.since_ms >= prune->asked_ms)
        return true;
    engine->marks_wanted_ms = later(engine->marks_wanted_ms, prune->asked_ms);
    return false;
}

bool prune_decide(struct batch *batch, struct command *command)
{
    struct prune *prune = &command->prune;

    if (batch->catalog == NULL)
        return err_set(&command->err, ERR_STOPPING, "the server is still starting") || true;
    prune->shortest_ms = shortest_span(batch->catalog);
    prune->has_marks = batch->engine->marks.since_ms != 0;
    prune->is_waiting = prune->environment != 0 && prune->kind == ROW_RUN &&
                        prune->after == 0 && !is_looked_through(batch, prune);
    if (prune->is_waiting)
        return true;
    if (prune->environment != 0 && !prune->has_marks)
        return err_set(&command->err, ERR_UNAVAILABLE,
                       "the server's clock was set back, or it has started anew; begin again "
                       "without \"after\"") ||
               true;
    return prune->kind == ROW_RUN           ? runs_prune(batch, prune)
           : prune->kind == ROW_WAITPOINT   ? tokens_prune(batch, prune)
           : prune->kind == ROW_BATCH       ? batches_prune(batch, prune)
           : prune->kind == ROW_BATCH_ITEM  ? items_prune(batch, prune)
           : prune->kind == ROW_BULK_ACTION ? bulk_prune(batch, prune)
                                            : queues_prune(batch, prune);
}

void prune_commit(struct batch *batch)
{
    struct engine *engine = batch->engine;

    if (!batch->is_marked)
        return;
    marks_finish(&engine->marks);
    engine->marks = engine->marking;
    engine->marking = (struct marks){ 0 };
}
