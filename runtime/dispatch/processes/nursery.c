#include "nursery.h"

#include "base/family.h"
#include "base/log.h"
#include "base/memory.h"
#include "dispatch/host.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CONTROL_MAX_BYTES = 8 << 20,
    LEAVE_MS = 2000,
    LINE_MAX_BYTES = 1000,
    LINES_PER_SECOND = 200,
    ARGUMENTS_MAX = 40,
    SOURCES_MAX = 16, /* as the schema of bide.yaml has it */
    NUMBER_TEXT = 24,
    ENVIRONMENT_MAX = 1024,
    PATIENCE_MS = 50, /* with what a killed guard has left: it is killed and ends at once */
};

static void on_process(uv_process_t *process, int64_t status, int signal);
static void on_control(uv_poll_t *poll, int status, int events);
static void on_errors(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer);

static void on_closed(uv_handle_t *handle)
{
    struct nursery *nursery = handle->data;
    struct dispatch *dispatch = nursery->dispatch;

    if (--nursery->handles > 0)
        return;
    buffer_finish(&nursery->in);
    arena_finish(&nursery->arena);
    buffer_finish(&nursery->line);
    outbox_finish(&nursery->outbox);
    free(nursery);
    dispatch_closed(dispatch);
}

static void control_close(struct nursery *nursery)
{
    if (nursery->fd < 0)
        return;
    /* In this order: libuv forgets the number, and only then may another socket get it. */
    uv_close((uv_handle_t *)&nursery->control, on_closed);
    (void)close(nursery->fd);
    nursery->fd = -1;
}

static void handles_close(struct nursery *nursery)
{
    list_remove(&nursery->node);
    control_close(nursery);
    uv_close((uv_handle_t *)&nursery->process, on_closed);
    uv_close((uv_handle_t *)&nursery->errors, on_closed);
}

/* The limits that a slot checks before the engine does: worker.h has their order. */
static void arguments_fill(const struct dispatch *dispatch, char numbers[][NUMBER_TEXT],
                           char *origin, char **sources, char **arguments, uint32_t at)
{
    const struct config *config = dispatch->config;
    const struct config_limits *limits = &config->limits;
    const int64_t wear[] = { config->slot_segments, config->slot_descriptors,
                             (int64_t)config->slot_threads + 1, config->slot_growth_bytes };
    const int64_t values[] = { config->memory_bytes,   limits->state_bytes,
                               limits->output_bytes,   limits->metadata_bytes,
                               limits->payload_bytes,  limits->log_lines,
                               limits->log_line_bytes, limits->waits,
                               limits->calls };

    for (uint32_t i = 0; i < sizeof values / sizeof *values; i++) {
        (void)snprintf(numbers[i], NUMBER_TEXT, "%lld", (long long)values[i]);
        arguments[at++] = numbers[i];
    }
    arguments[at++] = origin;
    for (uint32_t i = 0, k = sizeof values / sizeof *values; i < sizeof wear / sizeof *wear;
         i++, k++) {
        (void)snprintf(numbers[k], NUMBER_TEXT, "%lld", (long long)wear[i]);
        arguments[at++] = numbers[k];
    }
    static char is_served[] = "0";
    arguments[at++] = is_served;
    for (uint32_t i = 0; sources[i] != NULL; i++)
        arguments[at++] = sources[i];
    arguments[at] = NULL;
}

/* Whole paths: the compiler has put such into the plugin. What is not there shows nothing. */
static void sources_find(const struct config *config, char *sources[SOURCES_MAX + 1])
{
    uint32_t count = 0;

    for (uint32_t i = 0; config->sources != NULL && config->sources[i] != NULL; i++) {
        char *whole = realpath(config->sources[i], NULL);
        if (whole != NULL && count < SOURCES_MAX)
            sources[count++] = whole;
        else
            free(whole);
    }
}

static bool is_secret(const struct config *config, const char *variable)
{
    size_t size = strcspn(variable, "=");
    struct slice name = { variable, size };

    for (uint32_t i = 0; i < config->environment_count; i++)
        if (config->environments[i].key_env != NULL &&
            slice_is(name, config->environments[i].key_env))
            return true;
    return slice_is(name, "BIDE_KEY") || slice_is(name, "TRIGGER_SECRET_KEY");
}

