#include "check_minutes.h"

#include "engine/rows/minute.h"

/* What has started and ended in all minutes, by the queues' own rows and by their keys'. */
void check_minutes(struct world *world, int64_t completed, int64_t ended)
{
    enum { OFTEN = 16 };
    struct queue_minute sums = { .minute = 0 }, keys = { .minute = 0 };
    int64_t started = (int64_t)world->started, waits = 0, key_waits = 0;

    if (world->batches % OFTEN != 0 && !world->drains)
        return;
    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_QUEUE_MINUTE); i++) {
        const struct queue_minute *row =
            (const struct queue_minute *)store_memory_at(world->memory, ROW_QUEUE_MINUTE, i);
        struct queue_minute *to = row->key.size > 0 ? &keys : &sums;
        to->started += row->started;
        to->completed += row->completed;
        to->failed += row->failed + row->canceled;
        for (int k = 0; k < WAIT_BUCKETS; k++)
            *(row->key.size > 0 ? &key_waits : &waits) += row->waits[k];
    }
    if (sums.started != started || waits != started)
        world_flaw(world, "%lld segments have started, %lld are counted, with %lld waits",
                   (long long)started, (long long)sums.started, (long long)waits);
    if (sums.completed != completed || sums.completed + sums.failed != ended)
        world_flaw(world, "%lld of %lld runs have completed, by minutes %lld of %lld",
                   (long long)completed, (long long)ended, (long long)sums.completed,
                   (long long)(sums.completed + sums.failed));
    if (keys.started > sums.started || keys.started != key_waits ||
        keys.completed > sums.completed || keys.failed > sums.failed)
        world_flaw(world, "more of the keys is counted than of their queues");
}
