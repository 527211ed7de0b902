/* What must hold after every batch and every crash, whatever happened. */
#include "base/table.h"
#include "batches.h"
#include "check_minutes.h"
#include "engine/rows/schedule.h"
#include "engine/waits/wait.h"
#include "store/timers.h"
#include "world.h"

#include <string.h>

/* Where `id` is in a table of indices plus one, or the free place where it belongs. */
static uint16_t *known_slot(uint16_t *table, int64_t id,
                            bool (*has)(struct world *, uint16_t, int64_t), struct world *world)
{
    uint64_t hash = (uint64_t)id * UINT64_C(0x9e3779b97f4a7c15) >> 40;

    for (;; hash++) {
        uint16_t *slot = &table[hash % KNOWN_SLOTS];
        if (*slot == 0 || has(world, (uint16_t)(*slot - 1), id))
            return slot;
    }
}

static bool run_is(struct world *world, uint16_t at, int64_t id)
{
    return world->runs[at].id == id;
}

static bool token_is(struct world *world, uint16_t at, int64_t id)
{
    return world->tokens[at].id == id;
}

struct known_run *known_run(struct world *world, int64_t id, bool add)
{
    uint16_t *slot = known_slot(world->run_slots, id, run_is, world);

    if (*slot == 0 && add && world->run_count < KNOWN_MAX) {
        world->runs[world->run_count] = (struct known_run){ .id = id };
        *slot = (uint16_t)++world->run_count;
    }
    return *slot == 0 ? NULL : &world->runs[*slot - 1];
}

struct known_token *known_token(struct world *world, int64_t id, bool add)
{
    uint16_t *slot = known_slot(world->token_slots, id, token_is, world);

    if (*slot == 0 && add && world->token_count < KNOWN_MAX) {
        world->tokens[world->token_count] = (struct known_token){ .id = id };
        *slot = (uint16_t)++world->token_count;
    }
    return *slot == 0 ? NULL : &world->tokens[*slot - 1];
}

/* How long what a task leaves is kept. */
static int64_t kept_ms(const struct world *world, struct slice task, enum retention_kind kind)
{
    int64_t own_ms = slice_is(task, "beta") ? world->beta_retention.span_ms[kind] : 0;
    int64_t ms = own_ms != 0 ? own_ms : world->retention.span_ms[kind];

    return ms == 0 ? RETENTION_FOREVER : ms;
}

static bool is_past(const struct world *world, int64_t since_ms, int64_t span_ms)
{
    return span_ms != RETENTION_FOREVER && since_ms <= world->latest_ms - span_ms;
}

/* What a live run has waited for stays until it has asked what came of it. */
static void check_unasked(struct world *world, int64_t gone)
{
    struct arena arena = { 0 };
    struct wait wait;

    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_RUN); i++) {
        const struct run *run = store_memory_run(world->memory, i);
        bool begins_there = run->replayed != 0 && gone < run->id; /* another one's wait */
        if (run->status != RUN_DONE && !begins_there && wait_read(&arena, run->wait, &wait) &&
            wait_has(&arena, &wait, gone))
            world_flaw(world, "run %lld asks for %lld, which was removed", (long long)run->id,
                       (long long)gone);
    }
    arena_finish(&arena);
}

/* Only what has ended may go, and only when it is old. */
static void run_gone(struct world *world, struct known_run *known)
{
    if (!known->is_done ||
        !is_past(world, known->finished_ms, kept_ms(world, slice_of(known->task), RETAIN_RUNS)))
        world_flaw(world, "run %lld is lost", (long long)known->id);
    check_unasked(world, known->id);
    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_LOG_LINE); i++)
        if (((const struct log_line *)store_memory_at(world->memory, ROW_LOG_LINE, i))
                ->run_id == known->id)
            world_flaw(world, "run %lld has left a line of its log", (long long)known->id);
    known->is_gone = true;
}

/* Often: printf would take a tenth of the time. */
static void task_keep(char kept[16], struct slice task)
{
    size_t size = task.size < 15 ? task.size : 15;

    if (size > 0)
        memcpy(kept, task.data, size);
    kept[size] = '\0';
}

