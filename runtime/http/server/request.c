/*
 * What a request wants, and whether it may: from a head that wire.c has read to a route's
 * function.
 *
 * A refusal that is known from the head alone still lets a small body come in, so that the
 * connection can go on and the client surely reads the reply; a big one is cut off.
 */
#include "request.h"

#include "base/id.h"
#include "base/memory.h"
#include "http/server/auth.h"
#include "http/server/body.h"
#include "http/server/reply.h"

#include <assert.h>
#include <stdlib.h>
#include <strings.h>

enum {
    KEEP_BYTES = 16 * 1024, /* of each of a spare request's buffers and its arena */
    SPARE_MAX = 256,
    BODIES_MIN = 64 << 20, /* all bodies under way together, or 16 of the greatest */
    BODIES_OF_MAX = 16,
    ITEMS_OF_MAX = 8,
    HEADER_MAX = 256, /* of those that say what the body is */
    REQUEST_KEY_MAX = 256,
};

/* ---- life -------------------------------------------------------------------------------- */

struct request *request_open(struct http *http, struct connection *connection)
{
    struct list *node = list_shift(&http->spare);
    struct request *request;

    if (node != NULL) {
        http->spare_count--;
        request = container_of(node, struct request, node);
    } else {
        request = memory_zeroed(1, sizeof *request);
        list_init(&request->node);
        list_init(&request->read.node);
        list_init(&request->long_poll.node);
    }
    request->http = http;
    request->connection = connection;
    request->type = "application/json";
    list_push(&http->requests, &request->node);
    http->request_count++;
    return request;
}

static void buffer_recycle(struct http *http, struct buffer *buffer)
{
    if (buffer->capacity > KEEP_BYTES) {
        server_freed(http, buffer->capacity);
        buffer_finish(buffer);
    }
    buffer->size = 0;
}

static void request_free(struct request *request)
{
    buffer_finish(&request->body);
    buffer_finish(&request->reply);
    arena_finish(&request->arena);
    free(request);
}

void request_close(struct request *request)
{
    struct http *http = request->http;

    assert(request->phase != REQUEST_WORKING); /* others still hold it then */
    list_remove(&request->node);
    http->request_count--;
    http->body_bytes -= request->body.size;
    http->reply_bytes -= request->sending_bytes;
    long_poll_remove(&http->long_polls, &request->long_poll);
    if (http->spare_count == SPARE_MAX) {
        request_free(request);
        server_settle(http);
        return;
    }
    buffer_recycle(http, &request->body);
    buffer_recycle(http, &request->reply);
    if (request->arena.used_bytes > KEEP_BYTES)
        arena_finish(&request->arena);
    else
        arena_reset(&request->arena);
    struct buffer body = request->body, reply = request->reply;
    struct arena arena = request->arena;
    *request = (struct request){ .body = body, .reply = reply, .arena = arena };
    list_init(&request->read.node);
    list_init(&request->long_poll.node);
    list_init(&request->node);
    list_push(&http->spare, &request->node);
    http->spare_count++;
    server_settle(http);
}

void request_free_spare(struct http *http)
{
    struct list *node;

    while ((node = list_shift(&http->spare)) != NULL)
        request_free(container_of(node, struct request, node));
    http->spare_count = 0;
}

/* ---- the body ---------------------------------------------------------------------------- */

static size_t body_most(const struct request *request)
{
    size_t most = (size_t)request->http->config->max_body_bytes;

    if ((request->route->flags & ROUTE_ITEMS) != 0)
        return most * ITEMS_OF_MAX;
    return request->route->max_body_bytes != 0 && request->route->max_body_bytes < most
               ? request->route->max_body_bytes
               : most;
}

/* A piece of the body. False: it is too much, and nothing more is read. */
bool request_take(struct request *request, struct slice data)
{
    struct http *http = request->http;
    size_t all = (size_t)http->config->max_body_bytes * BODIES_OF_MAX;

    if (request->phase == REQUEST_BODY) {
        if (data.size > body_most(request) - request->body.size)
            reply_error(request, HTTP_CONTENT_TOO_LARGE, SLICE("Request body too large"));
        else if (http->body_bytes + data.size > (all > BODIES_MIN ? all : BODIES_MIN))
            reply_error(request, HTTP_SERVICE_UNAVAILABLE,
                        SLICE("Too much is being sent at once, try again later"));
    }
    if (request->phase == REQUEST_BODY) {
        buffer_slice(&request->body, data);
        http->body_bytes += data.size;
        return true;
    }
    request->dropped_bytes += data.size; /* wire.c has seen enough at some point */
    return true;
}

