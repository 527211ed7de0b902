#include "pools.h"

#include "base/memory.h"
#include "engine/batch.h"

#include <stdlib.h>

enum { USERS_MOST = 20000 /* more than there are queues: they are learned anew then */ };

struct pool_user {
    struct id_node node;
    struct catalog_uses uses;
};

/* ---- who waits --------------------------------------------------------------------------- */

static struct queue_hint *queue_of(struct list *link)
{
    return container_of(link, struct pool_wait, link)->queue;
}

static void queue_offer(struct rings *rings, struct queue_hint *queue)
{
    if (!queue->pools.is_shut)
        return;
    queue->pools.is_shut = false;
    rings_settle(rings, queue, 0);
}

void pools_leave(struct rings *rings, struct queue_hint *queue)
{
    struct pool_waits *waits = &queue->pools;

    for (uint32_t i = 0; waits->items != NULL && i < waits->count; i++) {
        list_remove(&waits->items[i].link);
        rings->pools.changed[waits->items[i].pool] = true;
    }
    free(waits->items);
    waits->items = NULL;
    waits->is_shut = false;
}

/* Behind all who have waited for longer. */
static void pools_enter(struct rings *rings, struct queue_hint *queue,
                        const struct catalog_uses *uses)
{
    struct pool_waits *waits = &queue->pools;

    waits->items = memory_get(uses->count * sizeof *waits->items);
    waits->count = uses->count;
    if (waits->turn == 0)
        waits->turn = ++rings->pools.turns;
    for (uint32_t i = 0; i < uses->count; i++) {
        struct list *waiting = &rings->pools.waiting[uses->items[i].pool];
        struct list *before = waiting->previous;
        while (before != waiting && queue_of(before)->pools.turn > waits->turn)
            before = before->previous;
        waits->items[i] = (struct pool_wait){ .queue = queue,
                                              .pool = uses->items[i].pool,
                                              .tokens = uses->items[i].tokens };
        list_push(before->next, &waits->items[i].link);
    }
}

static void users_forget(struct id_map *users)
{
    for (uint32_t i = 0; i < users->capacity; i++)
        for (struct id_node *node = users->buckets[i], *next; node != NULL; node = next) {
            next = node->next;
            free(node); /* the first member of its owner */
        }
    id_map_finish(users);
    *users = (struct id_map){ 0 };
}

void pools_finish(struct rings *rings)
{
    struct pool_hints *pools = &rings->pools;

    for (uint32_t i = 0; i < pools->count; i++)
        while (!list_is_empty(&pools->waiting[i]))
            pools_leave(rings, queue_of(pools->waiting[i].next));
    free(pools->waiting);
    free(pools->changed);
    users_forget(&pools->users);
}

void pools_renew(struct rings *rings, const struct catalog *catalog)
{
    struct pool_hints *pools = &rings->pools;
    uint32_t count = catalog == NULL ? 0 : catalog->pool_count;

    pools_finish(rings);
    *pools = (struct pool_hints){ .count = count, .turns = pools->turns };
    if (count == 0)
        return;
    pools->waiting = memory_get(count * sizeof *pools->waiting);
    pools->changed = memory_zeroed(count, sizeof *pools->changed);
    for (uint32_t i = 0; i < count; i++)
        list_init(&pools->waiting[i]);
}

/* ---- what is held ------------------------------------------------------------------------ */

static struct pool_user *user_find(const struct batch *batch, int64_t queue)
{
    /* Its first member. */
    return (struct pool_user *)(void *)id_map_find(&batch->engine->rings.pools.users, queue);
}

/* A queue that has runs running: once a batch. */
static bool queue_count(struct batch *batch, struct table *seen, int64_t id)
{
    struct queue *queue;

    if (table_has(seen, (uint64_t)id))
        return true;
    if (user_find(batch, id) == NULL && !rows_queue(&batch->rows, id, &queue))
        return false;
    table_set(seen, (uint64_t)id, NULL);
    batch_ids_add(batch, &batch->admission.users, id);
    return true;
}