/* No acknowledged run is lost, none finishes twice or goes back in time. */
static void check_known(struct world *world)
{
    for (uint32_t i = 0; i < world->run_count; i++) {
        struct known_run *known = &world->runs[i];
        const struct run *run = store_memory_find(world->memory, known->id);
        if (run == NULL) {
            if (!known->is_gone)
                run_gone(world, known);
            continue;
        }
        if (run->seq < known->seq)
            world_flaw(world, "run %lld went back from move %u to %u", (long long)run->id,
                       known->seq, run->seq);
        if (known->is_done && (run->outcome != known->outcome || run->seq != known->seq))
            world_flaw(world, "run %lld was finished and moved on", (long long)run->id);
        if ((run->status == RUN_DONE) != (run->outcome != OUTCOME_NONE))
            world_flaw(world, "run %lld: status %u with outcome %u", (long long)run->id,
                       run->status, run->outcome);
        known->seq = run->seq;
        known->is_done = run->status == RUN_DONE;
        known->outcome = run->outcome;
        known->finished_ms = run->finished_ms;
        task_keep(known->task, run->task);
    }
}

/* The same of tokens. */
static void check_gone_tokens(struct world *world)
{
    for (uint32_t i = 0; i < world->token_count; i++) {
        struct known_token *known = &world->tokens[i];
        if (!known->is_there || known->seen == world->batches)
            continue;
        known->is_there = false;
        /* One that was answered before it was made had no task yet. */
        int64_t kept = kept_ms(world, slice_of(known->task), RETAIN_TOKENS);
        int64_t beta = kept_ms(world, SLICE("beta"), RETAIN_TOKENS);
        kept = known->task[0] == '\0' && beta < kept ? beta : kept;
        if (known->status == WAITPOINT_PENDING || !is_past(world, known->completed_ms, kept))
            world_flaw(world, "token %lld is lost: status %u, settled %lld ms ago, of %s",
                       (long long)known->id, known->status,
                       (long long)(world->now_ms - known->completed_ms), known->task);
        check_unasked(world, known->id);
    }
}

/* Completion wins once: what was settled stays as it was. */
static void check_tokens(struct world *world)
{
    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_WAITPOINT); i++) {
        const struct waitpoint *token = store_memory_waitpoint(world->memory, i);
        struct known_token *known = known_token(world, token->id, false);
        if (known != NULL) {
            uint64_t hash = table_hash(token->result, 0);
            if (known->status != WAITPOINT_PENDING &&
                (known->status != token->status || known->result_hash != hash))
                world_flaw(world, "token %lld was settled and changed", (long long)token->id);
            known->status = token->status;
            known->result_hash = hash;
            known->completed_ms = token->completed_ms;
            known->is_there = true;
            known->seen = world->batches;
            task_keep(known->task, token->task);
        }
        if (token->environment == 0 && token->status != WAITPOINT_COMPLETED)
            world_flaw(world, "token %lld is nobody's and was never posted to",
                       (long long)token->id);
        if (token->status != WAITPOINT_PENDING && token->due_ms > world->steady_ms)
            world_flaw(world, "token %lld is settled and still has a timer",
                       (long long)token->id);
    }
}

/* *is_telling: it is over, and not all who wait for it were told; a batch that is due will. */
static bool is_pending(struct world *world, bool is_token, int64_t id, bool *is_telling)
{
    if (!is_token) {
        const struct run *run = store_memory_find(world->memory, id);
        bool pending = run != NULL && !run_is_over(run);
        *is_telling = run != NULL && !pending && run->due_ms != 0;
        return pending;
    }
    const struct waitpoint *token = store_memory_token(world->memory, id);
    const struct run_batch *made = batch_of(world, id);
    bool pending = token != NULL && token->status == WAITPOINT_PENDING;
    *is_telling = token != NULL && !pending &&
                  (token->due_ms != 0 || (made != NULL && made->due_ms != 0));
    return pending;
}

