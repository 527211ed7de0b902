/*
 * A call is a command to the engine and its reply a frame to the slot, after the commit. What
 * the slot asks for comes as a msgpack map from a process that runs plugin code, so each member
 * is looked at.
 *
 *   CALL ─▶ outgoing TRIGGER, TOKEN_CREATE, RUN_READ, …, or MESSAGE_SEND ─▶ pump ─▶ REPLY
 *
 * Ids of what is made are id_block + call number, so that a segment that runs again finds the
 * same.
 */
#include "calls.h"

#include "base/id.h"
#include "base/name.h"
#include "codec/callback.h"
#include "codec/pack.h"
#include "dispatch/host.h"
#include "dispatch/processes/slot.h"
#include "dispatch/segments/early_token.h"
#include "dispatch/segments/job.h"

#include <signal.h>

enum {
    GIVE_UP_MS = 30000, /* a disk that is full for longer fails the attempt */
    BATCH_READ_MOST = 100
};

static struct slice text_of(const struct value *map, const char *key)
{
    const struct value *value = value_find(map, key);

    return value != NULL && value->kind == VALUE_STRING ? value->bytes : (struct slice){ 0 };
}

static int64_t number_of(const struct value *map, const char *key)
{
    const struct value *value = value_find(map, key);

    return value != NULL && value->kind == VALUE_INT ? value->integer : 0;
}

static struct slice packed_of(struct arena *arena, const struct value *map, const char *key,
                              enum value_kind kind)
{
    const struct value *value = value_find(map, key);

    if (value == NULL || value->kind != kind || value->count == 0)
        return (struct slice){ 0 };
    return pack_value(arena, value);
}

/* The slot has sorted them and left out repeats; the engine shows them as they are. */
static bool name_fits(const struct value *map, const char *key, enum name_kind kind,
                      struct err *err)
{
    struct slice name = text_of(map, key);

    return name.size == 0 || name_check(kind, name, err);
}

static bool tags_check(const struct dispatch *dispatch, const struct value *map,
                       struct err *err)
{
    const struct config_limits *limits = &dispatch->config->limits;
    const struct value *tags = value_find(map, "tags");

    if (tags == NULL || tags->kind != VALUE_LIST)
        return true;
    if (tags->count > limits->tags)
        return err_set(err, ERR_LIMIT, "%u tags, at most %u are allowed", tags->count,
                       limits->tags);
    for (uint32_t i = 0; i < tags->count; i++) {
        struct slice tag = tags->items[i].bytes;
        if (tags->items[i].kind != VALUE_STRING || tag.size > limits->tag_bytes)
            return err_set(err, ERR_LIMIT, "a tag has at most %u bytes", limits->tag_bytes);
        if (!name_check(NAME_TAG, tag, err))
            return false;
    }
    return true;
}

/* Everything in a call that is a choice of a number. */
static bool numbers_check(const struct dispatch *dispatch, const struct value *map,
                          struct err *err)
{
    int64_t attempts = number_of(map, "max_attempts");
    int64_t most = dispatch->config->limits.max_attempts;
    int64_t rule = number_of(map, "on_parent_end");

    if (rule < CHILDREN_UNSAID || rule > CHILDREN_WAIT)
        return err_set(err, ERR_RULE, "on_parent_end %lld is none of enum bide_children",
                       (long long)rule);
    if (number_of(map, "total_time_ms") < 0 || number_of(map, "cpu_ms") < 0)
        return err_set(err, ERR_RULE,
                       "%s %lld is not allowed: a time is above 0, or 0 for none of its own",
                       number_of(map, "total_time_ms") < 0 ? "total_time_ms" : "cpu_ms",
                       (long long)number_of(map, number_of(map, "total_time_ms") < 0
                                                     ? "total_time_ms"
                                                     : "cpu_ms"));
    return (attempts >= 0 && attempts <= most) ||
           err_set(err, ERR_RULE,
                   "max_attempts %lld is not allowed: from 1 to %lld, or 0 for the task's own",
                   (long long)attempts, (long long)most);
}

