/*
 * libmicrohttpd inside the libuv loop: no thread of its own, its epoll descriptor is polled by
 * the loop, and every turn of the loop in which something was answered ends in one MHD_run.
 *
 *   epoll readable ─▶ MHD_run ─▶ request_on_uri, request_on_data ─▶ suspend
 *   commit or reader ─▶ reply_send ─▶ resume ─▶ (end of this turn) MHD_run ─▶ bytes out
 */
#include "server.h"

#include "base/id.h"
#include "base/log.h"
#include "base/memory.h"
#include "http/reply.h"

#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BACKLOG = 1024,
    POOL_EXTRA_BYTES = 2048, /* beside the headers of a request: those of the reply */
    MORE_CONNECTIONS = 64,   /* above the limit, for the time it takes to refuse them */
    RUNS_AT_ONCE = 8,
    LAST_CALL_MS = 5000,
    HANDLES = 6,
};

/* ---- the loop ---------------------------------------------------------------------------- */

static void on_again(uv_timer_t *timer);

static void server_run(struct http *http)
{
    MHD_UNSIGNED_LONG_LONG left_ms = 0;
    int rounds = 0;
    bool has_timeout;

    http->woken = false;
    do {
        (void)MHD_run(http->daemon); /* fails only for want of its own descriptors */
        has_timeout = MHD_get_timeout(http->daemon, &left_ms) == MHD_YES;
    } while (has_timeout && left_ms == 0 && ++rounds < RUNS_AT_ONCE);
    if (has_timeout && left_ms == 0)
        uv_timer_start(&http->again, on_again, 0, 0);
    else if (has_timeout && uv_is_active((uv_handle_t *)&http->again) == 0)
        uv_timer_start(&http->again, on_again, left_ms + 1, 0);
}

static void on_again(uv_timer_t *timer)
{
    server_run(container_of(timer, struct http, again));
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    server_run(container_of(poll, struct http, poll));
}

static void on_check(uv_check_t *check)
{
    struct http *http = container_of(check, struct http, check);

    if (http->woken)
        server_run(http);
}

void server_wake(struct http *http)
{
    http->woken = true;
}

/* ---- libmicrohttpd's callbacks ----------------------------------------------------------- */

static void on_connection(void *context, struct MHD_Connection *connection, void **slot,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http *http = context;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        *slot = peer_open(&http->peers, info->connect_fd);
    } else {
        peer_close(&http->peers, *slot);
        *slot = NULL;
    }
}

static enum MHD_Result on_data(void *context, struct MHD_Connection *connection,
                               const char *url, const char *method, const char *version,
                               const char *data, size_t *size, void **slot)
{
    (void)context;
    (void)connection;
    (void)url; /* request_on_uri saw it raw */
    (void)version;
    return request_on_data(*slot, method, data, size) ? MHD_YES : MHD_NO;
}

static void on_end(void *context, struct MHD_Connection *connection, void **slot,
                   enum MHD_RequestTerminationCode termination)
{
    request_on_end(context, connection, slot, (int)termination);
}

/* Queries and paths are decoded by query.c, after they were taken apart. */
static size_t keep_escapes(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    return strlen(text);
}

static void on_message(void *context, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

/* Its messages may quote what a client sent. */
static void on_message(void *context, const char *format, va_list arguments)
{
    char text[256];

    (void)context;
    (void)vsnprintf(text, sizeof text, format, arguments); /* cut is fine */
    for (char *at = text; *at != '\0'; at++)
        if (*at < ' ' || *at > '~')
            *at = ' ';
    log_debug("http.message", "text=\"%s\"", text);
}

/* ---- start ------------------------------------------------------------------------------- */

/* As many descriptors as the system lets us have without asking. */
static void raise_descriptors(uint32_t connections)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    if (limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0)
            return;
    }
    if (limit.rlim_cur < (rlim_t)connections + 256)
        log_warn("http.descriptors", "limit=%llu connections=%u",
                 (unsigned long long)limit.rlim_cur, connections);
}

static int listen_at(const struct addrinfo *address)
{
    const int on = 1;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int problem = errno;
    (void)close(fd); /* nothing was written to it */
    errno = problem;
    return -1;
}

