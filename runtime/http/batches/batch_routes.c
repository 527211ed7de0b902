/*
 * Batches: many runs asked for together. Two phases, as the official client has them, or one.
 *
 *   create ─▶ an id            items as lines of JSON ─▶ checked on the pool, a part at a time
 *                              to the engine ─▶ sealed when all are there
 */
#include "base/name.h"
#include "codec/pack.h"
#include "engine/contract.h"
#include "engine/key.h"
#include "http/api/routes.h"
#include "http/api/trigger_route.h"
#include "http/body/members.h"
#include "http/body/trigger_members.h"
#include "http/body/trigger_options.h"
#include "http/server/body.h"
#include "http/server/reply.h"

enum { PART_ITEMS = 100 /* in one command */, ERRORS_MOST = 1000 };

/* What is sent, and how far it is. */
struct sending {
    bool is_whole;   /* the batch and its items came together */
    bool differs;    /* and its key names a batch of others */
    bool is_unknown; /* a task of an item is, which is told once */
    struct batch_ask *asks;
    struct command *commands;
    uint32_t count, at, capacity;
    uint32_t taken, repeated;
    struct unheard unheard;
    struct value body; /* is_whole: in the request's arena */
};

/* ---- create ------------------------------------------------------------------------------ */

static const struct member_rule create_members[] = {
    { "runCount", MEMBER_TAKEN, NULL },
    { "allOrNothing", MEMBER_TAKEN, NULL },
    { "taskIdentifiers", MEMBER_SILENT, NULL },
    { "idempotencyKey", MEMBER_TAKEN, NULL },
    { "idempotencyKeyTTL", MEMBER_TAKEN, NULL },
    { "idempotencyKeyOptions", MEMBER_TAKEN, NULL },
    { "parentRunId", MEMBER_ELSEWHERE,
      "cannot be served: a batch that comes over HTTP has no parent; a task makes one with "
      "bide_batch_begin" },
    { "resumeParentOnCompletion", MEMBER_NOT_BUILT,
      "is not built over HTTP; a task waits for its batch with bide_wait_batch" },
    { "items", MEMBER_ELSEWHERE,
      "come in a second call, to /api/v3/batches/{id}/items; both in one is "
      "/api/v2/tasks/batch" },
    { NULL, MEMBER_TAKEN, NULL },
};

static const struct member_rule whole_members[] = {
    { "items", MEMBER_TAKEN, NULL },
    { "allOrNothing", MEMBER_TAKEN, NULL },
    { "idempotencyKey", MEMBER_TAKEN, NULL },
    { "idempotencyKeyTTL", MEMBER_TAKEN, NULL },
    { "idempotencyKeyOptions", MEMBER_TAKEN, NULL },
    { "parentRunId", MEMBER_ELSEWHERE,
      "cannot be served: a batch that comes over HTTP has no parent" },
    { "resumeParentOnCompletion", MEMBER_NOT_BUILT,
      "is not built over HTTP; a task waits for its batch with bide_wait_batch" },
    { NULL, MEMBER_TAKEN, NULL },
};

static bool send_begin(struct request *request, const struct value *body, struct err *err)
{
    struct batch_send *send = &request->command.batch_send;
    struct trigger_options_from from = { &request->arena, &request->http->config->limits };
    const struct value *atomic = value_find(body, "allOrNothing");
    struct token_create keys = { 0 };

    if (atomic != NULL && atomic->kind != VALUE_BOOL)
        return err_set(err, ERR_BAD_REQUEST, "allOrNothing must be true or false, not %s",
                       value_kind_name(atomic->kind));
    send->begins = true;
    send->is_atomic = atomic != NULL && atomic->boolean;
    if (!request_key_read(request, &send->request_key, err) ||
        !token_options_read(&from, body, &keys, err) ||
        !key_ttl_check(keys.key, keys.key_ttl_ms, err))
        return false;
    send->key = keys.key;
    send->key_text = keys.key_text;
    send->key_ttl_ms = keys.key_ttl_ms;
    return true;
}

static void id_write(struct request *request, struct out *out)
{
    const struct batch_send *send = &request->command.batch_send;

    out_map(out, NULL);
    out_id(out, "id", "batch", send->batch_id);
    out_int(out, "runCount", send->wanted);
    reply_header(request, "x-trigger-jwt-claims", request->world->claims);
}

static const char differs_text[] =
    "this idempotency key was used with other items; the batch is the one that was made then";

