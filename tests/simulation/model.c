#include "base/duration.h"
#include "base/memory.h"
#include "batches.h"
#include "keep.h"
#include "waits.h"

#include <stdlib.h>

struct model *model_create(void)
{
    struct model *model = memory_zeroed(1, sizeof *model);

    table_init(&model->runs, &model->arena);
    table_init(&model->tokens, &model->arena);
    table_init(&model->queues, &model->arena);
    table_init(&model->run_batches, &model->arena);
    table_init(&model->waits, &model->arena);
    table_init(&model->bulks, &model->arena);
    return model;
}

void model_destroy(struct model *model)
{
    arena_finish(&model->arena);
    free(model->seen_runs);
    free(model->seen_tokens);
    free(model);
}

static struct shadow *shadow_begin(const struct look *look, struct shadow *shadow)
{
    if (shadow != NULL && shadow->batch != look->model->batches) {
        shadow->batch = look->model->batches;
        shadow->end = shadow->cancel = shadow->made = NULL;
        shadow->is_recovered = shadow->is_freed = shadow->is_plain = false;
        shadow->moves = shadow->acts = 0;
        shadow->is_redriven = shadow->is_again = shadow->is_anew = false;
        shadow->moved = NULL;
        shadow->rescheduled = NULL;
        shadow->is_tagged = false;
        shadow->was_given = shadow->given;
        shadow->letter = NULL;
    }
    return shadow;
}

struct shadow *shadow_of(const struct look *look, int64_t id)
{
    return shadow_begin(look, table_find(&look->model->runs, (uint64_t)id));
}

static bool is_seen(const struct seen *seen, uint32_t count, uint32_t at, const void *row,
                    int64_t id)
{
    return at < count && seen[at].row == row && seen[at].id == id;
}

/* The same of the row at that place. */
static struct shadow *shadow_at(const struct look *look, uint32_t at, const struct run *run)
{
    const struct model *model = look->model;

    return is_seen(model->seen_runs, model->seen_run_count, at, run, run->id)
               ? shadow_begin(look, model->seen_runs[at].shadow)
               : shadow_of(look, run->id);
}

struct shadow_token *shadow_token_of(const struct look *look, int64_t id, bool add)
{
    struct shadow_token *token = table_find(&look->model->tokens, (uint64_t)id);

    if (token == NULL && add) {
        token = ARENA_NEW(&look->model->arena, struct shadow_token);
        token->is_made = true;
        token->batch = look->model->batches;
        table_set(&look->model->tokens, (uint64_t)id, token);
    }
    if (token != NULL && token->batch != look->model->batches && token->was != NULL) {
        /* What is due comes before all commands. */
        bool is_over = look->batch->look_for_due && token->was->status == WAITPOINT_PENDING &&
                       look_is_over(look, token->was->due_ms, token->was->due_is_span);
        token->batch = look->model->batches;
        token->is_made = token->is_moved = false;
        token->status = is_over ? WAITPOINT_TIMED_OUT : token->was->status;
        token->result = token->was->result;
    }
    return token;
}

const struct run *run_now(const struct look *look, int64_t id)
{
    return store_memory_find(look->world->memory, id);
}

const struct waitpoint *token_now(const struct look *look, int64_t id)
{
    return store_memory_token(look->world->memory, id);
}

struct slice queue_name_now(const struct look *look, const struct run *run)
{
    const struct queue *queue = store_memory_queue(look->world->memory, run->queue);

    return queue == NULL ? SLICE("") : queue->name;
}

struct slice model_keep(const struct look *look, struct slice bytes)
{
    return arena_copy(&look->model->arena, bytes);
}

bool look_is_over(const struct look *look, int64_t due_ms, bool is_span)
{
    return due_ms != 0 && due_ms <= (is_span ? look->steady_ms : look->now_ms);
}

int64_t look_deadline(const struct look *look, int64_t date_ms, int64_t span_ms, bool *is_span)
{
    *is_span = date_ms == 0 && span_ms != 0;
    return date_ms != 0   ? time_moment(date_ms)
           : span_ms != 0 ? time_after(look->steady_ms, span_ms)
                          : 0;
}

bool look_is_at(const struct look *look, int64_t run_id, uint32_t seq, bool *is_sure)
{
    const struct shadow *shadow = shadow_of(look, run_id);
    const struct run *run = run_now(look, run_id);

    *is_sure = true;
    if (shadow == NULL || shadow->was == NULL || shadow->was->status != RUN_RUNNING ||
        shadow->was->seq != seq || shadow->end != NULL || shadow->is_recovered)
        return false;
    *is_sure = run != NULL && run->outcome != OUTCOME_CANCELED &&
               run->ending != OUTCOME_CANCELED && !rule_total_over(look, shadow);
    return true;
}