static bool listen_open(const struct config *config, int *fd, uint16_t *port, struct err *err)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
                              .ai_flags = AI_PASSIVE | AI_NUMERICSERV },
                    *found;
    char service[8], bound[NI_MAXSERV];
    struct sockaddr_storage name;
    socklen_t size = sizeof name;

    (void)snprintf(service, sizeof service, "%u", config->port);
    int problem = getaddrinfo(config->host, service, &hints, &found);
    if (problem != 0)
        return err_set(err, ERR_SYSTEM, "cannot listen on %s: %s", config->host,
                       gai_strerror(problem));
    *fd = listen_at(found);
    problem = errno;
    freeaddrinfo(found);
    if (*fd < 0)
        return err_set(err, ERR_SYSTEM, "cannot listen on %s:%u: %s", config->host,
                       config->port, strerror(problem));
    if (getsockname(*fd, (struct sockaddr *)&name, &size) != 0 ||
        getnameinfo((struct sockaddr *)&name, size, NULL, 0, bound, sizeof bound,
                    NI_NUMERICSERV) != 0) {
        (void)close(*fd); /* nothing was written to it */
        return err_set(err, ERR_SYSTEM, "cannot tell the port of %s:%u", config->host,
                       config->port);
    }
    *port = (uint16_t)strtoul(bound, NULL, 10);
    return true;
}

static bool daemon_start(struct http *http, int fd, struct err *err)
{
    const struct config *config = http->config;
    int64_t patience_ms = config->idle_time_ms > config->request_time_ms
                              ? config->idle_time_ms
                              : config->request_time_ms;
    struct MHD_OptionItem items[] = {
        { MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)on_message, NULL }, /* must be the first */
        { MHD_OPTION_LISTEN_SOCKET, fd, NULL },
        { MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)request_on_uri, http },
        { MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_end, http },
        { MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, http },
        { MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)keep_escapes, NULL },
        { MHD_OPTION_CONNECTION_LIMIT, config->max_connections + MORE_CONNECTIONS, NULL },
        { MHD_OPTION_PER_IP_CONNECTION_LIMIT, config->max_connections_per_ip, NULL },
        /* A reader that takes nothing for so long is gone; peer.c has the exact times. */
        { MHD_OPTION_CONNECTION_TIMEOUT, patience_ms / 1000 + 2, NULL },
        { MHD_OPTION_CONNECTION_MEMORY_LIMIT, config->max_header_bytes + POOL_EXTRA_BYTES,
          NULL },
        { MHD_OPTION_END, 0, NULL },
    };

    http->daemon =
        MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL,
                         NULL, on_data, http, MHD_OPTION_ARRAY, items, MHD_OPTION_END);
    return http->daemon != NULL ||
           err_set(err, ERR_SYSTEM, "cannot start the HTTP server: %s", strerror(errno));
}

static void worlds_make(struct http *http)
{
    const struct config *config = http->config;

    http->world_count = config->environment_count;
    http->worlds = memory_zeroed(http->world_count, sizeof *http->worlds);
    for (uint32_t i = 0; i < http->world_count; i++) {
        const struct config_environment *environment = &config->environments[i];
        char claims[128];
        (void)snprintf(claims, sizeof claims, "{\"sub\":\"%s\",\"pub\":true}",
                       environment->name);
        http->worlds[i] = (struct world){ .environment = environment,
                                          .key = slice_of(environment->key),
                                          .claims = memory_text(claims) };
    }
}

/* Where callbacks come to when the config names no public origin. */
static char *origin_make(const struct http_options *options, uint16_t port)
{
    char text[300];
    const char *host = options->config->host;
    bool is_any = strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;

    if (options->origin != NULL)
        return memory_text(options->origin);
    (void)snprintf(text, sizeof text,
                   strchr(host, ':') != NULL && !is_any ? "http://[%s]:%u" : "http://%s:%u",
                   is_any ? "127.0.0.1" : host, port);
    return memory_text(text);
}

static void handles_open(struct http *http)
{
    uv_loop_t *loop = http->options.loop;

    http->handles = HANDLES;
    uv_timer_init(loop, &http->again);
    uv_timer_init(loop, &http->last_call);
    uv_check_init(loop, &http->check);
    peers_init(&http->peers, loop);
    longpolls_init(&http->longpolls, loop);
    uv_unref((uv_handle_t *)&http->again);
    uv_unref((uv_handle_t *)&http->check);
}

/* The server without its socket. */
static struct http *http_make(const struct http_options *options, uint16_t port)
{
    const struct config *config = options->config;
    struct http *http = memory_zeroed(1, sizeof *http);

