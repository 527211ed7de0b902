/*
 * From bytes to a route's function and back. libmicrohttpd calls request_on_uri with the raw
 * first line, request_on_data once when the headers are here, once for each piece of the body,
 * and once when all of it is here; and again after a resume. A reply may only be queued in
 * those last two.
 *
 * A refusal that is known from the headers alone still lets a small body come in, so that the
 * connection can go on and the client surely reads the reply; a big one is cut off.
 */
#include "request.h"

#include "base/id.h"
#include "base/memory.h"
#include "http/auth.h"
#include "http/body.h"
#include "http/reply.h"

#include <assert.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <strings.h>

enum {
    KEEP_BYTES = 16 * 1024,   /* of each of a spare request's buffers and its arena */
    DRAIN_BYTES = 256 * 1024, /* of a refused body that are read all the same */
    SPARE_MAX = 256,
    BODIES_MIN = 64 << 20, /* all bodies under way together, or 16 of the greatest */
    BODIES_OF_MAX = 16,
    HEADER_MAX = 256, /* of those that say what the body is */
};

/* ---- life -------------------------------------------------------------------------------- */

static struct request *request_open(struct http *http)
{
    struct list *node = list_shift(&http->spare);
    struct request *request;

    if (node != NULL) {
        http->spare_count--;
        request = container_of(node, struct request, node);
    } else {
        request = memory_zeroed(1, sizeof *request);
        list_init(&request->node);
        list_init(&request->job.node);
        list_init(&request->longpoll.node);
    }
    request->http = http;
    list_push(&http->requests, &request->node);
    http->request_count++;
    return request;
}

static void buffer_recycle(struct buffer *buffer)
{
    if (buffer->capacity > KEEP_BYTES)
        buffer_finish(buffer);
    buffer->size = 0;
}

static void request_free(struct request *request)
{
    buffer_finish(&request->body);
    buffer_finish(&request->reply);
    arena_finish(&request->arena);
    free(request);
}

static void request_close(struct request *request)
{
    struct http *http = request->http;

    assert(request->phase != REQUEST_WORKING); /* others still hold it then */
    list_remove(&request->node);
    http->request_count--;
    http->body_bytes -= request->body.size;
    if (http->spare_count == SPARE_MAX) {
        request_free(request);
        return;
    }
    buffer_recycle(&request->body);
    buffer_recycle(&request->reply);
    if (request->arena.used_bytes > KEEP_BYTES)
        arena_finish(&request->arena);
    else
        arena_reset(&request->arena);
    struct buffer body = request->body, reply = request->reply;
    struct arena arena = request->arena;
    *request = (struct request){ .body = body, .reply = reply, .arena = arena };
    list_init(&request->job.node);
    list_init(&request->longpoll.node);
    list_init(&request->node);
    list_push(&http->spare, &request->node);
    http->spare_count++;
}

void request_free_spare(struct http *http)
{
    struct list *node;

    while ((node = list_shift(&http->spare)) != NULL)
        request_free(container_of(node, struct request, node));
    http->spare_count = 0;
}

/* ---- libmicrohttpd's callbacks ----------------------------------------------------------- */

/* "http://host/path" is as good as "/path". */
static const char *skip_origin(const char *uri)
{
    if (uri[0] == '/' || strncasecmp(uri, "http://", 7) != 0)
        return uri;
    const char *path = strchr(uri + 7, '/');
    return path == NULL ? "/" : path;
}

void *request_on_uri(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct http *http = context;
    struct request *request = request_open(http);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct slice text =
        arena_copy(&request->arena, slice_of(uri == NULL ? "" : skip_origin(uri)));
    const char *mark = memchr(text.data, '?', text.size);

    request->connection = connection;
    request->peer = info->socket_context;
    request->path = text;
    request->type = "application/json";
    if (mark != NULL) {
        request->path.size = (size_t)(mark - text.data);
        request->query_text = (struct slice){ mark + 1, text.size - request->path.size - 1 };
    }
    peer_receiving(&http->peers, request->peer);
    return request;
}

void request_on_end(void *context, struct MHD_Connection *connection, void **slot,
                    int termination)
{
    struct http *http = context;
    struct request *request = *slot;

    (void)connection;
    (void)termination; /* whether the client got its reply changes nothing here */
    if (request == NULL)
        return;
    *slot = NULL;
    peer_idle(&http->peers, request->peer);
    longpoll_remove(&http->longpolls, &request->longpoll);
    request_close(request);
    server_settle(http);
}

