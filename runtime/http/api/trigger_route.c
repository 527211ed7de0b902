/*
 * Triggering a run: everything that can be refused is refused here, before anything is stored.
 *
 *   body ─▶ its words ─▶ payload by its type ─▶ options ─▶ the task's input schema ─▶
 *   COMMAND_TRIGGER ─▶ 200
 *
 * What takes long to check is checked on the pool.
 */
#include "http/api/trigger_route.h"

#include "base/id.h"
#include "base/name.h"
#include "codec/pack.h"
#include "engine/contract.h"
#include "engine/key.h"
#include "http/api/routes.h"
#include "http/body/trigger_members.h"
#include "http/body/trigger_options.h"
#include "http/server/reply.h"

enum {
    KEY_MAX = 2048,
    KEY_TTL_MAX = 256,
    RESET_TEXT_MAX = 1000,
    QUICK_BYTES = 64 * 1024, /* of a payload that the loop thread tries to check */
};

bool trigger_headers(struct request *request, struct trigger *trigger, struct err *err)
{
    struct slice text;

    if (request_header(request, "idempotency-key", KEY_MAX, &text, err)) {
        trigger->key = arena_copy(&request->arena, text);
        trigger->key_text = (struct slice){ 0 };
        (void)name_check(NAME_KEY, text, err); /* err tells */
    }
    if (err->code == ERR_OK &&
        request_header(request, "idempotency-key-ttl", KEY_TTL_MAX, &text, err))
        (void)key_ttl_read(text, &trigger->key_ttl_ms, err); /* err tells */
    return err->code == ERR_OK && key_ttl_check(trigger->key, trigger->key_ttl_ms, err) &&
           key_reuse_check(trigger->key, trigger->reuse, err) &&
           request_key_read(request, &trigger->request_key, err);
}

/* ---- the payload, checked ---------------------------------------------------------------- */

struct payload_check {
    const struct schema *schema;
    bool is_given, fits;
    struct problems problems;
};

static bool payload_pack(struct request *request, const struct value *payload, struct err *err)
{
    struct slice *packed = &request->command.trigger.payload;
    int64_t most = request->http->config->limits.payload_bytes;

    *packed = (struct slice){ 0 };
    if (payload->kind == VALUE_NULL)
        return true;
    *packed = pack_value(&request->arena, payload);
    return (int64_t)packed->size <= most ||
           err_set(err, ERR_TOO_LARGE, "The payload has %zu bytes, %lld are allowed",
                   packed->size, (long long)most);
}

static void payload_decide(struct request *request, const struct payload_check *check)
{
    if (check->fits) {
        request_submit(request, trigger_done);
        return;
    }
    struct slice text =
        arena_format(&request->arena, "The payload of %.*s does not match its schema",
                     SLICE_ARG(request->command.trigger.task));
    reply_problems(request, (unsigned)err_status(ERR_BAD_INPUT), "invalid_payload", text.data,
                   &check->problems);
}

/* Pool thread. */
static bool check_work(struct request *request, struct pool_reader *reader, struct err *err)
{
    const struct trigger *trigger = &request->command.trigger;
    struct payload_check *check = request->view;
    struct value payload = { .kind = VALUE_NULL };

    (void)reader;
    if (trigger->payload.size > 0 &&
        !pack_read(&request->arena, trigger->payload, &payload, err))
        return false;
    check->fits = trigger->items > 0
                      ? payloads_fit(check->schema, &payload, &request->arena, &check->problems)
                      : payload_fits(check->schema, check->is_given, &payload, &request->arena,
                                     &check->problems);
    return !check->fits || payload_pack(request, &payload, err);
}

static void check_done(struct request *request)
{
    payload_decide(request, request->view);
}

/* What is small and simple is checked at once; the rest where it holds up nobody. */
static void payload_check(struct request *request, struct value *payload,
                          struct payload_check *check)
{
    struct trigger *trigger = &request->command.trigger;
    enum schema_quick quick = SCHEMA_LATER;
    struct err err = { 0 };

    if (trigger->payload.size <= QUICK_BYTES && trigger->items == 0)
        quick = payload_fits_quickly(check->schema, check->is_given, payload, &request->arena,
                                     &check->problems);
    check->fits = quick == SCHEMA_FITS;
    if (quick == SCHEMA_LATER)
        request_check(request, check_work, check_done);
    else if (check->fits && (!check->is_given || schema_has_defaults(check->schema)) &&
             !payload_pack(request, payload, &err))
        reply_err(request, &err);
    else
        payload_decide(request, check);
}

