/* The bench: what is stored. */
#include "bench.h"
#include "codec/pack.h"
#include "engine/timeline.h"

#include <stdlib.h>

const struct run *run_of(int64_t run)
{
    const struct run *row = store_memory_find(bench.store, run);

    cr_assert_not_null(row, "there is no such run");
    return row;
}

const struct waitpoint *token_of(int64_t token)
{
    for (uint32_t i = 0; i < store_memory_count(bench.store, ROW_WAITPOINT); i++)
        if (store_memory_waitpoint(bench.store, i)->id == token)
            return store_memory_waitpoint(bench.store, i);
    cr_assert_fail("there is no such token");
    abort();
}

static const char *error_part(int64_t run, const char *key)
{
    struct value map;
    struct slice error = run_of(run)->error;

    if (error.size == 0)
        return "";
    cr_assert(pack_read(bench_arena(), arena_copy(bench_arena(), error), &map, NULL));
    const struct value *part = value_find(&map, key);
    return part == NULL ? "" : arena_text(bench_arena(), part->bytes);
}

const char *error_name(int64_t run)
{
    return error_part(run, "name");
}

const char *error_message(int64_t run)
{
    return error_part(run, "message");
}

const char *last_move(int64_t run)
{
    struct move *moves;
    uint32_t count = timeline_read(bench_arena(), run_of(run), &moves);

    cr_assert_gt(count, 0);
    return arena_text(bench_arena(), moves[count - 1].text);
}

bool has_event(int64_t run, enum run_status status)
{
    for (uint32_t i = 0; i < bench.event_count; i++)
        if (bench.events[i].run_id == run && bench.events[i].status == status)
            return true;
    return false;
}