/* A key's batch was another one. False: that is refused, and answered. */
static bool differs_tell(struct request *request)
{
    const struct batch_send *send = &request->command.batch_send;

    if (!send->refuses_mismatch) {
        reply_header(request, "x-bide-payload-differs", "true");
        reply_header(request, "x-bide-warning", differs_text);
        return true;
    }
    struct out out = reply_out(request);
    out_map(&out, NULL);
    out_word(&out, "error",
             "this idempotency key was used with other items, and the configuration refuses "
             "that (on_payload_mismatch); id is the batch that was made then");
    out_word(&out, "code", "idempotency_conflict");
    out_id(&out, "id", "batch", send->batch_id);
    out_end_map(&out);
    reply_send(request, (unsigned)err_status(ERR_RULE));
    return false;
}

static void create_done(struct request *request)
{
    const struct batch_send *send = &request->command.batch_send;
    struct slice key = send->key_text.size > 0 ? send->key_text : send->key;

    if (send->differs && !differs_tell(request))
        return;
    struct out out = reply_out(request);
    id_write(request, &out);
    out_bool(&out, "isCached", send->cached);
    if (key.size > 0)
        out_text(&out, "idempotencyKey", key);
    out_end_map(&out);
    reply_send(request, HTTP_ACCEPTED);
}

static bool count_read(const struct value *body, uint32_t *count, struct err *err)
{
    const struct value *given = value_find(body, "runCount");

    if (given == NULL || given->kind != VALUE_INT || given->integer < 1 ||
        given->integer > UINT32_MAX)
        return err_set(err, ERR_BAD_REQUEST,
                       "runCount must be how many items will come, a whole number from 1");
    *count = (uint32_t)given->integer;
    return true;
}

static void command_begin(struct request *request)
{
    request->command.kind = COMMAND_BATCH_SEND;
    request->command.batch_send =
        (struct batch_send){ .environment = request->world->environment->number,
                             .refuses_mismatch =
                                 request->http->config->refuses_payload_mismatch };
}

void batch_create(struct request *request)
{
    struct err err = { 0 };
    struct value body;

    if (!trigger_may_begin(request) || !request_members(request, create_members, &body))
        return;
    command_begin(request);
    if (count_read(&body, &request->command.batch_send.expected, &err) &&
        send_begin(request, &body, &err))
        request_submit(request, create_done);
    else
        reply_err(request, &err);
}

/* ---- items, to the engine ---------------------------------------------------------------- */

static void errors_write(struct out *out, const struct sending *sending)
{
    uint32_t count = 0;

    out_list(out, "errors");
    for (uint32_t i = 0; i < sending->at && count < ERRORS_MOST; i++) {
        const struct batch_ask *ask = &sending->asks[i];
        if (ask->reply != ASK_REFUSED && ask->reply != ASK_DIFFERS)
            continue;
        count++;
        out_map(out, NULL);
        out_int(out, "index", ask->index);
        out_text(out, "taskIdentifier", ask->command->trigger.task);
        out_text(out, "error",
                 ask->refusal.size > 0 ? ask->refusal : slice_of(ask->command->err.text));
        out_end_map(out);
    }
    out_end_list(out);
}

static void items_reply(struct request *request)
{
    const struct batch_send *send = &request->command.batch_send;
    const struct sending *sending = request->view;

    if (sending->differs && !differs_tell(request))
        return;
    struct out out = reply_out(request);
    id_write(request, &out);
    if (!sending->is_whole) {
        out_int(&out, "itemsAccepted", sending->taken);
        out_int(&out, "itemsDeduplicated", sending->repeated);
        out_bool(&out, "sealed", send->sealed);
    }
    if (!sending->is_whole && !send->sealed) {
        out_int(&out, "enqueuedCount", send->received);
        out_int(&out, "expectedCount", send->wanted);
    }
    errors_write(&out, sending);
    out_end_map(&out);
    unheard_tell(request, &sending->unheard);
    reply_send(request, sending->is_whole ? HTTP_ACCEPTED : HTTP_OK);
}

static void part_submit(struct request *request);

static bool any_differs(const struct batch_send *send)
{
    for (uint32_t i = 0; i < send->count; i++)
        if (send->items[i].reply == ASK_DIFFERS)
            return true;
    return false;
}

static void part_done(struct request *request)
{
    struct batch_send *send = &request->command.batch_send;
    struct sending *sending = request->view;

    sending->taken += send->taken;
    sending->repeated += send->repeated;
    sending->differs |= sending->is_whole && (send->differs || any_differs(send));
    sending->at += send->count;
    if (sending->at == sending->count) {
        items_reply(request);
        return;
    }
    send->id = send->batch_id;
    send->begins = false;
    part_submit(request);
}

/* Each of them is a commit, and others come in between. */
static void part_submit(struct request *request)
{
    struct batch_send *send = &request->command.batch_send;
    struct sending *sending = request->view;

    send->items = &sending->asks[sending->at];
    send->count = sending->count - sending->at;
    if (send->count > PART_ITEMS)
        send->count = PART_ITEMS;
    request_submit(request, part_done);
}