static bool names_check(const struct dispatch *dispatch, enum call_kind kind,
                        const struct value *map, struct err *err)
{
    const struct value *metadata = value_find(map, "metadata");
    bool has_members = metadata != NULL && metadata->kind == VALUE_MAP;

    for (uint32_t i = 0; has_members && i < metadata->count; i++)
        if (!name_check(NAME_METADATA, metadata->members[i].key, err))
            return false;
    return (kind != CALL_TRIGGER || name_check(NAME_TASK, text_of(map, "task"), err)) &&
           (kind != CALL_ONCE || name_check(NAME_RECORD, text_of(map, "name"), err)) &&
           (kind != CALL_SEND || name_check(NAME_MESSAGE, text_of(map, "name"), err)) &&
           name_fits(map, "queue", NAME_QUEUE, err) &&
           name_fits(map, "concurrency_key", NAME_LANE, err) &&
           name_fits(map, "key_text", NAME_KEY, err) && tags_check(dispatch, map, err);
}

static void token_fill(struct outgoing *outgoing, const struct job *job,
                       const struct value *map, int64_t id)
{
    struct token_create *create = &outgoing->command.token_create;

    *create =
        (struct token_create){ .environment = job->environment,
                               .due_ms = number_of(map, "due_ms"),
                               .timeout_ms = number_of(map, "timeout_ms"),
                               .tags = packed_of(&outgoing->arena, map, "tags", VALUE_LIST),
                               .key = text_of(map, "key"),
                               .key_text = text_of(map, "key_text"),
                               .key_global = number_of(map, "key_global") != 0,
                               .key_ttl_ms = number_of(map, "key_ttl_ms"),
                               .schema = text_of(map, "schema"),
                               .run_id = job->run_id,
                               .run_seq = job->seq,
                               .id = id,
                               .is_rerun = job->is_rerun };
}

static struct debounce debounce_of(const struct value *map)
{
    return (struct debounce){ .key = text_of(map, "debounce_key"),
                              .mode = (uint32_t)number_of(map, "debounce"),
                              .delay_ms = number_of(map, "debounce_ms"),
                              .most_ms = number_of(map, "debounce_most_ms") };
}

/* It says when it starts, too. */
static bool debounce_fits(struct trigger *trigger, struct err *err)
{
    if (trigger->debounce.key.size == 0)
        return true;
    if (trigger->delay_ms != 0 || trigger->due_ms != 0)
        return err_set(err, ERR_RULE,
                       "a run that is debounced starts after debounce_ms: leave "
                       "delay_ms and due_ms out");
    trigger->delay_ms = trigger->debounce.delay_ms;
    return debounce_check(&trigger->debounce, err);
}

static void trigger_fill(struct trigger *trigger, struct arena *arena, const struct job *job,
                         const struct value *map, int64_t id)
{
    const struct value *payload = value_find(map, "payload");

    *trigger =
        (struct trigger){ .environment = job->environment,
                          .task = text_of(map, "task"),
                          .payload = payload == NULL ? (struct slice){ 0 }
                                                     : pack_value(arena, payload),
                          .queue = text_of(map, "queue"),
                          .concurrency_key = text_of(map, "concurrency_key"),
                          .due_ms = number_of(map, "due_ms"),
                          .delay_ms = number_of(map, "delay_ms"),
                          .ttl_ms = number_of(map, "ttl_ms"),
                          .priority_ms = number_of(map, "priority_ms"),
                          .limit_ms = number_of(map, "limit_ms"),
                          .max_attempts = (uint32_t)number_of(map, "max_attempts"),
                          .max_attempts_total = (uint32_t)number_of(map, "max_attempts_total"),
                          .total_ms = number_of(map, "total_time_ms"),
                          .cpu_ms = number_of(map, "cpu_ms"),
                          .tags = packed_of(arena, map, "tags", VALUE_LIST),
                          .metadata = packed_of(arena, map, "metadata", VALUE_MAP),
                          .key = text_of(map, "key"),
                          .key_text = text_of(map, "key_text"),
                          .key_global = number_of(map, "key_global") != 0,
                          .key_ttl_ms = number_of(map, "key_ttl_ms"),
                          .on_parent_end = (uint32_t)number_of(map, "on_parent_end"),
                          .reuse = (uint32_t)number_of(map, "reuse") & REUSE_MASK,
                          .cost = (uint32_t)number_of(map, "cost"),
                          .inherits_tags = number_of(map, "inherit_tags") != 0,
                          .debounce = debounce_of(map),
                          .is_test = job->is_test,
                          .parent_id = job->run_id,
                          .parent_seq = job->seq,
                          .id = id,
                          .is_rerun = job->is_rerun,
                          .unchecked = true };
}

