#include "two_nodes.h"

struct other_node other;
uint32_t turn;
static struct id_source other_ids;

void node_turn(uint32_t number)
{
    struct bench was = bench;

    if (number == turn)
        return;
    bench.store = other.store;
    bench.engine = other.engine;
    bench.catalog = other.catalog;
    other.store = was.store;
    other.engine = was.engine;
    other.catalog = was.catalog;
    turn = number;
}

static void node_begin_as(uint32_t number, struct id_source *ids)
{
    id_source_init(ids, number);
    id_source_node(ids, number);
    bench.engine = engine_create(ids);
    engine_node(bench.engine, number, number);
    bench.catalog = NULL;
    bench_catalog();
}

void open_two(void)
{
    bench_open();
    engine_destroy(bench.engine); /* it was alone */
    catalog_destroy(bench.catalog);
    turn = 1;
    node_begin_as(1, &bench.ids);
    other.store = store_memory_share(bench.store);
    node_turn(2);
    node_begin_as(2, &other_ids);
    node_turn(1);
}

void close_two(void)
{
    node_turn(2);
    engine_destroy(bench.engine);
    catalog_destroy(bench.catalog);
    bench.store->ops->close(bench.store);
    node_turn(1);
    bench_close();
}

void pass(int64_t ms)
{
    for (; ms > 0; ms -= NODE_POLL_MS) {
        bench.now_ms += NODE_POLL_MS;
        for (uint32_t number = 1; number <= 2; number++) {
            node_turn(number);
            advance(0);
        }
    }
    node_turn(1);
}

void catalogs(void)
{
    for (uint32_t number = 1; number <= 2; number++) {
        node_turn(number);
        bench_catalog();
    }
    node_turn(1);
}

uint32_t running(void)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < store_memory_count(bench.store, ROW_RUN); i++)
        count += run_is_executing(store_memory_run(bench.store, i));
    return count;
}

void start_on_both(uint32_t count, int64_t *runs)
{
    for (uint32_t number = 1; number <= 2; number++) {
        node_turn(number);
        for (uint32_t i = 0; i < count; i++)
            *runs++ = start("t");
    }
    node_turn(1);
}
