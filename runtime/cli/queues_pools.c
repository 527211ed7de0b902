/* bide queues pools: tokens, and who holds them. */
#include "cli/client/client.h"
#include "cli/client/member.h"
#include "cli/output/grid.h"

#include <inttypes.h>
#include <stdio.h>

static struct slice queues_text(struct arena *arena, const struct value *pool)
{
    struct slice text = { 0 };
    uint32_t count;
    const struct value *queues = member_list(pool, "queues", &count);

    for (uint32_t i = 0; i < count; i++)
        text = arena_format(arena, "%.*s%s%.*s %" PRId64, SLICE_ARG(text), i == 0 ? "" : ", ",
                            SLICE_ARG(member_text(&queues[i], "name")),
                            member_int(&queues[i], "uses"));
    return text;
}

static void holders_print(struct arena *arena, const struct value *pools, uint32_t count)
{
    static const struct grid_title titles[] = {
        { "POOL", GRID_PLAIN },    { "RUN", GRID_PLAIN },    { "TASK", GRID_ELASTIC },
        { "QUEUE", GRID_ELASTIC }, { "HOLDS", GRID_NUMBER }, { NULL, GRID_PLAIN },
    };
    struct grid grid;
    bool has_any = false;

    grid_init(&grid, arena, titles);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t held;
        const struct value *holders = member_list(&pools[i], "holders", &held);
        for (uint32_t k = 0; k < held; k++) {
            has_any = true;
            grid_row(&grid);
            grid_cell(&grid, 0, member_text(&pools[i], "name"));
            grid_cell(&grid, 1, member_text(&holders[k], "id"));
            grid_cell(&grid, 2, member_text(&holders[k], "taskIdentifier"));
            grid_cell(&grid, 3, member_text(&holders[k], "queue"));
            grid_format(&grid, 4, "%" PRId64, member_int(&holders[k], "tokens"));
        }
    }
    if (!has_any)
        return;
    printf("\n");
    grid_print(&grid);
}

static void pools_print(struct arena *arena, const struct value *page)
{
    static const struct grid_title titles[] = {
        { "POOL", GRID_PLAIN },    { "TOKENS", GRID_NUMBER },   { "HELD", GRID_NUMBER },
        { "OTHERS", GRID_NUMBER }, { "USED BY", GRID_ELASTIC }, { NULL, GRID_PLAIN },
    };
    static const char *const numbers[] = { "tokens", "inUse", "inUseByOthers" };
    struct grid grid;
    uint32_t count;
    const struct value *pools = member_list(page, "data", &count);

    grid_init(&grid, arena, titles);
    for (uint32_t i = 0; i < count; i++) {
        grid_row(&grid);
        grid_cell(&grid, 0, member_text(&pools[i], "name"));
        for (uint32_t k = 0; k < 3; k++)
            grid_format(&grid, 1 + k, "%" PRId64, member_int(&pools[i], numbers[k]));
        grid_cell(&grid, 4, queues_text(arena, &pools[i]));
    }
    grid_print(&grid);
    holders_print(arena, pools, count);
}

static int exec_pools(struct call *call)
{
    return client_show(call, NULL, "/api/v1/pools", pools_print);
}

const struct cli_command queues_pools_command = {
    .name = "queues pools",
    .summary = "List pools, and who holds their tokens",
    .help =
        "HELD is by all environments, OTHERS what other environments than yours hold of "
        "that. USED BY\n"
        "names queues, and how many tokens each of their runs holds. Below are the runs that "
        "hold some.",
    .is_client = true,
    .exec = exec_pools,
};
