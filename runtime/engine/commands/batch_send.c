/*
 * Batches over the wire: begun, given items, sealed. Each item is taken once, by its index, so
 * that whoever is not sure sends it again; what is wrong with one does not concern the others,
 * unless all of them are to start or none.
 *
 *   new index ─▶ a run, or kept aside (all or none), or linked to the run that its key names,
 *                or refused: each of them counts
 *   an index that is there ─▶ the same is a repetition; anything else is told, and changes
 *                nothing
 */
#include "engine/batches/run_batches.h"

#include <inttypes.h>

#define BATCH_KEY_TTL_MS (INT64_C(30) * 86400 * 1000)

/* Everything that a new one, or the one that is meant, is found by. */
struct batch_rows {
    struct run_batch *row;
    struct run *parent, *other_run; /* other_*: what another call has made under its id */
    struct waitpoint *other_token;
    struct key *key, *request;
    uint8_t key_hash[16], request_hash[16];
};

static bool keyed_load(struct batch *batch, const struct key *key, struct run_batch **row)
{
    return *row != NULL || !key_is_live(batch, key) ||
           rows_run_batch(&batch->rows, key->target, row);
}

static bool batch_load(struct batch *batch, const struct batch_send *send,
                       struct batch_rows *found)
{
    struct rows *rows = &batch->rows;
    bool loaded = true;

    *found = (struct batch_rows){ 0 };
    if (send->id != 0)
        loaded &= rows_run_batch(rows, send->id, &found->row);
    if (send->is_rerun) {
        loaded &= rows_run(rows, send->id, 0, &found->other_run);
        loaded &= rows_waitpoint(rows, send->id, &found->other_token);
    }
    if (found->other_token != NULL && found->other_token->kind == WAITPOINT_BATCH)
        found->other_token = NULL; /* its own */
    if (send->parent_id != 0)
        loaded &= rows_run(rows, send->parent_id, 0, &found->parent);
    if (send->key.size > 0) {
        key_hash(KEY_BATCH, send->environment, (struct slice){ 0 }, send->parent_id, send->key,
                 found->key_hash);
        loaded &= rows_key(rows, found->key_hash, &found->key);
    }
    if (send->request_key.size > 0) {
        key_hash(KEY_REQUEST, send->environment, SLICE("batch"), 0, send->request_key,
                 found->request_hash);
        loaded &= rows_key(rows, found->request_hash, &found->request);
    }
    return loaded && keyed_load(batch, found->request, &found->row) &&
           keyed_load(batch, found->key, &found->row);
}

static bool may_send(struct batch *batch, struct command *command,
                     const struct batch_rows *found)
{
    const struct batch_send *send = &command->batch_send;
    const struct run *parent = found->parent;
    uint32_t most = batch->catalog == NULL ? 0 : batch->catalog->limits.batch_items;

    if (batch->catalog == NULL)
        return err_set(&command->err, ERR_STOPPING, "the server is still starting");
    if (send->parent_id != 0 &&
        (parent == NULL || parent->status != RUN_RUNNING || parent->seq != send->parent_seq))
        return err_set(&command->err, ERR_RULE, "the run has moved on");
    if (found->other_run != NULL || found->other_token != NULL)
        return err_set(&command->err, ERR_DIFFERS,
                       "call %" PRId64 " of this segment made a %s when the segment ran "
                       "before, and begins a batch now: what a segment calls must depend on "
                       "nothing but its input, state and recorded results",
                       send->id - parent->id_block, found->other_run != NULL ? "run" : "token");
    if (found->row != NULL && found->row->environment != send->environment)
        return err_set(&command->err, ERR_RULE, "there is no such batch here");
    if (found->row != NULL)
        return true;
    if (!send->begins)
        return err_set(&command->err, ERR_RULE, "there is no such batch here");
    if (send->expected > most)
        return err_set(&command->err, ERR_RULE,
                       "a batch has at most %" PRIu32 " items, %" PRIu32 " were announced",
                       most, send->expected);
    return send->parent_id != 0 || batch_has_room(batch, command);
}