static struct catalog_uses uses_of(struct batch *batch, int64_t id)
{
    const struct pool_user *user = user_find(batch, id);
    struct queue *queue;

    if (user != NULL)
        return user->uses;
    (void)rows_queue(&batch->rows, id, &queue); /* loaded */
    return queue == NULL ? (struct catalog_uses){ 0 }
                         : catalog_uses(batch->catalog, queue->name);
}

bool pools_load(struct batch *batch)
{
    struct admission *admission = &batch->admission;
    const struct rows *rows = &batch->rows;
    const struct catalog *catalog = batch->catalog;
    bool is_alone = node_is_alone(&batch->engine->node), loaded = true;
    struct table seen;

    if (admission->pools != NULL)
        return true;
    table_init(&seen, batch->arena);
    admission->users.count = 0;
    for (uint32_t i = 0; i < rows->running_count; i++)
        loaded &= queue_count(batch, &seen, rows->running[i].queue);
    EACH_RUN(rows, run)
    {
        if (node_is_executing(batch, run))
            loaded &= queue_count(batch, &seen, run->queue);
    }
    if (!loaded)
        return false;
    admission->pools = ARENA_ARRAY(batch->arena, struct pool_now, catalog->pool_count + 1);
    for (uint32_t i = 0; i < catalog->pool_count; i++)
        admission->pools[i] =
            (struct pool_now){ .here = is_alone ? catalog->pools[i].tokens : 0 };
    for (uint32_t i = 0; i < admission->users.count; i++) {
        int64_t queue = admission->users.items[i];
        struct catalog_uses uses = uses_of(batch, queue);
        for (uint32_t k = 0; k < uses.count; k++)
            admission->pools[uses.items[k].pool].in_use +=
                (int64_t)uses.items[k].tokens * queue_running(batch, queue);
    }
    return true;
}

/* More than there is, so that the row is always asked: what others run may have been counted
 * anew by what a new catalog says that it needs. */
bool pools_look(struct batch *batch, const struct place *place)
{
    bool loaded = true;

    for (uint32_t i = 0; i < place->uses.count; i++) {
        const struct catalog_pool *pool = &batch->catalog->pools[place->uses.items[i].pool];
        struct pool_now *now = &batch->admission.pools[place->uses.items[i].pool];
        uint32_t here;
        loaded &= grant_look(batch, pool->scope, pool->tokens, (uint32_t)now->in_use,
                             pool->tokens + 1, &here);
        now->here = here;
    }
    return loaded;
}

uint32_t pools_most(const struct batch *batch, const struct place *place, uint32_t count)
{
    for (uint32_t i = 0; count > 1 && i < place->uses.count; i++) {
        const struct catalog_use *use = &place->uses.items[i];
        const struct pool_now *now = &batch->admission.pools[use->pool];
        int64_t most = (now->here - now->in_use) / use->tokens;
        count = most < 1 ? 1 : most < count ? (uint32_t)most : count;
    }
    return count;
}

/* Of this batch, or before it. */
static uint64_t turn_of(const struct place *place, const struct queue_hint *hint)
{
    bool has_turn = (place == NULL || !place->has_taken) && hint != NULL;

    return has_turn && hint->pools.turn != 0 ? hint->pools.turn : UINT64_MAX;
}

/* What the first of those who wait before it needs. */
static uint32_t reserved(struct batch *batch, const struct place *place, uint32_t pool)
{
    struct list *waiting = &batch->engine->rings.pools.waiting[pool];
    uint64_t own = turn_of(place, place->hint);
    uint32_t looks = POOL_LOOKS;

    LIST_EACH(waiting, link, after)
    {
        const struct queue_hint *other = queue_of(link);
        const struct place *there =
            table_find(&batch->admission.places, (uint64_t)other->node.id);
        if (looks-- == 0 || other->pools.turn >= own)
            return 0;
        if ((there == NULL || !there->has_taken) &&
            share_room(batch, share_get(batch, other->environment), false) > 0)
            return container_of(link, struct pool_wait, link)->tokens;
    }
    return 0;
}