bool rule_fence(const struct look *look, const struct command *command, int64_t run_id,
                uint32_t seq)
{
    bool is_sure, is_at = look_is_at(look, run_id, seq, &is_sure);
    bool is_refused = command->err.code == ERR_RULE;

    if (is_at && is_sure && is_refused && command->kind != COMMAND_ONCE)
        world_flaw(look->world, "run %lld: what its segment said in move %u was refused: %s",
                   (long long)run_id, seq, command->err.text);
    if (!is_at && !is_refused)
        world_flaw(look->world, "run %lld was not in move %u any more, and was heard (%d)",
                   (long long)run_id, seq, (int)command->kind);
    return is_at && command->err.code == ERR_OK;
}

/* ---- commands ---------------------------------------------------------------------------- */

/* What a run that was canceled says at last. */
static void last_words(const struct look *look, const struct segment_end *said)
{
    struct shadow *shadow = shadow_of(look, said->run_id);

    if (shadow == NULL || shadow->was == NULL || shadow->is_freed)
        return;
    const struct run *run = run_now(look, said->run_id);
    bool is_canceled = shadow->was->status == RUN_RUNNING && shadow->was->seq == said->seq &&
                       shadow->end == NULL && !shadow->is_recovered && run != NULL &&
                       (run->outcome == OUTCOME_CANCELED || /* in this batch */
                        (run->status == RUN_DONE && rule_total_over(look, shadow)));
    if (!is_canceled && (!shadow->was->is_out || shadow->was->seq != said->seq + 1))
        return;
    rule_notes(shadow, said->notes, said->note_count);
    shadow->is_freed = true;
}

static void end_take(const struct look *look, const struct command *command)
{
    const struct segment_end *said = &command->segment_end;

    if (!rule_fence(look, command, said->run_id, said->seq)) {
        last_words(look, said);
        return;
    }
    struct shadow *shadow = shadow_of(look, said->run_id);
    if (command->kind != COMMAND_RELEASE) {
        rule_notes(shadow, said->notes, said->note_count);
        shadow->busy_us += said->busy_us;
    }
    for (uint32_t i = 0; i < said->create_count; i++) {
        if (strcmp(said->creates[i]->err.text, "the run has moved on") == 0)
            continue; /* it was canceled meanwhile, and nobody takes them */
        rule_token_create(look, said->creates[i]);
        if (said->creates[i]->err.code == ERR_OK)
            continue;
        shadow->is_plain = true;
        break;
    }
    shadow->end = command;
}

static void recover_take(const struct look *look, const struct command *command)
{
    for (uint32_t i = 0; i < command->recover.count; i++) {
        struct shadow *shadow = shadow_of(look, command->recover.items[i]);
        if (shadow == NULL || shadow->was == NULL || shadow->was->status != RUN_RUNNING)
            continue;
        shadow->is_recovered = true;
        shadow->is_clean = command->is_clean;
    }
}

