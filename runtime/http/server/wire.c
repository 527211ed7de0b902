#include "wire.h"

#include "base/clock.h"
#include "http/server/reply.h"

#include <assert.h>
#include <strings.h>
#include <time.h>

enum {
    COPY_BYTES = 16 * 1024,   /* a reply up to so long leaves with others */
    BATCH_BYTES = 64 * 1024,  /* of such replies in one write */
    AHEAD_BYTES = 128 * 1024, /* that a connection may send before it is heard */
    KEEP_BYTES = 512 * 1024,  /* of the buffer of replies */
    DRAIN_BYTES = 256 * 1024, /* of a refused body that are read all the same */
};

static struct http *http_of(const struct connection *connection)
{
    return container_of(connection->connections, struct http, connections);
}

/* ---- replies ----------------------------------------------------------------------------- */

/* "Sun, 06 Nov 1994 08:49:37 GMT"; made once a second. */
static const char *date_of(struct http *http)
{
    static const char days[] = "SunMonTueWedThuFriSat",
                      months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int64_t now_s = clock_now_ms() / 1000;
    time_t time = (time_t)now_s;
    struct tm tm;

    if (now_s == http->date_s)
        return http->date;
    http->date_s = now_s;
    (void)gmtime_r(&time, &tm);
    (void)snprintf(http->date, sizeof http->date, "%.3s, %02d %.3s %d %02d:%02d:%02d GMT",
                   days + 3 * tm.tm_wday, tm.tm_mday, months + 3 * tm.tm_mon, tm.tm_year + 1900,
                   tm.tm_hour, tm.tm_min, tm.tm_sec);
    return http->date;
}

static void header_write(struct buffer *out, const char *name, const char *value)
{
    buffer_text(out, name);
    buffer_text(out, ": ");
    buffer_text(out, value);
    buffer_text(out, "\r\n");
}

static void head_write(struct request *request, struct buffer *out)
{
    struct slice origin;

    buffer_text(out, "HTTP/1.1 ");
    buffer_int(out, request->status);
    buffer_byte(out, ' ');
    buffer_text(out, http_reason(request->status));
    buffer_text(out, "\r\n");
    header_write(out, "date", date_of(request->http));
    if (request->status != HTTP_NO_CONTENT) {
        header_write(out, "content-type", request->type);
        buffer_text(out, "content-length: ");
        buffer_int(out, (int64_t)request->reply.size);
        buffer_text(out, "\r\n");
    }
    for (uint32_t i = 0; i < request->header_count; i++)
        header_write(out, request->headers[i].name, request->headers[i].value);
    if (request->closes)
        header_write(out, "connection", "close");
    else if (request->is_old)
        header_write(out, "connection", "keep-alive");
    if (request->route != NULL && (request->route->flags & ROUTE_CORS) != 0 &&
        request_header(request, "origin", 256, &origin, NULL)) {
        header_write(out, "access-control-allow-origin", arena_text(&request->arena, origin));
        header_write(out, "access-control-expose-headers", "*");
        header_write(out, "vary", "origin");
    }
    buffer_text(out, "\r\n");
}

static void out_flush(struct connection *connection)
{
    struct http *http = http_of(connection);

    if (http->out.size > 0 && uv_is_closing(&connection->uv.handle) == 0)
        (void)connection_send(connection, buffer_view(&http->out),
                              (struct slice){ 0 }); /* or it is closed */
    if (http->out.capacity > KEEP_BYTES)
        buffer_finish(&http->out);
    http->out.size = 0;
}

/* The reply is on its way, all of it. */
static void request_finish(struct connection *connection, struct request *request)
{
    bool closes = request->closes;

    connection->request = NULL;
    request_close(request);
    if (!closes) {
        message_init(&connection->message);
        connection_idle(connection);
        return;
    }
    out_flush(connection);
    connection_linger(connection); /* what it sends meanwhile must not make it lose the reply */
}

/* Big replies that wait for their readers have a budget together. What they would have told can
 * be asked for again; a reply that tells of a change is never big. */