/* Ours without the API keys: plugin code runs there. */
static char **environment_make(const struct config *config)
{
    char **variables = memory_zeroed(ENVIRONMENT_MAX + 1, sizeof *variables);
    uint32_t count = 0;

    for (char **variable = environ; *variable != NULL && count < ENVIRONMENT_MAX; variable++)
        if (!is_secret(config, *variable))
            variables[count++] = *variable;
    return variables;
}

static int process_spawn(struct nursery *nursery, const char *path, int control)
{
    struct dispatch *dispatch = nursery->dispatch;
    char word[] = "nursery", numbers[ARGUMENTS_MAX][NUMBER_TEXT];
    const char *known = dispatch->options.origin;
    char *program = memory_text(dispatch->options.program);
    char *origin = memory_text(known != NULL ? known : ""), *plugin = memory_text(path);
    char *arguments[ARGUMENTS_MAX] = { program, word, plugin };
    char **environment = environment_make(dispatch->config);
    char *sources[SOURCES_MAX + 1] = { NULL };

    sources_find(dispatch->config, sources);
    arguments_fill(dispatch, numbers, origin, sources, arguments, 3);
    uv_stdio_container_t stdio[4] = { { .flags = UV_IGNORE },
                                      { .flags = UV_IGNORE },
                                      { .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
                                        .data.stream = (uv_stream_t *)&nursery->errors },
                                      { .flags = UV_INHERIT_FD, .data.fd = control } };
    uv_process_options_t options = { .exit_cb = on_process,
                                     .file = program,
                                     .args = arguments,
                                     .env = environment,
                                     .stdio_count = 4,
                                     .stdio = stdio };
    int result = uv_spawn(dispatch->loop, &nursery->process, &options);
    for (uint32_t i = 0; i < SOURCES_MAX; i++)
        free(sources[i]);
    free(environment);
    free(program);
    free(origin);
    free(plugin);
    return result;
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct nursery *nursery = handle->data;

    (void)suggested;
    *buffer = uv_buf_init(nursery->dispatch->read_bytes, READ_BYTES);
}

struct nursery *nursery_start(struct dispatch *dispatch, const char *path, const char *name,
                              const struct nursery_events *events, void *context,
                              struct err *err)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        err_set(err, ERR_SYSTEM, "cannot make a socket: %s", strerror(errno));
        return NULL;
    }
    struct nursery *nursery = memory_zeroed(1, sizeof *nursery);
    nursery->dispatch = dispatch;
    nursery->on = events;
    nursery->context = context;
    nursery->name = name;
    nursery->fd = ends[0];
    nursery->handles = 3;
    outbox_init(&nursery->outbox);
    dispatch->open++;
    list_push(&dispatch->nurseries, &nursery->node);
    nursery->process.data = nursery->control.data = nursery->errors.data = nursery;
    (void)uv_pipe_init(dispatch->loop, &nursery->errors, 0); /* neither can fail here: the */
    (void)uv_poll_init(dispatch->loop, &nursery->control, ends[0]); /* socket is a good one */
    int result = process_spawn(nursery, path, ends[1]);
    (void)close(ends[1]);
    if (result != 0) {
        err_set(err, ERR_SYSTEM, "cannot start %s: %s", dispatch->options.program,
                uv_strerror(result));
        handles_close(nursery);
        return NULL;
    }
    (void)uv_poll_start(&nursery->control, UV_READABLE, on_control);
    (void)uv_read_start((uv_stream_t *)&nursery->errors, on_room, on_errors);
    nursery->due_ms = dispatch_now(dispatch) + dispatch->config->load_time_ms;
    dispatch_alarm(dispatch, nursery->due_ms);
    return nursery;
}

/* It is to answer, or to take what is for it, within the time that it had for loading. */
static void patience_renew(struct nursery *nursery)
{
    struct dispatch *dispatch = nursery->dispatch;

    if (!nursery->has_loaded || nursery->is_leaving || nursery->is_killed)
        return; /* another time runs */
    nursery->due_ms = nursery->forks == 0 && outbox_is_empty(&nursery->outbox)
                          ? 0
                          : dispatch_now(dispatch) + dispatch->config->load_time_ms;
    dispatch_alarm(dispatch, nursery->due_ms);
}