static bool batch_id_check(const struct job *job, int64_t id, struct err *err)
{
    return (id > job->id_block && id < job->id_block + ID_BLOCK) ||
           err_set(err, ERR_LIMIT, "a segment makes at most %d tokens, child runs and batches",
                   ID_BLOCK - 1);
}

static void items_fill(struct outgoing *outgoing, const struct job *job,
                       const struct value *list, uint32_t from, struct batch_send *send)
{
    struct arena *arena = &outgoing->arena;

    send->items = ARENA_ARRAY(arena, struct batch_ask, (size_t)list->count + 1);
    for (uint32_t i = 0; i < list->count; i++) {
        struct command *command = ARENA_NEW(arena, struct command);
        struct batch_ask *ask = &send->items[send->count++];
        const struct value *map = &list->items[i];
        struct err err = { 0 };
        *command = (struct command){ .kind = COMMAND_TRIGGER, .arena = arena };
        *ask = (struct batch_ask){ .index = from + i, .command = command };
        trigger_fill(&command->trigger, arena, job, map, 0);
        command->trigger.is_rerun = false; /* what was made is found by its index */
        if (!names_check(outgoing->dispatch, CALL_TRIGGER, map, &err) ||
            !numbers_check(outgoing->dispatch, map, &err))
            ask->refusal = arena_copy(arena, slice_of(err.text));
    }
}

static bool batch_fill(struct outgoing *outgoing, const struct job *job,
                       const struct value *map, struct err *err)
{
    const struct value *all = value_find(map, "all"), *seal = value_find(map, "seal");
    const struct value *items = value_find(map, "items");
    struct batch_send *send = &outgoing->command.batch_send;
    int64_t id = number_of(map, "batch");

    *send =
        (struct batch_send){ .environment = job->environment,
                             .id = id,
                             .begins = true,
                             .is_atomic =
                                 all != NULL && all->kind == VALUE_BOOL && all->boolean,
                             .seals = seal != NULL && seal->kind == VALUE_BOOL && seal->boolean,
                             .parent_id = job->run_id,
                             .parent_seq = job->seq,
                             .is_rerun = job->is_rerun };
    if (!batch_id_check(job, id, err))
        return false;
    if (items != NULL && items->kind == VALUE_LIST)
        items_fill(outgoing, job, items, (uint32_t)number_of(map, "from"), send);
    return true;
}

static void batch_read_fill(struct outgoing *outgoing, const struct job *job,
                            const struct value *map)
{
    outgoing->command.batch_read =
        (struct batch_read){ .run_id = job->run_id,
                             .seq = job->seq,
                             .batch_id = number_of(map, "batch"),
                             .from = (uint32_t)number_of(map, "from"),
                             .most = BATCH_READ_MOST };
}

static void read_fill(struct outgoing *outgoing, const struct job *job, const struct value *map)
{
    outgoing->command.run_read = (struct run_read){ .run_id = job->run_id,
                                                    .seq = job->seq,
                                                    .target = number_of(map, "id") };
}

static void once_fill(struct outgoing *outgoing, const struct job *job, const struct value *map)
{
    const struct value *value = value_find(map, "value");

    outgoing->command.once =
        (struct once){ .run_id = job->run_id,
                       .seq = job->seq,
                       .name = text_of(map, "name"),
                       .value = value == NULL ? (struct slice){ 0 }
                                              : pack_value(&outgoing->arena, value) };
}