static void reply_admit(struct http *http, struct request *request)
{
    if (request->reply.size <= COPY_BYTES || http->reply_bytes == 0 ||
        http->reply_bytes + request->reply.size <= (size_t)http->config->max_reply_bytes)
        return;
    server_freed(http, request->reply.capacity);
    buffer_finish(&request->reply);
    request->header_count = 0;
    request->type = "application/json";
    request->phase = REQUEST_BODY;
    reply_error(request, HTTP_SERVICE_UNAVAILABLE,
                SLICE("Too many replies wait for their readers, try again later"));
}

static void request_send(struct connection *connection, struct request *request)
{
    struct http *http = http_of(connection);

    reply_admit(http, request);
    struct slice body = buffer_view(&request->reply);

    request->closes = request->closes || http->is_stopping;
    request->phase = REQUEST_SENT;
    request_counts_add(&http->request_counts,
                       request->route == NULL ? http->request_counts.rows - 1
                                              : (uint32_t)(request->route - routes),
                       request->status);
    head_write(request, &http->out);
    if (request->is_head || request->status == HTTP_NO_CONTENT)
        body.size = 0;
    if (body.size <= COPY_BYTES) {
        buffer_slice(&http->out, body);
        request_finish(connection, request);
        return;
    }
    http->reply_bytes += body.size;
    request->sending_bytes = body.size;
    arena_finish(&request->arena); /* may be as big as the reply, and was needed for it */
    bool is_gone = connection_send(connection, buffer_view(&http->out), body);
    http->out.size = 0;
    if (is_gone)
        request_finish(connection, request);
}

/* ---- requests ---------------------------------------------------------------------------- */

/* One that could not be understood; where the next begins is anybody's guess. */
static void request_fail(struct request *request, const struct refusal *refusal)
{
    if (request->phase < REQUEST_ANSWERED)
        reply_error(request, refusal->status, slice_of(refusal->text));
    request->closes = request->is_whole = true;
}

/* Returns how many bytes were used: 0, when the head is not here yet. */
static size_t read_head(struct connection *connection, struct slice bytes)
{
    struct http *http = http_of(connection);
    struct refusal refusal = { 0 };

    if (connection->message.scanned == 0 && bytes.size >= 2 &&
        memcmp(bytes.data, "\r\n", 2) == 0 &&
        !connection->has_blank) { /* some clients end their bodies so */
        connection->has_blank = true;
        return 2;
    }
    size_t size = message_find(&connection->message, bytes,
                               (size_t)http->config->max_header_bytes, &refusal);
    if (size == 0 && refusal.status == 0) {
        if (bytes.size > 0)
            connection_receiving(connection);
        return 0;
    }
    struct request *request = request_open(http, connection);
    connection->request = request;
    connection->has_blank = false;
    if (size == 0 ||
        !message_head(&connection->message,
                      arena_copy(&request->arena, (struct slice){ bytes.data, size }),
                      &http->head, &refusal)) {
        request_fail(request, &refusal);
        return size;
    }
    request->is_whole = connection->message.is_whole;
    request_begin(request, &http->head);
    if (request->is_whole)
        return size;
    connection_receiving(connection);
    if (request->phase == REQUEST_BODY && http->head.expects && bytes.size == size)
        buffer_text(&http->out, "HTTP/1.1 100 Continue\r\n\r\n");
    /* Who was refused need not send it, and one who asked will not. */
    if (request->phase == REQUEST_ANSWERED &&
        (http->head.expects || http->head.length > DRAIN_BYTES))
        request->closes = request->is_whole = true;
    return size;
}

static bool take(void *context, struct slice piece)
{
    struct connection *connection = context;

    return request_take(connection->request, piece);
}

