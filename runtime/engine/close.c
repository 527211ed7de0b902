/*
 * Closing: a token ends with the run that made it, unless somebody else waits for it or its key
 * is not that run's alone. Nobody would hear an answer: who gives one is to know.
 *
 *   run ends ──▶ its PENDING tokens ──▶ CANCELLED       CLOSE_MAX in a batch, the rest after it
 *   answer to a token whose run has ended ──▶ CANCELLED, and GONE
 *
 * The second holds whether or not the first has come that far.
 */
#include "engine/close.h"

enum { CLOSE_MAX = 1000 };

static bool is_awaited(const struct edges *edges)
{
    for (const struct edge *edge = edges->first; edge != NULL; edge = edge->next)
        if (!edge->row.is_deleted)
            return true;
    return false;
}

/* One edge is enough to know; those that this batch has taken away say nothing of the others.
 */
static bool edges_load(struct batch *batch, int64_t id, struct edges **edges)
{
    uint32_t limit = batch->few;

    while (rows_edges(&batch->rows, id, limit, edges)) {
        if (is_awaited(*edges) || (*edges)->count < (*edges)->limit)
            return true;
        limit = (*edges)->limit * 2;
    }
    return false;
}

static bool may_close(const struct waitpoint *token)
{
    return token != NULL && token->status == WAITPOINT_PENDING && token->run_id != 0 &&
           token->is_shared == 0;
}

static void token_close(struct batch *batch, struct waitpoint *token)
{
    token->status = WAITPOINT_CANCELLED;
    token->completed_ms = batch->now_ms;
    token->due_ms = 0;
}

bool token_outlived(struct batch *batch, struct waitpoint *token)
{
    struct edges *edges;
    struct run *maker;

    if (!may_close(token))
        return true;
    bool loaded = rows_run(&batch->rows, token->run_id, 0, &maker);
    loaded &= edges_load(batch, token->id, &edges);
    if (loaded && (maker == NULL || maker->status == RUN_DONE) && !is_awaited(edges))
        token_close(batch, token);
    return loaded;
}

bool token_lose(struct batch *batch, int64_t id, int64_t run_id)
{
    struct waitpoint *token;
    struct edges *edges;

    bool loaded = rows_waitpoint(&batch->rows, id, &token);
    loaded &= edges_load(batch, id, &edges);
    if (loaded && run_id != 0 && may_close(token) && token->run_id == run_id &&
        !is_awaited(edges))
        token_close(batch, token);
    return loaded;
}

/* The first of its tokens; those of this batch are not in the database yet. */
static struct ids tokens_of(struct batch *batch, const struct run *run,
                            const struct tokens *tokens)
{
    struct ids ids = { 0 };

    for (uint32_t i = 0; i < tokens->ids.count && i < CLOSE_MAX; i++)
        batch_ids_add(batch, &ids, tokens->ids.items[i]);
    if (!run->makes_tokens)
        return ids;
    EACH_ROW(&batch->rows, ROW_WAITPOINT, waitpoint, token)
    if (token->row.loaded == NULL && token->run_id == run->id)
        batch_ids_add(batch, &ids, token->id);
    return ids;
}

static bool tokens_load(struct batch *batch, const struct ids *ids)
{
    struct waitpoint *token;
    struct edges *edges;
    bool loaded = true;

    for (uint32_t i = 0; i < ids->count; i++) {
        loaded &= rows_waitpoint(&batch->rows, ids->items[i], &token);
        loaded &= edges_load(batch, ids->items[i], &edges);
    }
    return loaded;
}

/* Each run is in memory: it has ended here, or has come due. */
bool close_one(struct batch *batch)
{
    struct run *run = rows_run_here(&batch->rows, batch->ended.items[batch->ended_at]);
    struct tokens *tokens, *others;
    struct edges *edges;
    uint32_t closed = 0;

    if (!rows_tokens(&batch->rows, run->id, &tokens)) {
        for (uint32_t i = batch->ended_at + 1; i < batch->ended.count; i++)
            (void)rows_tokens(&batch->rows, batch->ended.items[i], &others); /* wanted soon */
        return false;
    }
    struct ids ids = tokens_of(batch, run, tokens);
    if (!tokens_load(batch, &ids))
        return false;
    for (uint32_t i = 0; i < ids.count; i++) {
        struct waitpoint *token = rows_waitpoint_here(&batch->rows, ids.items[i]);
        (void)edges_load(batch, ids.items[i], &edges); /* loaded */
        if (!may_close(token) || is_awaited(edges))
            continue;
        token_close(batch, token);
        closed++;
    }
    if (tokens->ids.count > CLOSE_MAX && closed > 0)
        settle_later(run);
    return true;
}
