#include "cli/bench/bench_server.h"

#include "base/clock.h"
#include "base/self.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_TIME_MS = 60000, PATH_BYTES = 512, DEPTH_MOST = 8 };

static bool write_text(const struct bench_server *server, const char *name, const char *text,
                       struct err *err)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", server->dir, name);
    FILE *file = fopen(path, "we");

    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0)
        return err_set(err, ERR_SYSTEM, "cannot write %s: %s", path, strerror(errno));
    return true;
}

static const char schema[] =
    "input:\n  type: object\n  required: [order, note]\n  properties:\n"
    "    order: { type: integer, minimum: 0 }\n    note: { type: string, maxLength: 400 }\n"
    "    reply: { type: string }\n  additionalProperties: false\n";

/* Defaults everywhere: what is measured is what people get. Only the queues' limit is lifted,
 * because it is there to hold runs back. */
bool bench_server_prepare(struct bench_server *server, const char *parent, struct err *err)
{
    char path[PATH_BYTES];
    int size = snprintf(server->dir, sizeof server->dir, "%s/bide-bench-XXXXXX", parent);

    server->pid = 0;
    if (size < 0 || (size_t)size >= sizeof server->dir || mkdtemp(server->dir) == NULL) {
        server->dir[0] = '\0';
        return err_set(err, ERR_SYSTEM, "cannot make a directory in %s: %s", parent,
                       strerror(errno));
    }
    snprintf(path, sizeof path, "%s/schemas", server->dir);
    if (mkdir(path, 0700) != 0)
        return err_set(err, ERR_SYSTEM, "cannot make %s: %s", path, strerror(errno));
    return write_text(server, "bide.yaml",
                      "environments:\n  dev: {}\nlog:\n  level: warn\nqueues: queues.yaml\n",
                      err) &&
           write_text(server, "queues.yaml", "concurrency: 10000\n", err) &&
           write_text(server, "schemas/bench-echo.yaml", schema, err) &&
           write_text(server, "schemas/bench-wait.yaml", schema, err);
}

/* In the child: become the server, and die with us. */
static void become_server(const struct bench_server *server, const char *program,
                          const char *plugins, int output)
{
    char config[PATH_BYTES], data[PATH_BYTES], schemas[PATH_BYTES], log[PATH_BYTES];

    snprintf(config, sizeof config, "%s/bide.yaml", server->dir);
    snprintf(data, sizeof data, "%s/data", server->dir);
    snprintf(schemas, sizeof schemas, "%s/schemas", server->dir);
    snprintf(log, sizeof log, "%s/log", server->dir);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    dup2(output, STDOUT_FILENO);
    dup2(file, STDERR_FILENO);
    execl(program, "bide", "serve", "-c", config, "--listen", "127.0.0.1:0", "--data", data,
          "--schemas", schemas, "--plugins", plugins, (char *)NULL);
    _exit(127);
}

/* "listening on http://127.0.0.1:41234" */
static bool parse_listening(struct bench_server *server, const char *text)
{
    const char *start = strstr(text, "listening on http://");
    unsigned port;

    if (start == NULL || strchr(start, '\n') == NULL ||
        sscanf(start, "listening on http://%255[^:/]:%u", server->host, &port) != 2)
        return false;
    server->port = (uint16_t)port;
    return true;
}

static bool wait_for_listening(struct bench_server *server, struct err *err)
{
    char text[1024];
    size_t size = 0;
    uint64_t until_ns = clock_monotonic_ns() + (uint64_t)START_TIME_MS * 1000000;

    while (size < sizeof text - 1) {
        struct pollfd poll_fd = { .fd = server->output, .events = POLLIN };
        uint64_t now_ns = clock_monotonic_ns();
        int left_ms = now_ns < until_ns ? (int)((until_ns - now_ns) / 1000000) : 0;
        if (poll(&poll_fd, 1, left_ms) <= 0)
            break;
        ssize_t got = read(server->output, text + size, sizeof text - 1 - size);
        if (got <= 0)
            break;
        size += (size_t)got;
        text[size] = '\0';
        if (parse_listening(server, text))
            return true;
    }
    return err_set(err, ERR_SYSTEM, "the server did not start; see %s/log", server->dir);
}

static bool read_key(struct bench_server *server, struct err *err)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/data/keys/dev", server->dir);
    FILE *file = fopen(path, "re");
    bool done = file != NULL && fscanf(file, "%127s", server->key) == 1;

    if (file != NULL)
        fclose(file);
    return done || err_set(err, ERR_SYSTEM, "cannot read the server's key in %s", path);
}

bool bench_server_start(struct bench_server *server, const char *program, const char *plugins,
                        struct err *err)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_set(err, ERR_SYSTEM, "pipe: %s", strerror(errno));
    server->pid = fork();
    if (server->pid == 0)
        become_server(server, program, plugins, ends[1]);
    close(ends[1]);
    server->output = ends[0];
    if (server->pid < 0) {
        server->pid = 0;
        close(server->output);
        return err_set(err, ERR_SYSTEM, "fork: %s", strerror(errno));
    }
    return wait_for_listening(server, err) && read_key(server, err);
}