static bool add_headers(struct request *request, struct MHD_Response *response)
{
    bool ok = true;
    struct slice origin;
    const char *text;

    if (request->status != MHD_HTTP_NO_CONTENT)
        ok = MHD_add_response_header(response, "content-type", request->type) == MHD_YES;
    for (uint32_t i = 0; i < request->header_count; i++)
        ok = MHD_add_response_header(response, request->headers[i].name,
                                     request->headers[i].value) == MHD_YES &&
             ok;
    if (request->http->is_stopping)
        ok = MHD_add_response_header(response, "connection", "close") == MHD_YES && ok;
    if (request->route == NULL || (request->route->flags & ROUTE_CORS) == 0 ||
        !request_header(request, "origin", 256, &origin, NULL))
        return ok;
    text = arena_text(&request->arena, origin);
    return MHD_add_response_header(response, "access-control-allow-origin", text) == MHD_YES &&
           MHD_add_response_header(response, "access-control-expose-headers", "*") == MHD_YES &&
           MHD_add_response_header(response, "vary", "origin") == MHD_YES && ok;
}

static bool request_send(struct request *request)
{
    struct http *http = request->http;
    /* The reply's bytes stay until request_on_end, which comes after the last is sent. */
    struct MHD_Response *response = MHD_create_response_from_buffer(
        request->reply.size, request->reply.data, MHD_RESPMEM_PERSISTENT);

    if (response == NULL)
        return false;
    peer_busy(request->peer);
    bool ok = add_headers(request, response) &&
              MHD_queue_response(request->connection, request->status, response) == MHD_YES;
    MHD_destroy_response(response);
    request->phase = REQUEST_SENT;
    tally_add(&http->tally,
              request->route == NULL ? http->tally.rows - 1
                                     : (uint32_t)(request->route - routes),
              request->status);
    return ok;
}

/* A piece of the body. False: it is too much, and nothing more is read. */
static bool body_take(struct request *request, struct slice data)
{
    struct http *http = request->http;
    size_t most = (size_t)http->config->max_body_bytes, all = most * BODIES_OF_MAX;

    if (request->phase == REQUEST_BODY) {
        if (request->route->max_body_bytes != 0 && request->route->max_body_bytes < most)
            most = request->route->max_body_bytes;
        if (data.size > most - request->body.size)
            reply_error(request, MHD_HTTP_CONTENT_TOO_LARGE, SLICE("Request body too large"));
        else if (http->body_bytes + data.size > (all > BODIES_MIN ? all : BODIES_MIN))
            reply_error(request, MHD_HTTP_SERVICE_UNAVAILABLE,
                        SLICE("Too much is being sent at once, try again later"));
    }
    if (request->phase == REQUEST_BODY) {
        buffer_slice(&request->body, data);
        http->body_bytes += data.size;
        return true;
    }
    request->dropped_bytes += data.size;
    if (request->dropped_bytes <= DRAIN_BYTES)
        return true;
    peer_cut(&http->peers, request->peer, request->status, buffer_view(&request->reply));
    return false;
}

static bool is_expecting(struct request *request)
{
    struct slice value;

    return request_header(request, "expect", 64, &value, NULL);
}

/* How long the body will be, as far as the headers tell; false: answered, they contradict
 * themselves, and where the next request would start is anybody's guess. */
static bool body_announced(struct request *request, uint64_t *size)
{
    struct slice length, encoding;
    bool has_length = request_header(request, "content-length", 32, &length, NULL);
    bool has_encoding = request_header(request, "transfer-encoding", 64, &encoding, NULL);

    *size =
        has_length ? strtoull(length.data, NULL, 10) : 0; /* digits, or MHD had refused it */
    request->has_body = *size > 0 || has_encoding;
    if (!has_encoding ||
        (!has_length && encoding.size == 7 && strncasecmp(encoding.data, "chunked", 7) == 0))
        return true;
    reply_error(
        request, MHD_HTTP_BAD_REQUEST,
        SLICE("transfer-encoding must be \"chunked\" and stand without content-length"));
    return false;
}

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
    reply_send(request, MHD_HTTP_NO_CONTENT);
}

static void request_route(struct request *request, const char *method)
{
    bool known;

    request->route = route_find(method, request->path, request->captures, &known);
    if (request->route != NULL)
        return;
    if (known && strcmp(method, "OPTIONS") == 0) {
        answer_options(request);
    } else if (known) {
        reply_header(request, "allow", route_allowed(&request->arena, request->path).data);
        reply_error(request, MHD_HTTP_METHOD_NOT_ALLOWED, SLICE("Method not allowed"));
    } else {
        reply_error(request, MHD_HTTP_NOT_FOUND, SLICE("Not found"));
    }
}