static void outbox_send(struct nursery *nursery)
{
    bool is_good = outbox_flush(&nursery->outbox, nursery->fd);
    int writable = is_good && !outbox_is_empty(&nursery->outbox) ? UV_WRITABLE : 0;

    /* One that takes nothing any more has ended: that is read, not written. */
    (void)uv_poll_start(&nursery->control, UV_READABLE | writable, on_control);
}

/* Now, or when its socket has room; `fd` rides along when it is not -1. */
static void frame_send(struct nursery *nursery, const struct frame *frame, int fd)
{
    if (nursery->fd < 0)
        return;
    outbox_add(&nursery->outbox, frame, fd);
    nursery->forks += frame->kind == FRAME_FORK;
    outbox_send(nursery);
    if (nursery->due_ms == 0)
        patience_renew(nursery);
}

void nursery_fork(struct nursery *nursery, uint32_t slot, int fd)
{
    struct frame frame = { .kind = FRAME_FORK, .fork = { .slot = slot } };

    frame_send(nursery, &frame, fd);
}

void nursery_signal(struct nursery *nursery, uint32_t slot, int signal)
{
    struct frame frame = { .kind = FRAME_KILL,
                           .kill = { .slot = slot, .signal = (uint32_t)signal } };

    frame_send(nursery, &frame, -1);
}

bool nursery_symbolize(struct nursery *nursery, uint32_t slot, const struct frame_crash *crash)
{
    struct frame frame = { .kind = FRAME_SYMBOLIZE,
                           .symbolize = { .slot = slot, .depth = crash->depth } };

    if (nursery->is_leaving)
        return false;
    memcpy(frame.symbolize.stack, crash->stack, sizeof crash->stack);
    frame_send(nursery, &frame, -1);
    return true;
}

void nursery_kill(struct nursery *nursery)
{
    /* Its guard ends all that is below, then itself. The number of one that has exited may be
     * somebody else's. */
    if (uv_is_active((uv_handle_t *)&nursery->process))
        (void)uv_process_kill(&nursery->process, SIGTERM);
}

void nursery_leave(struct nursery *nursery)
{
    if (nursery->is_leaving)
        return;
    nursery->is_leaving = true;
    control_close(nursery);
    nursery->due_ms = dispatch_now(nursery->dispatch) + LEAVE_MS;
    dispatch_alarm(nursery->dispatch, nursery->due_ms);
}

int64_t nursery_tick(struct nursery *nursery, int64_t now_ms)
{
    if (nursery->due_ms == 0 || now_ms < nursery->due_ms)
        return nursery->due_ms;
    if (nursery->is_killed) /* even its guard hangs: what is below comes to us */
        (void)uv_process_kill(&nursery->process, SIGKILL);
    nursery->is_killed = true;
    nursery_kill(nursery);
    nursery->due_ms = now_ms + LEAVE_MS;
    return nursery->due_ms;
}

/* Gone, or not what we started any more. Its exit status is kept if it has exited by itself. */
static void control_end(struct nursery *nursery)
{
    control_close(nursery);
    nursery_kill(nursery);
}

/* Does it fit what has been said so far? */
static bool is_expected(struct nursery *nursery, const struct frame *frame)
{
    if (nursery->has_loaded) {
        nursery->forks -= frame->kind == FRAME_FORKED && nursery->forks > 0;
        return frame->kind == FRAME_FORKED || frame->kind == FRAME_EXITED ||
               frame->kind == FRAME_SYMBOLS;
    }
    if (frame->kind == FRAME_LOADED) {
        nursery->has_loaded = true;
        nursery->due_ms = 0;
    }
    return frame->kind == FRAME_LOADED || frame->kind == FRAME_REFUSED;
}

bool nursery_next(struct nursery *nursery, struct frame *frame)
{
    bool is_good;

    buffer_consume(&nursery->in, nursery->in_used);
    nursery->in_used = 0;
    arena_reset(&nursery->arena);
    if (nursery->is_leaving)
        return false;
    is_good =
        nursery->in.size == 0 || frame_read(&nursery->arena, buffer_view(&nursery->in),
                                            CONTROL_MAX_BYTES, frame, &nursery->in_used, NULL);
    if (is_good && nursery->in_used > 0 && is_expected(nursery, frame))
        return true;
    if (is_good && nursery->in_used == 0)
        patience_renew(nursery);
    else
        control_end(nursery);
    return false;
}