static void command_take(const struct look *look, const struct command *command)
{
    struct shadow *shadow;

    switch (command->kind) {
    case COMMAND_TRIGGER:
        rule_trigger(look, command);
        break;
    case COMMAND_BATCH_SEND:
        rule_batch_send(look, command);
        break;
    case COMMAND_CANCEL:
        rule_cancel(look, command);
        break;
    case COMMAND_TOKEN_CREATE:
        rule_token_create(look, command);
        break;
    case COMMAND_TOKEN_COMPLETE:
    case COMMAND_TOKEN_TIMEOUT:
    case COMMAND_TOKEN_MOVE:
        rule_token_complete(look, command);
        break;
    case COMMAND_TOKEN_CLOSE:
        if (command->token_complete.run_id == 0 ||
            rule_fence(look, command, command->token_complete.run_id,
                       command->token_complete.run_seq))
            rule_token_complete(look, command);
        break;
    case COMMAND_WAIT_COMPLETE:
    case COMMAND_WAIT_TIMEOUT:
    case COMMAND_WAIT_SKIP:
    case COMMAND_WAIT_MOVE:
        rule_wait_act(look, command);
        break;
    case COMMAND_MESSAGE_SEND:
        rule_message(look, command);
        break;
    case COMMAND_RUN_EDIT:
        rule_edit(look, command);
        break;
    case COMMAND_SEGMENT_END:
    case COMMAND_ATTEMPT_LOST:
    case COMMAND_RELEASE:
        end_take(look, command);
        break;
    case COMMAND_RECOVER:
        recover_take(look, command);
        break;
    case COMMAND_ONCE:
        rule_once(look, command);
        break;
    case COMMAND_NOTES:
        shadow = shadow_of(look, command->notes.run_id);
        if (rule_fence(look, command, command->notes.run_id, command->notes.seq))
            rule_notes(shadow, command->notes.notes, command->notes.note_count);
        break;
    case COMMAND_RUN_READ:
        rule_run_read(look, command);
        break;
    case COMMAND_QUEUE_PAUSE:
        rule_queue_pause(look, command);
        break;
    case COMMAND_QUEUE_LIMIT:
        rule_queue_limit(look, command);
        break;
    case COMMAND_ENVIRONMENT_PAUSE:
        rule_environment_pause(look, command);
        break;
    case COMMAND_KEY_RESET:
        rule_key_reset(look, command);
        break;
    case COMMAND_BATCH_READ:
        rule_batch_read(look, command);
        break;
    case COMMAND_REDRIVE:
        rule_redrive(look, command);
        break;
    case COMMAND_CATALOG:
    case COMMAND_SPEED:
    case COMMAND_BUILDS_PUT:
    case COMMAND_RUN_BUNDLE:
    case COMMAND_SCHEDULE_PUT: /* schedules_check.c */
    case COMMAND_SCHEDULE_ACT:
    case COMMAND_SCHEDULE_BACKFILL:
    case COMMAND_SCHEDULES_REVIEW:
    case COMMAND_BULK_CREATE: /* bulk.c */
    case COMMAND_BULK_STOP:
    case COMMAND_PRUNE: /* check.c */
    case COMMAND_KIND_COUNT:
        break;
    }
}

/* ---- rows -------------------------------------------------------------------------------- */

/* A store makes a new row of what it changes. */
static bool run_is_same(const struct shadow *shadow, const struct run *run)
{
    return shadow->was != NULL && shadow->row == run;
}

static void runs_look(const struct look *look)
{
    struct store *memory = look->world->memory;

    for (uint32_t i = 0; i < store_memory_count(memory, ROW_RUN); i++) {
        const struct run *run = store_memory_run(memory, i);
        struct shadow *shadow = shadow_at(look, i, run);
        if (shadow == NULL) {
            world_flaw(look->world, "run %lld was made by nobody", (long long)run->id);
            return;
        }
        if (run_is_same(shadow, run))
            rule_run_stays(look, shadow, run);
        else
            rule_run_row(look, shadow, run);
        if (!run_is_same(shadow, run)) {
            rule_mailbox(look, shadow, run);
            rule_keep(look, shadow, run);
        }
    }
    for (const struct assignment *a = look->outcome->assignments; a != NULL; a = a->next)
        rule_assignment(look, a);
}

/* Nothing has come to it in this batch, and it is as it was. */
static bool token_stays(const struct look *look, uint32_t at, const struct waitpoint *token)
{
    const struct model *model = look->model;

    return is_seen(model->seen_tokens, model->seen_token_count, at, token, token->id) &&
           ((struct shadow_token *)model->seen_tokens[at].shadow)->row == token &&
           ((struct shadow_token *)model->seen_tokens[at].shadow)->batch != model->batches &&
           !(look->batch->look_for_due && token->status == WAITPOINT_PENDING &&
             look_is_over(look, token->due_ms, token->due_is_span));
}

static void tokens_look(const struct look *look)
{
    struct store *memory = look->world->memory;

    for (uint32_t i = 0; i < store_memory_count(memory, ROW_WAITPOINT); i++) {
        const struct waitpoint *token = store_memory_waitpoint(memory, i);
        if (!token_stays(look, i, token))
            rule_token_row(look, token);
    }
    for (uint32_t i = 0; i < store_memory_count(memory, ROW_RUN); i++) {
        const struct run *run = store_memory_run(memory, i);
        struct shadow *shadow = shadow_of(look, run->id);
        if (shadow != NULL)
            rule_given_look(look, shadow, run);
        if (shadow != NULL && run->status == RUN_DONE &&
            (shadow->was == NULL || shadow->was->status != RUN_DONE)) {
            rule_keys_released(look, run);
            rule_tokens_closed(look, run);
            rule_ended(look, run);
        }
    }
    for (uint32_t i = 0; i < store_memory_count(memory, ROW_QUEUE); i++)
        rule_queue(look, (const struct queue *)store_memory_at(memory, ROW_QUEUE, i));
    rule_environments(look);
}