/* Stands in the group in an earlier place, too. */
static bool is_again(const struct wait *wait, uint32_t place)
{
    for (uint32_t i = 0; i < place; i++)
        if (wait->ids[i] == wait->ids[place])
            return true;
    return false;
}

/* Every waiting run has something live to wake it, and exactly the edges that it needs. */
static uint32_t check_waiting(struct world *world, const struct run *run)
{
    struct arena arena = { 0 };
    struct wait wait;
    uint32_t edges = 0, ended = 0;

    if (!wait_read(&arena, run->wait, &wait)) {
        world_flaw(world, "run %lld waits for nothing", (long long)run->id);
    } else if (wait.kind == WAIT_FOR_TIME) {
        if (run->due_ms == 0 || run->remaining != 0)
            world_flaw(world, "run %lld waits for a time that never comes", (long long)run->id);
    } else {
        for (uint32_t i = 0; i < wait.count; i++) {
            if (wait.group != NULL && (wait.group->is_over || is_again(&wait, i)))
                continue;
            bool telling;
            bool pending = is_pending(world, wait_is_token(&wait, i), wait.ids[i], &telling);
            bool linked = store_memory_has_edge(world->memory, wait.ids[i], run->id);
            pending |= telling && linked;
            if (pending != linked)
                world_flaw(world, "run %lld: waitpoint %lld is %s and %s", (long long)run->id,
                           (long long)wait.ids[i], pending ? "pending" : "over",
                           linked ? "linked" : "not linked");
            edges += linked;
            ended += !pending;
        }
        if (wait.group != NULL)
            check_group(world, run, &wait, &arena);
        else if (run->remaining == 0 || run->remaining + ended != wait.needed)
            world_flaw(world, "run %lld needs %u of %u, %u have ended, %u remain",
                       (long long)run->id, wait.needed, wait.count, ended, run->remaining);
    }
    arena_finish(&arena);
    return edges;
}

/* The end of a run that was canceled, or took too long, is told when those of its children have
 * ended that were made to be waited for: each that has not is an edge. */
static uint32_t check_held(struct world *world, const struct run *run)
{
    uint32_t edges = 0, hold = run->swept_id != 0;

    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_RUN); i++) {
        const struct run *child = store_memory_run(world->memory, i);
        if (child->parent_id != run->id || (child->choices & RUN_HOLDS) == 0)
            continue;
        bool linked = store_memory_has_edge(world->memory, child->id, run->id);
        bool telling = run_is_over(child) && child->due_ms != 0;
        edges += linked;
        if (!linked && !run_is_over(child) && (hold == 0 || child->id <= run->swept_id))
            world_flaw(world, "run %lld does not wait for its child %lld", (long long)run->id,
                       (long long)child->id);
        if (linked && run_is_over(child) && !telling)
            world_flaw(world, "run %lld waits for its child %lld, which has ended",
                       (long long)run->id, (long long)child->id);
    }
    if (run->remaining != edges + hold)
        world_flaw(world, "run %lld has ended, %u remain, and %u children hold it",
                   (long long)run->id, run->remaining, edges);
    return edges;
}

/* A run that takes a place is in exactly one slot, a slot has only such runs. */
static void check_running(struct world *world, const struct run *run)
{
    uint32_t slots = hosts_hold(world, run);

    /* A node that is dead takes its slots with it, and its runs wait for the end of its lease.
     */
    if (slots > 1 || (slots == 0 && host_is_alone(world)))
        world_flaw(world, "run %lld is running in %u slots", (long long)run->id, slots);
}

/* A run is in a queue of its environment, and a task's own queue has no other's runs. */
static void check_place(struct world *world, const struct run *run)
{
    const struct queue *queue = store_memory_queue(world->memory, run->queue);

    if (queue != NULL && queue->removed && (run->status != RUN_DONE || run->is_out))
        world_flaw(world, "run %lld is in queue %.*s, which was removed", (long long)run->id,
                   SLICE_ARG(queue->name));
    if (queue == NULL || queue->environment != run->environment)
        world_flaw(world, "run %lld of environment %u is in a queue of %u", (long long)run->id,
                   run->environment, queue == NULL ? 0 : queue->environment);
    else if (slice_starts(queue->name, "task/") &&
             !slice_equal((struct slice){ queue->name.data + 5, queue->name.size - 5 },
                          run->task))
        world_flaw(world, "run %lld of task %.*s is in queue %.*s", (long long)run->id,
                   SLICE_ARG(run->task), SLICE_ARG(queue->name));
}