/* False: nothing more will come. */
static bool control_read(struct nursery *nursery)
{
    while (nursery->fd >= 0) {
        char *room = buffer_reserve(&nursery->in, 4096);
        ssize_t got = recv(nursery->fd, room, 4096, MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK;
        if (got == 0)
            return false;
        nursery->in.size += (size_t)got;
        nursery->on->heard(nursery->context);
    }
    return true;
}

static void on_control(uv_poll_t *poll, int status, int events)
{
    struct nursery *nursery = poll->data;

    (void)status;
    if ((events & UV_WRITABLE) != 0 && nursery->fd >= 0)
        outbox_send(nursery);
    if (!control_read(nursery))
        control_end(nursery);
}

static void line_log(struct nursery *nursery)
{
    struct dispatch *dispatch = nursery->dispatch;
    int64_t second = dispatch_now(dispatch) / 1000;
    struct slice text = buffer_view(&nursery->line);

    if (nursery->lines_ms != second) {
        nursery->lines_ms = second;
        nursery->lines = 0;
    }
    bool is_text = utf8_is_valid(text);
    for (size_t i = 0; i < text.size; i++)
        if ((unsigned char)text.data[i] < ' ' || (unsigned char)text.data[i] == 0x7f)
            nursery->line.data[i] = ' ';
        else if (!is_text && (unsigned char)text.data[i] > 0x7f)
            nursery->line.data[i] = '?';
    if (text.size > 0 && nursery->lines < LINES_PER_SECOND)
        log_info("plugin.stderr", "plugin=%s %.*s", nursery->name, SLICE_ARG(text));
    else if (nursery->lines == LINES_PER_SECOND)
        log_warn("plugin.stderr", "plugin=%s more lines in this second are dropped",
                 nursery->name);
    nursery->lines++;
    nursery->line.size = 0;
}

static void errors_take(struct nursery *nursery, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != '\n')
            buffer_byte(&nursery->line, bytes[i]);
        if (bytes[i] == '\n' || nursery->line.size >= LINE_MAX_BYTES)
            line_log(nursery);
    }
}

static void on_errors(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
    if (got > 0)
        errors_take(stream->data, buffer->base, (size_t)got);
    else if (got < 0)
        (void)uv_read_stop(stream); /* always succeeds */
}

/* Last words are still in the pipe; a process that it left behind may hold the other end. */
static void errors_drain(struct nursery *nursery)
{
    uv_os_fd_t fd;
    ssize_t got;
    char bytes[4096];

    (void)uv_read_stop((uv_stream_t *)&nursery->errors); /* always succeeds */
    if (uv_fileno((uv_handle_t *)&nursery->errors, &fd) != 0)
        return;
    for (int i = 0; i < 64 && (got = read(fd, bytes, sizeof bytes)) > 0; i++)
        errors_take(nursery, bytes, (size_t)got);
    if (nursery->line.size > 0)
        line_log(nursery);
}

static bool is_guard(void *context, pid_t pid)
{
    struct dispatch *dispatch = context;

    LIST_EACH(&dispatch->nurseries, node, after)
    {
        const struct nursery *nursery = container_of(node, struct nursery, node);
        if (uv_process_get_pid(&nursery->process) == pid)
            return true;
    }
    return false;
}

static void on_process(uv_process_t *process, int64_t status, int signal)
{
    struct nursery *nursery = process->data;
    char how[80];

    (void)control_read(nursery); /* what it said before */
    errors_drain(nursery);
    /* A guard that was killed could not do that. */
    (void)family_end(is_guard, nursery->dispatch, PATIENCE_MS);
    if (nursery->is_killed)
        (void)snprintf(how, sizeof how, "did not %s within %lld ms",
                       nursery->has_loaded ? "answer" : "finish",
                       (long long)nursery->dispatch->config->load_time_ms);
    else if (signal != 0)
        (void)snprintf(how, sizeof how, "was ended by SIG%s",
                       sigabbrev_np(signal) == NULL ? "?" : sigabbrev_np(signal));
    else
        (void)snprintf(how, sizeof how, "exited with code %d", (int)status);
    handles_close(nursery);
    nursery->on->died(nursery->context, how);
}
