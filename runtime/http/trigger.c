/*
 * Triggering a run: everything that can be refused is refused here, before anything is stored.
 *
 *   body ─▶ payload by its type ─▶ the task's input schema ─▶ options ─▶ COMMAND_TRIGGER ─▶ 200
 */
#include "http/trigger.h"

#include "codec/pack.h"
#include "engine/contract.h"
#include "http/options.h"
#include "http/reply.h"
#include "http/routes.h"

enum { TASK_ID_MAX = 256, KEY_MAX = 2048, REQUEST_KEY_MAX = 256 };

static bool task_name_ok(struct slice task, struct err *err)
{
    bool ok = task.size <= TASK_ID_MAX;

    for (size_t i = 0; i < task.size && ok; i++)
        ok = (unsigned char)task.data[i] >= 0x20 && task.data[i] != 0x7f;
    return ok || err_set(err, ERR_BAD_REQUEST,
                         "A task's id has at most %d characters and no control characters",
                         TASK_ID_MAX);
}

bool trigger_headers(struct request *request, struct trigger *trigger, struct err *err)
{
    struct slice text;

    if (request_header(request, "idempotency-key", KEY_MAX, &text, err)) {
        trigger->key = arena_copy(&request->arena, text);
        trigger->key_text = (struct slice){ 0 };
    }
    if (err->code == ERR_OK &&
        request_header(request, "idempotency-key-ttl", REQUEST_KEY_MAX, &text, err))
        (void)key_ttl_read(text, &trigger->key_ttl_ms, err); /* err tells */
    if (err->code == ERR_OK && request_header(request, "x-trigger-request-idempotency-key",
                                              REQUEST_KEY_MAX, &text, err))
        trigger->request_key = arena_copy(&request->arena, text);
    return err->code == ERR_OK;
}

static bool payload_pack(struct request *request, struct value *payload, struct slice *packed,
                         struct err *err)
{
    int64_t most = request->http->config->limits.payload_bytes;

    if (payload->kind == VALUE_NULL)
        return true;
    *packed = pack_value(&request->arena, payload);
    return (int64_t)packed->size <= most ||
           err_set(err, ERR_TOO_LARGE, "The payload has %zu bytes, %lld are allowed",
                   packed->size, (long long)most);
}

bool trigger_payload(struct request *request, bool is_given, struct value *payload,
                     struct err *err)
{
    struct http *http = request->http;
    struct trigger *trigger = &request->command.trigger;
    const struct catalog_task *task = catalog_task(http->catalog, trigger->task);
    struct problems problems = { 0 };

    if (task != NULL && task->is_refusing)
        return err_set(err, ERR_UNAVAILABLE, "Task %.*s is not available: %.*s",
                       SLICE_ARG(trigger->task), SLICE_ARG(task->reason));
    if (task == NULL ||
        payload_fits(schema_input(task->schema), is_given, payload, &http->scratch, &problems))
        return payload_pack(request, payload, &trigger->payload, err);
    struct slice text =
        arena_format(&request->arena, "The payload of %.*s does not match its schema",
                     SLICE_ARG(trigger->task));
    reply_problems(request, (unsigned)err_status(ERR_BAD_INPUT), "invalid_payload", text.data,
                   &problems);
    return false;
}

bool trigger_body_payload(struct request *request, const struct value *payload,
                          const struct value *type, struct value *value, struct err *err)
{
    struct slice name = { 0 };

    if (type != NULL && type->kind == VALUE_STRING)
        name = type->bytes;
    else if (type != NULL && type->kind != VALUE_NULL)
        return err_set(err, ERR_BAD_REQUEST, "payloadType must be a string, not %s",
                       value_kind_name(type->kind));
    return payload_read(&request->http->scratch, payload, name, value, err);
}

/* The whole of the body into the command. Problems of the payload are answered here. */
static bool trigger_read(struct request *request, const struct value *body,
                         struct trigger *trigger, struct err *err)
{
    struct http *http = request->http;
    struct options_from from = { &request->arena, &http->config->limits };
    const struct value *options = value_find(body, "options");
    const struct value *given = value_find(body, "payload");
    struct value payload;

    return trigger_body_payload(request, given, value_find(options, "payloadType"), &payload,
                                err) &&
           trigger_options_read(&from, options, trigger, err) &&
           trigger_headers(request, trigger, err) &&
           trigger_payload(request, given != NULL, &payload, err);
}

void trigger_done(struct request *request)
{
    const struct trigger *trigger = &request->command.trigger;
    struct out out = reply_out(request);

    if (trigger->is_new) /* else it may have ended long ago */
        fresh_add(&request->http->fresh, trigger->run_id, trigger->environment);
    out_map(&out, NULL);
    out_id(&out, "id", "run", trigger->run_id);
    out_bool(&out, "isCached", trigger->cached);
    out_end_map(&out);
    reply_header(request, "x-trigger-jwt-claims", request->world->claims);
    reply_send(request, HTTP_OK);
}

bool trigger_may_begin(struct request *request)
{
    if (request->http->catalog != NULL)
        return true;
    reply_error(request, HTTP_SERVICE_UNAVAILABLE,
                SLICE("The server is starting, try again in a moment"));
    return false;
}

void run_trigger(struct request *request)
{
    struct trigger *trigger = &request->command.trigger;
    struct err err = { 0 };
    struct value body;

    if (!trigger_may_begin(request) || !request_json(request, &body))
        return;
    request->command.kind = COMMAND_TRIGGER;
    trigger->environment = request->world->environment->number;
    trigger->task = request->captures[0];
    if (body.kind != VALUE_MAP)
        err_set(&err, ERR_BAD_REQUEST, "The body must be an object, not %s",
                value_kind_name(body.kind));
    else if (task_name_ok(trigger->task, &err) && trigger_read(request, &body, trigger, &err)) {
        request_submit(request, trigger_done);
        return;
    }
    if (err.code != ERR_OK)
        reply_err(request, &err);
}