/* What was removed is known no more. */
static void gone_forget(const struct look *look)
{
    struct table *runs = &look->model->runs, *tokens = &look->model->tokens;
    uint32_t gone = 0;

    for (uint32_t i = 0; i < look->batch->count; i++)
        if (look->batch->commands[i]->kind == COMMAND_PRUNE)
            gone += look->batch->commands[i]->prune.pruned.runs.count +
                    look->batch->commands[i]->prune.pruned.tokens.count;
    for (uint32_t i = 0; gone > 0 && i < runs->capacity; i++)
        if (runs->entries[i].used && run_now(look, (int64_t)runs->entries[i].key) == NULL)
            runs->entries[i].value = NULL;
    for (uint32_t i = 0; gone > 0 && i < tokens->capacity; i++)
        if (tokens->entries[i].used && token_now(look, (int64_t)tokens->entries[i].key) == NULL)
            tokens->entries[i].value = NULL;
}

static void see(struct seen **seen, uint32_t *count, uint32_t at, const void *row, int64_t id,
                void *shadow)
{
    if (at >= *count) {
        *count = (at + 1) * 2;
        *seen = memory_grow(*seen, *count * sizeof **seen);
        memset(*seen + at, 0, (*count - at) * sizeof **seen);
    }
    (*seen)[at] = (struct seen){ row, id, shadow };
}

/* From now on all is as it is. */
static void rows_keep(const struct look *look)
{
    struct store *memory = look->world->memory;
    struct model *model = look->model;

    gone_forget(look);
    for (uint32_t i = 0; i < store_memory_count(memory, ROW_RUN); i++) {
        const struct run *run = store_memory_run(memory, i);
        /* What has moved to another place may come back to it, and a row to the same memory. */
        if (is_seen(model->seen_runs, model->seen_run_count, i, run, run->id) &&
            run_is_same(model->seen_runs[i].shadow, run))
            continue;
        struct shadow *shadow = shadow_of(look, run->id);
        if (!run_is_same(shadow, run))
            shadow->was = (struct run *)row_copy(ROW_RUN, &model->arena, &run->row,
                                                 PART_INPUT | PART_STATE | PART_OUTPUT);
        shadow->row = run;
        see(&model->seen_runs, &model->seen_run_count, i, run, run->id, shadow);
    }
    for (uint32_t i = 0; i < store_memory_count(memory, ROW_WAITPOINT); i++) {
        const struct waitpoint *token = store_memory_waitpoint(memory, i);
        if (is_seen(model->seen_tokens, model->seen_token_count, i, token, token->id) &&
            ((struct shadow_token *)model->seen_tokens[i].shadow)->row == token)
            continue;
        struct shadow_token *shadow = shadow_token_of(look, token->id, true);
        if (shadow->was == NULL || shadow->row != token)
            shadow->was =
                (struct waitpoint *)row_copy(ROW_WAITPOINT, &model->arena, &token->row, 0);
        shadow->row = token;
        see(&model->seen_tokens, &model->seen_token_count, i, token, token->id, shadow);
    }
}

/* A batch that failed has changed nothing. */
static void failed_look(const struct look *look)
{
    struct store *memory = look->world->memory;

    for (uint32_t i = 0; i < store_memory_count(memory, ROW_RUN); i++) {
        const struct run *run = store_memory_run(memory, i);
        const struct shadow *shadow = shadow_at(look, i, run);
        if (shadow == NULL || !run_is_same(shadow, run))
            world_flaw(look->world, "run %lld was changed by a batch that failed",
                       (long long)run->id);
    }
    if (look->outcome->assignments != NULL || look->outcome->events != NULL)
        world_flaw(look->world, "a batch that failed has published something");
}

void model_batch(struct world *world, const struct store_batch *batch,
                 const struct outcome *outcome, bool ok)
{
    struct look look = { .world = world,
                         .model = world->model,
                         .batch = batch,
                         .outcome = outcome,
                         .catalog = engine_catalog(batch->engine),
                         .now_ms = batch->now.wall_ms,
                         .steady_ms = batch->now.steady_ms };

    world->model->batches++;
    if (!ok && world->flaw[0] == '\0')
        failed_look(&look);
    if (!ok || world->flaw[0] != '\0')
        return;
    rule_pauses_pass(&look);
    rule_totals_pass(&look);
    rule_bulk_made(&look);
    for (uint32_t i = 0; i < batch->count; i++)
        command_take(&look, batch->commands[i]);
    rule_scheduled(&look);
    rule_batches_released(&look);
    rule_batches_kept(&look);
    rule_batch_points(&look);
    runs_look(&look);
    rule_crowds(&look);
    tokens_look(&look);
    if (world->flaw[0] == '\0')
        rows_keep(&look);
}

void model_finished(struct world *world)
{
    rule_lines(world, world->model);
}