/* ---- the head ---------------------------------------------------------------------------- */

/* An OPTIONS request, for browsers that ask before they post. */
static void answer_options(struct request *request)
{
    struct slice origin;

    reply_header(request, "allow", route_allowed(&request->arena, request->path).data);
    if (route_has_cors(request->path) &&
        request_header(request, "origin", 256, &origin, NULL)) {
        reply_header(request, "access-control-allow-origin",
                     arena_text(&request->arena, origin));
        reply_header(request, "access-control-allow-methods", "GET, POST, OPTIONS");
        reply_header(
            request, "access-control-allow-headers",
            "authorization, content-type, idempotency-key, idempotency-key-ttl, "
            "trigger-version, x-trigger-api-version, x-trigger-client, x-trigger-source, "
            "x-trigger-request-idempotency-key, x-trigger-realtime-streams-version");
        reply_header(request, "access-control-max-age", "300");
        reply_header(request, "vary", "origin");
    }
    request->reply.size = 0;
    reply_send(request, HTTP_NO_CONTENT);
}

static void request_route(struct request *request, const char *method)
{
    bool known;

    if (slice_is(request->path, "*")) { /* of the server itself */
        reply_header(request, "allow", "GET, HEAD, POST, OPTIONS");
        reply_send(request, HTTP_NO_CONTENT);
        return;
    }
    request->route = route_find(method, request->path, request->captures, &known);
    if (request->route != NULL)
        return;
    if (known && strcmp(method, "OPTIONS") == 0) {
        answer_options(request);
    } else if (known) {
        reply_header(request, "allow", route_allowed(&request->arena, request->path).data);
        reply_error(request, HTTP_METHOD_NOT_ALLOWED, SLICE("Method not allowed"));
    } else {
        reply_error(request, HTTP_NOT_FOUND, SLICE("Not found"));
    }
}

static void request_auth(struct request *request)
{
    struct http *http = request->http;
    struct slice key;

    if ((request->route->flags & ROUTE_OPEN) != 0 ||
        ((request->route->flags & ROUTE_METRICS) != 0 &&
         strcmp(http->config->metrics, "open") == 0))
        return;
    if ((request->route->flags & ROUTE_HASH) != 0) {
        if (!auth_is_callback(http->options.secret, request->captures[0], request->captures[1]))
            reply_error(request, HTTP_UNAUTHORIZED, SLICE("Invalid URL, hash doesn't match"));
        return;
    }
    if (!request_header(request, "authorization", 4096, &key, NULL)) {
        reply_header(request, "www-authenticate", "Bearer");
        reply_error(request, HTTP_UNAUTHORIZED, SLICE("Invalid or Missing API key"));
        return;
    }
    request->world = auth_find(http->worlds, http->world_count, key);
    if (request->world == NULL) {
        reply_header(request, "www-authenticate", "Bearer");
        reply_error(request, HTTP_UNAUTHORIZED, SLICE("Invalid API key"));
    }
}

/* What the first line carries, decoded. */
static void request_decode(struct request *request)
{
    struct err err = { 0 };
    bool ok = true;

    if (request->query_text.size > 0) {
        request->params = ARENA_NEW(&request->arena, struct params);
        ok = params_read(&request->arena, request->query_text, request->params, &err);
    }

    for (uint32_t i = 0; i < ROUTE_CAPTURES && ok; i++)
        ok = percent_decode(&request->arena, request->captures[i], false, &request->captures[i],
                            &err);
    if (!ok)
        reply_err(request, &err);
}

/* What was said, kept as long as the request. */
static void request_keep(struct request *request, const struct head *head)
{
    const char *mark = memchr(head->target.data, '?', head->target.size);
    size_t size = head->header_count * sizeof *request->fields;

    request->path = head->target;
    if (mark != NULL) {
        request->path.size = (size_t)(mark - head->target.data);
        request->query_text =
            (struct slice){ mark + 1, head->target.size - request->path.size - 1 };
    }
    if (request->path.size == 0)
        request->path = SLICE("/");
    request->is_head = slice_is(head->method, "HEAD");
    request->is_old = head->is_old;
    request->closes = !head->keeps_open;
    request->field_count = head->header_count;
    request->fields = arena_alloc(&request->arena, size);
    memcpy(request->fields, head->headers, size);
}

