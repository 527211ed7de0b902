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
#include "codec/pack.h"
#include "engine/batch.h"
#include "engine/close.h"
#include "engine/contract.h"
#include "engine/rerun.h"

enum { EARLY_MS = 24 * 3600 * 1000 };

struct token_rows {
    struct run *run, *child; /* child: of that id, when a segment is run again */
    struct waitpoint *again;
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
    }
    if (create->request_key.size > 0) {
        key_hash(KEY_REQUEST, create->environment, (struct slice){ 0 }, 0, create->request_key,
                 found->request_hash);
        loaded &= rows_key(rows, found->request_hash, &found->request);
    }
    return loaded;
}

bool token_prefetch(struct batch *batch, const struct command *command)
{
    struct token_rows found;

    return token_load(batch, &command->token_create, &found);
}

/* There is a schema file, and it says nothing just now. */
static bool schema_is_wrong(const struct catalog_task *task)
{
    return task != NULL && task->is_refusing && task->schema == NULL;
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
    const struct catalog_task *task = catalog_task(batch->catalog, run->task);
    if (schema_is_wrong(task))
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
        const struct catalog_task *task = catalog_task(batch->catalog, found->run->task);
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

static bool again_fits(struct command *command, const struct token_rows *found)
{
    const struct token_create *create = &command->token_create;
    struct made now = { .name = create->schema,
                        .key = create->key_text.size > 0 ? create->key_text : create->key };
    bool is_made = found->again != NULL && !is_unmade(found->again);

    return found->run == NULL || rerun_fits(command, found->run, create->id, found->child,
                                            is_made ? found->again : NULL, &now);
}

bool token_create_decide(struct batch *batch, struct command *command)
{
    struct token_create *create = &command->token_create;
    struct token_rows found;

    if (!token_load(batch, create, &found))
        return false;
    if (!token_allowed(batch, command, found.run) || !again_fits(command, &found))
        return true;
    if (key_is_live(batch, found.request)) {
        create->token_id = found.request->target;
    } else if (found.again != NULL && !is_unmade(found.again)) {
        create->token_id = found.again->id; /* the segment is run again */
    } else if (key_is_live(batch, found.key)) {
        create->token_id = found.key->target;
        create->cached = true;
    } else if (create->run_id != 0 || batch_has_room(batch, command)) {
        token_make(batch, create, &found);
    }
    return true;
}

static void token_settle(struct batch *batch, struct waitpoint *token,
                         enum waitpoint_status status, struct slice result)
{
    token->status = status;
    token->completed_ms = batch->now_ms;
    token->result = result;
    settle_token(batch, token);
}

static bool size_check(const struct batch *batch, struct command *command)
{
    size_t bytes = command->token_complete.data.size;

    if (batch->catalog == NULL || (int64_t)bytes <= batch->catalog->limits.token_bytes)
        return true;
    return err_set(&command->err, ERR_TOO_LARGE, "the data has %zu bytes, %lld are allowed",
                   bytes, (long long)batch->catalog->limits.token_bytes);
}

static bool data_check(struct batch *batch, struct command *command,
                       const struct waitpoint *token)
{
    struct token_complete *complete = &command->token_complete;
    const struct catalog_task *task = catalog_task(batch->catalog, token->task);
    const struct schema *schema =
        task == NULL || task->schema == NULL ? NULL : schema_token(task->schema, token->schema);
    struct value data = { .kind = VALUE_NULL };

    if (!size_check(batch, command))
        return false;
    if (token->schema.size > 0 && batch->catalog == NULL)
        return err_set(&command->err, ERR_STOPPING, "the server is still starting");
    if (token->schema.size > 0 && schema_is_wrong(task))
        return err_set(&command->err, ERR_UNAVAILABLE,
                       "the data cannot be checked just now, send it again later: %.*s",
                       SLICE_ARG(task->reason));
    if (token->schema.size == 0)
        return true;
    if (schema == NULL)
        return err_set(&command->err, ERR_UNAVAILABLE,
                       "the data cannot be checked just now, send it again later: no schema "
                       "file declares token \"%.*s\" of task %.*s; the run keeps waiting",
                       SLICE_ARG(token->schema), SLICE_ARG(token->task));
    if (complete->data.size > 0 &&
        !pack_read(batch->arena, complete->data, &data, &command->err))
        return false;
    if (!schema_check(schema, &data, command->arena, &complete->problems)) {
        command->problems = &complete->problems;
        return err_set(
            &command->err, ERR_BAD_DATA,
            "the data does not match the schema of token \"%.*s\"; the run keeps waiting",
            SLICE_ARG(token->schema));
    }
    complete->data = pack_value(command->arena, &data); /* with defaults */
    if (schema_has_secrets(schema))
        complete->secret = task->schema_hash;
    return true;
}

/* Is it an id that a slot may have got a day ago at most? Ids never go back either. */
static bool is_recent(const struct batch *batch, int64_t id)
{
    int64_t made_ms = id_time_ms(id);

    return made_ms <= batch->steady_ms + 60000 && made_ms >= batch->now_ms - EARLY_MS;
}

/* Keep what was posted to a URL whose token is still to be created. */
static void early_make(struct batch *batch, struct command *command)
{
    struct token_complete *complete = &command->token_complete;
    struct waitpoint *token;

    if (!size_check(batch, command))
        return;
    token = rows_new_waitpoint(&batch->rows, complete->id);
    token->kind = WAITPOINT_TOKEN;
    token->status = WAITPOINT_COMPLETED;
    token->created_ms = token->completed_ms = batch->now_ms;
    token->result = arena_copy(batch->arena, complete->data);
    complete->won = true;
}

bool token_complete_decide(struct batch *batch, struct command *command)
{
    struct token_complete *complete = &command->token_complete;
    bool is_by_url = command->kind == COMMAND_TOKEN_COMPLETE && complete->environment == 0;
    struct waitpoint *token;

    if (!rows_waitpoint(&batch->rows, complete->id, &token))
        return false;
    if (token == NULL && is_by_url && is_recent(batch, complete->id)) {
        early_make(batch, command);
        return true;
    }
    if (token == NULL || token->kind != WAITPOINT_TOKEN ||
        (complete->environment != 0 && token->environment != complete->environment)) {
        err_set(&command->err, ERR_NOT_FOUND, "Waitpoint not found");
        return true;
    }
    if (!token_outlived(batch, token))
        return false;
    if (token->status == WAITPOINT_CANCELLED)
        err_set(&command->err, ERR_GONE,
                "The run that made this token has ended; nobody waits for an answer any more");
    if (token->status != WAITPOINT_PENDING)
        return true; /* the first result stays */
    if (batch_is_over(batch, token->due_ms, token->due_is_span)) {
        /* The deadline is exclusive, whether or not its timer was looked at yet. */
        token_settle(batch, token, WAITPOINT_TIMED_OUT, (struct slice){ 0 });
        return true;
    }
    if (command->kind == COMMAND_TOKEN_TIMEOUT) {
        token_settle(batch, token, WAITPOINT_TIMED_OUT, (struct slice){ 0 });
        complete->won = true;
    } else if (data_check(batch, command, token)) {
        token->secret = complete->secret;
        token_settle(batch, token, WAITPOINT_COMPLETED,
                     arena_copy(batch->arena, complete->data));
        complete->won = true;
    }
    return true;
}

bool token_due(struct batch *batch, int64_t id)
{
    struct waitpoint *token;

    if (!rows_waitpoint(&batch->rows, id, &token))
        return false;
    if (token == NULL || !batch_is_over(batch, token->due_ms, token->due_is_span))
        /* Settled since the batch began, or the store is wrong about it. */
        batch->is_due_wrong |=
            !batch_was_due(batch, ROW_WAITPOINT, token == NULL ? NULL : &token->row);
    else if (token->status == WAITPOINT_PENDING)
        token_settle(batch, token, WAITPOINT_TIMED_OUT, (struct slice){ 0 });
    else
        settle_token(batch, token); /* runs are still to be told */
    return true;
}
