/* Tokens: the first answer wins, a deadline is one, and who comes late is told. */
#include "base/duration.h"
#include "engine/key.h"
#include "model.h"

static void made_look(const struct look *look, const struct token_create *create,
                      const struct waitpoint *token, bool is_early)
{
    bool is_span;
    int64_t due_ms = look_deadline(look, create->due_ms, create->timeout_ms, &is_span);
    bool is_shared = create->key_global && create->key.size > 0 && create->run_id != 0;
    struct shadow_token *shadow = shadow_token_of(look, token->id, true);
    int64_t timeout_ms = is_span ? time_after(look->now_ms, create->timeout_ms) : due_ms;
    bool is_moved = slice_starts(token->note, "moved"); /* since; see rule_token_row */

    if (token->environment != create->environment || token->run_id != create->run_id ||
        (token->is_shared != 0) != is_shared || !slice_equal(token->tags, create->tags) ||
        (token->timeout_ms != timeout_ms && !is_moved))
        world_flaw(look->world, "token %lld is not as it was asked for", (long long)token->id);
    if (!is_early) {
        shadow->status =
            look_is_over(look, due_ms, is_span) ? WAITPOINT_TIMED_OUT : WAITPOINT_PENDING;
        shadow->result = (struct slice){ 0 };
    }
    if (token->status == WAITPOINT_PENDING && !is_moved &&
        (token->due_ms != due_ms || (due_ms != 0 && token->due_is_span != is_span)))
        world_flaw(look->world, "token %lld is to time out at %lld, and will at %lld",
                   (long long)token->id, (long long)due_ms, (long long)token->due_ms);
}

void rule_token_create(const struct look *look, const struct command *command)
{
    const struct token_create *create = &command->token_create;
    const struct waitpoint *token = token_now(look, create->token_id);
    const struct shadow_token *again =
        create->id == 0 ? NULL : shadow_token_of(look, create->id, false);
    struct shadow_key *key = NULL;
    bool is_early;

    if (create->run_id != 0 && command->kind == COMMAND_TOKEN_CREATE)
        (void)rule_fence(look, command, create->run_id, create->run_seq); /* or is not heard */
    if (command->err.code != ERR_OK)
        return;
    if (token == NULL && shadow_token_of(look, create->token_id, false) != NULL)
        return; /* the same */
    if (token == NULL || token->environment != create->environment) {
        world_flaw(look->world, "token %lld was acknowledged and is not there",
                   (long long)create->token_id);
        return;
    }
    if (create->key.size > 0)
        key = key_of(look, KEY_TOKEN, create->environment, (struct slice){ 0 },
                     create->key_global ? 0 : create->run_id, create->key);
    /* Posted to, it is there already, and nobody's. */
    is_early =
        again != NULL && !again->is_made && again->was != NULL && again->was->environment == 0;
    is_early |= again != NULL && again->is_made && again->status == WAITPOINT_COMPLETED;
    if (again != NULL && !is_early) {
        if (create->token_id != create->id || create->cached)
            world_flaw(look->world, "a segment that runs again has made token %lld anew",
                       (long long)create->token_id);
    } else if (key != NULL && !key_is_over(look, key) &&
               shadow_token_of(look, key->target, false) != NULL) {
        if (!create->cached || create->token_id != key->target)
            world_flaw(look->world, "a key of token %lld has given token %lld",
                       (long long)key->target, (long long)create->token_id);
    } else if (create->cached || (create->id != 0 && create->token_id != create->id) ||
               (!is_early && shadow_token_of(look, create->token_id, false) != NULL)) {
        world_flaw(look->world, "a token was to be made, and token %lld is given",
                   (long long)create->token_id);
    } else {
        made_look(look, create, token, is_early);
        key_set(look, key, token->id, create->key_ttl_ms);
    }
}

/* Its run has ended, and nobody else waits. */
static bool may_be_closed(const struct look *look, const struct waitpoint *token)
{
    const struct run *maker = run_now(look, token->run_id);

    return token->run_id != 0 && token->is_shared == 0 && maker != NULL &&
           maker->status == RUN_DONE;
}

static bool is_move(const struct command *command)
{
    return command->kind == COMMAND_TOKEN_MOVE || command->kind == COMMAND_WAIT_MOVE;
}

static void moved_take(const struct look *look, const struct token_complete *act,
                       struct shadow_token *token)
{
    token->is_moved = true;
    token->due_ms = look_deadline(look, act->date_ms, act->span_ms, &token->due_is_span);
    if (look_is_over(look, token->due_ms, token->due_is_span))
        token->status = WAITPOINT_TIMED_OUT;
}

static void won_take(const struct look *look, const struct command *command,
                     struct shadow_token *token)
{
    token->result = (struct slice){ 0 };
    if (is_move(command)) {
        moved_take(look, &command->token_complete, token);
    } else if (command->kind == COMMAND_TOKEN_TIMEOUT) {
        token->status = WAITPOINT_TIMED_OUT;
    } else if (command->kind == COMMAND_TOKEN_CLOSE) {
        token->status = WAITPOINT_CANCELLED;
    } else {
        token->status = WAITPOINT_COMPLETED;
        token->result = model_keep(look, command->token_complete.data);
    }
}

static bool is_late(const struct look *look, const struct shadow_token *token)
{
    return token->is_moved ? look_is_over(look, token->due_ms, token->due_is_span)
                           : token->was != NULL && look_is_over(look, token->was->due_ms,
                                                                token->was->due_is_span);
}

