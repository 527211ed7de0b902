/*
 * Pools: how many tokens each has, how many are held, and by which runs of one's own
 * environment; of those of others only how many they hold.
 */
#include "http/api/pool_view.h"
#include "http/api/routes.h"
#include "http/body/members.h"
#include "http/server/reply.h"

enum { HOLDERS_MOST = 100 };

bool pool_counts_read(struct pool_counts *counts, uint32_t environment,
                      const struct catalog *catalog, struct reader *reader, struct arena *arena,
                      struct err *err)
{
    struct running_page running = { 0 };
    struct row *row = NULL;
    int64_t last = 0;

    *counts = (struct pool_counts){ .count = catalog == NULL ? 0 : catalog->pool_count };
    counts->pools = ARENA_ARRAY(arena, struct pool_count, counts->count + 1);
    for (uint32_t i = 0; i < counts->count; i++)
        counts->pools[i] =
            (struct pool_count){ .name = arena_copy(arena, catalog->pools[i].name),
                                 .tokens = catalog->pools[i].tokens };
    if (counts->count > 0 && !reader->ops->running(reader, arena, &running, err))
        return false;
    for (uint32_t i = 0; i < running.count; i++) {
        const struct running *lane = &running.rows[i];
        bool is_own = environment == 0 || lane->environment == environment;
        if (lane->queue != last &&
            !reader->ops->row(reader, arena, ROW_QUEUE, lane->queue, &row, err))
            return false;
        last = lane->queue;
        struct catalog_uses uses = { 0 };
        if (row != NULL)
            uses = catalog_uses(catalog, ((const struct queue *)row)->name);
        for (uint32_t k = 0; k < uses.count; k++) {
            struct pool_count *pool = &counts->pools[uses.items[k].pool];
            int64_t tokens = (int64_t)uses.items[k].tokens * lane->count;
            pool->in_use += tokens;
            pool->of_others += is_own ? 0 : tokens;
        }
    }
    return true;
}

static uint32_t use_of(const struct catalog *catalog, struct slice queue, uint32_t pool)
{
    struct catalog_uses uses = catalog_uses(catalog, queue);

    for (uint32_t i = 0; i < uses.count; i++)
        if (pool == UINT32_MAX || uses.items[i].pool == pool)
            return uses.items[i].tokens;
    return 0;
}

struct slices pool_queues(struct arena *arena, const struct catalog *catalog, uint32_t pool)
{
    struct slices names = { ARENA_ARRAY(arena, struct slice, catalog->queue_count + 1), 0 };

    for (uint32_t i = 0; i < catalog->queue_count; i++)
        if (use_of(catalog, catalog->queues[i].name, pool) > 0)
            names.items[names.count++] = catalog->queues[i].name;
    return names;
}

/* ---- the list ---------------------------------------------------------------------------- */

struct holder {
    const struct run *run;
    struct slice queue;
};

static void holders_write(struct out *out, const struct catalog *catalog, uint32_t pool,
                          const struct holder *holders, uint32_t count)
{
    out_list(out, "holders");
    for (uint32_t i = 0; i < count; i++) {
        const struct run *run = holders[i].run;
        uint32_t tokens = use_of(catalog, holders[i].queue, pool);
        if (tokens == 0)
            continue;
        out_map(out, NULL);
        out_id(out, "id", "run", run->id);
        out_text(out, "taskIdentifier", run->task);
        out_text(out, "queue", holders[i].queue);
        out_int(out, "tokens", tokens);
        out_time(out, "since", run->updated_ms);
        out_end_map(out);
    }
    out_end_list(out);
}

static void queues_write(struct out *out, struct arena *arena, const struct catalog *catalog,
                         uint32_t pool)
{
    struct slices queues = pool_queues(arena, catalog, pool);

    out_list(out, "queues");
    for (uint32_t i = 0; i < queues.count; i++) {
        out_map(out, NULL);
        out_text(out, "name", queues.items[i]);
        out_int(out, "uses", use_of(catalog, queues.items[i], pool));
        out_end_map(out);
    }
    out_end_list(out);
}

/* Of one's own environment. */
static bool holders_read(struct request *request, struct reader *reader,
                         struct holder **holders, uint32_t *count, struct err *err)
{
    const struct catalog *catalog = request->read.catalog;
    struct run_filter filter = { .environment = request->world->environment->number,
                                 .limit = HOLDERS_MOST,
                                 .statuses = { { .status = RUN_RUNNING } },
                                 .status_count = 1,
                                 .is_test = -1 };
    struct run_page page = { 0 };
    struct row *row;

    *count = 0;
    filter.queues = pool_queues(&request->arena, catalog, UINT32_MAX);
    if (filter.queues.count > 0 &&
        !reader->ops->runs(reader, &request->arena, &filter, &page, err))
        return false;
    *holders = ARENA_ARRAY(&request->arena, struct holder, page.count + 1);
    for (uint32_t i = 0; i < page.count; i++) {
        if (!reader->ops->row(reader, &request->arena, ROW_QUEUE, page.rows[i]->queue, &row,
                              err))
            return false;
        if (row != NULL)
            (*holders)[(*count)++] =
                (struct holder){ page.rows[i], ((const struct queue *)row)->name };
    }
    return true;
}

static bool list_work(struct request *request, struct pool_reader *reader, struct err *err)
{
    const struct catalog *catalog = request->read.catalog;
    struct pool_counts counts;
    struct holder *holders = NULL;
    uint32_t holder_count = 0;

    if (!pool_counts_read(&counts, request->world->environment->number, catalog, reader->reader,
                          &request->arena, err) ||
        (counts.count > 0 &&
         !holders_read(request, reader->reader, &holders, &holder_count, err)))
        return false;
    struct out out = reply_out(request);
    out_map(&out, NULL);
    out_list(&out, "data");
    for (uint32_t i = 0; i < counts.count; i++) {
        const struct pool_count *pool = &counts.pools[i];
        out_map(&out, NULL);
        out_text(&out, "name", pool->name);
        out_int(&out, "tokens", pool->tokens);
        out_int(&out, "inUse", pool->in_use);
        out_int(&out, "inUseByOthers", pool->of_others);
        queues_write(&out, &request->arena, catalog, i);
        holders_write(&out, catalog, i, holders, holder_count);
        out_end_map(&out);
    }
    out_end_list(&out);
    out_end_map(&out);
    return true;
}

void pool_list(struct request *request)
{
    if (request_params(request, (const char *const[]){ NULL }))
        request_read(request, list_work, reply_ok);
}