    http->options = *options;
    http->config = config;
    http->origin = origin_make(options, port);
    list_init(&http->requests);
    list_init(&http->spare);
    list_init(&http->scrapes);
    http->peers = (struct peers){ .idle_ms = config->idle_time_ms,
                                  .receive_ms = config->request_time_ms,
                                  .max = config->max_connections };
    jobs_init(&http->jobs, options->store);
    tally_init(&http->tally, route_count());
    worlds_make(http);
    return http;
}

static void http_free(struct http *http)
{
    request_free_spare(http);
    jobs_finish(&http->jobs);
    tally_finish(&http->tally);
    arena_finish(&http->scratch);
    for (uint32_t i = 0; i < http->world_count; i++)
        free(http->worlds[i].claims);
    free(http->worlds);
    free(http->origin);
    free(http);
}

bool http_create(const struct http_options *options, struct http **out, uint16_t *port,
                 struct err *err)
{
    int fd = -1;

    raise_descriptors(options->config->max_connections);
    if (!listen_open(options->config, &fd, port, err))
        return false;
    struct http *http = http_make(options, *port);
    if (!daemon_start(http, fd, err)) {
        (void)close(fd); /* nothing was written to it */
        http_free(http);
        return false;
    }
    handles_open(http);
    uv_poll_init(options->loop, &http->poll,
                 MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd);
    uv_poll_start(&http->poll, UV_READABLE, on_readable);
    uv_check_start(&http->check, on_check);
    server_run(http); /* puts its socket into its epoll set */
    *out = http;
    return true;
}

const char *http_origin(const struct http *http)
{
    return http->origin;
}

void http_catalog(struct http *http, const struct catalog *catalog)
{
    http->catalog = catalog;
}

void http_event(struct http *http, const struct event *event)
{
    if (event->status == RUN_DONE)
        fresh_remove(&http->fresh, event->run_id);
    longpolls_fire(&http->longpolls, event->run_id, event->status);
}

/* ---- stop -------------------------------------------------------------------------------- */

static bool is_settled(const struct http *http)
{
    return http->request_count == 0 ||
           (http->is_late && http->jobs.running == 0 && http->jobs.waiting_count == 0);
}

static void on_last_call(uv_timer_t *timer)
{
    struct http *http = container_of(timer, struct http, last_call);
    void (*stopped)(void *context) = http->stopped;

    if (!is_settled(http)) {
        http->is_late = true;
        peers_close_receiving(&http->peers);
    }
    if (!is_settled(http) || stopped == NULL)
        return;
    http->stopped = NULL;
    stopped(http->stopped_context);
}

void server_settle(struct http *http)
{
    if (!http->is_stopping)
        return;
    peers_close_idle(&http->peers);
    if (http->stopped != NULL && is_settled(http))
        uv_timer_start(&http->last_call, on_last_call, 0, 0);
}

void http_stop(struct http *http, void (*done)(void *context), void *context)
{
    assert(!http->is_stopping);
    http->is_stopping = true;
    http->stopped = done;
    http->stopped_context = context;
    (void)close(MHD_quiesce_daemon(http->daemon)); /* a listening socket has nothing to lose */
    longpolls_expire(&http->longpolls);
    uv_timer_start(&http->last_call, on_last_call, LAST_CALL_MS, 0);
    server_settle(http);
}

static void on_closed(uv_handle_t *handle)
{
    struct http *http = handle->data;

    if (--http->handles == 0)
        http_free(http);
}

static void handle_close(struct http *http, uv_handle_t *handle)
{
    handle->data = http;
    uv_close(handle, on_closed);
}

void http_destroy(struct http *http)
{
    if (http == NULL)
        return;
    LIST_EACH(&http->requests, node, after)
    {
        struct request *request = container_of(node, struct request, node);
        if (request->phase == REQUEST_WORKING)
            reply_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, SLICE("The server is stopping"));
    }
    server_run(http); /* the last replies */
    handle_close(http, (uv_handle_t *)&http->poll);
    MHD_stop_daemon(http->daemon);
    handle_close(http, (uv_handle_t *)&http->again);
    handle_close(http, (uv_handle_t *)&http->check);
    handle_close(http, (uv_handle_t *)&http->last_call);
    handle_close(http, (uv_handle_t *)&http->peers.timer);
    handle_close(http, (uv_handle_t *)&http->longpolls.timer);
}