void request_begin(struct request *request, const struct head *head)
{
    uint64_t size = head->length;

    request_keep(request, head);
    request_route(request, arena_text(&request->arena, head->method));
    if (request->phase == REQUEST_HEAD && request->http->is_stopping)
        reply_error(request, HTTP_SERVICE_UNAVAILABLE, SLICE("The server is stopping"));
    if (request->phase == REQUEST_HEAD)
        request_decode(request);
    if (request->phase == REQUEST_HEAD)
        request_auth(request);
    if (request->phase == REQUEST_HEAD && size > body_most(request))
        reply_error(request, HTTP_CONTENT_TOO_LARGE, SLICE("Request body too large"));
    if (request->phase == REQUEST_HEAD)
        request->phase = REQUEST_BODY;
}

void request_work(struct request *request)
{
    connection_busy(request->connection);
    request->phase = REQUEST_WORKING;
    request->route->handle(request);
    request->is_suspended = request->phase == REQUEST_WORKING;
}

/* ---- for routes -------------------------------------------------------------------------- */

bool request_header(struct request *request, const char *name, size_t most, struct slice *value,
                    struct err *err)
{
    const struct header *field = request->fields, *end = field + request->field_count;
    size_t size = strlen(name);

    *value = (struct slice){ 0 };
    while (field < end &&
           (field->name.size != size || strncasecmp(field->name.data, name, size) != 0))
        field++;
    if (field == end)
        return false;
    *value = field->value;
    if (value->size > most)
        return err_set(err, ERR_BAD_REQUEST, "The header %s is longer than %zu characters",
                       name, most);
    return utf8_is_valid(*value) ||
           err_set(err, ERR_BAD_REQUEST, "The header %s is not valid UTF-8", name);
}

bool request_key_read(struct request *request, struct slice *key, struct err *err)
{
    const char *name = "x-trigger-request-idempotency-key";
    struct slice text;

    if (!request_header(request, name, REQUEST_KEY_MAX, &text, err))
        return err->code == ERR_OK;
    *key = arena_copy(&request->arena, text);
    return text.size > 0 || err_set(err, ERR_BAD_REQUEST, "The header %s is empty", name);
}

bool request_json(struct request *request, struct value *value)
{
    arena_reset(&request->http->scratch);
    return request_json_in(request, &request->http->scratch, value);
}

bool request_json_in(struct request *request, struct arena *arena, struct value *value)
{
    struct body_from from = { .arena = arena,
                              .bytes = buffer_view(&request->body),
                              .most = body_most(request) };
    struct err err = { 0 };

    (void)request_header(request, "content-type", HEADER_MAX, &from.type, &err);
    if (err.code == ERR_OK)
        (void)request_header(request, "content-encoding", HEADER_MAX, &from.encoding, &err);
    if (err.code == ERR_OK && body_read(&from, value, &err))
        return true;
    reply_err(request, &err);
    return false;
}

/* What is wrong with refused data, wherever the engine put it; NULL: the refusal has no such
 * list. */
static const struct problems *problems_of(const struct command *command)
{
    const struct problems *problems = command->kind == COMMAND_TOKEN_COMPLETE
                                          ? &command->token_complete.problems
                                          : command->problems;

    return problems == NULL || problems->count == 0 ? NULL : problems;
}

static void on_reply(struct command *command)
{
    struct request *request = command->owner;
    const struct problems *problems = problems_of(command);

    if (command->err.code == ERR_OK)
        request->on_command(request);
    else if (problems != NULL)
        reply_problems(request, (unsigned)err_status(command->err.code),
                       command->err.code == ERR_BAD_DATA ? "invalid_data" : "invalid_payload",
                       command->err.text, problems);
    else
        reply_err(request, &command->err);
}

void request_submit(struct request *request, void (*done)(struct request *request))
{
    struct command *command = &request->command;
    struct err err = { 0 };

    request->on_command = done;
    command->arena = &request->arena;
    command->on_reply = on_reply;
    command->owner = request;
    if (pump_submit(request->http->options.pump, command, &err))
        return;
    reply_error(request, HTTP_SERVICE_UNAVAILABLE, slice_of(err.text));
}

bool request_id(struct request *request, const char *prefix, const char *text, int64_t *id)
{
    if (id_parse(prefix, request->captures[0], id))
        return true;
    reply_error(request, HTTP_NOT_FOUND, slice_of(text));
    return false;
}
