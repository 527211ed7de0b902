/*
 * Limits: what bare parts do here with the same work. Bare libuv and llhttp run in a process of
 * their own, as the server does, driven by the same generator with the same requests: they read
 * them whole and answer with as many bytes as the server would. Bare SQLite is
 * bench_sqlite.c.
 */
#include "cli/bench/bench.h"
#include "cli/client/member.h"

#include <arpa/inet.h>
#include <errno.h>
#include <llhttp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

static const char answer[] = "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                             "Content-Type: application/json\r\nContent-Length: 43\r\n\r\n"
                             "{\"id\":\"run_01hq3k7v9x2aa\",\"isCached\":false}";

struct bare {
    uv_tcp_t tcp;
    llhttp_t parser;
    unsigned due; /* answers */
};

static int on_whole(llhttp_t *parser)
{
    struct bare *bare = parser->data;

    bare->due++;
    return 0;
}

static void on_room(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
    static char room[65536];

    (void)handle, (void)size;
    *buffer = uv_buf_init(room, sizeof room);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct bare *bare = stream->data;

    if (size < 0 || llhttp_execute(&bare->parser, buffer->base, (size_t)size) != HPE_OK)
        uv_read_stop(stream); /* the process ends soon */
    for (; bare->due > 0; bare->due--) {
        uv_buf_t bytes = uv_buf_init((char *)(uintptr_t)answer, sizeof answer - 1);
        (void)uv_try_write(stream, &bytes, 1); /* so little always fits */
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    static llhttp_settings_t settings = { .on_message_complete = on_whole };
    struct bare *bare = calloc(1, sizeof *bare);

    if (status != 0 || bare == NULL)
        _exit(1);
    llhttp_init(&bare->parser, HTTP_REQUEST, &settings);
    bare->parser.data = bare->tcp.data = bare;
    (void)uv_tcp_init(listener->loop, &bare->tcp);
    if (uv_accept(listener, (uv_stream_t *)&bare->tcp) == 0)
        (void)uv_read_start((uv_stream_t *)&bare->tcp, on_room, on_read);
}

/* In the child: say the port, then serve until killed. */
static _Noreturn void serve_bare(int output)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int size = sizeof address;
    uv_loop_t loop;
    uv_tcp_t listener;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (uv_loop_init(&loop) != 0 || uv_tcp_init(&loop, &listener) != 0 ||
        uv_tcp_bind(&listener, (struct sockaddr *)&address, 0) != 0 ||
        uv_listen((uv_stream_t *)&listener, 1024, on_connection) != 0 ||
        uv_tcp_getsockname(&listener, (struct sockaddr *)&address, &size) != 0)
        _exit(1);
    uint16_t port = ntohs(address.sin_port);
    if (write(output, &port, sizeof port) != sizeof port)
        _exit(1);
    uv_run(&loop, UV_RUN_DEFAULT);
    _exit(1);
}

bool limit_http(struct bench *bench, struct slice request, uint32_t connections, double *rate,
                double *p50_ms, struct err *err)
{
    int ends[2];
    uint16_t port = 0;
    struct flow flow = { 0 };

    if (pipe(ends) != 0)
        return err_set(err, ERR_SYSTEM, "pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid == 0)
        serve_bare(ends[1]);
    close(ends[1]);
    bool done = pid > 0 && read(ends[0], &port, sizeof port) == sizeof port && port != 0;
    close(ends[0]);
    if (!done)
        err_set(err, ERR_SYSTEM, "bare libuv does not start");
    if (done)
        done = flow_run(&flow, "127.0.0.1", port, request, connections, bench->duration_ms / 2,
                        0, rate, err);
    *p50_ms = samples_percentile(&flow.times, 50);
    flow_finish(&flow);
    if (pid > 0) {
        (void)kill(pid, SIGKILL); /* ours, and nothing else ends it */
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    return done;
}

bool limits_put(struct bench *bench, enum sqlite_limit kind, struct slice request,
                double requests, struct value *result, struct err *err)
{
    struct value limits = value_map();
    uint32_t per_commit = bench->per_commit > 1 ? (uint32_t)(bench->per_commit + 0.5) : 1;
    uint32_t time_ms = (uint32_t)(bench->duration_ms / 2);
    double http = 0, rows = 0, p50_ms;

    if (!limit_http(bench, request, bench->connections, &http, &p50_ms, err) ||
        !bench_sqlite_limit(bench->dir, kind, per_commit, time_ms, &rows, err))
        return false;
    http /= requests;
    bench_put(bench, &limits, "http", http);
    bench_put(bench, &limits, "sqlite", rows);
    value_put(bench->arena, result, "limits", limits);
    double least = http < rows ? http : rows;
    bench_put(bench, result, "limit", least);
    if (least > 0)
        bench_put(bench, result, "ratio", member_number(result, "value") / least);
    return true;
}

bool limits_put_times(struct bench *bench, enum sqlite_limit kind, struct slice request,
                      double requests, double share, struct value *result, struct err *err)
{
    struct value limits = value_map();
    uint32_t time_ms = (uint32_t)(bench->duration_ms / 2);
    double rate, http_ms = 0, rows = 1;

    if (!limit_http(bench, request, 1, &rate, &http_ms, err) ||
        !bench_sqlite_limit(bench->dir, kind, 1, time_ms, &rows, err))
        return false;
    http_ms *= requests;
    double rows_ms = share * 1000 / rows;
    bench_put(bench, &limits, "http", http_ms);
    bench_put(bench, &limits, "sqlite", rows_ms);
    value_put(bench->arena, result, "limits", limits);
    bench_put(bench, result, "limit", http_ms + rows_ms);
    bench_put(bench, result, "ratio", member_number(result, "value") / (http_ms + rows_ms));
    return true;
}