static bool task_may_run(const struct request *request, const struct catalog_task *task,
                         struct err *err)
{
    struct slice id = request->command.trigger.task;

    if (task == NULL)
        return true;
    return !task->is_refusing ||
           err_set(err, ERR_UNAVAILABLE, "Task %.*s is not available: %.*s", SLICE_ARG(id),
                   SLICE_ARG(task->reason));
}

void trigger_submit(struct request *request, bool is_given, struct value *payload)
{
    struct http *http = request->http;
    const struct catalog_task *task =
        catalog_task(http->catalog, request->command.trigger.task);
    struct err err = { 0 };

    if (!value_fits_depth(payload, VALUE_PAYLOAD_DEPTH + (request->command.trigger.items > 0)))
        err_set(&err, ERR_BAD_REQUEST, "The payload is nested deeper than %d levels",
                VALUE_PAYLOAD_DEPTH);
    if (err.code != ERR_OK || !task_may_run(request, task, &err) ||
        !payload_pack(request, payload, &err)) {
        reply_err(request, &err);
        return;
    }
    struct payload_check *check = ARENA_NEW(&request->arena, struct payload_check);
    check->is_given = is_given;
    check->schema = task == NULL ? NULL : schema_input(task->schema);
    request->view = check;
    payload_check(request, payload, check);
}

/* ---- the body ---------------------------------------------------------------------------- */

bool trigger_unheard(struct request *request, struct unheard *unheard, struct err *err)
{
    const struct http *http = request->http;
    struct trigger *trigger = &request->command.trigger;
    struct arena *arena = &request->arena;

    params_check(request->params, (const char *const[]){ NULL }, unheard);
    if (unheard->count > 0)
        trigger->note = arena_format(
            arena, "not understood, and ignored: %.*s%s%.*s", SLICE_ARG(unheard->names),
            unheard->warning.size > 0 ? "; " : "", SLICE_ARG(unheard->warning));
    if (catalog_task(http->catalog, trigger->task) == NULL) {
        struct slice unknown = catalog_unknown(http->catalog, arena, trigger->task);
        if (http->config->refuses_unknown_tasks)
            return err_set(err, ERR_NOT_FOUND, "%.*s", SLICE_ARG(unknown));
        unheard_warn(unheard, unknown);
    }
    unheard_tell(request, unheard);
    return true;
}

bool trigger_body_payload(struct request *request, const struct value *payload,
                          const struct value *type, struct value *value, struct err *err)
{
    struct slice name = { 0 };

    if (type != NULL && type->kind == VALUE_STRING)
        name = type->bytes.size > 0 ? type->bytes : SLICE("\"\""); /* which is no type */
    else if (type != NULL && type->kind != VALUE_NULL)
        return err_set(err, ERR_BAD_REQUEST, "payloadType must be a string, not %s",
                       value_kind_name(type->kind));
    return payload_read(&request->http->scratch, payload, name, value, err);
}

/* The whole of the body into the command, but for the payload. */
static bool trigger_read(struct request *request, const struct value *body,
                         struct value *payload, struct err *err)
{
    struct trigger *trigger = &request->command.trigger;
    struct trigger_options_from from = { &request->arena, &request->http->config->limits };
    struct unheard unheard = { .arena = &request->arena };
    const struct value *options = value_find(body, "options");

    return trigger_members_check(body, &unheard, err) &&
           trigger_body_payload(request, value_find(body, "payload"),
                                value_find(options, "payloadType"), payload, err) &&
           trigger_options_read(&from, options, trigger, err) &&
           trigger_headers(request, trigger, err) && trigger_unheard(request, &unheard, err);
}

static void conflict_reply(struct request *request)
{
    struct out out = reply_out(request);

    out_map(&out, NULL);
    char id[ID_TEXT_SIZE];
    out_text(
        &out, "error",
        arena_format(&request->arena,
                     "this idempotency key was used with another payload, and the "
                     "configuration refuses that (on_payload_mismatch); %s is the run that "
                     "was made then",
                     id_format("run", request->command.trigger.run_id, id)));
    out_word(&out, "code", "idempotency_conflict");
    out_id(&out, "id", "run", request->command.trigger.run_id);
    out_end_map(&out);
    reply_send(request, (unsigned)err_status(ERR_RULE));
}