bool pools_lack(struct batch *batch, const struct place *place)
{
    bool lacks = false;

    for (uint32_t i = 0; i < place->uses.count; i++) {
        const struct catalog_use *use = &place->uses.items[i];
        struct pool_now *now = &batch->admission.pools[use->pool];
        now->is_asked = true;
        if (now->here - now->in_use - reserved(batch, place, use->pool) >= use->tokens)
            continue;
        lacks = true;
        now->lacks |= now->here - now->in_use < use->tokens;
    }
    return lacks;
}

void pools_start(struct batch *batch, struct place *place)
{
    for (uint32_t i = 0; i < place->uses.count; i++) {
        const struct catalog_use *use = &place->uses.items[i];
        const struct catalog_pool *pool = &batch->catalog->pools[use->pool];
        struct pool_now *now = &batch->admission.pools[use->pool];
        now->in_use += use->tokens;
        grant_use(batch, pool->scope, pool->tokens, (uint32_t)now->in_use);
    }
    if (!place->has_taken)
        batch_ids_add(batch, &batch->admission.users, place->id);
    place->has_taken = true;
}

/* ---- with other nodes -------------------------------------------------------------------- */

void pools_want(struct batch *batch)
{
    const struct catalog *catalog = batch->catalog;

    for (uint32_t i = 0; batch->admission.pools != NULL && i < catalog->pool_count; i++) {
        const struct pool_now *now = &batch->admission.pools[i];
        if (now->is_asked)
            grant_want(batch, catalog->pools[i].scope, catalog->pools[i].tokens,
                       now->lacks && now->here < catalog->pools[i].tokens, true);
    }
}

static const struct pool_now *now_of(const struct batch *batch, int64_t scope)
{
    const struct catalog_pool *pool = catalog_pool_of(batch->catalog, scope);

    return pool == NULL ? NULL : &batch->admission.pools[pool - batch->catalog->pools];
}

int64_t pools_in_use(const struct batch *batch, int64_t scope)
{
    const struct pool_now *now = now_of(batch, scope);

    return now == NULL ? 0 : now->in_use;
}

bool pools_are_wanted(const struct batch *batch, int64_t scope)
{
    const struct catalog_pool *pool = catalog_pool_of(batch->catalog, scope);

    return pool != NULL &&
           !list_is_empty(&batch->engine->rings.pools.waiting[pool - batch->catalog->pools]);
}

/* ---- who is looked at -------------------------------------------------------------------- */

static void pool_choose(struct batch *batch, uint32_t pool,
                        void (*choose)(struct batch *batch, const struct queue_hint *waiting))
{
    uint32_t looks = POOL_LOOKS;

    LIST_EACH(&batch->engine->rings.pools.waiting[pool], link, after)
    {
        if (looks-- == 0)
            return;
        choose(batch, queue_of(link));
    }
}

void pools_choose(struct batch *batch, int64_t queue,
                  void (*choose)(struct batch *batch, const struct queue_hint *waiting))
{
    const struct pool_user *user = user_find(batch, queue);

    for (uint32_t i = 0; user != NULL && i < user->uses.count; i++)
        pool_choose(batch, user->uses.items[i].pool, choose);
}

void pools_choose_all(struct batch *batch,
                      void (*choose)(struct batch *batch, const struct queue_hint *waiting))
{
    for (uint32_t i = 0; i < batch->engine->rings.pools.count; i++)
        pool_choose(batch, i, choose);
}

/* ---- after the commit -------------------------------------------------------------------- */

void pools_keep_place(struct batch *batch, const struct place *place, struct queue_hint *queue)
{
    struct rings *rings = &batch->engine->rings;
    bool is_held = false, may_wait = false;

    if (place->first == NULL || place->uses.count == 0)
        return; /* it was not looked at */
    for (const struct line *line = place->first; line != NULL; line = line->next) {
        is_held |= line->gate == GATE_POOL;
        /* Where no slot was left it was not asked what it needs: it stays where it is. */
        may_wait |=
            line->gate >= GATE_POOL || (line->gate == GATE_NONE && line->at < line->count);
    }
    if (place->has_taken || !may_wait)
        pools_leave(rings, queue);
    if (place->has_taken)
        queue->pools.turn = 0;
    if (is_held && queue->pools.items == NULL)
        pools_enter(rings, queue, &place->uses);
    queue->pools.is_shut = is_held;
}

