/*
 * The server: what is there once. connection.c has the connections, wire.c what goes over them.
 *
 *   readable ─▶ wire_read ─▶ a route's function ─▶ pump or reader
 *   commit or reader ─▶ reply_send ─▶ (end of this turn of the loop) wire_flush ─▶ bytes out
 */
#include "server.h"

#include "base/id.h"
#include "base/log.h"
#include "base/memory.h"
#include "http/server/reply.h"
#include "http/server/wire.h"

#include <assert.h>
#include <errno.h>
#include <malloc.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BACKLOG = 1024,
    LAST_CALL_MS = 5000,
    TIDY_MS = 1000,
    TIDY_BYTES = 4 << 20, /* less is no burden */
    HANDLES = 7,
};

/* ---- the loop ---------------------------------------------------------------------------- */

static void on_before(uv_prepare_t *before)
{
    wire_flush(container_of(before, struct http, before));
}

static void on_after(uv_check_t *after)
{
    wire_flush(container_of(after, struct http, after));
}

/* malloc keeps what was freed, in each thread's heap, however much it was. */
static void on_tidy(uv_timer_t *tidy)
{
    struct http *http = container_of(tidy, struct http, tidy);

    http->freed_bytes = 0;
    (void)malloc_trim(0); /* 1: there was something to give back */
}

void server_freed(struct http *http, size_t bytes)
{
    http->freed_bytes += bytes;
    if (http->freed_bytes > TIDY_BYTES && !http->is_stopping &&
        uv_is_active((uv_handle_t *)&http->tidy) == 0)
        uv_timer_start(&http->tidy, on_tidy, TIDY_MS, 0);
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
    uv_timer_init(loop, &http->last_call);
    uv_timer_init(loop, &http->tidy);
    uv_unref((uv_handle_t *)&http->tidy);
    uv_prepare_init(loop, &http->before);
    uv_check_init(loop, &http->after);
    long_polls_init(&http->long_polls, loop);
    uv_prepare_start(&http->before, on_before);
    uv_check_start(&http->after, on_after);
    uv_unref((uv_handle_t *)&http->before);
    uv_unref((uv_handle_t *)&http->after);
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
    list_init(&http->answered);
    list_init(&http->spare);
    list_init(&http->scrapes);
    http->connections = (struct connections){ .idle_ms = config->idle_time_ms,
                                              .receive_ms = config->request_time_ms,
                                              .send_ms = config->reply_time_ms,
                                              .rate = config->reply_rate,
                                              .max = config->max_connections,
                                              .max_per_ip = config->max_connections_per_ip };
    read_pool_init(&http->read_pool, options->store);
    request_counts_init(&http->request_counts, route_count());
    worlds_make(http);
    return http;
}

static void http_free(struct http *http)
{
    request_free_spare(http);
    connections_finish(&http->connections);
    buffer_finish(&http->out);
    read_pool_finish(&http->read_pool);
    request_counts_finish(&http->request_counts);
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
    handles_open(http);
    if (!connections_open(&http->connections, options->loop, fd)) {
        http_destroy(http);
        return err_set(err, ERR_SYSTEM, "cannot listen on %s:%u", options->config->host,
                       options->config->port);
    }
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
        recent_runs_remove(&http->recent_runs, event->run_id);
    long_polls_fire(&http->long_polls, event->run_id, event->status);
}

void http_settled(struct http *http)
{
    long_polls_fire(&http->long_polls, LONG_POLL_SETTLED, 0);
}

void server_opened(struct http *http)
{
    http->handles++;
}

void server_closed(struct http *http)
{
    if (--http->handles == 0)
        http_free(http);
}

static void on_closed(uv_handle_t *handle)
{
    server_closed(handle->data);
}

static void handle_close(struct http *http, uv_handle_t *handle)
{
    if (uv_is_closing(handle) != 0)
        return;
    handle->data = http;
    uv_close(handle, on_closed);
}

/* ---- stop -------------------------------------------------------------------------------- */

static bool is_settled(const struct http *http)
{
    return http->request_count == 0 || (http->is_late && http->read_pool.running == 0 &&
                                        http->read_pool.waiting_count == 0);
}

static void on_last_call(uv_timer_t *timer)
{
    struct http *http = container_of(timer, struct http, last_call);
    void (*stopped)(void *context) = http->stopped;

    if (!is_settled(http)) {
        http->is_late = true;
        connections_close_receiving(&http->connections);
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
    connections_close_idle(&http->connections);
    if (http->stopped != NULL && is_settled(http))
        uv_timer_start(&http->last_call, on_last_call, 0, 0);
}

void http_stop(struct http *http, void (*done)(void *context), void *context)
{
    assert(!http->is_stopping);
    http->is_stopping = true;
    http->stopped = done;
    http->stopped_context = context;
    handle_close(http, (uv_handle_t *)&http->connections.listener);
    long_polls_expire(&http->long_polls);
    uv_timer_start(&http->last_call, on_last_call, LAST_CALL_MS, 0);
    server_settle(http);
}

void http_destroy(struct http *http)
{
    if (http == NULL)
        return;
    LIST_EACH(&http->requests, node, after)
    {
        struct request *request = container_of(node, struct request, node);
        if (request->phase == REQUEST_WORKING)
            reply_error(request, HTTP_SERVICE_UNAVAILABLE, SLICE("The server is stopping"));
    }
    wire_flush(http); /* the last replies */
    connections_close_all(&http->connections);
    handle_close(http, (uv_handle_t *)&http->connections.listener);
    handle_close(http, (uv_handle_t *)&http->before);
    handle_close(http, (uv_handle_t *)&http->after);
    handle_close(http, (uv_handle_t *)&http->last_call);
    handle_close(http, (uv_handle_t *)&http->tidy);
    handle_close(http, (uv_handle_t *)&http->connections.timer);
    handle_close(http, (uv_handle_t *)&http->long_polls.timer);
}
