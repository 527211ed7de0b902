/*
 * Grants: what a limit allows is dealt out to the nodes, and each admits within what it has
 * without asking anybody. One row a limit says who has how much; only the node itself takes
 * more or gives back, or whoever takes over from it when it is dead. So its own share is known
 * without looking, and the sum of all never exceeds the limit.
 */
#include "base/memory.h"
#include "engine/batch.h"

#include <stdlib.h>

enum { PAIR = 8 }; /* a node and a number, as the row has them */

/* ---- the row ----------------------------------------------------------------------------- */

static uint32_t pair_get(struct slice pairs, size_t at, size_t which)
{
    uint32_t number;

    memcpy(&number, pairs.data + at + which * sizeof number, sizeof number);
    return number;
}

static uint32_t pairs_of(struct slice pairs, uint32_t node)
{
    for (size_t at = 0; at + PAIR <= pairs.size; at += PAIR)
        if (pair_get(pairs, at, 0) == node)
            return pair_get(pairs, at, 1);
    return 0;
}

static uint32_t pairs_sum(struct slice pairs)
{
    uint32_t sum = 0;

    for (size_t at = 0; at + PAIR <= pairs.size; at += PAIR)
        sum += pair_get(pairs, at, 1);
    return sum;
}

/* 0 takes it away. */
static struct slice pairs_set(struct arena *arena, struct slice pairs, uint32_t node,
                              uint32_t number)
{
    char *bytes = arena_alloc(arena, pairs.size + PAIR);
    size_t size = 0;

    for (size_t at = 0; at + PAIR <= pairs.size; at += PAIR) {
        if (pair_get(pairs, at, 0) == node)
            continue;
        memcpy(bytes + size, pairs.data + at, PAIR);
        size += PAIR;
    }
    if (number > 0) {
        memcpy(bytes + size, &node, sizeof node);
        memcpy(bytes + size + sizeof node, &number, sizeof number);
        size += PAIR;
    }
    return (struct slice){ bytes, size };
}

/* ---- what this node has ------------------------------------------------------------------ */

