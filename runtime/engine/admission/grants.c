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

static void grant_tidy(struct grant *grant)
{
    grant->row.is_deleted = grant->holders.size == 0 && grant->hungry.size == 0;
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

bool grant_take(struct batch *batch, int64_t scope, uint32_t limit, uint32_t need,
                uint32_t *granted)
{
    uint32_t node = batch->engine->node.number;
    struct grant_hint mine = grant_mine(batch, scope);
    struct grant *grant;

    *granted = limit;
    if (node_is_alone(&batch->engine->node) || limit == UINT32_MAX)
        return true;
    need = need < limit ? need : limit;
    if (mine.count < need && !mine.is_given) {
        if (!rows_grant(&batch->rows, scope, &grant))
            return false;
        if (grant == NULL)
            grant = rows_new_grant(&batch->rows, scope);
        uint32_t sum = pairs_sum(grant->holders), left = limit > sum ? limit - sum : 0;
        uint32_t more = need - mine.count < left ? need - mine.count : left;
        mine.count += more;
        if (more > 0)
            grant->holders = pairs_set(batch->arena, grant->holders, node, mine.count);
        bool is_hungry = mine.count < need;
        if (is_hungry != (pairs_of(grant->hungry, node) > 0))
            grant->hungry = pairs_set(batch->arena, grant->hungry, node, is_hungry ? need : 0);
        mine.is_hungry = is_hungry;
        grant_tidy(grant);
        grant_note(batch, mine);
    }
    *granted = mine.count < limit ? mine.count : limit;
    return true;
}

void grant_leave(struct batch *batch, int64_t scope, uint32_t used)
{
    struct grant_hint mine = grant_mine(batch, scope);
    struct grant *grant;

    if (mine.count <= used || !rows_grant(&batch->rows, scope, &grant) || grant == NULL)
        return; /* what it has had before is given back when somebody wants it */
    mine.count = used;
    grant->holders = pairs_set(batch->arena, grant->holders, batch->engine->node.number, used);
    grant_tidy(grant);
    grant_note(batch, mine);
}

static uint32_t used_of(const struct batch *batch, int64_t scope)
{
    return scope > 0 ? lane_running(batch, scope) : queue_running(batch, -scope);
}

static bool is_waiting(const struct batch *batch, int64_t scope)
{
    const struct rings *rings = &batch->engine->rings;

    return scope > 0 ? rings_lane(rings, scope) != NULL : rings_queue(rings, -scope) != NULL;
}

bool grants_return(struct batch *batch)
{
    const struct node_self *self = &batch->engine->node;
    struct grant *grant;
    bool loaded = true;

    for (uint32_t i = 0; i < self->grant_count; i++)
        loaded &= rows_grant(&batch->rows, self->grants[i].scope, &grant);
    if (!loaded)
        return false;
    for (uint32_t i = 0; i < self->grant_count; i++) {
        struct grant_hint mine = self->grants[i];
        uint32_t used = used_of(batch, mine.scope);
        (void)rows_grant(&batch->rows, mine.scope, &grant); /* loaded above */
        bool others =
            grant != NULL &&
            grant->hungry.size > (pairs_of(grant->hungry, self->number) > 0 ? PAIR : 0);
        if (grant == NULL || used >= mine.count || (!others && is_waiting(batch, mine.scope)))
            continue;
        mine.count = used;
        mine.is_hungry = false;
        mine.is_given = true;
        grant->holders = pairs_set(batch->arena, grant->holders, self->number, used);
        grant->hungry = (struct slice){ 0 }; /* who still is will say so */
        grant_tidy(grant);
        grant_note(batch, mine);
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