static void close_fill(struct outgoing *outgoing, const struct job *job,
                       const struct value *map)
{
    char *by = arena_alloc(&outgoing->arena, ID_TEXT_SIZE);

    outgoing->command.token_complete =
        (struct token_complete){ .environment = job->environment,
                                 .id = number_of(map, "id"),
                                 .by = slice_of(id_format("run", job->run_id, by)),
                                 .run_id = job->run_id,
                                 .run_seq = job->seq };
}

static const enum command_kind commands[] = {
    [CALL_TOKEN] = COMMAND_TOKEN_CREATE, [CALL_TRIGGER] = COMMAND_TRIGGER,
    [CALL_RUN] = COMMAND_RUN_READ,       [CALL_ONCE] = COMMAND_ONCE,
    [CALL_BATCH] = COMMAND_BATCH_SEND,   [CALL_BATCH_READ] = COMMAND_BATCH_READ,
    [CALL_CLOSE] = COMMAND_TOKEN_CLOSE,  [CALL_SEND] = COMMAND_MESSAGE_SEND
};

/* ---- the answer ------------------------------------------------------------------------- */

static void member_put(struct arena *arena, struct value *map, const char *key, int64_t number)
{
    value_put(arena, map, key, value_int(number));
}

/* One that the segment sent otherwise when it ran before. */
static const struct batch_ask *item_differs(const struct outgoing *outgoing)
{
    const struct batch_send *send = &outgoing->command.batch_send;

    for (uint32_t i = 0; outgoing->kind == CALL_BATCH && i < send->count; i++)
        if (send->items[i].reply == ASK_DIFFERS)
            return &send->items[i];
    return NULL;
}

static void answer_fill(struct outgoing *outgoing, struct value *map)
{
    const struct dispatch_options *options = &outgoing->dispatch->options;
    struct arena *arena = &outgoing->arena;

    if (outgoing->kind == CALL_TOKEN) {
        int64_t id = outgoing->command.token_create.token_id;
        member_put(arena, map, "id", id);
        value_put(arena, map, "url",
                  value_string(callback_url(arena, options->origin, options->secret, id)));
        value_put(arena, map, "cached", value_bool(outgoing->command.token_create.cached));
    } else if (outgoing->kind == CALL_TRIGGER) {
        member_put(arena, map, "id", outgoing->command.trigger.run_id);
        value_put(arena, map, "cached", value_bool(outgoing->command.trigger.cached));
    } else if (outgoing->kind == CALL_RUN) {
        call_run_answer(arena, &outgoing->command.run_read, map);
    } else if (outgoing->kind == CALL_BATCH_READ) {
        call_batch_answer(arena, &outgoing->command.batch_read, map);
    } else if (outgoing->kind == CALL_SEND) {
        member_put(arena, map, "number", outgoing->command.message_send.number);
    }
}

static void differs_look(struct outgoing *outgoing)
{
    struct command *command = &outgoing->command;

    if (command->kind == COMMAND_TRIGGER && command->err.code == ERR_OK &&
        mismatch_is_refused(&command->trigger,
                            outgoing->dispatch->config->refuses_payload_mismatch))
        err_set(&command->err, ERR_OTHER_PAYLOAD,
                "idempotency key \"%.*s\" was used with another payload, and the "
                "configuration refuses that (on_payload_mismatch)",
                SLICE_ARG(command->trigger.key_text));
}

static void on_decided(struct outgoing *outgoing)
{
    struct slot *slot = outgoing->slot;
    differs_look(outgoing);
    struct frame frame = { .kind = FRAME_REPLY,
                           .reply = { .call = outgoing->call,
                                      .error = outgoing->command.err.code } };
    struct value map = value_map();

    if (slot == NULL)
        return; /* it died meanwhile; what was made is found again by the next try */
    slot->call = NULL;
    const struct batch_ask *differs = item_differs(outgoing);
    if (outgoing->command.err.code == ERR_OK && differs != NULL) {
        frame.reply.error = ERR_DIFFERS;
        frame.reply.text = slice_of(differs->command->err.text);
    } else if (outgoing->command.err.code == ERR_OK) {
        answer_fill(outgoing, &map);
        frame.reply.body = pack_value(&outgoing->arena, &map);
    } else {
        frame.reply.text = problems_behind(
            &outgoing->arena, slice_of(outgoing->command.err.text), outgoing->command.problems);
    }
    if (slot_job(slot) != NULL)
        job_resume(outgoing->dispatch, slot_job(slot));
    slot_say(slot, &frame);
}