static void request_auth(struct request *request)
{
    struct http *http = request->http;
    struct slice key;

    if ((request->route->flags & ROUTE_OPEN) != 0)
        return;
    if ((request->route->flags & ROUTE_HASH) != 0) {
        if (!auth_is_callback(http->options.secret, request->captures[0], request->captures[1]))
            reply_error(request, MHD_HTTP_UNAUTHORIZED,
                        SLICE("Invalid URL, hash doesn't match"));
        return;
    }
    if (!request_header(request, "authorization", 4096, &key, NULL)) {
        reply_header(request, "www-authenticate", "Bearer");
        reply_error(request, MHD_HTTP_UNAUTHORIZED, SLICE("Invalid or Missing API key"));
        return;
    }
    request->world = auth_find(http->worlds, http->world_count, key);
    if (request->world == NULL) {
        reply_header(request, "www-authenticate", "Bearer");
        reply_error(request, MHD_HTTP_UNAUTHORIZED, SLICE("Invalid API key"));
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

/* The headers are here. Returns whether the reply must go out before the body has come. */
static bool request_begin(struct request *request, const char *method)
{
    const struct config *config = request->http->config;
    uint64_t size;

    if (!body_announced(request, &size))
        return true;
    request_route(request, method);
    if (request->phase == REQUEST_HEAD && request->http->is_stopping)
        reply_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, SLICE("The server is stopping"));
    if (request->phase == REQUEST_HEAD)
        request_decode(request);
    if (request->phase == REQUEST_HEAD)
        request_auth(request);
    if (request->phase == REQUEST_HEAD &&
        (size > (uint64_t)config->max_body_bytes ||
         (request->route->max_body_bytes != 0 && size > request->route->max_body_bytes)))
        reply_error(request, MHD_HTTP_CONTENT_TOO_LARGE, SLICE("Request body too large"));
    if (request->phase == REQUEST_HEAD) {
        request->phase = REQUEST_BODY;
        return false;
    }
    return size > DRAIN_BYTES || (request->has_body && is_expecting(request));
}

bool request_on_data(struct request *request, const char *method, const char *data,
                     size_t *size)
{
    if (request->peer->is_cut)
        return false;
    if (request->phase == REQUEST_HEAD)
        return !request_begin(request, method) || request_send(request);
    if (*size > 0) {
        struct slice piece = { data, *size };
        *size = 0;
        return body_take(request, piece);
    }
    if (request->phase == REQUEST_BODY) {
        peer_busy(request->peer);
        request->phase = REQUEST_WORKING;
        request->route->handle(request);
    }
    if (request->phase == REQUEST_WORKING) {
        request->is_suspended = true;
        MHD_suspend_connection(request->connection);
        return true;
    }
    return request->phase == REQUEST_SENT || request_send(request);
}

/* ---- for routes -------------------------------------------------------------------------- */

bool request_header(struct request *request, const char *name, size_t most, struct slice *value,
                    struct err *err)
{
    *value = (struct slice){ 0 };
    if (MHD_lookup_connection_value_n(request->connection, MHD_HEADER_KIND, name, strlen(name),
                                      &value->data, &value->size) != MHD_YES ||
        value->data == NULL)
        return false;
    if (value->size > most)
        return err_set(err, ERR_BAD_REQUEST, "The header %s is longer than %zu characters",
                       name, most);
    return utf8_is_valid(*value) ||
           err_set(err, ERR_BAD_REQUEST, "The header %s is not valid UTF-8", name);
}

bool request_json(struct request *request, struct value *value)
{
    size_t most = (size_t)request->http->config->max_body_bytes;
    struct body_from from = { .arena = &request->http->scratch,
                              .bytes = buffer_view(&request->body) };
    struct err err = { 0 };

    if (request->route->max_body_bytes != 0 && request->route->max_body_bytes < most)
        most = request->route->max_body_bytes;
    from.most = most;
    arena_reset(&request->http->scratch);
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
    reply_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, slice_of(err.text));
}

bool request_id(struct request *request, const char *prefix, const char *text, int64_t *id)
{
    if (id_parse(prefix, request->captures[0], id))
        return true;
    reply_error(request, MHD_HTTP_NOT_FOUND, slice_of(text));
    return false;
}