/* What its parent waits for. It stays until that run has ended and the batch is old. */
static void point_make(struct batch *batch, const struct run_batch *made,
                       const struct run *parent)
{
    struct waitpoint *point = rows_new_waitpoint(&batch->rows, made->id);

    point->kind = WAITPOINT_BATCH;
    point->environment = made->environment;
    point->created_ms = batch->now_ms;
    point->run_id = parent->id;
    point->task = parent->task;
    point->is_shared = 1;
}

static struct run_batch *batch_make(struct batch *batch, const struct batch_send *send,
                                    const struct batch_rows *found)
{
    struct id_source *ids = batch->engine->ids;
    const struct config_limits *limits = &batch->catalog->limits;
    int64_t id = send->id != 0 ? send->id : id_next(ids, batch->now_ms);
    struct run_batch *made = rows_new_batch(&batch->rows, id);
    int64_t ttl_ms = send->key_ttl_ms != 0 ? send->key_ttl_ms : BATCH_KEY_TTL_MS;

    made->environment = send->environment;
    made->created_ms = batch->now_ms;
    made->expected = send->expected;
    made->room = send->expected != 0 ? send->expected : limits->batch_items;
    if (send->expected == 0 && send->seals && send->count > 0 && send->count < made->room)
        made->room = send->count; /* they are all here */
    made->first_id = id_next_many(ids, batch->now_ms, made->room);
    made->is_atomic = send->is_atomic;
    made->parent_id = send->parent_id;
    struct deadline end = batch_deadline(batch, 0, limits->batch_open_ms);
    made->due_ms = end.due_ms;
    made->due_is_span = end.is_span;
    if (found->parent != NULL)
        point_make(batch, made, found->parent);
    if (send->key.size > 0) {
        made->key =
            arena_copy(batch->arena, (struct slice){ (const char *)found->key_hash, 16 });
        made->key_text =
            arena_copy(batch->arena, send->key_text.size > 0 ? send->key_text : send->key);
        key_make(batch, found->key_hash, id, ttl_ms);
    }
    if (send->request_key.size > 0)
        key_make(batch, found->request_hash, id, REQUEST_TTL_MS);
    return made;
}

/* All of them, before any is taken. */
static bool indexes_check(struct command *command, const struct run_batch *row)
{
    const struct batch_send *send = &command->batch_send;

    for (uint32_t i = 0; i < send->count; i++)
        if (send->items[i].index >= row->room)
            return err_set(&command->err, ERR_RULE,
                           "item %" PRIu32 " is beyond the batch: it has %s%" PRIu32 " items",
                           send->items[i].index, row->expected == 0 ? "at most " : "",
                           row->room);
    return true;
}

/* Who is named by a key must be a batch that works: one that was aborted is made anew. */
static void aborted_forget(const struct batch_send *send, struct batch_rows *found)
{
    if (send->id == 0 && found->row != NULL && found->row->status == BATCH_ABORTED)
        found->row = NULL;
}

static bool send_begin(struct batch *batch, struct command *command)
{
    struct batch_send *send = &command->batch_send;
    struct batch_rows found;

    if (!batch_load(batch, send, &found))
        return false;
    aborted_forget(send, &found);
    if (!may_send(batch, command, &found))
        return true;
    struct run_batch *row = found.row;
    if (row == NULL)
        row = batch_make(batch, send, &found);
    else if (row->status == BATCH_OPEN && batch_is_over(batch, row->due_ms, row->due_is_span))
        (void)run_batch_due(batch, row->id); /* loaded: its deadline is exclusive */
    send->batch_id = row->id;
    send->cached = send->begins && send->id == 0 && row != NULL && row->row.loaded != NULL &&
                   row->status != BATCH_OPEN;
    send->differs =
        send->begins && send->id == 0 && row->row.loaded != NULL &&
        ((send->expected != 0 && row->expected != 0 && send->expected != row->expected) ||
         send->is_atomic != row->is_atomic);
    if (row->status == BATCH_ABORTED && !send->begins)
        err_set(&command->err, ERR_RULE, "the batch was aborted: %.*s", SLICE_ARG(row->why));
    else if (send->cached || row->status != BATCH_OPEN || indexes_check(command, row))
        send->row = row;
    return true;
}