/* Not there, or another environment's: unless its URL was told before it is made. */
static void unknown_look(const struct look *look, const struct command *command)
{
    const struct token_complete *complete = &command->token_complete;

    if (command->kind == COMMAND_TOKEN_COMPLETE && complete->environment == 0 &&
        command->err.code == ERR_OK && complete->won) {
        struct shadow_token *token = shadow_token_of(look, complete->id, true);
        won_take(look, command, token);
    } else if (command->err.code != ERR_NOT_FOUND || complete->won) {
        world_flaw(look->world, "token %lld is not there, and was answered",
                   (long long)complete->id);
    }
}

void rule_token_complete(const struct look *look, const struct command *command)
{
    const struct token_complete *complete = &command->token_complete;
    const struct waitpoint *token = token_now(look, complete->id);
    struct shadow_token *shadow = shadow_token_of(look, complete->id, false);

    if (token == NULL && shadow != NULL && shadow->was != NULL &&
        shadow->was->status != WAITPOINT_PENDING && !complete->won)
        return; /* it was there, and went at the end of the batch */
    if (token == NULL || shadow == NULL ||
        (complete->environment != 0 && token->environment != complete->environment)) {
        if (token == NULL || shadow == NULL || complete->won)
            unknown_look(look, command);
        return;
    }
    if (token->kind == WAITPOINT_BATCH) {
        if (complete->won || command->err.code != ERR_NOT_FOUND)
            world_flaw(look->world, "batch %lld was answered by hand", (long long)token->id);
        return;
    }
    if (token->status == WAITPOINT_CANCELLED && !complete->won) {
        if (command->err.code != (command->kind == COMMAND_TOKEN_CLOSE ? ERR_OK : ERR_GONE))
            world_flaw(look->world, "token %lld was closed, and who answers is not told",
                       (long long)token->id);
        return;
    }
    if (command->err.code == ERR_NOT_FOUND &&
        (shadow->was == NULL || shadow->was->environment == 0))
        return; /* it was nobody's, until a later command */
    if (command->err.code != ERR_OK) {
        world_flaw(look->world, "token %lld: %s", (long long)token->id, command->err.text);
        return;
    }
    if (shadow->status == WAITPOINT_PENDING && is_late(look, shadow))
        shadow->status = WAITPOINT_TIMED_OUT;
    if (complete->won != (shadow->status == WAITPOINT_PENDING))
        world_flaw(look->world, "token %lld has status %u, and an answer has %s",
                   (long long)token->id, shadow->status, complete->won ? "won" : "not won");
    if (complete->won)
        won_take(look, command, shadow);
}

void rule_token_row(const struct look *look, const struct waitpoint *token)
{
    struct shadow_token *shadow = shadow_token_of(look, token->id, false);

    if (shadow == NULL) {
        world_flaw(look->world, "token %lld was made by nobody", (long long)token->id);
        return;
    }
    if (token->status == WAITPOINT_CANCELLED && shadow->status == WAITPOINT_PENDING) {
        if (!may_be_closed(look, token) && !rule_group_loses(look, token->run_id, token->id))
            world_flaw(look->world, "token %lld was closed, and its run goes on",
                       (long long)token->id);
        return;
    }
    /* Somebody wants to wait for it, and its time is over. */
    if (token->status == WAITPOINT_TIMED_OUT && shadow->status == WAITPOINT_PENDING &&
        is_late(look, shadow))
        return;
    if (token->status == WAITPOINT_PENDING && shadow->is_moved &&
        (token->due_ms != shadow->due_ms ||
         (token->due_ms != 0 && token->due_is_span != shadow->due_is_span)))
        world_flaw(look->world, "token %lld was moved to %lld, and is due at %lld",
                   (long long)token->id, (long long)shadow->due_ms, (long long)token->due_ms);
    if (token->status != shadow->status || !slice_equal(token->result, shadow->result))
        world_flaw(look->world, "token %lld has status %u, it must have %u, with %zu bytes",
                   (long long)token->id, token->status, shadow->status, shadow->result.size);
    if ((token->status == WAITPOINT_PENDING) != (token->completed_ms == 0))
        world_flaw(look->world, "token %lld does not say since when it is over",
                   (long long)token->id);
}

static bool was_awaited(const struct look *look, const struct run *run, int64_t token)
{
    struct arena arena = { 0 };
    const struct shadow *shadow = shadow_of(look, run->id);
    const struct run *was = shadow == NULL ? NULL : shadow->was;
    struct wait wait;
    bool is_awaited = false;

    if (was != NULL && was->status == RUN_WAITING && wait_read(&arena, was->wait, &wait))
        is_awaited = wait.group != NULL
                         ? wait_part_of(&arena, &wait, token, 0) != 0
                         : wait.kind == WAIT_FOR_TOKEN && wait_has(&arena, &wait, token);
    arena_finish(&arena);
    return is_awaited;
}

/* With the run its tokens end. */
void rule_tokens_closed(const struct look *look, const struct run *run)
{
    struct store *memory = look->world->memory;

    if (run->due_ms != 0)
        return; /* soon */
    for (uint32_t i = 0; i < store_memory_count(memory, ROW_WAITPOINT); i++) {
        const struct waitpoint *token = store_memory_waitpoint(memory, i);
        bool is_awaited = false;
        if (token->run_id != run->id || token->status != WAITPOINT_PENDING ||
            token->is_shared != 0)
            continue;
        for (uint32_t k = 0; k < store_memory_count(memory, ROW_RUN) && !is_awaited; k++) {
            const struct run *other = store_memory_run(memory, k);
            is_awaited =
                other->id != run->id && (was_awaited(look, other, token->id) ||
                                         store_memory_has_edge(memory, token->id, other->id));
        }
        if (!is_awaited)
            world_flaw(look->world, "token %lld is open, and its run %lld has ended",
                       (long long)token->id, (long long)run->id);
    }
}