void trigger_done(struct request *request)
{
    const struct trigger *trigger = &request->command.trigger;

    if (mismatch_is_refused(trigger, request->http->config->refuses_payload_mismatch)) {
        conflict_reply(request);
        return;
    }
    struct out out = reply_out(request);
    if (trigger->is_new) /* else it may have ended long ago */
        recent_runs_add(&request->http->recent_runs, trigger->run_id, trigger->environment);
    out_map(&out, NULL);
    out_id(&out, "id", "run", trigger->run_id);
    out_bool(&out, "isCached", trigger->cached);
    if (trigger->debounced)
        out_bool(&out, "isDebounced", true);
    if (trigger->collected)
        out_bool(&out, "isCollected", true);
    if (trigger->skipped)
        out_bool(&out, "isSkipped", true);
    out_end_map(&out);
    if (trigger->differs) {
        reply_header(request, "x-bide-payload-differs", "true");
        reply_header(request, "x-bide-warning",
                     "this idempotency key was used with another payload; the run is the one "
                     "that was made then");
    }
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
    struct value body, payload;

    if (!trigger_may_begin(request) || !request_json(request, &body))
        return;
    request->command.kind = COMMAND_TRIGGER;
    trigger->environment = request->world->environment->number;
    trigger->task = request->captures[0];
    if (name_check(NAME_ASKED, trigger->task, &err) &&
        trigger_read(request, &body, &payload, &err))
        trigger_submit(request, value_find(&body, "payload") != NULL, &payload);
    else
        reply_err(request, &err);
}

/* ---- a key stands for nothing any more --------------------------------------------------- */

static const struct member_rule reset_members[] = {
    { "taskIdentifier", MEMBER_TAKEN, NULL },
    { "parentRunId", MEMBER_TAKEN, NULL },
    { "of", MEMBER_TAKEN, NULL },
    { "task", MEMBER_ELSEWHERE, "is called \"taskIdentifier\" here" },
    { NULL, MEMBER_TAKEN, NULL },
};

static void reset_done(struct request *request)
{
    struct out out = reply_out(request);

    out_map(&out, NULL);
    out_text(&out, "id", request->command.key_reset.key);
    if (request->command.key_reset.kind == KEY_RUN)
        out_id(&out, "runId", "run", request->command.key_reset.run_id);
    else if (request->command.key_reset.kind == KEY_TOKEN)
        out_id(&out, "tokenId", "waitpoint", request->command.key_reset.run_id);
    out_end_map(&out);
    reply_send(request, HTTP_OK);
}

/* Beyond the contract: the key that a run's segment gave is that run's own. */
static bool owner_read(struct request *request, const struct value *body, int64_t *owner,
                       struct err *err)
{
    struct slice text = { 0 };

    if (!body_text(request, body, "parentRunId", RESET_TEXT_MAX, &text, err))
        return false;
    return text.size == 0 || id_parse("run", text, owner) ||
           err_set(err, ERR_BAD_REQUEST, "parentRunId must be the id of a run");
}

/* And so is this: of a token or a wait, which have no task. */
static bool kind_read(struct request *request, const struct value *body,
                      struct key_reset *reset, struct err *err)
{
    struct slice of = { 0 };

    if (!body_text(request, body, "of", RESET_TEXT_MAX, &of, err) ||
        !body_text(request, body, "taskIdentifier", RESET_TEXT_MAX, &reset->task, err))
        return false;
    reset->kind = slice_is(of, "token") ? KEY_TOKEN : slice_is(of, "wait") ? KEY_WAIT : KEY_RUN;
    if (reset->kind != KEY_RUN)
        return reset->task.size == 0 ||
               err_set(err, ERR_BAD_REQUEST,
                       "taskIdentifier: the key of a %.*s is no task's; leave it out",
                       SLICE_ARG(of));
    if (of.size > 0 && !slice_is(of, "run"))
        return err_set(err, ERR_BAD_REQUEST, "of must be \"run\", \"token\" or \"wait\"");
    if (reset->task.size == 0)
        return err_set(err, ERR_BAD_REQUEST, "taskIdentifier, the task of the key, is missing");
    return name_check(NAME_ASKED, reset->task, err);
}

void key_reset(struct request *request)
{
    struct key_reset *reset = &request->command.key_reset;
    struct err err = { 0 };
    struct value body;

    if (!request_members(request, reset_members, &body))
        return;
    request->command.kind = COMMAND_KEY_RESET;
    reset->environment = request->world->environment->number;
    reset->key = request->captures[0];
    if (name_check(NAME_KEY, reset->key, &err) && kind_read(request, &body, reset, &err) &&
        owner_read(request, &body, &reset->owner, &err))
        request_submit(request, reset_done);
    else
        reply_err(request, &err);
}