/* ---- items, as they come (pool thread) --------------------------------------------------- */

static struct batch_ask *ask_add(struct request *request, struct sending *sending)
{
    if (sending->count == sending->capacity) {
        uint32_t capacity = sending->capacity == 0 ? 64 : sending->capacity * 2;
        struct batch_ask *grown = ARENA_ARRAY(&request->arena, struct batch_ask, capacity);
        if (sending->count > 0)
            memcpy(grown, sending->asks, sending->count * sizeof *grown);
        sending->asks = grown;
        sending->capacity = capacity;
    }
    struct batch_ask *ask = &sending->asks[sending->count++];
    struct command *command = ARENA_NEW(&request->arena, struct command);
    command->kind = COMMAND_TRIGGER; /* all else is zero */
    command->arena = &request->arena;
    *ask = (struct batch_ask){ .command = command };
    return ask;
}

static bool schema_fits(struct request *request, struct trigger *trigger, bool is_given,
                        struct value *payload, struct err *err)
{
    const struct catalog_task *task = catalog_task(request->read.catalog, trigger->task);
    const struct schema *schema = task == NULL ? NULL : schema_input(task->schema);
    struct problems problems = { 0 };

    if (schema == NULL)
        return true;
    if (payload_fits(schema, is_given, payload, &request->arena, &problems)) {
        trigger->payload = pack_value(&request->arena, payload);
        return true;
    }
    return err_set(err, ERR_BAD_INPUT, "the payload of %.*s does not match its schema: %.*s",
                   SLICE_ARG(trigger->task), SLICE_ARG(problems.first->message));
}

static bool payload_take(struct request *request, struct trigger *trigger,
                         const struct value *item, const struct value *options, struct err *err)
{
    const struct config *config = request->http->config;
    const struct value *type = value_find(options, "payloadType");
    const struct value *given = value_find(item, "payload");
    struct slice name = { 0 };
    struct value payload;

    if (type != NULL && type->kind != VALUE_STRING && type->kind != VALUE_NULL)
        return err_set(err, ERR_BAD_REQUEST, "payloadType must be a string, not %s",
                       value_kind_name(type->kind));
    if (type != NULL && type->kind == VALUE_STRING)
        name = type->bytes;
    if (!payload_read(&request->arena, given, name, &payload, err))
        return false;
    if (!value_fits_depth(&payload, VALUE_PAYLOAD_DEPTH))
        return err_set(err, ERR_BAD_REQUEST, "The payload is nested deeper than %d levels",
                       VALUE_PAYLOAD_DEPTH);
    if (payload.kind != VALUE_NULL)
        trigger->payload = pack_value(&request->arena, &payload);
    if ((int64_t)trigger->payload.size > config->limits.payload_bytes)
        return err_set(err, ERR_TOO_LARGE, "The payload has %zu bytes, %lld are allowed",
                       trigger->payload.size, (long long)config->limits.payload_bytes);
    trigger->given = payload_hash(&request->arena, trigger->payload);
    return schema_fits(request, trigger, given != NULL, &payload, err);
}

/* What is wrong with it is its own affair. */
static bool item_fill(struct request *request, struct sending *sending, struct trigger *trigger,
                      const struct value *item, struct err *err)
{
    struct trigger_options_from from = { &request->arena, &request->http->config->limits };
    const struct value *options = value_find(item, "options");
    const struct catalog_task *task = catalog_task(request->read.catalog, trigger->task);

    if (task == NULL && !sending->is_unknown) {
        struct slice unknown =
            catalog_unknown(request->read.catalog, &request->arena, trigger->task);
        if (request->http->config->refuses_unknown_tasks)
            return err_set(err, ERR_NOT_FOUND, "%.*s", SLICE_ARG(unknown));
        unheard_warn(&sending->unheard, unknown);
        sending->is_unknown = true;
    }
    return item_members_check(item, &sending->unheard, err) &&
           trigger_options_read(&from, options, trigger, err) &&
           (trigger->debounce.key.size == 0 ||
            err_set(err, ERR_BAD_REQUEST,
                    "options.debounce: an item of a batch is a run of its own")) &&
           (!trigger->is_outside ||
            err_set(err, ERR_RULE,
                    "parentRunId: items of a batch that comes over HTTP have no parent")) &&
           key_ttl_check(trigger->key, trigger->key_ttl_ms, err) &&
           payload_take(request, trigger, item, options, err);
}

