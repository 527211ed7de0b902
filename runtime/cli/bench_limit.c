/*
 * Limits: what bare parts do here with the same work. Bare libmicrohttpd runs in a process of
 * its own, as the server does, driven by the same generator with the same requests: it reads
 * them whole and answers with as many bytes as the server would. Bare SQLite is
 * store/sqlite/limit.c.
 */
#include "cli/bench.h"
#include "cli/member.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const char answer[] = "{\"id\":\"run_01hq3k7v9x2aa\",\"isCached\":false}";

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *url, const char *method, const char *version,
                                  const char *bytes, size_t *size, void **state)
{
    static char seen;
    (void)context, (void)url, (void)method, (void)version, (void)bytes;

    if (*state == NULL) {
        *state = &seen;
        return MHD_YES;
    }
    if (*size > 0) {
        *size = 0;
        return MHD_YES;
    }
    struct MHD_Response *response = MHD_create_response_from_buffer(
        sizeof answer - 1, (void *)(uintptr_t)answer, MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(response, "Content-Type", "application/json");
    enum MHD_Result queued = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return queued;
}

/* In the child: say the port, then serve until killed. */
static _Noreturn void serve_bare(int output, unsigned connections)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, on_request, NULL, MHD_OPTION_SOCK_ADDR,
        &address, MHD_OPTION_CONNECTION_LIMIT, connections + 8, MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        daemon != NULL ? MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT) : NULL;
    uint16_t port = info != NULL ? info->port : 0;

    if (write(output, &port, sizeof port) != sizeof port || port == 0)
        _exit(1);
    for (;;)
        pause();
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
        serve_bare(ends[1], connections);
    close(ends[1]);
    bool done = pid > 0 && read(ends[0], &port, sizeof port) == sizeof port && port != 0;
    close(ends[0]);
    if (!done)
        err_set(err, ERR_SYSTEM, "bare libmicrohttpd does not start");
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
        !store_sqlite_limit(bench->dir, kind, per_commit, time_ms, &rows, err))
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
        !store_sqlite_limit(bench->dir, kind, 1, time_ms, &rows, err))
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
