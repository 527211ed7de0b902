#include "engine/nodes.h"

#include "codec/pack.h"
#include "engine/batch.h"
#include "engine/builds/builds.h"
#include "engine/deaths.h"

#include <stdlib.h>

enum {
    TAKE_OVER = 500, /* runs of a dead node in a batch */
    AWAY = 64,       /* lanes of others in a look */
    SPARE = 8        /* runs more than could start: of some there may be no such segment here */
};

static const struct node_self *self_of(const struct batch *batch)
{
    return &batch->engine->node;
}

/* ---- its own row ------------------------------------------------------------------------- */

/* The tasks that it can run, as they stand in its row. */
static struct slice offers_pack(struct batch *batch)
{
    const struct catalog *catalog = batch->catalog;
    struct value list = { .kind = VALUE_LIST };

    if (catalog == NULL)
        return (struct slice){ 0 };
    list.items = ARENA_ARRAY(batch->arena, struct value, catalog->task_count + 1);
    for (uint32_t i = 0; i < catalog->task_count; i++)
        if (catalog->tasks[i].available)
            list.items[list.count++] = value_string(catalog->tasks[i].id);
    struct buffer packed = { 0 };
    pack_write(&packed, &list);
    struct slice offers = arena_copy(batch->arena, buffer_view(&packed));
    buffer_finish(&packed);
    return offers;
}

static bool offers_has(const struct batch *batch, const struct node *node, struct slice task)
{
    struct value list;

    if (node->offers.size == 0 || !pack_read(batch->arena, node->offers, &list, NULL))
        return false;
    for (uint32_t i = 0; list.kind == VALUE_LIST && i < list.count; i++)
        if (slice_equal(list.items[i].bytes, task))
            return true;
    return false;
}

static bool node_lives(const struct batch *batch, const struct node *node)
{
    return node->number != 0 && !node->row.is_deleted && node->lease_ms > batch->steady_ms;
}

uint32_t nodes_count(const struct batch *batch)
{
    uint32_t count = 0;

    EACH_ROW(&batch->rows, ROW_NODE, node, node)
    count += node_lives(batch, node);
    return count > 0 ? count : 1;
}

void nodes_relimit(struct batch *batch)
{
    if (batch->roll != NULL)
        batch->roll->epoch++;
}

/* That nobody offers it must be so when it is written, too: the roll is held then. */
bool node_is_offered(const struct batch *batch, struct slice task)
{
    EACH_ROW(&batch->rows, ROW_NODE, node, node)
    if (node->number != self_of(batch)->number && node_lives(batch, node) &&
        offers_has(batch, node, task))
        return true;
    if (batch->roll != NULL)
        batch->roll->row.is_held = true;
    return false;
}

bool node_has_ready(const struct batch *batch, const struct run *run)
{
    if (run->is_bystander)
        return false;
    return run->status == RUN_QUEUED && run->home == self_of(batch)->number;
}

bool node_may_start(const struct batch *batch, const struct run *run)
{
    return node_has_ready(batch, run) || (run->is_away && run->status == RUN_QUEUED);
}

bool node_is_executing(const struct batch *batch, const struct run *run)
{
    return run_is_executing(run) && run->node == self_of(batch)->number;
}

bool node_was_executing(const struct batch *batch, const struct run *run)
{
    return run_loaded(run) != NULL && node_is_executing(batch, run_loaded(run));
}

/* ---- those that are dead ----------------------------------------------------------------- */

/* All that it had, some at a time; then it is gone. */
static bool node_take_over(struct batch *batch, struct node *dead)
{
    uint32_t number = (uint32_t)dead->number;
    struct tokens *runs;
    struct run *run;
    bool loaded = true;

    if (!rows_runs_of(&batch->rows, number, TAKE_OVER, &runs))
        return false;
    for (uint32_t i = 0; i < runs->ids.count; i++)
        loaded &= rows_run(&batch->rows, runs->ids.items[i], 0, &run);
    if (!loaded)
        return false;
    if (runs->ids.count < TAKE_OVER && !grants_release(batch, number))
        return false;
    for (uint32_t i = 0; i < runs->ids.count; i++) {
        (void)rows_run(&batch->rows, runs->ids.items[i], 0, &run); /* loaded above */
        if (run->status == RUN_RUNNING && run->node == number)
            run_recover(batch, run, false);
        else if (run->is_out && run->node == number)
            run_free(batch, run);
        else if (run->status == RUN_QUEUED && run->home == number)
            run->home = self_of(batch)->number;
    }
    if (runs->ids.count < TAKE_OVER)
        dead->row.is_deleted = true;
    else
        batch->again = true;
    return true;
}