/* What holds a queue, or what there is in it, may be something else now. */
static void queues_keep(struct batch *batch)
{
    struct rings *rings = &batch->engine->rings;

    EACH_RUN(&batch->rows, run)
    {
        const struct run *was = run_loaded(run);
        struct queue_hint *queue =
            was != NULL && node_has_ready(batch, was) && !node_has_ready(batch, run)
                ? rings_queue(rings, run->queue)
                : NULL;
        if (queue != NULL)
            queue_offer(rings, queue);
    }
    EACH_ROW(&batch->rows, ROW_QUEUE, queue, row)
    {
        const struct queue *was = (const struct queue *)row->row.loaded;
        struct queue_hint *hint = rings_queue(rings, row->id);
        if (hint != NULL && was != NULL &&
            (was->paused != row->paused || was->override_ms != row->override_ms ||
             was->override_limit != row->override_limit))
            queue_offer(rings, hint);
    }
}

static void all_changed(struct pool_hints *pools)
{
    memset(pools->changed, true, pools->count * sizeof *pools->changed);
}

static void pool_offer(struct rings *rings, uint32_t pool)
{
    uint32_t looks = POOL_LOOKS;

    LIST_EACH(&rings->pools.waiting[pool], link, after)
    {
        if (looks-- == 0)
            return;
        queue_offer(rings, queue_of(link));
    }
}

static void changed_offer(struct rings *rings)
{
    struct pool_hints *pools = &rings->pools;

    for (uint32_t i = 0; i < pools->count; i++) {
        if (!pools->changed[i])
            continue;
        pools->changed[i] = false;
        pool_offer(rings, i);
    }
}

void pools_keep_full(struct rings *rings, uint32_t environment)
{
    for (uint32_t i = 0; i < rings->pools.count; i++) {
        struct list *waiting = &rings->pools.waiting[i];
        if (!list_is_empty(waiting) && queue_of(waiting->next)->environment == environment)
            pool_offer(rings, i);
    }
}

void pools_keep_events(struct batch *batch)
{
    struct rings *rings = &batch->engine->rings;
    struct pool_hints *pools = &rings->pools;

    if (pools->count == 0)
        return;
    EACH_RUN(&batch->rows, run)
    {
        const struct pool_user *user =
            node_was_executing(batch, run) && !node_is_executing(batch, run)
                ? user_find(batch, run->queue)
                : NULL;
        for (uint32_t i = 0; user != NULL && i < user->uses.count; i++)
            pools->changed[user->uses.items[i].pool] = true;
    }
    EACH_ROW(&batch->rows, ROW_ENVIRONMENT, environment, row)
    {
        const struct environment *was = (const struct environment *)row->row.loaded;
        if (was != NULL && was->paused != row->paused)
            all_changed(pools);
    }
    if (batch->is_poll)
        all_changed(pools); /* another node may have changed anything */
    queues_keep(batch);
    changed_offer(rings);
}

/* More than can be: learned anew, as who waits is looked at. */
static void users_keep(struct batch *batch)
{
    struct pool_hints *pools = &batch->engine->rings.pools;
    const struct ids *users = &batch->admission.users;

    if (pools->users.count + users->count > USERS_MOST) {
        users_forget(&pools->users);
        all_changed(pools);
        return;
    }
    for (uint32_t i = 0; i < users->count; i++) {
        if (user_find(batch, users->items[i]) != NULL)
            continue;
        struct pool_user *user = memory_zeroed(1, sizeof *user);
        user->uses = uses_of(batch, users->items[i]);
        id_map_add(&pools->users, &user->node, users->items[i]);
    }
}

void pools_keep(struct batch *batch)
{
    if (batch->engine->rings.pools.count == 0)
        return;
    if (batch->admission.pools != NULL)
        users_keep(batch);
    changed_offer(&batch->engine->rings);
}
