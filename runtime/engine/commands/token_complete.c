/* A token is answered, timed out, closed or moved: by hand, or because its time has come. */
#include "base/duration.h"
#include "codec/pack.h"
#include "engine/builds/builds.h"
#include "engine/close.h"
#include "engine/commands/token_act.h"

struct slice act_text(struct batch *batch, const struct command *command, const char *what)
{
    const struct token_complete *act = &command->token_complete;

    return arena_format(batch->arena, "%s%s%.*s%s%.*s", what, act->by.size > 0 ? " by " : "",
                        SLICE_ARG(act->by), act->why.size > 0 ? ": " : "", SLICE_ARG(act->why));
}

struct slice move_text(struct batch *batch, const struct command *command)
{
    const struct token_complete *act = &command->token_complete;
    char at[TIME_TEXT_SIZE];
    int64_t date_ms =
        act->date_ms != 0 ? time_moment(act->date_ms) : time_after(batch->now_ms, act->span_ms);

    return act->date_ms == 0 && act->span_ms == 0
               ? SLICE("moved to never")
               : arena_format(batch->arena, "moved to %s",
                              time_is_date(date_ms) ? time_format(date_ms, at) : "never");
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
    const struct catalog_task *task = catalog_task_any(batch->catalog, token->task);
    const struct schema *schema =
        task == NULL || task->schema == NULL ? NULL : schema_token(task->schema, token->schema);
    struct value data = { .kind = VALUE_NULL };

    if (!size_check(batch, command))
        return false;
    if (token->schema.size > 0 && batch->catalog == NULL)
        return err_set(&command->err, ERR_STOPPING, "the server is still starting");
    if (token->schema.size > 0 && catalog_schema_is_wrong(task))
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

/* Is it an id that a slot may have got for a segment that still runs? Ids never go back. */
static bool is_recent(const struct batch *batch, int64_t id)
{
    return id_time_ms(id) <= batch->steady_ms + 60000 && !prune_is_past(batch, id);
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

/* Nobody waits for an answer any more. */
static void closed_tell(struct command *command, const struct waitpoint *token)
{
    if (token->note.size == 0)
        err_set(&command->err, ERR_GONE,
                "The run that made this token has ended; nobody waits for an answer any more");
    else
        err_set(&command->err, ERR_GONE,
                "This token was %.*s; nobody waits for an answer any more",
                SLICE_ARG(token->note));
}

static void token_move(struct batch *batch, const struct command *command,
                       struct waitpoint *token)
{
    const struct token_complete *act = &command->token_complete;
    struct deadline due = batch_deadline(batch, act->date_ms, act->span_ms);

    token->timeout_ms = due.is_span ? time_after(batch->now_ms, act->span_ms) : due.due_ms;
    token->due_ms = due.due_ms;
    token->due_is_span = due.is_span;
    token->note = act_text(batch, command, move_text(batch, command).data);
    if (batch_is_over(batch, due.due_ms, due.is_span)) /* a time in the past is over at once */
        token_settle(batch, token, WAITPOINT_TIMED_OUT, (struct slice){ 0 });
}

/* A token that is pending. */
static bool pending_act(struct batch *batch, struct command *command, struct waitpoint *token)
{
    struct token_complete *act = &command->token_complete;
    struct slice nothing = { 0 };

    if (command->kind == COMMAND_TOKEN_TIMEOUT) {
        token->note = act_text(batch, command, "timed out by hand");
        token_settle(batch, token, WAITPOINT_TIMED_OUT, nothing);
    } else if (command->kind == COMMAND_TOKEN_CLOSE) {
        token->note = act_text(batch, command, "closed");
        token_settle(batch, token, WAITPOINT_CANCELLED, nothing);
    } else if (command->kind == COMMAND_TOKEN_MOVE || command->kind == COMMAND_WAIT_MOVE) {
        token_move(batch, command, token);
    } else if (data_check(batch, command, token)) {
        token->secret = act->secret;
        token->note =
            act->by.size + act->why.size == 0 ? nothing : act_text(batch, command, "completed");
        token_settle(batch, token, WAITPOINT_COMPLETED,
                     arena_copy(batch->arena, act->data.size > 0 ? act->data : SLICE("\xc0")));
    } else {
        return false;
    }
    return true;
}

bool token_act(struct batch *batch, struct command *command, int64_t id)
{
    struct token_complete *act = &command->token_complete;
    bool is_by_url = command->kind == COMMAND_TOKEN_COMPLETE && act->environment == 0;
    struct waitpoint *token;

    if (!rows_waitpoint(&batch->rows, id, &token))
        return false;
    if (token == NULL && is_by_url && is_recent(batch, id)) {
        early_make(batch, command);
        return true;
    }
    if (token == NULL || token->kind != WAITPOINT_TOKEN ||
        (act->environment != 0 && token->environment != act->environment)) {
        if (token == NULL)
            (void)prune_token_missing(batch->catalog, batch->now_ms, id, &command->err);
        else
            err_set(&command->err, ERR_NOT_FOUND, "Waitpoint not found");
        return true;
    }
    if (!token_outlived(batch, token))
        return false;
    if (token->status == WAITPOINT_CANCELLED && command->kind != COMMAND_TOKEN_CLOSE)
        closed_tell(command, token);
    if (token->status != WAITPOINT_PENDING)
        return true; /* the first result stays */
    if (batch_is_over(batch, token->due_ms, token->due_is_span)) {
        /* The deadline is exclusive, whether or not its timer was looked at yet. */
        token_settle(batch, token, WAITPOINT_TIMED_OUT, (struct slice){ 0 });
        return true;
    }
    act->won = pending_act(batch, command, token);
    return true;
}

bool token_complete_decide(struct batch *batch, struct command *command)
{
    const struct token_complete *act = &command->token_complete;
    struct run *run;

    if (act->run_id != 0 && !run_fenced(batch, command, act->run_id, act->run_seq, 0, &run))
        return false;
    return (act->run_id != 0 && run == NULL) || token_act(batch, command, act->id);
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

bool token_complete_prefetch(struct batch *batch, const struct command *command)
{
    struct waitpoint *token;
    struct run *run;

    if (rows_waitpoint(&batch->rows, command->token_complete.id, &token) && token != NULL &&
        token->run_id != 0)
        (void)rows_run(&batch->rows, token->run_id, 0, &run); /* a want is enough */
    waiters_prefetch(batch, command->token_complete.id);
    return true;
}

void token_complete_clear(struct command *command)
{
    command->token_complete.won = false;
    command->token_complete.problems = (struct problems){ 0 };
}