bool node_begin(struct batch *batch)
{
    const struct node_self *self = self_of(batch);
    struct row *row, *roll;

    if (node_is_alone(self) || batch->is_node_begun)
        return true;
    bool has_own =
        rows_get(&batch->rows, ROW_NODE, (struct row_key){ .id = self->number }, 0, &row);
    has_own &= rows_get(&batch->rows, ROW_NODE, (struct row_key){ .id = 0 }, 0, &roll);
    if (!rows_nodes(&batch->rows) || !has_own)
        return false;
    struct node *own = (struct node *)row;
    if (own == NULL && !self->is_joined) {
        own = rows_new_node(&batch->rows, self->number);
        own->epoch = self->epoch;
    } else if (own == NULL || own->epoch != self->epoch) {
        batch->is_fenced = true; /* others have taken over */
        return true;
    }
    batch->roll = roll != NULL ? (struct node *)roll : rows_new_node(&batch->rows, 0);
    uint32_t roll_epoch = batch->roll->epoch;
    EACH_ROW(&batch->rows, ROW_NODE, node, other)
    if (other != own && other->number != 0 && !other->row.is_deleted &&
        !node_lives(batch, other) && !node_take_over(batch, other))
        return false;
    own->row.is_held = true;
    if (own->lease_ms - batch->steady_ms <= NODE_LEASE_MS - NODE_RENEW_MS)
        own->lease_ms = batch->steady_ms + NODE_LEASE_MS;
    struct slice offers = offers_pack(batch);
    if (own->row.loaded == NULL || !slice_equal(offers, own->offers)) {
        own->offers = offers;
        batch->roll->epoch++;
    }
    batch->is_relimit = self->is_relimited || roll_epoch != self->roll_epoch;
    batch->roll_epoch = roll_epoch;
    batch->is_poll = batch->is_relimit || batch->steady_ms >= self->poll_ms;
    batch->is_node_begun = true;
    return true;
}

bool node_tell(struct batch *batch)
{
    struct tokens *runs;
    struct run *run;
    bool loaded = true;

    if (!rows_runs_of(&batch->rows, self_of(batch)->number, TAKE_OVER, &runs))
        return false;
    for (uint32_t i = 0; i < runs->ids.count; i++)
        loaded &= rows_run(&batch->rows, runs->ids.items[i], 0, &run);
    if (!loaded)
        return false;
    for (uint32_t i = 0; i < runs->ids.count; i++) {
        (void)rows_run(&batch->rows, runs->ids.items[i], 0, &run); /* loaded above */
        if ((run->is_out || run_is_leaving(run)) && node_is_executing(batch, run))
            (void)batch_event(batch, run, true); /* it is told until it has returned */
    }
    batch->is_told = true;
    return true;
}

/* ---- what others have ready -------------------------------------------------------------- */

static const struct slice *tasks_here(struct batch *batch, uint32_t *count)
{
    const struct catalog *catalog = batch->catalog;
    struct slice *tasks = ARENA_ARRAY(batch->arena, struct slice, catalog->task_count + 1);

    for (uint32_t i = 0; i < catalog->task_count; i++)
        if (catalog->tasks[i].available)
            tasks[(*count)++] = catalog->tasks[i].id;
    return tasks;
}

/* Where they are is not changed: one that cannot start here may start there. */
bool node_fetch(struct batch *batch, uint32_t slots)
{
    struct ids *away;
    struct run *run;
    bool loaded = true;

    if (batch->is_fetched || slots == 0)
        return true;
    struct away_want want = { self_of(batch)->away_lane, AWAY, slots + SPARE, NULL, 0 };
    want.tasks = tasks_here(batch, &want.task_count);
    if (!rows_away(&batch->rows, &want, &away))
        return false;
    for (uint32_t i = 0; i < away->count; i++)
        loaded &= rows_run(&batch->rows, away->items[i], 0, &run);
    if (!loaded)
        return false;
    for (uint32_t i = 0; i < away->count; i++) {
        (void)rows_run(&batch->rows, away->items[i], 0, &run); /* loaded above */
        const struct catalog_task *task = catalog_task_of(batch->catalog, run);
        run->is_away =
            task != NULL && task->available && catalog_has_segment(task, run->segment);
        batch->away_lane = run->lane; /* they come by rising lane */
    }
    if (rows_away_is_all(&batch->rows))
        batch->away_lane = 0;
    batch->is_fetched = true;
    return true;
}

void node_committed(struct batch *batch)
{
    struct node_self *self = &batch->engine->node;

    if (node_is_alone(self) || batch->is_fenced)
        return;
    self->is_joined = true;
    if (batch->is_poll)
        self->poll_ms = batch->steady_ms + NODE_POLL_MS;
    if (batch->is_fetched) {
        self->away_lane = batch->away_lane;
        self->has_fetched = batch->has_fetched;
    }
    if (batch->admission.is_reviewed) {
        self->is_relimited = false;
        self->roll_epoch = batch->roll_epoch;
    }
    grants_committed(batch);
}

void engine_node(struct engine *engine, uint32_t number, uint32_t epoch)
{
    engine->node.number = number;
    engine->node.epoch = epoch;
}