/* ---- items ------------------------------------------------------------------------------- */

/* Is one of that index there? False: more rows are needed. */
static bool item_find(struct batch *batch, const struct run_batch *row, struct batch_ask *ask)
{
    const struct trigger *trigger = &ask->command->trigger;
    int64_t id = row->first_id + ask->index;
    struct batch_item *item;
    struct run *run;

    bool loaded = rows_run(&batch->rows, id, 0, &run);
    loaded &= rows_item(&batch->rows, id, &item);
    if (!loaded)
        return false;
    if (run == NULL && item == NULL)
        return true;
    int64_t given = run != NULL ? run->given : item->given;
    struct slice task = run != NULL ? run->task : item->task;
    ask->reply = given == trigger->given && slice_equal(task, trigger->task) ? ASK_REPEATED
                                                                             : ASK_DIFFERS;
    if (ask->reply == ASK_DIFFERS)
        err_set(&ask->command->err, ERR_RULE,
                "item %" PRIu32 " was sent before with another %s; that one stays", ask->index,
                slice_equal(task, trigger->task) ? "payload" : "task");
    return true;
}

/* What its trigger came to. False: more rows are needed. */
static bool item_ask(struct batch *batch, const struct batch_send *send,
                     const struct batch_ask *ask, struct run **target)
{
    struct command *command = ask->command;
    struct trigger *trigger = &command->trigger;

    *target = NULL;
    if (ask->refusal.size > 0)
        return true;
    if (!trigger_decide(batch, command))
        return false;
    if (command->err.code == ERR_OK && mismatch_is_refused(trigger, send->refuses_mismatch))
        err_set(&command->err, ERR_RULE,
                "its idempotency key was used with another payload, and the configuration "
                "refuses that (on_payload_mismatch)");
    return command->err.code != ERR_OK || trigger->run_id == 0 || item_is_run(trigger) ||
           rows_run(&batch->rows, trigger->run_id, 0, target);
}

static void item_take(struct batch *batch, struct run_batch *row, struct batch_ask *ask,
                      const struct run *target)
{
    const struct command *command = ask->command;
    const struct trigger *trigger = &command->trigger;
    struct slice why = ask->refusal;

    if (why.size == 0 && command->err.code != ERR_OK)
        why = problems_behind(batch->arena, slice_of(command->err.text), command->problems);

    row->received++;
    if (ask->index >= row->most)
        row->most = ask->index + 1;
    ask->reply = why.size > 0 ? ASK_REFUSED : ASK_TAKEN;
    if (item_is_run(trigger))
        return; /* it needs no row beside it */
    struct batch_item *item = item_make(batch, row, trigger->id, ITEM_KEPT, trigger);
    if (why.size > 0)
        item_refuse(batch, row, item, why);
    else if (trigger->only_asks && trigger->run_id == 0)
        item_keep(batch, row, item, trigger);
    else
        item_link(batch, row, item, trigger->run_id, target);
}

static bool item_decide(struct batch *batch, struct command *command, struct batch_ask *ask)
{
    struct batch_send *send = &command->batch_send;
    struct run_batch *row = send->row;
    struct trigger *trigger = &ask->command->trigger;
    struct run *target;

    err_clear(&ask->command->err);
    if (trigger->given == 0)
        trigger->given = payload_hash(batch->arena, trigger->payload);
    if (ask->index < row->most && !item_find(batch, row, ask))
        return false;
    if (ask->reply == ASK_UNDECIDED) {
        trigger->environment = row->environment;
        trigger->id = row->first_id + ask->index;
        trigger->batch = row->id;
        trigger->only_asks = row->is_atomic;
        trigger->parent_id = row->parent_id;
        trigger->parent_seq = send->parent_seq;
        if (!batch_settle(batch) || !item_ask(batch, send, ask, &target))
            return false;
        item_take(batch, row, ask, target);
    }
    send->taken += ask->reply == ASK_TAKEN || ask->reply == ASK_REFUSED;
    send->refused += ask->reply == ASK_REFUSED || ask->reply == ASK_DIFFERS;
    send->repeated += ask->reply == ASK_REPEATED;
    return true;
}

