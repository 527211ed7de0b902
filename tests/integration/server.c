#include "server.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_MS = 60000, SETTLE_MS = 20000 };

static void die(struct server *server, const char *what) __attribute__((noreturn));

static void die(struct server *server, const char *what)
{
    const char *log = file_read(server_path(server, "log"));
    size_t size = log != NULL ? strlen(log) : 0;
    give_up("%s\nthe server's log ends:\n%s", what,
            log == NULL   ? "(none)"
            : size > 4000 ? log + size - 4000
                          : log);
}

const char *server_path(struct server *server, const char *path)
{
    return text("%s/%s", server->dir, path);
}

/* Everything of a stream, however long: /proc does not say. */
static const char *stream_read(FILE *stream)
{
    char *bytes = calloc(1, 1), block[4096];
    size_t size = 0, got;
    while ((got = fread(block, 1, sizeof block, stream)) > 0) {
        bytes = realloc(bytes, size + got + 1);
        memcpy(bytes + size, block, got);
        size += got;
        bytes[size] = 0;
    }
    const char *out = text("%s", bytes);
    free(bytes);
    return out;
}

const char *file_read(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    const char *out = stream_read(file);
    fclose(file);
    return out;
}

static void file_write(const char *path, const char *content)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL || fputs(content, file) < 0 || fclose(file) != 0)
        give_up("cannot write %s: %s", path, strerror(errno));
}

static void file_copy(const char *from, const char *to)
{
    int status;
    /* A rename, so that nobody sees half of it. */
    const char *said =
        command_run(&status, "cp '%s' '%s.part' && mv '%s.part' '%s'", from, to, to, to);
    if (status != 0)
        give_up("cannot copy %s: %s", from, said);
}

const char *command_run(int *status, const char *format, ...)
{
    char command[4000];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);

    FILE *pipe = popen(text("{ %s\n} 2>&1 </dev/null", command), "r");
    if (pipe == NULL)
        give_up("cannot run %s", command);
    const char *said = stream_read(pipe);
    int code = pclose(pipe);
    *status = WIFEXITED(code) ? WEXITSTATUS(code) : 128 + WTERMSIG(code);
    return said;
}