/* False: it is not even known which item it is. */
static bool item_read(struct request *request, struct sending *sending,
                      const struct value *item, uint32_t line, struct err *err)
{
    const struct value *index = value_find(item, "index"), *task = value_find(item, "task");
    struct batch_ask *ask = ask_add(request, sending);
    struct trigger *trigger = &ask->command->trigger;
    struct err flaw;

    err_clear(&flaw);
    ask->index = line;
    if (!sending->is_whole) {
        if (index == NULL || index->kind != VALUE_INT || index->integer < 0 ||
            index->integer > UINT32_MAX)
            return err_set(err, ERR_RULE,
                           "line %u: index must be the item's place in the batch, a whole "
                           "number from 0",
                           line + 1);
        ask->index = (uint32_t)index->integer;
    }
    if (task == NULL || task->kind != VALUE_STRING)
        err_set(&flaw, ERR_RULE, "it has no \"task\", the id of a task");
    else
        trigger->task = arena_copy(&request->arena, task->bytes);
    if (flaw.code != ERR_OK || !name_check(NAME_ASKED, trigger->task, &flaw) ||
        !item_fill(request, sending, trigger, item, &flaw))
        ask->refusal = arena_copy(&request->arena, slice_of(flaw.text));
    return true;
}

static bool is_blank(struct slice text)
{
    while (text.size > 0 && strchr(" \t\r", text.data[text.size - 1]) != NULL)
        text.size--;
    return text.size == 0;
}

static bool lines_read(struct request *request, struct sending *sending, struct err *err)
{
    struct slice rest = buffer_view(&request->body);
    struct err flaw = { 0 };

    for (uint32_t line = 0; rest.size > 0; line++) {
        const char *end = memchr(rest.data, '\n', rest.size);
        struct slice text = { rest.data, end == NULL ? rest.size : (size_t)(end - rest.data) };
        size_t used = text.size + (end != NULL);
        struct value item;
        rest = (struct slice){ rest.data + used, rest.size - used };
        if (is_blank(text))
            continue;
        if (!posted_read(&request->arena, text, &item, &flaw))
            return err_set(err, ERR_BAD_REQUEST, "Invalid JSON in line %u of the items: %s",
                           line + 1, flaw.text);
        if (item.kind != VALUE_MAP)
            return err_set(err, ERR_RULE, "line %u: an item must be an object, not %s",
                           line + 1, value_kind_name(item.kind));
        if (!item_read(request, sending, &item, line, err))
            return false;
    }
    return true;
}

static bool items_work(struct request *request, struct pool_reader *reader, struct err *err)
{
    struct sending *sending = request->view;
    const struct value *items = value_find(&sending->body, "items");

    (void)reader;
    if (!sending->is_whole)
        return lines_read(request, sending, err);
    for (uint32_t i = 0; i < items->count; i++) {
        if (items->items[i].kind != VALUE_MAP)
            return err_set(err, ERR_RULE, "item %u must be an object, not %s", i,
                           value_kind_name(items->items[i].kind));
        if (!item_read(request, sending, &items->items[i], i, err))
            return false;
    }
    return true;
}

static struct sending *sending_begin(struct request *request)
{
    struct sending *sending = ARENA_NEW(&request->arena, struct sending);

    sending->unheard.arena = &request->arena;
    request->view = sending;
    return sending;
}

static bool type_check(struct request *request, struct err *err)
{
    static const char *const types[] = { "application/x-ndjson", "application/jsonl",
                                         "application/json" };
    struct slice type;

    if (!request_header(request, "content-type", 256, &type, err))
        return err->code == ERR_OK; /* none is said */
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (slice_starts(type, types[i]))
            return true;
    return err_set(err, ERR_MEDIA_TYPE,
                   "Content-Type %.*s is not understood; items are lines of JSON, "
                   "application/x-ndjson",
                   SLICE_ARG(type));
}

void batch_items(struct request *request)
{
    struct err err = { 0 };
    int64_t id;

    if (!trigger_may_begin(request) || !request_id(request, "batch", "Batch not found", &id))
        return;
    if (!type_check(request, &err)) {
        reply_err(request, &err);
        return;
    }
    command_begin(request);
    request->command.batch_send.id = id;
    (void)sending_begin(request); /* the request's view */
    request_check(request, items_work, part_submit);
}

void batch_trigger(struct request *request)
{
    struct err err = { 0 };
    struct value body;

    if (!trigger_may_begin(request) || !request_members_kept(request, whole_members, &body))
        return;
    const struct value *items = value_find(&body, "items");
    command_begin(request);
    if (items == NULL || items->kind != VALUE_LIST || items->count == 0)
        err_set(&err, ERR_BAD_REQUEST, "items must be a list of {\"task\", \"payload\"}");
    if (err.code != ERR_OK || !send_begin(request, &body, &err)) {
        reply_err(request, &err);
        return;
    }
    struct sending *sending = sending_begin(request);
    sending->is_whole = true;
    sending->body = body;
    request->command.batch_send.expected = items->count;
    request_check(request, items_work, part_submit);
}