/* They are all there: what comes is sent again, or was meant for another batch. */
static bool item_compare(struct batch *batch, struct command *command, struct batch_ask *ask)
{
    struct batch_send *send = &command->batch_send;
    const struct run_batch *row = send->row;
    struct trigger *trigger = &ask->command->trigger;

    if (trigger->given == 0)
        trigger->given = payload_hash(batch->arena, trigger->payload);
    if (ask->index >= row->most) {
        ask->reply = ASK_DIFFERS;
        err_set(&ask->command->err, ERR_RULE,
                "item %" PRIu32 " is none of the batch's %" PRIu32, ask->index, row->most);
    } else if (!item_find(batch, row, ask)) {
        return false;
    }
    if (ask->reply == ASK_UNDECIDED)
        ask->reply = ASK_REPEATED; /* its run is gone: it was old */
    send->refused += ask->reply == ASK_DIFFERS;
    send->repeated += ask->reply == ASK_REPEATED;
    return true;
}

static void send_end(struct batch *batch, struct batch_send *send)
{
    struct run_batch *row = send->row;
    bool is_known = row->expected != 0 || (send->seals && row->most == row->received);

    if (row->status == BATCH_OPEN && is_known &&
        (row->expected == 0 || row->received == row->expected))
        run_batch_seal(batch, row);
    send->sealed = row->status != BATCH_OPEN;
    send->received = row->received;
    send->wanted = row->expected;
}

bool batch_send_decide(struct batch *batch, struct command *command)
{
    struct batch_send *send = &command->batch_send;

    if (send->row == NULL && !send_begin(batch, command))
        return false;
    if (send->row == NULL) /* refused */
        return true;
    for (; send->row->status != BATCH_ABORTED && send->at < send->count; send->at++)
        if (send->row->status == BATCH_OPEN
                ? !item_decide(batch, command, &send->items[send->at])
                : !item_compare(batch, command, &send->items[send->at]))
            return false;
    send_end(batch, send);
    return true;
}

/* Does it need the same rows, as far as one can see? Most items of a batch do. */
static bool is_alike(const struct trigger *before, const struct trigger *trigger)
{
    return before->key.size == 0 && trigger->key.size == 0 &&
           before->concurrency_key.size == 0 && trigger->concurrency_key.size == 0 &&
           slice_equal(before->task, trigger->task) &&
           slice_equal(before->queue, trigger->queue);
}

bool batch_send_prefetch(struct batch *batch, const struct command *command)
{
    const struct batch_send *send = &command->batch_send;
    struct batch_rows found;

    (void)batch_load(batch, send, &found); /* wants are enough */
    const struct trigger *before = NULL;

    for (uint32_t i = 0; i < send->count; i++) {
        const struct trigger *trigger = &send->items[i].command->trigger;
        if (send->items[i].refusal.size > 0 || (before != NULL && is_alike(before, trigger)))
            continue;
        struct trigger item = *trigger;
        item.environment = send->environment;
        item.parent_id = send->parent_id;
        (void)trigger_wants(batch, &item);
        before = trigger;
    }
    return true;
}

void batch_send_clear(struct command *command)
{
    struct batch_send *send = &command->batch_send;

    send->batch_id = 0;
    send->cached = send->differs = send->sealed = false;
    send->taken = send->repeated = send->refused = send->received = send->wanted = 0;
    send->row = NULL;
    send->at = 0;
    for (uint32_t i = 0; i < send->count; i++) {
        send->items[i].reply = ASK_UNDECIDED;
        trigger_clear(send->items[i].command);
        err_clear(&send->items[i].command->err);
    }
}
