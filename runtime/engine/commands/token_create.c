/*
 * Tokens: one-shot doors through which the outside world resumes a run.
 *
 *   PENDING ──complete──▶ COMPLETED        the first writer wins, in the same transaction the
 * edges └──── due_ms ────▶ TIMED_OUT        are followed and the run goes back to its queue
 *
 * A slot may know a token's URL, and tell it, before the token is created here. What is posted
 * to such a URL is kept in a row of no environment, which nobody sees, until the creation
 * finds it.
 */
#include "base/duration.h"
#include "engine/batch.h"
#include "engine/builds/builds.h"
#include "engine/contract.h"
#include "engine/rerun.h"

struct token_rows {
    struct run *run, *child; /* child: of that id, when a segment is run again */
    struct waitpoint *again;
    struct waitpoint *keyed; /* that its key names; NULL: it was removed */
    struct key *key, *request;
    uint8_t key_hash[16], request_hash[16];
};

static bool token_load(struct batch *batch, const struct token_create *create,
                       struct token_rows *found)
{
    struct rows *rows = &batch->rows;
    bool loaded = true;

    *found = (struct token_rows){ 0 };
    if (create->run_id != 0)
        loaded &= rows_run(rows, create->run_id, 0, &found->run);
    if (create->id != 0)
        loaded &= rows_waitpoint(rows, create->id, &found->again);
    if (create->is_rerun)
        loaded &= rows_run(rows, create->id, 0, &found->child);
    if (create->key.size > 0) {
        key_hash(KEY_TOKEN, create->environment, (struct slice){ 0 },
                 create->key_global ? 0 : create->run_id, create->key, found->key_hash);
        loaded &= rows_key(rows, found->key_hash, &found->key);
        if (found->key != NULL)
            loaded &= rows_waitpoint(rows, found->key->target, &found->keyed);
    }
    if (create->request_key.size > 0) {
        key_hash(KEY_REQUEST, create->environment, (struct slice){ 0 }, 0, create->request_key,
                 found->request_hash);
        loaded &= rows_key(rows, found->request_hash, &found->request);
    }
    return loaded;
}

bool token_create_prefetch(struct batch *batch, const struct command *command)
{
    struct token_rows found;

    return token_load(batch, &command->token_create, &found);
}

static bool token_allowed(struct batch *batch, struct command *command, const struct run *run)
{
    const struct token_create *create = &command->token_create;

    if (create->run_id == 0)
        return true;
    if (run == NULL || run->status != RUN_RUNNING || run->seq != create->run_seq)
        return err_set(&command->err, ERR_RULE, "the run has moved on");
    if (create->schema.size == 0)
        return true;
    const struct catalog_task *task = catalog_task_of(batch->catalog, run);
    if (catalog_schema_is_wrong(task))
        return err_set(&command->err, ERR_UNAVAILABLE, "%.*s", SLICE_ARG(task->reason));
    if (task == NULL || task->schema == NULL || !schema_has_token(task->schema, create->schema))
        return err_set(&command->err, ERR_RULE,
                       "the schema of task %.*s declares no token \"%.*s\"",
                       SLICE_ARG(run->task), SLICE_ARG(create->schema));
    return true;
}

/* Posted to, but not created yet. */
static bool is_unmade(const struct waitpoint *token)
{
    return token->environment == 0;
}

static void token_deadline(const struct batch *batch, struct waitpoint *token,
                           const struct token_create *create, bool is_early)
{
    struct deadline end = batch_deadline(batch, create->due_ms, create->timeout_ms);

    token->timeout_ms =
        end.is_span ? time_after(batch->now_ms, create->timeout_ms) : end.due_ms;
    token->due_ms = is_early ? 0 : end.due_ms;
    token->due_is_span = end.is_span;
}

static void token_make(struct batch *batch, struct token_create *create,
                       const struct token_rows *found)
{
    struct arena *arena = batch->arena;
    int64_t id = create->id != 0 ? create->id : id_next(batch->engine->ids, batch->now_ms);
    struct waitpoint *token = found->again;
    bool is_early = token != NULL && create->schema.size == 0;

    if (token == NULL) {
        token = rows_new_waitpoint(&batch->rows, id);
        token->kind = WAITPOINT_TOKEN;
    } else if (!is_early) { /* posted when the segment wanted no schema: it is unchecked */
        token->status = WAITPOINT_PENDING;
        token->result = (struct slice){ 0 };
        token->completed_ms = 0;
    }
    if (!is_early)
        token->created_ms = batch->now_ms;
    token->environment = create->environment;
    token_deadline(batch, token, create, is_early);
    token->run_id = create->run_id;
    token->tags = arena_copy(arena, create->tags);
    token->schema = arena_copy(arena, create->schema);
    if (found->run != NULL) {
        const struct catalog_task *task = catalog_task_of(batch->catalog, found->run);
        token->task = found->run->task;
        token->is_shared = create->key_global && create->key.size > 0;
        found->run->has_tokens = found->run->makes_tokens = true;
        if (task != NULL && schema_has_secrets(schema_token(task->schema, create->schema)))
            run_met_secrets(found->run);
    }
    if (create->key.size > 0) {
        token->key_text =
            arena_copy(arena, create->key_text.size > 0 ? create->key_text : create->key);
        token->key_expires_ms =
            create->key_ttl_ms == 0 ? 0 : time_after(batch->now_ms, create->key_ttl_ms);
        token->key = arena_copy(arena, (struct slice){ (const char *)found->key_hash, 16 });
        key_make(batch, found->key_hash, id, create->key_ttl_ms);
    }
    if (create->request_key.size > 0)
        key_make(batch, found->request_hash, id, REQUEST_TTL_MS);
    /* A timeout in the past means: timed out already. */
    if (batch_is_over(batch, token->due_ms, token->due_is_span)) {
        token->status = WAITPOINT_TIMED_OUT;
        token->completed_ms = batch->now_ms;
        token->due_ms = 0;
    }
    create->token_id = id;
}

static bool again_fits(struct batch *batch, struct command *command,
                       const struct token_rows *found)
{
    const struct token_create *create = &command->token_create;
    struct made now = { .name = create->schema,
                        .key = create->key_text.size > 0 ? create->key_text : create->key,
                        .tags = create->tags };
    bool is_made = found->again != NULL && !is_unmade(found->again);

    return found->run == NULL || rerun_fits(batch, command, found->run, create->id,
                                            found->child, is_made ? found->again : NULL, &now);
}

bool token_create_decide(struct batch *batch, struct command *command)
{
    struct token_create *create = &command->token_create;
    struct token_rows found;

    if (!token_load(batch, create, &found))
        return false;
    if (!token_allowed(batch, command, found.run) || !again_fits(batch, command, &found))
        return true;
    if (key_is_live(batch, found.request)) {
        create->token_id = found.request->target;
    } else if (found.again != NULL && !is_unmade(found.again)) {
        create->token_id = found.again->id; /* the segment is run again */
    } else if (found.keyed != NULL && key_is_live(batch, found.key)) {
        create->token_id = found.key->target;
        create->cached = true;
    } else if (create->run_id != 0 || batch_has_room(batch, command)) {
        token_make(batch, create, &found);
    }
    return true;
}

void token_create_clear(struct command *command)
{
    command->token_create.token_id = 0;
    command->token_create.cached = false;
}
