/*
 * Nodes: several hosts over one memory store, each with an engine, slots and a batch of its
 * own. The world's members between `store` and `node_end` are those of the host whose turn it
 * is. While one host's batch is under way, between any two calls of its store, another may run
 * a whole batch, so that what the first has loaded is no longer so. Hosts are cut off from the
 * store for longer than their lease, and come back late.
 */
#include "engine/nodes.h"

#include "base/memory.h"
#include "world.h"

#include <stddef.h>
#include <stdlib.h>

enum { FIRST = offsetof(struct world, store), SIZE = offsetof(struct world, node_end) - FIRST };

struct host {
    char bytes[SIZE];
};

bool host_is_alone(const struct world *world)
{
    return world->host_count == 1;
}

void host_turn(struct world *world, uint32_t host)
{
    char *members = (char *)world + FIRST;

    if (host == world->host)
        return;
    memcpy(world->hosts[world->host].bytes, members, SIZE);
    memcpy(members, world->hosts[host].bytes, SIZE);
    world->host = host;
}

static bool is_away(const struct world *world)
{
    return world->away_until_ms > world->steady_ms;
}

void host_any(struct world *world)
{
    if (host_is_alone(world))
        return;
    for (int tries = 0; tries < 20; tries++) {
        host_turn(world, (uint32_t)world_random(world, world->host_count));
        if (!is_away(world))
            return;
    }
    world->away_until_ms = 0; /* the last one comes back */
}

/* Between two calls of one node's store, another runs a batch. */
static void between(void *context)
{
    struct world *world = context;
    uint32_t host = world->host;

    if (world->is_between || !world_chance(world, 6))
        return;
    world->is_between = true;
    host_turn(world, (uint32_t)world_random(world, world->host_count));
    if (world->host != host && !is_away(world) && world->engine != NULL)
        world_batch(world);
    host_turn(world, host);
    world->is_between = false;
}

static void host_open(struct world *world, struct store *store)
{
    world->store = store;
    world->held = memory_zeroed(HELD_MAX, sizeof *world->held);
    world->commands = memory_zeroed(BATCH_MAX, sizeof *world->commands);
    world->ids = memory_zeroed(1, sizeof *world->ids);
    for (int i = 0; i < TASKS; i++)
        world->available[i] = true;
}

void hosts_open(struct world *world, uint32_t nodes, struct store *first)
{
    world->host_count = nodes;
    world->hosts = memory_zeroed(nodes, sizeof *world->hosts);
    host_open(world, first);
    for (uint32_t i = 1; i < nodes; i++) {
        host_turn(world, i);
        host_open(world, store_memory_share(first));
    }
    for (uint32_t i = 0; i < nodes; i++) {
        host_turn(world, i);
        world_start(world);
        if (nodes > 1)
            store_memory_between(world->store, between, world);
    }
}

void hosts_close(struct world *world)
{
    for (uint32_t i = 0; i < world->host_count; i++) {
        host_turn(world, i);
        for (uint32_t k = 0; k < world->command_count; k++)
            if (world->commands[k].kind == COMMAND_CATALOG &&
                world->commands[k].catalog.next != world->catalog)
                catalog_destroy(world->commands[k].catalog.next);
        union {
            const struct catalog *used;
            struct catalog *own;
        } used = { .used = engine_catalog(world->engine) };
        if (used.own != world->catalog)
            catalog_destroy(used.own);
        catalog_destroy(world->catalog);
        engine_destroy(world->engine);
        world->store->ops->close(world->store);
        free(world->held);
        free(world->commands);
        free(world->ids);
    }
    free(world->hosts);
}

void host_cut(struct world *world)
{
    if (!host_is_alone(world) && !world->drains)
        world->away_until_ms =
            world->steady_ms + (int64_t)world_random(world, 3 * (uint64_t)NODE_LEASE_MS);
}

/* ---- what could start does ----------------------------------------------------------------
 */

/* Of the limit: what is used by nodes that are there, and held by those that are not. */
static uint32_t taken(struct world *world, int64_t scope)
{
    struct grant_pair {
        uint32_t node, count;
    } pair;
    const struct grant *grant =
        (const struct grant *)store_memory_get(world->memory, ROW_GRANT, scope);
    uint32_t count = 0, host = world->host;

    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_RUN); i++) {
        const struct run *run = store_memory_run(world->memory, i);
        count +=
            run_is_executing(run) && (scope > 0 ? run->lane == scope : run->queue == -scope);
    }
    for (size_t at = 0; grant != NULL && at + sizeof pair <= grant->holders.size;
         at += sizeof pair) {
        bool is_here = false;
        memcpy(&pair, grant->holders.data + at, sizeof pair);
        for (uint32_t i = 0; i < world->host_count; i++) {
            host_turn(world, i);
            is_here |= world->number == pair.node && !is_away(world);
        }
        count += is_here ? 0 : pair.count;
    }
    host_turn(world, host);
    return count;
}