static size_t read_body(struct connection *connection, struct slice bytes)
{
    struct request *request = connection->request;
    struct refusal refusal = { 0 };
    size_t size = message_body(&connection->message, bytes, take, connection,
                               (size_t)http_of(connection)->config->max_header_bytes, &refusal);

    if (refusal.status != 0)
        request_fail(request, &refusal);
    else if (request->dropped_bytes > DRAIN_BYTES)
        request->closes = request->is_whole = true;
    else
        request->is_whole = connection->message.is_whole;
    return size;
}

/* All that can be done with these bytes; returns how many were used. */
static size_t connection_run(struct connection *connection, struct slice bytes)
{
    struct http *http = http_of(connection);
    size_t used = 0;

    assert(http->out.size == 0);
    while (!connection->is_cut && !connection->is_writing) {
        struct slice rest = { bytes.data + used, bytes.size - used };
        struct request *request = connection->request;
        size_t step = 0;
        if (request == NULL)
            step = rest.size == 0 ? 0 : read_head(connection, rest);
        else if (!request->is_whole)
            step = rest.size == 0 ? 0 : read_body(connection, rest);
        else if (request->phase == REQUEST_BODY)
            request_work(request);
        else if (request->phase == REQUEST_ANSWERED)
            request_send(connection, request);
        if (connection->request == request && step == 0 &&
            (request == NULL || request->phase == REQUEST_WORKING || !request->is_whole))
            break;
        used += step;
        if (http->out.size > BATCH_BYTES)
            out_flush(connection);
    }
    out_flush(connection);
    return used;
}

/* With what came earlier. */
static void connection_go_on(struct connection *connection)
{
    size_t used = connection_run(connection, buffer_view(&connection->input));

    if (connection->is_cut)
        return;
    if (used > 0)
        buffer_consume(&connection->input, used);
    if (connection->input.size == 0)
        buffer_finish(&connection->input);
    if (connection->input.size > AHEAD_BYTES)
        connection_pause(connection);
    else
        connection_resume(connection);
    bool is_under_way = connection->is_writing ||
                        (connection->request != NULL && connection->request->is_whole);
    if (connection->has_ended && !is_under_way)
        connection_end(connection);
}

void wire_read(struct connection *connection, struct slice bytes)
{
    if (connection->input.size == 0 && !connection->is_writing) {
        size_t used = connection_run(connection, bytes);
        bytes = (struct slice){ bytes.data + used, bytes.size - used };
        if (bytes.size == 0 || connection->is_cut)
            return;
        buffer_slice(&connection->input, bytes);
        if (connection->input.size > AHEAD_BYTES)
            connection_pause(connection);
        return;
    }
    buffer_slice(&connection->input, bytes);
    connection_go_on(connection);
}

void wire_ended(struct connection *connection)
{
    connection_go_on(connection);
}

void wire_sent(struct connection *connection)
{
    struct request *request = connection->request;

    /* What was sent may have been replies before the one that is under way. */
    if (request == NULL)
        connection_idle(connection);
    else if (request->phase == REQUEST_SENT)
        request_finish(connection, request);
    else if (!request->is_whole)
        connection_receiving(connection);
    if (!connection->is_cut)
        connection_go_on(connection);
}

void wire_lost(struct connection *connection)
{
    struct request *request = connection->request;

    if (request == NULL)
        return;
    connection->request = NULL;
    request->connection = NULL;
    if (request->phase != REQUEST_WORKING) /* others hold it then, and answer it in time */
        request_close(request);
}

void wire_refuse(struct connection *connection, unsigned status, const char *text)
{
    struct refusal refusal = { status, text };

    if (connection->request == NULL)
        connection->request = request_open(http_of(connection), connection);
    request_fail(connection->request, &refusal);
    (void)connection_run(connection, (struct slice){ 0 });
}

void wire_answered(struct request *request)
{
    list_remove(&request->node);
    list_push(&request->http->answered, &request->node);
}

void wire_flush(struct http *http)
{
    struct list *node;

    while ((node = list_shift(&http->answered)) != NULL) {
        struct request *request = container_of(node, struct request, node);
        list_push(&http->requests, node);
        if (request->connection == NULL)
            request_close(request);
        else
            connection_go_on(request->connection);
    }
}