static int reap(struct server *server)
{
    int status = 0;
    while (waitpid(server->pid, &status, 0) < 0 && errno == EINTR)
        ;
    server->pid = 0;
    close(server->out);
    server->out = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void server_init(struct server *server)
{
    memset(server, 0, sizeof *server);
    strcpy(server->dir, "/tmp/bide-test-XXXXXX");
    if (mkdtemp(server->dir) == NULL)
        give_up("no temporary directory: %s", strerror(errno));
    setenv("XDG_STATE_HOME", server_path(server, "state"), 1); /* no notes in our own */
    mkdir(server_path(server, "config"), 0700);
    mkdir(server_path(server, "plugins"), 0700);
    mkdir(server_path(server, "schemas"), 0700);
    server->out = -1;
}

void server_destroy(struct server *server)
{
    int status;
    if (server->pid != 0) {
        kill(server->pid, SIGKILL);
        (void)reap(server);
    }
    command_run(&status, "rm -rf '%s'", server->dir);
}

void server_write(struct server *server, const char *path, const char *content)
{
    file_write(server_path(server, path), content);
}

void server_add_plugin(struct server *server, const char *name)
{
    const char *from = text(BINARY_DIR "/plugins/%s.so", name);
    if (access(from, R_OK) != 0)
        from = text(BINARY_DIR "/tests/plugins/%s.so", name);
    file_copy(from, server_path(server, text("plugins/%s.so", name)));
}

void server_add_schema(struct server *server, const char *name)
{
    file_copy(text(SOURCE_DIR "/schemas/%s.yaml", name),
              server_path(server, text("schemas/%s.yaml", name)));
}

/* Two environments with keys that the server makes up; one slot more than the machine has
 * cores. */
#define CONFIG        \
    "environments:\n" \
    "  dev: {}\n"     \
    "  prod: {}\n"

/* In the child, between fork and exec: other threads may hold locks, so no allocation here. */
static void become_server(char **arguments, uid_t uid, int out, int log)
{
    int in = open("/dev/null", O_RDONLY);

    /* A test that crashes must not leave servers behind. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(in, 0);
    dup2(out, 1);
    dup2(log, 2);
    for (int fd = 3; fd < 256; fd++)
        close(fd);
    if (uid == 0 || (setgroups(0, NULL) == 0 && setgid(uid) == 0 && setuid(uid) == 0))
        execv(arguments[0], arguments);
    _exit(127);
}

void server_spawn(struct server *server)
{
    const char *config = server_path(server, "config/bide.yaml");
    const char *arguments[] = { BINARY_DIR "/bide",
                                "serve",
                                "-c",
                                config,
                                "--listen",
                                text("127.0.0.1:%d", server->port),
                                "--data",
                                server->data != NULL ? server->data
                                                     : server_path(server, "data"),
                                "--plugins",
                                server_path(server, "plugins"),
                                "--schemas",
                                server_path(server, "schemas"),
                                server->flag,
                                NULL };
    int ends[2],
        log = open(server_path(server, "log"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (access(config, F_OK) != 0)
        server_write(
            server, "config/bide.yaml",
            text("%s%s", CONFIG, server->config_more != NULL ? server->config_more : ""));
    if (log < 0 || pipe2(ends, O_CLOEXEC) != 0)
        give_up("pipe: %s", strerror(errno));
    server->pid = fork();
    if (server->pid == 0)
        become_server((char **)arguments, server->uid, ends[1], log);
    close(log);
    close(ends[1]);
    server->out = ends[0];
}

/* Everything it prints until `words` come, it ends or time is up. */
static const char *read_until(struct server *server, const char *words, int limit_ms)
{
    char said[8192] = "";
    size_t size = 0;
    long long deadline = now_ms() + limit_ms;
    for (;;) {
        struct pollfd ready = { .fd = server->out, .events = POLLIN };
        long long left = deadline - now_ms();
        if (left <= 0 || poll(&ready, 1, (int)left) < 0)
            break;
        ssize_t got = read(server->out, said + size, sizeof said - 1 - size);
        if (got <= 0)
            break;
        size += (size_t)got;
        said[size] = 0;
        const char *found = words != NULL ? strstr(said, words) : NULL;
        if (found != NULL && strchr(found, '\n') != NULL)
            break;
    }
    return text("%s", said);
}

/* Clients of other threads read it: what a restart leaves as it was is not written again. */
static void keep(char *field, size_t size, const char *value)
{
    if (strcmp(field, value) != 0)
        snprintf(field, size, "%s", value);
}

void server_start(struct server *server)
{
    server_spawn(server);
    const char *said = read_until(server, "listening on ", START_MS);
    const char *found = strstr(said, "listening on ");
    char url[sizeof server->url];
    if (found == NULL || sscanf(found, "listening on %63s", url) != 1)
        die(server, text("the server did not start; it said: %s", said));
    keep(server->url, sizeof server->url, url);
    server->port = atoi(strrchr(url, ':') + 1);
    keep(server->key, sizeof server->key, server_key(server, "dev"));
}

int server_refuses(struct server *server, const char **said)
{
    server_spawn(server);
    const char *out = read_until(server, NULL, START_MS);
    if (strstr(out, "listening on ") != NULL)
        die(server, "the server started, which it should not have");
    int code = reap(server);
    const char *log = file_read(server_path(server, "log"));
    *said = text("%s%s", out, log != NULL ? log : "");
    return code;
}

int server_stop(struct server *server)
{
    kill(server->pid, SIGTERM);
    return reap(server);
}

void server_kill(struct server *server)
{
    kill(server->pid, SIGKILL);
    int status = reap(server);
    if (status != 128 + SIGKILL)
        die(server, text("the server was dead already, with status %d", status));
}

const char *server_key(struct server *server, const char *environment)
{
    const char *data = server->data != NULL ? server->data : server_path(server, "data");
    const char *key = file_read(text("%s/keys/%s", data, environment));
    if (key == NULL)
        die(server, text("no key of environment %s", environment));
    return text("%.*s", (int)strcspn(key, "\n"), key);
}

const struct reply *server_call_as(struct server *server, const char *key, const char *method,
                                   const char *path, const char *body)
{
    struct request request = { .method = method, .key = key, .body = body };
    request.url = path[0] == '/' ? text("%s%s", server->url, path) : path;
    return client_send(&request);
}

const struct reply *server_call(struct server *server, const char *method, const char *path,
                                const char *body)
{
    return server_call_as(server, server->key, method, path, body);
}

const char *run_trigger(struct server *server, const char *task, const char *payload,
                        const char *options)
{
    const char *body = options == NULL
                           ? text("{\"payload\": %s}", payload)
                           : text("{\"payload\": %s, \"options\": %s}", payload, options);
    const struct reply *reply =
        server_call(server, "POST", text("/api/v1/tasks/%s/trigger", task), body);
    const char *run = reply_text(reply, "id");
    if (reply->status != 200 || strncmp(run, "run_", 4) != 0)
        die(server, text("trigger %s: %ld %s", task, reply->status, reply->text));
    return text("%s", run);
}

const struct reply *run_get(struct server *server, const char *run)
{
    const struct reply *reply = server_call(server, "GET", text("/api/v3/runs/%s", run), NULL);
    if (reply->status != 200)
        die(server, text("read %s: %ld %s", run, reply->status, reply->text));
    return reply;
}

const struct reply *run_until(struct server *server, const char *run, const char *status)
{
    long long deadline = now_ms() + SETTLE_MS;
    for (;;) {
        const struct reply *reply = run_get(server, run);
        if (strcmp(reply_text(reply, "status"), status) == 0)
            return reply;
        if (now_ms() > deadline || json_is_true(reply_at(reply, "isCompleted")))
            die(server, text("%s is not %s: %s", run, status, reply->text));
        pause_ms(10);
    }
}

const struct reply *run_end(struct server *server, const char *run)
{
    for (int i = 0; i < 4; i++) {
        const struct reply *reply =
            server_call(server, "GET", text("/api/v3/runs/%s?wait=15s", run), NULL);
        if (json_is_true(reply_at(reply, "isCompleted")))
            return reply;
    }
    die(server, text("%s does not end: %s", run, run_get(server, run)->text));
}

void server_logs(struct server *server, const char *words)
{
    long long deadline = now_ms() + SETTLE_MS;
    for (;;) {
        const char *log = file_read(server_path(server, "log"));
        if (log != NULL && strstr(log, words) != NULL)
            return;
        if (now_ms() > deadline)
            die(server, text("the log never says: %s", words));
        pause_ms(20);
    }
}

long server_rss_kib(struct server *server)
{
    const char *status = file_read(text("/proc/%d/status", (int)server->pid));
    const char *line = status != NULL ? strstr(status, "VmRSS:") : NULL;
    return line != NULL ? atol(line + 6) : 0;
}

static pid_t parent_of(const char *pid)
{
    const char *stat = file_read(text("/proc/%s/stat", pid));
    const char *after_name = stat != NULL ? strrchr(stat, ')') : NULL;
    int parent = 0;
    if (after_name != NULL)
        (void)sscanf(after_name, ") %*c %d", &parent);
    return parent;
}

static bool is_below(pid_t pid, pid_t ancestor)
{
    for (int depth = 0; pid > 1 && depth < 8; depth++) {
        pid = parent_of(text("%d", (int)pid));
        if (pid == ancestor)
            return true;
    }
    return false;
}

size_t server_children(struct server *server, pid_t *pids, size_t most)
{
    DIR *proc = opendir("/proc");
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(proc)) != NULL;) {
        pid_t pid = atoi(entry->d_name);
        if (pid <= 0 || !is_below(pid, server->pid))
            continue;
        if (count < most)
            pids[count] = pid;
        count++;
    }
    closedir(proc);
    return count;
}
