/* Tokens: made and completed over HTTP, by those with a key or by whoever has the callback URL.
 */
#include "base/clock.h"
#include "base/duration.h"
#include "codec/callback.h"
#include "codec/pack.h"
#include "http/api/filter.h"
#include "http/api/redact.h"
#include "http/api/routes.h"
#include "http/body/members.h"
#include "http/body/trigger_options.h"
#include "http/body/wait_body.h"
#include "http/server/reply.h"

/* ---- create ------------------------------------------------------------------------------ */

static void create_done(struct request *request)
{
    const struct token_create *create = &request->command.token_create;
    struct http *http = request->http;
    struct out out = reply_out(request);

    out_map(&out, NULL);
    out_id(&out, "id", "waitpoint", create->token_id);
    out_bool(&out, "isCached", create->cached);
    out_text(
        &out, "url",
        callback_url(&request->arena, http->origin, http->options.secret, create->token_id));
    out_end_map(&out);
    reply_header(request, "x-trigger-jwt-claims", request->world->claims);
    reply_send(request, HTTP_OK);
}

static const struct member_rule create_members[] = {
    { "timeout", MEMBER_TAKEN, NULL },
    { "tags", MEMBER_TAKEN, NULL },
    { "idempotencyKey", MEMBER_TAKEN, NULL },
    { "idempotencyKeyTTL", MEMBER_TAKEN, NULL },
    { "idempotencyKeyOptions", MEMBER_TAKEN, NULL },
    { "timeoutInSeconds", MEMBER_ELSEWHERE, "is called \"timeout\" here, like \"10m\"" },
    { "timeoutMs", MEMBER_ELSEWHERE, "is called \"timeout\" here, like \"10m\"" },
    { "expiresIn", MEMBER_ELSEWHERE, "is called \"timeout\" here" },
    { "expiresAt", MEMBER_ELSEWHERE, "is called \"timeout\" here" },
    { "delay", MEMBER_ELSEWHERE, "is no member of a token; it has a \"timeout\"" },
    { "ttl", MEMBER_ELSEWHERE, "is called \"timeout\" here" },
    { "data", MEMBER_ELSEWHERE, "comes when the token is completed, not when it is made" },
    { "schema", MEMBER_NOT_BUILT, "belongs to tokens that a task makes" },
    { "options", MEMBER_ELSEWHERE, "is no member here: options stand in the body itself" },
    { NULL, MEMBER_TAKEN, NULL },
};

void token_create(struct request *request)
{
    struct token_create *create = &request->command.token_create;
    struct trigger_options_from from = { &request->arena, &request->http->config->limits };
    struct err err = { 0 };
    struct value body;

    if (!request_members(request, create_members, &body))
        return;
    request->command.kind = COMMAND_TOKEN_CREATE;
    create->environment = request->world->environment->number;
    if (request_key_read(request, &create->request_key, &err) &&
        token_options_read(&from, &body, create, &err) &&
        key_ttl_check(create->key, create->key_ttl_ms, &err))
        request_submit(request, create_done);
    else
        reply_err(request, &err);
}

/* ---- show and list ----------------------------------------------------------------------- */

struct view {
    int64_t id;
    struct token_filter filter;
};

static void item_write(struct request *request, struct out *out, const struct waitpoint *token)
{
    static const char *const words[] = { "WAITING", "COMPLETED", "TIMED_OUT", "COMPLETED" };
    struct http *http = request->http;

    out_id(out, "id", "waitpoint", token->id);
    out_text(out, "url",
             callback_url(&request->arena, http->origin, http->options.secret, token->id));
    out_word(out, "status", words[token->status & 3]);
    /* Beyond the contract, which knows three words. */
    out_bool(out, "isCancelled", token->status == WAITPOINT_CANCELLED);
    out_time(out, "createdAt", token->created_ms);
    out_time(out, "completedAt", token->completed_ms);
    out_time(out, "timeoutAt", token_due_date(token));
    if (token->tags.size > 0) {
        out_packed(out, "tags", token->tags);
    } else {
        out_list(out, "tags");
        out_end_list(out);
    }
    if (token->key_text.size > 0 && token->key.size > 0) /* it was not reset */
        out_text(out, "idempotencyKey", token->key_text);
    out_time(out, "idempotencyKeyExpiresAt", token->key_expires_ms);
    if (token->run_id != 0)
        out_id(out, "runId", "run", token->run_id);
    if (token->note.size > 0)
        out_text(out, "note", token->note);
}

