/* What a batch asks and is told when it shares the store with other nodes'. */
#include "engine/rows/rows_known.h"

void nodes_rows_init(struct rows *rows)
{
    table_init(&rows->runs_of, rows->arena);
    table_init(&rows->grants_of, rows->arena);
}

bool rows_nodes(struct rows *rows)
{
    rows->wants.nodes |= !rows->nodes_loaded;
    return rows->nodes_loaded;
}

bool rows_grant(struct rows *rows, int64_t scope, struct grant **grant)
{
    struct row *row;
    bool is_loaded = rows_get(rows, ROW_GRANT, (struct row_key){ .id = scope }, 0, &row);

    *grant = (struct grant *)row;
    return is_loaded;
}

struct node *rows_new_node(struct rows *rows, uint32_t number)
{
    struct node *node = ARENA_NEW(rows->arena, struct node);

    node->number = number;
    rows_link(rows, ROW_NODE, &node->row);
    return node;
}

struct grant *rows_new_grant(struct rows *rows, int64_t scope)
{
    struct grant *grant = ARENA_NEW(rows->arena, struct grant);

    grant->scope = scope;
    rows_link(rows, ROW_GRANT, &grant->row);
    return grant;
}

static struct known *list_of(struct rows *rows, struct table *table, uint32_t node,
                             struct tokens **ids)
{
    struct known *known = known_get(rows, table, node);

    if (known->row == NULL)
        known->row = ARENA_NEW(rows->arena, struct tokens);
    *ids = known->row;
    return known;
}

bool rows_runs_of(struct rows *rows, uint32_t node, uint32_t limit, struct tokens **runs)
{
    struct known *known = list_of(rows, &rows->runs_of, node, runs);
    struct wants *wants = &rows->wants;

    if (!known->is_loaded && !known->is_wanted) {
        ROOM(rows->arena, wants->runs_of, wants->runs_of_count, wants->runs_of_capacity);
        wants->runs_of[wants->runs_of_count++] = (struct node_want){ node, limit };
        known->is_wanted = true;
    }
    return known->is_loaded;
}

bool rows_grants_of(struct rows *rows, uint32_t node, struct tokens **scopes)
{
    struct known *known = list_of(rows, &rows->grants_of, node, scopes);

    if (!known->is_loaded && !known->is_wanted)
        rows_ids_add(rows->arena, &rows->wants.grants_of, node);
    known->is_wanted = !known->is_loaded;
    return known->is_loaded;
}

bool rows_away(struct rows *rows, const struct away_want *want, struct ids **runs)
{
    *runs = &rows->away;
    if (!rows->away_loaded)
        rows->wants.away = *want;
    return rows->away_loaded;
}

bool rows_away_is_all(const struct rows *rows)
{
    return rows->away_is_all;
}

void rows_put_run_of(struct rows *rows, uint32_t node, int64_t run_id)
{
    struct tokens *runs;

    (void)list_of(rows, &rows->runs_of, node, &runs); /* made, or there */
    rows_ids_add(rows->arena, &runs->ids, run_id);
}

void rows_put_grant_of(struct rows *rows, uint32_t node, int64_t scope)
{
    struct tokens *scopes;

    (void)list_of(rows, &rows->grants_of, node, &scopes); /* made, or there */
    rows_ids_add(rows->arena, &scopes->ids, scope);
}

void rows_put_away(struct rows *rows, int64_t run_id)
{
    rows_ids_add(rows->arena, &rows->away, run_id);
}

bool nodes_wanted(const struct rows *rows)
{
    const struct wants *wants = &rows->wants;

    return wants->nodes || wants->away.lanes > 0 ||
           wants->runs_of_count + wants->grants_of.count > 0;
}

void nodes_loaded(struct rows *rows)
{
    struct wants *wants = &rows->wants;

    for (uint32_t i = 0; i < wants->runs_of_count; i++)
        rows_known_loaded(&rows->runs_of, wants->runs_of[i].node);
    for (uint32_t i = 0; i < wants->grants_of.count; i++)
        rows_known_loaded(&rows->grants_of, wants->grants_of.items[i]);
    rows->nodes_loaded |= wants->nodes;
    rows->away_loaded |= wants->away.lanes > 0;
    wants->nodes = false;
    wants->away.lanes = wants->runs_of_count = wants->grants_of.count = 0;
}