/* ---- the question ----------------------------------------------------------------------- */

static bool command_fill(struct outgoing *outgoing, struct job *job,
                         const struct frame_call *call, const struct value *map,
                         struct err *err)
{
    int64_t id = job->id_block + call->call;

    if ((call->kind == CALL_TOKEN || call->kind == CALL_TRIGGER || call->kind == CALL_SEND) &&
        (call->call == 0 || call->call >= ID_BLOCK))
        return err_set(err, ERR_LIMIT,
                       "a segment makes at most %d tokens, child runs and messages",
                       ID_BLOCK - 1);
    bool is_read =
        call->kind == CALL_RUN || call->kind == CALL_BATCH_READ || call->kind == CALL_CLOSE;
    bool is_more = call->kind == CALL_BATCH && number_of(map, "from") > 0;
    if (!is_read && !is_more && job->calls++ >= outgoing->dispatch->config->limits.calls)
        return err_set(err, ERR_LIMIT,
                       "a segment makes at most %u tokens, child runs, messages and records",
                       outgoing->dispatch->config->limits.calls);
    if (call->kind == CALL_TOKEN)
        token_fill(outgoing, job, map, id);
    else if (call->kind == CALL_TRIGGER)
        trigger_fill(&outgoing->command.trigger, &outgoing->arena, job, map, id);
    else if (call->kind == CALL_RUN)
        read_fill(outgoing, job, map);
    else if (call->kind == CALL_BATCH)
        return batch_fill(outgoing, job, map, err);
    else if (call->kind == CALL_BATCH_READ)
        batch_read_fill(outgoing, job, map);
    else if (call->kind == CALL_CLOSE)
        close_fill(outgoing, job, map);
    else if (call->kind == CALL_SEND)
        call_send_fill(outgoing, job, map, id);
    else
        once_fill(outgoing, job, map);
    return names_check(outgoing->dispatch, call->kind, map, err) &&
           numbers_check(outgoing->dispatch, map, err) &&
           (call->kind != CALL_TRIGGER || debounce_fits(&outgoing->command.trigger, err));
}

/* Nobody waits for it. */
static void call_early_token(struct slot *slot, struct job *job, struct outgoing *outgoing,
                             const struct frame_call *call, const struct value *map)
{
    struct err err = { 0 };

    if (job->is_canceled) {
        outgoing_drop(outgoing);
    } else if (command_fill(outgoing, job, call, map, &err)) {
        early_token_add(slot->dispatch, job, outgoing);
    } else {
        early_token_refuse(job, &err);
        outgoing_drop(outgoing);
    }
}

void call_begin(struct slot *slot, struct job *job, const struct frame_call *call)
{
    struct dispatch *dispatch = slot->dispatch;
    struct outgoing *outgoing = outgoing_take(dispatch, commands[call->kind]);
    struct slice body = arena_copy(&outgoing->arena, call->body);
    struct err err = { 0 };
    struct value map;

    outgoing->give_up_ms = dispatch_now(dispatch) + GIVE_UP_MS;
    if (!pack_read(&outgoing->arena, body, &map, &err)) {
        slot_fail(slot, FAULT_PROTOCOL, SIGKILL, "it made a call that is no msgpack");
        outgoing_drop(outgoing);
        return;
    }
    if (call->is_ahead) {
        call_early_token(slot, job, outgoing, call, &map);
        return;
    }
    early_token_flush(job); /* what follows may ask for them */
    outgoing->slot = slot;
    outgoing->call = call->call;
    outgoing->kind = call->kind;
    outgoing->on_decided = on_decided;
    slot->call = outgoing;
    job_pause(dispatch, job);
    if (command_fill(outgoing, job, call, &map, &err)) {
        outgoing_submit(outgoing);
        return;
    }
    outgoing->command.err = err;
    on_decided(outgoing);
    outgoing_drop(outgoing);
}