/* A string that holds JSON, and what kind of text it is; an error always has one. */
static void output_write(struct request *request, struct out *out,
                         const struct waitpoint *token)
{
    struct redaction redaction = redact_token(request->read.catalog, token);
    struct buffer text = { 0 };
    char at[TIME_TEXT_SIZE];

    if (token->status == WAITPOINT_PENDING)
        return;
    if (token->status == WAITPOINT_COMPLETED)
        redact_write(&text, &redaction, &request->arena, token->result);
    else if (token->status == WAITPOINT_TIMED_OUT)
        buffer_format(&text,
                      "{\"code\":\"TRIGGER_WAITPOINT_TIMEOUT\",\"message\":\"Waitpoint timed "
                      "out at %s\"}",
                      time_format(token->completed_ms, at));
    else
        buffer_text(&text, token->note.size > 0
                               ? "{\"code\":\"TRIGGER_WAITPOINT_CANCELED\","
                                 "\"message\":\"The waitpoint was closed\"}"
                               : "{\"code\":\"TRIGGER_WAITPOINT_CANCELED\","
                                 "\"message\":\"The run that made the waitpoint has ended\"}");
    out_text(out, "output", buffer_view(&text));
    out_word(out, "outputType", "application/json");
    out_bool(out, "outputIsError", token->status != WAITPOINT_COMPLETED);
    buffer_finish(&text);
}

/* There is no such token here; another environment's is not spoken of. Returns false. */
static bool is_missing(struct request *request, struct reader *reader, int64_t id,
                       struct err *err)
{
    struct waitpoint *any;

    if (!reader->ops->token(reader, &request->arena, 0, id, &any, err))
        return false;
    return any == NULL ? prune_token_missing(request->read.catalog, clock_now_ms(), id, err)
                       : err_set(err, ERR_NOT_FOUND, TOKEN_UNKNOWN);
}

static bool show_work(struct request *request, struct pool_reader *reader, struct err *err)
{
    const struct view *view = request->view;
    struct waitpoint *token;

    if (!reader->reader->ops->token(reader->reader, &request->arena,
                                    request->world->environment->number, view->id, &token, err))
        return false;
    if (token == NULL)
        return is_missing(request, reader->reader, view->id, err);
    struct out out = reply_out(request);
    out_map(&out, NULL);
    item_write(request, &out, token);
    output_write(request, &out, token);
    out_end_map(&out);
    return true;
}

void token_show(struct request *request)
{
    struct view *view = ARENA_NEW(&request->arena, struct view);

    request->view = view;
    if (request_id(request, "waitpoint", TOKEN_UNKNOWN, &view->id))
        request_read(request, show_work, reply_ok);
}

/* A row that is not there has no place that others could stand behind. Cursors are the ids of
 * rows, and those beside them: see the store. */
static bool cursor_check(struct request *request, struct reader *reader, int64_t id,
                         int64_t beside, struct err *err)
{
    uint32_t environment = request->world->environment->number;
    struct waitpoint *row = NULL;

    if (id == 0)
        return true;
    if (!reader->ops->token(reader, &request->arena, environment, id, &row, err) ||
        (row == NULL &&
         !reader->ops->token(reader, &request->arena, environment, beside, &row, err)))
        return false;
    return row != NULL ||
           err_set(err, ERR_BAD_REQUEST, "Query Error: the cursor names no token of this list");
}