static uint32_t hint_at(const struct node_self *self, int64_t scope)
{
    uint32_t low = 0, high = self->grant_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (self->grants[middle].scope < scope)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* In this batch: as it was, or as it is to be. */
static struct grant_hint grant_mine(const struct batch *batch, int64_t scope)
{
    const struct node_self *self = &batch->engine->node;
    const struct grant_hint *changed = table_find(&batch->admission.grants, (uint64_t)scope);
    uint32_t at = hint_at(self, scope);

    if (changed != NULL)
        return *changed;
    return at < self->grant_count && self->grants[at].scope == scope
               ? self->grants[at]
               : (struct grant_hint){ .scope = scope };
}

static void grant_note(struct batch *batch, struct grant_hint mine)
{
    struct grant_hint *changed = table_find(&batch->admission.grants, (uint64_t)mine.scope);

    if (changed == NULL) {
        changed = ARENA_NEW(batch->arena, struct grant_hint);
        batch_ids_add(batch, &batch->admission.granted, mine.scope);
        table_set(&batch->admission.grants, (uint64_t)mine.scope, changed);
    }
    *changed = mine;
}

/* One that says nothing is no row. */
static void grant_tidy(struct grant *grant)
{
    grant->row.is_deleted = grant->holders.size == 0 && grant->hungry.size == 0;
}

/* ---- what may start ---------------------------------------------------------------------- */

static bool is_shared(const struct batch *batch, uint32_t limit)
{
    return !node_is_alone(&batch->engine->node) && limit != UINT32_MAX;
}

bool grant_look(struct batch *batch, int64_t scope, uint32_t limit, uint32_t used,
                uint32_t more, uint32_t *here)
{
    struct grant_hint mine = grant_mine(batch, scope);
    struct grant *grant;

    *here = limit;
    if (!is_shared(batch, limit))
        return true;
    *here = mine.count < limit ? mine.count : limit;
    if ((mine.count == 0 || mine.limit == limit) && mine.count >= used + more &&
        !mine.is_lowered && !mine.is_hungry)
        return true;
    if (!rows_grant(&batch->rows, scope, &grant))
        return false;
    uint32_t sum = grant == NULL ? 0 : pairs_sum(grant->holders);
    if (mine.count > 0 && (mine.limit != limit || mine.is_lowered != (sum > limit))) {
        mine.limit = limit;
        mine.is_lowered = sum > limit; /* what runs ends first */
        grant_note(batch, mine);
    }
    if (sum > limit)
        *here = used < *here ? used : *here;
    else if (!mine.is_given)
        *here = mine.count + limit - sum;
    return true;
}

static void grant_write(struct batch *batch, struct grant *grant, struct grant_hint *mine,
                        uint32_t count)
{
    if (count != mine->count)
        grant->holders =
            pairs_set(batch->arena, grant->holders, batch->engine->node.number, count);
    mine->count = count;
    grant_tidy(grant);
}

void grant_use(struct batch *batch, int64_t scope, uint32_t limit, uint32_t used)
{
    struct grant_hint mine = grant_mine(batch, scope);
    struct grant *grant;

    if (!is_shared(batch, limit) || mine.count >= used)
        return;
    (void)rows_grant(&batch->rows, scope, &grant); /* looked at before */
    if (grant == NULL)
        grant = rows_new_grant(&batch->rows, scope);
    mine.limit = limit;
    grant_write(batch, grant, &mine, used);
    grant_note(batch, mine);
}

/* In its row, where the others see it. */
static void hunger_set(struct batch *batch, struct grant *grant, bool is_hungry)
{
    uint32_t node = batch->engine->node.number;

    if (is_hungry == (pairs_of(grant->hungry, node) > 0))
        return;
    grant->hungry = pairs_set(batch->arena, grant->hungry, node, is_hungry);
    grant_tidy(grant);
}

void grant_want(struct batch *batch, int64_t scope, uint32_t limit, bool lacks, bool has_slot)
{
    struct grant_hint mine = grant_mine(batch, scope);
    struct grant *grant;

    if (!is_shared(batch, limit) || (!lacks && !mine.is_hungry))
        return;
    if ((has_slot || !lacks) && rows_grant(&batch->rows, scope, &grant)) {
        if (grant == NULL && lacks)
            grant = rows_new_grant(&batch->rows, scope);
        if (grant != NULL)
            hunger_set(batch, grant, lacks);
    }
    mine.is_hungry = lacks;
    mine.limit = limit;
    grant_note(batch, mine);
}

/* ---- now and then ------------------------------------------------------------------------ */

static bool is_of_pool(int64_t scope)
{
    return scope < POOL_SCOPES;
}

static uint32_t used_of(struct batch *batch, int64_t scope)
{
    if (scope_is_environment(scope))
        return share_get(batch, (uint32_t)scope)->running;
    if (is_of_pool(scope))
        return (uint32_t)pools_in_use(batch, scope);
    return scope > 0 ? lane_running(batch, scope) : queue_running(batch, -scope);
}

static bool is_waiting(const struct batch *batch, int64_t scope)
{
    const struct rings *rings = &batch->engine->rings;

    if (scope_is_environment(scope))
        return rings_environment_waits(rings, (uint32_t)scope);
    if (is_of_pool(scope))
        return pools_are_wanted(batch, scope);
    return scope > 0 ? rings_lane(rings, scope) != NULL : rings_queue(rings, -scope) != NULL;
}

/* As the catalog has it now; what is not there any more allows nothing. */
static bool limit_of(struct batch *batch, int64_t scope, uint32_t *limit)
{
    struct queue *queue;
    struct row *row = NULL;

    if (is_of_pool(scope)) {
        const struct catalog_pool *pool = catalog_pool_of(batch->catalog, scope);
        *limit = pool == NULL ? 0 : pool->tokens;
        return true;
    }
    if (scope_is_environment(scope)) {
        *limit = share_get(batch, (uint32_t)scope)->whole; /* none, of what is not named */
        return true;
    }
    if (scope > 0 &&
        !rows_get(&batch->rows, ROW_LANE, (struct row_key){ .id = scope }, 0, &row))
        return false;
    const struct lane *lane = (const struct lane *)row;
    int64_t id = scope < 0 ? -scope : lane != NULL ? lane->queue : scope;
    if (!rows_queue(&batch->rows, id, &queue))
        return false;
    *limit = queue == NULL ? 0
             : scope < 0
                 ? queue_total_now(batch, queue)
                 : queue_limit_now(batch->catalog, queue, lane != NULL, batch->steady_ms);
    return true;
}

/* What is held already has the limit that it was looked at with. */
static bool asks_limit(const struct batch *batch, int64_t scope)
{
    return batch->is_relimit || scope_is_environment(scope) ||
           grant_mine(batch, scope).count == 0;
}

/* What is held and not used goes back when others want it, when nobody waits for it here, and
 * when a limit was lowered. What is used is always held. */
static void grant_review(struct batch *batch, int64_t scope, struct grant *grant)
{
    struct grant_hint mine = grant_mine(batch, scope), was = mine;
    uint32_t used = used_of(batch, scope), number = batch->engine->node.number;

    if (asks_limit(batch, scope))
        (void)limit_of(batch, scope, &mine.limit); /* loaded */
    if (mine.limit == UINT32_MAX)
        used = 0; /* there is none any more */
    if (grant == NULL && used == 0)
        return;
    if (grant == NULL)
        grant = rows_new_grant(&batch->rows, scope);
    bool others = grant->hungry.size > (pairs_of(grant->hungry, number) > 0 ? PAIR : 0);
    bool waits = is_waiting(batch, scope);
    bool is_over = pairs_sum(grant->holders) > mine.limit;
    bool is_free = mine.limit == UINT32_MAX;
    if (used > mine.count || (used < mine.count && (others || is_over || is_free || !waits))) {
        mine.is_given = others && used < mine.count;
        if (mine.is_given)
            grant->hungry = (struct slice){ 0 }; /* who still is will say so */
        grant_write(batch, grant, &mine, used);
    }
    if (!waits || mine.is_given)
        mine.is_hungry = false;
    if (!mine.is_hungry)
        hunger_set(batch, grant, false);
    mine.is_lowered = pairs_sum(grant->holders) > mine.limit;
    if (memcmp(&mine, &was, sizeof mine) != 0)
        grant_note(batch, mine);
}

/* What is held; and what runs of a limit that there was not before, so that nobody has asked
 * for it: a new total, or one that comes back from a pause. */
static bool scopes_find(struct batch *batch, struct ids *scopes)
{
    const struct node_self *self = &batch->engine->node;
    const struct admission *admission = &batch->admission;
    const struct rows *rows = &batch->rows;
    struct queue *queue;
    bool loaded = true;

    for (uint32_t i = 0; i < self->grant_count; i++)
        batch_ids_add(batch, scopes, self->grants[i].scope);
    for (uint32_t i = 0; batch->is_relimit && i < batch->catalog->pool_count; i++)
        batch_ids_add(batch, scopes, batch->catalog->pools[i].scope);
    if (batch->catalog->pool_count > 0)
        loaded &= pools_load(batch);
    for (uint32_t i = 0; i < admission->share_count; i++)
        if (admission->shares[i].whole != UINT32_MAX && admission->shares[i].running > 0)
            batch_ids_add(batch, scopes, admission->shares[i].environment);
    for (uint32_t i = 0; i < rows->running_count; i++) {
        if (!rows_queue(&batch->rows, rows->running[i].queue, &queue))
            loaded = false;
        else if (queue != NULL && (batch->is_relimit || pause_is_ramping(&queue->pause)))
            batch_ids_add(batch, scopes, -queue->id);
    }
    return loaded;
}

bool grants_review(struct batch *batch)
{
    struct ids scopes = { 0 };
    struct grant *grant;
    uint32_t limit;
    bool loaded = scopes_find(batch, &scopes);

    for (uint32_t i = 0; i < scopes.count; i++) {
        loaded &= rows_grant(&batch->rows, scopes.items[i], &grant);
        loaded &=
            !asks_limit(batch, scopes.items[i]) || limit_of(batch, scopes.items[i], &limit);
    }
    if (!loaded)
        return false;
    for (uint32_t i = 0; i < scopes.count; i++) {
        (void)rows_grant(&batch->rows, scopes.items[i], &grant); /* loaded above */
        grant_review(batch, scopes.items[i], grant);
    }
    return true;
}

bool grants_release(struct batch *batch, uint32_t node)
{
    struct tokens *scopes;
    struct grant *grant;
    bool loaded = true;

    if (!rows_grants_of(&batch->rows, node, &scopes))
        return false;
    for (uint32_t i = 0; i < scopes->ids.count; i++)
        loaded &= rows_grant(&batch->rows, scopes->ids.items[i], &grant);
    if (!loaded)
        return false;
    for (uint32_t i = 0; i < scopes->ids.count; i++) {
        (void)rows_grant(&batch->rows, scopes->ids.items[i], &grant); /* loaded above */
        if (grant == NULL)
            continue;
        grant->holders = pairs_set(batch->arena, grant->holders, node, 0);
        grant->hungry = pairs_set(batch->arena, grant->hungry, node, 0);
        grant_tidy(grant);
    }
    return true;
}

/* ---- after the commit -------------------------------------------------------------------- */

void grants_committed(struct batch *batch)
{
    struct node_self *self = &batch->engine->node;

    for (uint32_t i = 0; i < batch->admission.granted.count; i++) {
        int64_t scope = batch->admission.granted.items[i];
        const struct grant_hint *mine = table_find(&batch->admission.grants, (uint64_t)scope);
        uint32_t at = hint_at(self, scope);
        bool is_there = at < self->grant_count && self->grants[at].scope == scope;
        if (mine->count == 0 && !mine->is_hungry) {
            if (is_there)
                memmove(&self->grants[at], &self->grants[at + 1],
                        (--self->grant_count - at) * sizeof *self->grants);
            continue;
        }
        if (!is_there) {
            if (self->grant_count == self->grant_capacity) {
                self->grant_capacity =
                    self->grant_capacity == 0 ? 16 : self->grant_capacity * 2;
                self->grants =
                    memory_grow(self->grants, self->grant_capacity * sizeof *self->grants);
            }
            memmove(&self->grants[at + 1], &self->grants[at],
                    (self->grant_count++ - at) * sizeof *self->grants);
        }
        self->grants[at] = *mine;
        self->grants[at].is_given = false;
    }
}

void grants_finish(struct node_self *self)
{
    free(self->grants);
}