/* Its end of the pipe closes when it is gone, however it goes. */
bool bench_server_stop(struct bench_server *server, struct err *err)
{
    struct pollfd poll_fd = { .fd = server->output };
    int status;

    (void)kill(server->pid, SIGTERM); /* it may have died by itself */
    if (poll(&poll_fd, 1, START_TIME_MS) != 1) {
        bench_server_kill(server);
        return err_set(err, ERR_SYSTEM, "the server does not stop");
    }
    while (waitpid(server->pid, &status, 0) < 0 && errno == EINTR)
        ;
    close(server->output);
    server->pid = 0;
    return (WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
           err_set(err, ERR_SYSTEM, "the server did not stop cleanly");
}

void bench_server_kill(struct bench_server *server)
{
    if (server->pid == 0)
        return;
    (void)kill(server->pid, SIGKILL); /* it may have died by itself */
    while (waitpid(server->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    close(server->output);
    server->pid = 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)type, (void)walk;
    (void)remove(path); /* what stays is a few files in a temporary directory */
    return 0;
}

void bench_server_remove(struct bench_server *server)
{
    bench_server_kill(server);
    if (server->dir[0] != '\0')
        (void)nftw(server->dir, remove_one, DEPTH_MOST, FTW_DEPTH | FTW_PHYS);
    server->dir[0] = '\0';
}

/* ---- usage ------------------------------------------------------------------------------- */

/* "<name>: <number>" in a file of /proc, in the unit it has there; 0 when it is not there. */
static int64_t proc_number(pid_t pid, const char *file, const char *name)
{
    char path[64], line[256];
    long long number = 0;
    size_t size = strlen(name);

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    FILE *in = fopen(path, "re");
    while (in != NULL && fgets(line, sizeof line, in) != NULL)
        if (strncmp(line, name, size) == 0 && line[size] == ':')
            number = strtoll(line + size + 1, NULL, 10);
    if (in != NULL)
        fclose(in);
    return number;
}

static int64_t proc_cpu_ms(pid_t pid)
{
    char path[64], text[1024];
    unsigned long long user = 0, kernel = 0;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *in = fopen(path, "re");
    if (in == NULL)
        return 0;
    size_t size = fread(text, 1, sizeof text - 1, in);
    fclose(in);
    text[size] = '\0';
    const char *after = strrchr(text, ')'); /* a name may hold anything */
    if (after == NULL ||
        sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user,
               &kernel) != 2)
        return 0;
    return (int64_t)(user + kernel) * 1000 / sysconf(_SC_CLK_TCK);
}

/* Children, and theirs. */
static void add_children(pid_t pid, struct bench_usage *usage, int depth)
{
    char path[64];
    int child;

    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    FILE *in = depth < DEPTH_MOST ? fopen(path, "re") : NULL;
    while (in != NULL && fscanf(in, "%d", &child) == 1) {
        usage->workers_bytes += proc_number(child, "smaps_rollup", "Pss") * 1024;
        usage->cpu_ms += proc_cpu_ms(child);
        add_children(child, usage, depth + 1);
    }
    if (in != NULL)
        fclose(in);
}

static int64_t disk_bytes(const char *data)
{
    int64_t bytes = 0;
    struct stat status;
    DIR *directory = opendir(data);

    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;)
        if (fstatat(dirfd(directory), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(status.st_mode))
            bytes += status.st_size;
    if (directory != NULL)
        closedir(directory);
    return bytes;
}

void bench_server_usage(const struct bench_server *server, struct bench_usage *usage)
{
    char data[PATH_BYTES];

    snprintf(data, sizeof data, "%s/data", server->dir);
    *usage = (struct bench_usage){
        .server_bytes = proc_number(server->pid, "status", "VmRSS") * 1024,
        .disk_bytes = disk_bytes(data),
        .server_cpu_ms = proc_cpu_ms(server->pid),
    };
    usage->cpu_ms = usage->server_cpu_ms;
    add_children(server->pid, usage, 0);
}

/* ---- places ------------------------------------------------------------------------------ */

const char *bench_plugins_find(struct arena *arena)
{
    static const char *const places[] = { "bench/bench.so", "../../lib/bide/bench/bench.so",
                                          NULL };
    const char *file = self_find(arena, places);

    return file == NULL
               ? NULL
               : arena_text(arena, (struct slice){ file, strlen(file) - strlen("/bench.so") });
}

const char *bench_disk_name(const char *path)
{
    static const struct {
        uint32_t magic;
        const char *name;
    } known[] = {
        { 0xEF53, "ext4" },      { 0x01021994, "tmpfs" },   { 0x58465342, "xfs" },
        { 0x9123683E, "btrfs" }, { 0x794C7630, "overlay" }, { 0x2FC12FC1, "zfs" },
        { 0x6969, "nfs" },
    };
    struct statfs about;

    if (statfs(path, &about) != 0)
        return "unknown";
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if ((uint32_t)about.f_type == known[i].magic)
            return known[i].name;
    return "other";
}