static bool list_work(struct request *request, struct pool_reader *reader, struct err *err)
{
    const struct view *view = request->view;
    struct token_page page = { 0 };

    if (!cursor_check(request, reader->reader, view->filter.after, view->filter.after - 1,
                      err) ||
        !cursor_check(request, reader->reader, view->filter.before, view->filter.before + 1,
                      err) ||
        !reader->reader->ops->tokens(reader->reader, &request->arena, &view->filter, &page,
                                     err))
        return false;
    struct out out = reply_out(request);
    out_map(&out, NULL);
    out_list(&out, "data");
    for (uint32_t i = 0; i < page.count; i++) {
        out_map(&out, NULL);
        item_write(request, &out, page.rows[i]);
        out_end_map(&out);
    }
    out_end_list(&out);
    out_map(&out, "pagination");
    if (page.has_next)
        out_id(&out, "next", "waitpoint", page.next_after);
    if (page.has_previous)
        out_id(&out, "previous", "waitpoint", page.previous_before);
    out_end_map(&out);
    out_end_map(&out);
    return true;
}

void token_list(struct request *request)
{
    struct view *view = ARENA_NEW(&request->arena, struct view);
    struct filter_from from = { &request->arena, request->params, clock_now_ms(),
                                request->world->environment->number,
                                request->world->environment->name };
    struct err err = { 0 };

    request->view = view;
    if (!request_params(request, list_words))
        return;
    if (token_filter_read(&from, &view->filter, &err))
        request_read(request, list_work, reply_ok);
    else
        reply_query_error(request, &err);
}

/* ---- complete ---------------------------------------------------------------------------- */

#define NO_ERRORS \
    "is not built: a token is completed with \"data\", which may say that it went wrong"

static const struct member_rule complete_members[] = {
    { "data", MEMBER_TAKEN, NULL },
    { "by", MEMBER_TAKEN, NULL },
    { "reason", MEMBER_TAKEN, NULL },
    { "output", MEMBER_ELSEWHERE, "is called \"data\" here" },
    { "payload", MEMBER_ELSEWHERE, "is called \"data\" here" },
    { "result", MEMBER_ELSEWHERE, "is called \"data\" here" },
    { "value", MEMBER_ELSEWHERE, "is called \"data\" here" },
    { "body", MEMBER_ELSEWHERE, "is called \"data\" here" },
    { "error", MEMBER_NOT_BUILT, NO_ERRORS },
    { "isError", MEMBER_NOT_BUILT, NO_ERRORS },
    { "outputIsError", MEMBER_NOT_BUILT, NO_ERRORS },
    { "failed", MEMBER_NOT_BUILT, NO_ERRORS },
    { NULL, MEMBER_TAKEN, NULL },
};

static void complete_submit(struct request *request, const struct value *data)
{
    struct command *command = &request->command;
    struct err err = { 0 };

    if (!value_fits_depth(data, VALUE_PAYLOAD_DEPTH)) { /* a callback's is the whole body */
        err_set(&err, ERR_BAD_REQUEST, "The data is nested deeper than %d levels",
                VALUE_PAYLOAD_DEPTH);
        reply_err(request, &err);
        return;
    }
    command->kind = COMMAND_TOKEN_COMPLETE;
    command->token_complete.data = pack_value(&request->arena, data);
    request_submit(request, act_done);
}

void token_complete(struct request *request)
{
    struct token_complete *complete = &request->command.token_complete;
    struct value body, null = { .kind = VALUE_NULL };
    struct err err = { 0 };

    if (!request_id(request, "waitpoint", TOKEN_UNKNOWN, &complete->id) ||
        !request_members(request, complete_members, &body))
        return;
    const struct value *data = value_find(&body, "data");
    if (data == NULL && body.count > 0) {
        reply_error(request, HTTP_BAD_REQUEST,
                    arena_format(&request->arena,
                                 "The body has members but no \"data\", which is what the run "
                                 "would get; write {\"data\": {\"%.*s\": …}}",
                                 SLICE_ARG(body.members[0].key)));
        return;
    }
    complete->environment = request->world->environment->number;
    if (act_who_read(request, &body, complete, &err))
        complete_submit(request, data == NULL ? &null : data);
    else
        reply_err(request, &err);
}

/* The whole body is the result, the hash was checked with the headers. What is not understood
 * completes nothing: the sender's next try can. */
void token_callback(struct request *request)
{
    struct token_complete *complete = &request->command.token_complete;
    struct value body;

    if (request_id(request, "waitpoint", TOKEN_UNKNOWN, &complete->id) &&
        request_json(request, &body))
        complete_submit(request, &body);
}
