/*
 * Dispatch, the last step of each batch: runs that may start are given to slots. Environments
 * divide the slots by their shares (share.c); the queues of one take turns, the lanes of a
 * queue do, and a lane gives its best ranked run.
 *
 *   lines: which lanes, which runs (load) ─▶ pick (pure) ─▶ load what the frames need ─▶ assign
 */
#include "engine/batch.h"
#include "engine/builds/builds.h"
#include "engine/contract.h"
#include "engine/deaths.h"
#include "engine/waits/save_points.h"

#include <stdlib.h>

enum { SUSPECT_WAIT_MS = 10000 };

static int rank_order(const void *a, const void *b)
{
    const struct run *x = *(const struct run *const *)a, *y = *(const struct run *const *)b;

    if (x->rank_ms != y->rank_ms)
        return x->rank_ms < y->rank_ms ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

static void line_put(struct batch *batch, struct line *line, struct run *run)
{
    if (line->count == line->capacity) {
        struct run **old = line->runs;
        line->capacity = line->capacity == 0 ? 16 : line->capacity * 2;
        line->runs = ARENA_ARRAY(batch->arena, struct run *, line->capacity);
        if (line->count > 0)
            memcpy(line->runs, old, line->count * sizeof *old);
    }
    line->runs[line->count++] = run;
}

static void lines_fill(struct batch *batch)
{
    EACH_RUN(&batch->rows, run)
    {
        struct line *line = node_may_start(batch, run) ? line_of(batch, run->lane) : NULL;
        if (line != NULL)
            line_put(batch, line, run);
    }
    for (struct place *place = batch->admission.first_place; place != NULL; place = place->next)
        for (struct line *line = place->first; line != NULL; line = line->next)
            if (line->count > 1)
                qsort(line->runs, line->count, sizeof(struct run *), rank_order);
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
    struct admission *admission = &batch->admission;
    bool has_waited = batch->now_ms - run->updated_ms >= SUSPECT_WAIT_MS;

    if (deaths_recent(batch, run) < DEATHS_ALONE)
        return true;
    if (admission->suspect != 0 ||
        (!has_waited && (!admission->picks_suspects || admission->in_use > 0)))
        return false;
    admission->suspect = run->id;
    return true;
}

/* It would block the line for runs that can go: set it aside until a build comes. */
static bool run_set_aside(struct batch *batch, struct run *run)
{
    const struct catalog_task *task = catalog_task_of(batch->catalog, run);

    if (task != NULL && task->available && catalog_has_segment(task, run->segment))
        return false;
    if (node_is_offered(batch, run->task)) {
        run->home = 0;
        return true;
    }
    (void)run_move(batch, run, RUN_PARKED,
                   task != NULL && !task->available ? task->reason
                   : task == NULL                   ? SLICE("no plugin offers the task")
                                                    : SLICE("no loaded build has the segment"));
    return true;
}

/* The run costs more than is left of the rate: it is saved up. */
static void meter_save(struct meter *meter, int64_t opens_ms)
{
    if (meter->opens_ms != 0)
        return;
    meter->opens_ms = opens_ms;
    meter->is_saving = true;
}

static enum gate gate_now(struct batch *batch, struct line *line, const struct run *run)
{
    struct place *place = line->place;
    bool is_next = line->horizon == NULL || rank_order(&run, &line->horizon) <= 0;
    int64_t lane_ms = is_next ? meter_opens_ms(batch, &line->meter, run) : line->meter.opens_ms;
    int64_t queue_ms =
        is_next ? meter_opens_ms(batch, &place->meter, run) : place->meter.opens_ms;
    struct gate_facts facts = {
        .queue_running = place->running,
        .total = place->total,
        .lane_running = line->running,
        .lane_limit = line->limit,
        .is_pushed_back = rate_is_pushed(line->meter.row, batch->steady_ms),
        .is_out_of_rate = lane_ms != 0 || queue_ms != 0,
        .lacks_tokens = pools_lack(batch, place),
        .environment_running = place->share->running,
        .environment_limit = place->share->limit,
        .room = share_room(batch, place->share, task_is_short(batch->engine, run->task))
    };
    enum gate gate = gate_of(&facts);

    if (gate == GATE_RATE && lane_ms != 0)
        meter_save(&line->meter, lane_ms);
    else if (gate == GATE_RATE)
        meter_save(&place->meter, queue_ms);
    return gate == GATE_NONE && !is_next ? GATE_TURN : gate;
}

struct run *line_pick(struct batch *batch, struct line *line)
{
    while (line->gate == GATE_NONE && line->at < line->count) {
        struct run *run = line->runs[line->at];
        if (!node_may_start(batch, run) || run_set_aside(batch, run)) {
            line->at++; /* picked, or set aside, when the line was gone through before */
            continue;
        }
        line->gate = gate_now(batch, line, run);
        if (line->gate != GATE_NONE)
            return NULL;
        line->at++;
        if (run->started_ms == 0 && run_ttl_is_over(batch, run))
            continue; /* it expires in the next batch */
        if (run->deaths.size > 0 && !suspect_may_start(batch, run)) {
            line->suspects++; /* nobody waits for it */
            continue;
        }
        line->running++;
        line->place->running++;
        line->place->spent += task_is_short(batch->engine, run->task) ? 1 : TURN_LONG;
        meter_start(batch, &line->meter, run);
        meter_start(batch, &line->place->meter, run);
        grant_use(batch, line->lane, line->whole, line->running);
        grant_use(batch, -line->place->id, line->place->whole, line->place->running);
        if (line->place->uses.count > 0)
            pools_start(batch, line->place);
        run->home = batch->engine->node.number;
        batch->has_fetched |= run->is_away;
        line->has_started = line->place->share->has_started = true;
        return run;
    }
    return NULL;
}

/* The lanes of a queue take turns. */
static struct run *place_pick(struct batch *batch, struct place *place)
{
    struct line *line = place->turn != NULL ? place->turn : place->first, *last = line;

    if (line == NULL)
        return NULL;
    if (place->fair != NULL)
        return tenants_pick(batch, place);
    do {
        struct run *run = line_pick(batch, line);
        line = line->next != NULL ? line->next : place->first;
        if (run != NULL) {
            place->turn = line;
            return run;
        }
    } while (line != last);
    return NULL;
}

/* The environment's queues take turns. */
static struct run *share_pick(struct batch *batch, struct share *share)
{
    struct place *first = batch->admission.first_place;
    struct place *place = share->turn != NULL ? share->turn : first, *last = place;

    do {
        struct run *run = place->share == share ? place_pick(batch, place) : NULL;
        place = place->next != NULL ? place->next : first;
        if (run != NULL) {
            share->turn = place;
            return run;
        }
    } while (place != last);
    share->is_done = true;
    return NULL;
}

static void lines_pick(struct batch *batch, uint32_t most)
{
    struct admission *admission = &batch->admission;
    struct share *share;

    while (admission->in_use < most && (share = share_next(batch)) != NULL) {
        struct run *run = share_pick(batch, share);
        if (run == NULL)
            continue;
        admission->picks[admission->pick_count++] = run;
        share_start(batch, share);
    }
}

/* Nothing else is there: one of the suspects starts. */
static void suspects_pick(struct batch *batch)
{
    bool has_suspects = false;

    for (struct place *place = batch->admission.first_place; place != NULL; place = place->next)
        for (struct line *line = place->first; line != NULL; line = line->next)
            if (line->suspects > 0) {
                line->at = line->suspects = 0;
                has_suspects = true;
            }
    if (!has_suspects)
        return;
    batch->admission.picks_suspects = true;
    for (uint32_t i = 0; i < batch->admission.share_count; i++)
        batch->admission.shares[i].is_done = false;
    lines_pick(batch, 1);
}

static void runs_pick(struct batch *batch)
{
    struct admission *admission = &batch->admission;
    uint32_t most = running_most(batch);

    admission->picks = ARENA_ARRAY(batch->arena, struct run *, most + 1);
    if (admission->first_place == NULL)
        return;
    lines_pick(batch, most);
    if (admission->in_use == 0)
        suspects_pick(batch);
}

/* With other nodes: what waits for more of a limit than this one could take. */
static void lines_want(struct batch *batch)
{
    for (struct place *place = batch->admission.first_place; place != NULL;
         place = place->next) {
        bool has_slot = place->share != NULL && share_room(batch, place->share, true) > 0;
        for (struct line *line = place->first; line != NULL; line = line->next) {
            bool is_held = line->gate == GATE_LANE || line->gate == GATE_TOTAL;
            bool waits = is_held && (line->at < line->count || line->in_backlog);
            place->lacks |=
                waits && place->running >= place->total && place->running < place->whole;
            if (place->queue != NULL)
                grant_want(batch, line->lane, line->whole,
                           waits && line->running >= line->limit && line->running < line->whole,
                           has_slot);
        }
        if (place->queue != NULL && place->first != NULL)
            grant_want(batch, -place->id, place->whole, place->lacks, has_slot);
    }
    pools_want(batch);
}

static void run_assign(struct batch *batch, struct run *run)
{
    const struct catalog_task *task = catalog_task_start(batch->catalog, run, batch->now_ms);
    struct assignment *assignment = ARENA_NEW(batch->arena, struct assignment);
    struct frame frame = { .kind = FRAME_SEGMENT };
    bool is_rerun = run->id_block != 0;

    if (run->started_ms == 0 && !run_has_ended(run)) { /* else it never will be */
        run->started_ms = batch->now_ms;
        run->attempt = 1;
    }
    if (!is_rerun)
        run->id_block = id_next_block(batch->engine->ids, batch->now_ms);
    run->due_ms = 0; /* its ttl was kept */
    contract_follow(batch->arena, task, run, batch->now_ms);
    run->node = batch->engine->node.number;
    run->epoch = batch->engine->node.epoch;
    run->version = task->version;
    run->build = task->build;
    save_points_learn(run, task);
    minutes_start(batch, run);
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
    assignment->grace_ms = task->grace_ms;
    frame.segment = *assignment->frame;
    frame_write(&assignment->bytes, &frame);
    *batch->assignment_tail = assignment;
    batch->assignment_tail = &assignment->next;
    batch->assignment_count++;
}

/* Now and then, and while there is more: what others have ready may start here. */
static bool nodes_look(struct batch *batch)
{
    uint32_t used = 0;

    if ((!batch->is_poll && !batch->engine->node.has_fetched) || batch->admission.is_begun)
        return true;
    if (batch->is_poll && !batch->is_told && !node_tell(batch))
        return false;
    for (uint32_t i = 0; i < batch->rows.running_count; i++)
        used += batch->rows.running[i].count;
    EACH_RUN(&batch->rows, run)
    used += (uint32_t)node_is_executing(batch, run) - (uint32_t)node_was_executing(batch, run);
    return used >= batch->catalog->slots || node_fetch(batch, batch->catalog->slots - used);
}

bool batch_dispatch(struct batch *batch)
{
    struct admission *admission = &batch->admission;
    bool loaded = true;

    if (batch->catalog == NULL || batch->is_stopping ||
        batch->is_fenced) /* the first one comes soon */
        return true;
    if (!admission->is_picked) {
        if (!admission_has_work(batch))
            return true;
        bool has_rows = rows_running(&batch->rows);
        has_rows &= shares_load(batch);
        if (!has_rows || !nodes_look(batch) || !lines_choose(batch) || !lines_load(batch))
            return false;
        lines_fill(batch);
        runs_pick(batch);
        if (!node_is_alone(&batch->engine->node)) {
            lines_want(batch);
            shares_want(batch);
        }
        admission->is_picked = true;
    }
    for (uint32_t i = 0; i < admission->pick_count; i++)
        loaded &= segment_frame_ready(batch, admission->picks[i]);
    if (!loaded)
        return false;
    for (uint32_t i = 0; i < admission->pick_count; i++)
        run_assign(batch, admission->picks[i]);
    admission->pick_count = 0;
    return true;
}