/* The totals of an environment's queues: each run that has ended is in one of them. */
static void check_totals(struct world *world)
{
    int64_t completed = 0, all = 0;

    for (uint32_t environment = 1; environment <= ENVIRONMENTS; environment++) {
        int64_t totals = 0, ended = 0;
        for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_QUEUE); i++) {
            const struct queue *queue =
                (const struct queue *)store_memory_at(world->memory, ROW_QUEUE, i);
            if (queue->environment != environment)
                continue;
            totals += queue->completed + queue->failed + queue->canceled;
            completed += queue->completed;
        }
        all += totals;
        for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_RUN); i++) {
            const struct run *run = store_memory_run(world->memory, i);
            ended += run->environment == environment && run->status == RUN_DONE;
        }
        if (totals < ended) /* what was pruned is still counted */
            world_flaw(world, "%lld runs of environment %u have ended, %lld are counted",
                       (long long)ended, environment, (long long)totals);
    }
    check_minutes(world, completed, all);
}

void check_rows(struct world *world)
{
    uint32_t running = 0, edges = check_batches(world) + schedules_edges(world);

    world->latest_ms = world->now_ms > world->latest_ms ? world->now_ms : world->latest_ms;
    if (world->steady_ms > world->latest_steady_ms)
        world->latest_steady_ms = world->steady_ms;
    check_known(world);
    check_tokens(world);
    check_bulks(world);
    check_collected(world);
    check_totals(world);
    check_gone_tokens(world);
    check_queues(world);
    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_RUN); i++) {
        const struct run *run = store_memory_run(world->memory, i);
        check_place(world, run);
        if (run_is_executing(run)) {
            running++;
            check_running(world, run);
        } else if (run->status == RUN_WAITING && run->ending != OUTCOME_NONE) {
            if (run->due_ms == 0)
                world_flaw(world, "run %lld waits for nothing", (long long)run->id);
        } else if (run->status == RUN_WAITING) {
            edges += check_waiting(world, run);
        } else if (run_is_paused(run) && run->error.size == 0) {
            world_flaw(world, "run %lld is delayed for ever", (long long)run->id);
        }
        if (ended_with_children(run) && (run->choices & RUN_IS_HELD) != 0)
            edges += check_held(world, run);
        if (run->status == RUN_DONE && run->due_ms > world->steady_ms)
            world_flaw(world, "run %lld is done and has a timer", (long long)run->id);
    }
    if (host_is_alone(world) && running != world->held_count)
        world_flaw(world, "%u runs are running, %u slots are held", running, world->held_count);
    if (edges != store_memory_count(world->memory, ROW_EDGE))
        world_flaw(world, "%u edges are stored, waiting runs, items and schedules have %u",
                   store_memory_count(world->memory, ROW_EDGE), edges);
}

/* A lane with a key is a row as long as a live run has it, and says what its runs say. */
static void check_lanes(struct world *world)
{
    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_RUN); i++) {
        const struct run *run = store_memory_run(world->memory, i);
        const struct lane *lane = store_memory_lane(world->memory, run->lane);
        if ((run->concurrency_key.size > 0) != (run->lane != run->queue))
            world_flaw(world, "run %lld has a key and no lane, or a lane and no key",
                       (long long)run->id);
        if (run->lane != run->queue && (run->status != RUN_DONE || run->is_out) &&
            (lane == NULL || lane->queue != run->queue ||
             !slice_equal(lane->key, run->concurrency_key)))
            world_flaw(world, "run %lld is in a lane that is not there", (long long)run->id);
    }
}