/* Is a node there that could start it? */
static bool is_wanted(struct world *world, const struct run *run)
{
    uint32_t host = world->host;
    bool wanted = false;

    for (uint32_t i = 0; i < world->host_count; i++) {
        host_turn(world, i);
        const struct catalog *catalog = engine_catalog(world->engine);
        const struct catalog_task *task = catalog_task(catalog, run->task);
        wanted |=
            !is_away(world) && task != NULL && task->available && world->held_count < SLOTS;
    }
    host_turn(world, host);
    return wanted;
}

static bool could_start(struct world *world, const struct run *run)
{
    const struct catalog *catalog = engine_catalog(world->engine);
    const struct queue *queue = store_memory_queue(world->memory, run->queue);
    const struct environment *environment = (const struct environment *)store_memory_get(
        world->memory, ROW_ENVIRONMENT, run->environment);
    bool has_key = run->concurrency_key.size > 0;

    return run->status == RUN_QUEUED && run->deaths.size == 0 && catalog != NULL &&
           !queue->paused && !environment->paused && is_wanted(world, run) &&
           taken(world, run->lane) < catalog_lane_limit(catalog, queue->name, has_key) &&
           taken(world, -run->queue) < catalog_total_limit(catalog, queue->name);
}

/* Nothing waits that a node could run. A node looks once a second for what others have ready,
 * and for what it holds of a limit and does not use; where several are after the last of a
 * limit it may take some such rounds until run, lane and total are at one node. */
static void check_waits(struct world *world)
{
    enum { MOST_MS = 15 * NODE_POLL_MS };

    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_RUN); i++) {
        const struct run *run = store_memory_run(world->memory, i);
        struct known_run *known = known_run(world, run->id, true);
        if (known == NULL)
            continue;
        if (!could_start(world, run))
            known->ready_ms = 0;
        else if (known->ready_ms == 0)
            known->ready_ms = world->looked_ms;
        else if (world->looked_ms - known->ready_ms > MOST_MS)
            world_flaw(world, "run %lld could start for %lld ms and waits", (long long)run->id,
                       (long long)(world->looked_ms - known->ready_ms));
    }
}

void hosts_pass(struct world *world, int64_t ms)
{
    uint32_t host = world->host;

    for (uint32_t i = 0; i < world->host_count && !host_is_alone(world); i++) {
        host_turn(world, i);
        if (!is_away(world))
            world_batch(world);
    }
    host_turn(world, host);
    world->looked_ms += ms < NODE_POLL_MS ? ms : NODE_POLL_MS;
    if (!host_is_alone(world) && !world->drains)
        check_waits(world);
}

void hosts_join(struct world *world)
{
    for (uint32_t i = 0; i < world->host_count; i++) {
        host_turn(world, i);
        world->away_until_ms = 0;
    }
}

void host_check(struct world *world, bool is_fenced)
{
    const struct node *node =
        (const struct node *)store_memory_get(world->memory, ROW_NODE, world->number);

    if (world->number == 0)
        return;
    if (!is_fenced && (node == NULL || node->epoch != 1))
        world_flaw(world, "node %u wrote, and is dead to the others", world->number);
    if (is_fenced && node != NULL)
        world_flaw(world, "node %u was refused, and has its row", world->number);
}

static bool holds(const struct world *world, const struct run *run)
{
    bool is_here = false;

    for (uint32_t i = 0; i < world->held_count; i++)
        is_here |= world->held[i].run_id == run->id &&
                   world->held[i].seq == run->seq - (run->is_out ? 1 : 0) &&
                   run->node == world->number;
    return is_here;
}

uint32_t hosts_hold(struct world *world, const struct run *run)
{
    uint32_t host = world->host, count = 0;

    for (uint32_t i = 0; i < world->host_count; i++) {
        host_turn(world, i);
        count += holds(world, run);
    }
    host_turn(world, host);
    return count;
}

/* Of those that are not dead to the others. */
uint32_t hosts_held(struct world *world)
{
    uint32_t host = world->host, count = 0;

    for (uint32_t i = 0; i < world->host_count; i++) {
        host_turn(world, i);
        if (world->number == 0 ||
            store_memory_get(world->memory, ROW_NODE, world->number) != NULL)
            count += world->held_count;
    }
    host_turn(world, host);
    return count;
}