/* Within a lane nothing starts before something that ranks before it. */
void check_outcome(struct world *world, const struct outcome *outcome)
{
    if (outcome->aside.count > 0 || outcome->is_due_wrong)
        world_flaw(world, "something was due that could not be handled");
    for (const struct assignment *a = outcome->assignments; a != NULL; a = a->next) {
        world->started++;
        const struct run *started = store_memory_find(world->memory, a->run_id);
        if (started == NULL || started->status != RUN_RUNNING || started->seq != a->seq) {
            world_flaw(world, "an assignment of run %lld was not committed",
                       (long long)a->run_id);
            return;
        }
        check_started(world, started);
        check_fair(world, started);
        if (started->id_block % ID_BLOCK != 0 || started->id_block == 0)
            world_flaw(world, "run %lld has no block of ids", (long long)a->run_id);
        for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_RUN); i++) {
            const struct run *other = store_memory_run(world->memory, i);
            if (other->status == RUN_QUEUED && other->lane == started->lane &&
                other->home == started->home &&
                other->deaths.size == 0 && /* may be a suspect */
                (other->due_ms == 0 || other->due_ms > world->steady_ms) && /* it expires */
                (other->rank_ms < started->rank_ms ||
                 (other->rank_ms == started->rank_ms && other->id < started->id)))
                world_flaw(world, "run %lld started before run %lld, which ranks before it",
                           (long long)started->id, (long long)other->id);
        }
    }
    if (!outcome->again)
        check_idle(world, outcome);
    check_lanes(world);
}

static bool is_over(int64_t due_ms, bool is_span, const struct moment *now)
{
    return due_ms != 0 && due_ms <= (is_span ? now->steady_ms : now->wall_ms);
}

void check_overdue(struct world *world, const struct moment *now)
{
    if (moment_is_due(&world->next_due, now))
        return; /* the pump goes on at once */
    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_RUN); i++) {
        const struct run *run = store_memory_run(world->memory, i);
        if (is_over(run->due_ms, run->due_is_span, now) ||
            is_over(run->total_end_ms, true, now))
            world_flaw(world, "run %lld was due at %lld and nobody will look",
                       (long long)run->id, (long long)run->due_ms);
    }
    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_WAITPOINT); i++) {
        const struct waitpoint *token = store_memory_waitpoint(world->memory, i);
        if (is_over(token->due_ms, token->due_is_span, now))
            world_flaw(world, "token %lld was due at %lld and nobody will look",
                       (long long)token->id, (long long)token->due_ms);
    }
    check_batches_due(world, now);
    check_bulks_due(world, now);
    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_SCHEDULE); i++) {
        const struct schedule *schedule =
            (const struct schedule *)store_memory_at(world->memory, ROW_SCHEDULE, i);
        if (is_over(schedule->due_ms, false, now))
            world_flaw(world, "schedule %lld was due and nobody will look",
                       (long long)schedule->id);
    }
    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_QUEUE); i++) {
        const struct queue *queue =
            (const struct queue *)store_memory_at(world->memory, ROW_QUEUE, i);
        if (is_over(queue->due_ms, queue->due_is_span, now))
            world_flaw(world, "queue %.*s was due and nobody will look",
                       SLICE_ARG(queue->name));
    }
}

void check_finished(struct world *world)
{
    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_RUN); i++) {
        const struct run *run = store_memory_run(world->memory, i);
        if (run->status != RUN_DONE && !slice_is(run->task, "unknown"))
            world_flaw(world,
                       "run %lld is stuck in status %u (home %u, queue %lld, lane %lld, %zu "
                       "deaths), due in %lld ms",
                       (long long)run->id, run->status, run->home, (long long)run->queue,
                       (long long)run->lane, run->deaths.size / 8,
                       (long long)(run->due_ms -
                                   (run->due_is_span ? world->steady_ms : world->now_ms)));
    }
    if (!bulks_are_done(world))
        world_flaw(world, "a bulk action is stuck");
    check_batches_finished(world); /* last: a batch waits for its runs */
}
