/*
 *   open ─▶ nursery loads the file ─▶ ready ─▶ ask: a slot, forked when there is none ─▶
 * answered └─ it dies, or takes too long: that is the answer
 *
 * A trial has a nursery of its own, so that nothing of it is near to runs. A timer looks at
 * whatever has a limit.
 */
#include "trials.h"

#include "base/memory.h"
#include "codec/pack.h"
#include "dispatch/host.h"
#include "dispatch/processes/build.h"
#include "dispatch/processes/nursery.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    TRIALS_MOST = 2, /* at a time */
    ANSWER_MS = 2000,
    TICK_MS = 50,
    BUILD_DIGITS = 16
};

/* A slot's socket. */
struct line {
    uv_poll_t poll;
    struct trial *trial;
    int fd;
};

struct trial {
    struct list node; /* dispatch->trials */
    struct dispatch *dispatch;
    const struct trial_events *on;
    void *asker;
    char *path, *name;
    bool is_file; /* is removed at the end */
    struct build *build;
    struct nursery *nursery; /* NULL: it has ended */
    struct line *line;       /* NULL: there is no slot */
    uv_timer_t timer;
    uint32_t slot, handles;
    bool is_asking, is_late, is_worn, has_failed, is_closed;
    int64_t due_ms;                  /* of the answer */
    struct buffer in, out, question; /* question: the last one's frame */
    struct arena arena;              /* of an answer */
};

static void trial_let_go(struct trial *trial)
{
    struct dispatch *dispatch = trial->dispatch;

    if (--trial->handles > 0)
        return;
    list_remove(&trial->node);
    if (trial->build != NULL) {
        trial->build->users--;
        dispatch_stir(dispatch);
    }
    buffer_finish(&trial->in);
    buffer_finish(&trial->out);
    buffer_finish(&trial->question);
    arena_finish(&trial->arena);
    free(trial->path);
    free(trial->name);
    free(trial);
    dispatch_closed(dispatch);
}

static void on_timer_closed(uv_handle_t *handle)
{
    trial_let_go(handle->data);
}

static void on_line_closed(uv_handle_t *handle)
{
    struct line *line = handle->data;

    trial_let_go(line->trial);
    free(line);
}

static void line_close(struct trial *trial)
{
    struct line *line = trial->line;

    if (line == NULL)
        return;
    trial->line = NULL;
    trial->in.size = 0;
    uv_close((uv_handle_t *)&line->poll, on_line_closed);
    (void)close(line->fd); /* a socket: nothing to flush */
}

static void fail(struct trial *trial, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void fail(struct trial *trial, const char *format, ...)
{
    char text[600];
    va_list arguments;

    if (trial->has_failed || trial->is_closed)
        return;
    trial->has_failed = true;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    trial->on->failed(trial->asker, slice_of(text));
}

/* ---- answers ----------------------------------------------------------------------------- */

static void answer(struct trial *trial, const struct trial_answer *said)
{
    if (!trial->is_asking || trial->is_closed)
        return;
    trial->is_asking = false;
    trial->on->answered(trial->asker, said);
}

static struct slice text_in(const struct value *map, const char *name)
{
    const struct value *text = value_find(map, name);

    return text != NULL && text->kind == VALUE_STRING ? text->bytes : (struct slice){ 0 };
}

static void end_take(struct trial *trial, const struct frame_end *end)
{
    struct trial_answer said = { .is_blocked = end->verdict == VERDICT_PARK,
                                 .reason = end->error_text,
                                 .lost = value_list() };
    struct value about = value_map();

    (void)pack_read(&trial->arena, end->output, &about, NULL); /* else it says nothing more */
    const struct value *migrated = value_find(&about, "is_migrated");
    const struct value *lost = value_find(&about, "lost");
    said.is_migrated = migrated != NULL && migrated->kind == VALUE_BOOL && migrated->boolean;
    said.field = text_in(&about, "field");
    said.cause = text_in(&about, "cause");
    if (said.cause.size == 0)
        said.cause = said.reason;
    if (lost != NULL && lost->kind == VALUE_LIST)
        said.lost = *lost;
    answer(trial, &said);
}

/* ---- the slot ---------------------------------------------------------------------------- */

static void on_line(uv_poll_t *poll, int status, int events);

static void line_write(struct trial *trial)
{
    while (trial->line != NULL && trial->out.size > 0) {
        ssize_t wrote = send(trial->line->fd, trial->out.data, trial->out.size,
                             MSG_DONTWAIT | MSG_NOSIGNAL);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            break; /* full, or gone: its end is read, not written */
        buffer_consume(&trial->out, (size_t)wrote);
    }
    if (trial->line != NULL)
        (void)uv_poll_start(&trial->line->poll,
                            UV_READABLE | (trial->out.size > 0 ? UV_WRITABLE : 0), on_line);
}

/* All that has come. An answer may ask the next question, or close the trial. */
static void frames_take(struct trial *trial)
{
    struct frame frame;
    size_t used;

    while (trial->in.size > 0 && !trial->is_closed) {
        struct buffer bytes = trial->in;
        arena_reset(&trial->arena);
        if (!frame_read(&trial->arena, buffer_view(&bytes), FRAME_MAX_BYTES, &frame, &used,
                        NULL)) {
            fail(trial, "its process talks nonsense");
            return;
        }
        if (used == 0)
            return;
        trial->in = (struct buffer){ 0 };
        buffer_slice(&trial->in, (struct slice){ bytes.data + used, bytes.size - used });
        trial->is_worn |= frame.kind == FRAME_NOTE && frame.note.kind == NOTE_WORN;
        if (frame.kind == FRAME_END)
            end_take(trial, &frame.end);
        buffer_finish(&bytes);
    }
}

/* False: it is at its end. */
static bool line_read(struct trial *trial)
{
    while (trial->line != NULL) {
        ssize_t got = recv(trial->line->fd, buffer_reserve(&trial->in, READ_BYTES), READ_BYTES,
                           MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno == EAGAIN;
        if (got == 0)
            return false;
        trial->in.size += (size_t)got;
        frames_take(trial);
    }
    return true;
}

static void on_line(uv_poll_t *poll, int status, int events)
{
    struct line *line = poll->data;
    struct trial *trial = line->trial;

    if ((events & UV_WRITABLE) != 0)
        line_write(trial);
    if ((status < 0 || (events & UV_READABLE) != 0) && !line_read(trial) && trial->line == line)
        (void)uv_poll_stop(poll); /* how it ended comes from its nursery */
}

static void slot_fork(struct trial *trial)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        fail(trial, "cannot make a socket: %s", strerror(errno));
        return;
    }
    struct line *line = memory_zeroed(1, sizeof *line);
    *line = (struct line){ .trial = trial, .fd = ends[0] };
    (void)uv_poll_init(trial->dispatch->loop, &line->poll, ends[0]); /* a good socket */
    line->poll.data = line;
    trial->line = line;
    trial->handles++;
    nursery_fork(trial->nursery, ++trial->slot, ends[1]);
    (void)close(ends[1]); /* it rides along */
}

/* To the slot that there is, or to another. */
static void question_send(struct trial *trial)
{
    trial->out.size = 0;
    buffer_slice(&trial->out, buffer_view(&trial->question));
    trial->due_ms = dispatch_now(trial->dispatch) + ANSWER_MS;
    if (trial->line == NULL)
        slot_fork(trial);
    line_write(trial);
}

static void slot_ended(struct trial *trial, int status)
{
    const char *name = WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : NULL;
    char text[120];

    line_close(trial);
    if (trial->is_worn) {
        trial->is_worn = false;
        if (trial->is_asking) /* it has not begun with it */
            question_send(trial);
        return;
    }
    if (trial->is_late)
        (void)snprintf(text, sizeof text, "migrate did not finish within %d ms", ANSWER_MS);
    else if (WIFSIGNALED(status))
        (void)snprintf(text, sizeof text, "migrate crashed: SIG%s", name == NULL ? "?" : name);
    else
        (void)snprintf(text, sizeof text, "migrate ended its process with code %d",
                       WEXITSTATUS(status));
    trial->is_late = false;
    answer(trial, &(struct trial_answer){ .is_blocked = true,
                                          .cause = slice_of(text),
                                          .reason = slice_of(text),
                                          .lost = value_list() });
}

void trial_ask(struct trial *trial, const struct trial_question *question)
{
    struct frame frame = { .kind = FRAME_SEGMENT,
                           .segment = { .run_id = question->run_id,
                                        .entry = question->entry,
                                        .attempt = question->attempt,
                                        .created_ms = question->created_ms,
                                        .task = question->task,
                                        .segment = question->segment,
                                        .state = question->state,
                                        .input = question->input,
                                        .only_loads = true } };

    if (trial->has_failed)
        return;
    trial->question.size = 0;
    frame_write(&trial->question, &frame);
    trial->is_asking = true;
    question_send(trial);
}

/* ---- the nursery ------------------------------------------------------------------------- */

static void loaded(struct trial *trial, struct slice description)
{
    struct arena arena = { 0 };
    struct value about;

    if (pack_read(&arena, description, &about, NULL))
        trial->on->ready(trial->asker, &about);
    else
        fail(trial, "its process talks nonsense");
    arena_finish(&arena);
}

static void heard(void *context)
{
    struct trial *trial = context;
    struct frame frame;

    while (!trial->is_closed && nursery_next(trial->nursery, &frame)) {
        if (frame.kind == FRAME_LOADED) {
            loaded(trial, arena_copy(&trial->arena, frame.loaded.description));
        } else if (frame.kind == FRAME_REFUSED) {
            fail(trial, "%s is refused: %.*s", trial->name, SLICE_ARG(frame.refused.reason));
        } else if (frame.kind == FRAME_FORKED && frame.forked.pid < 0) {
            fail(trial, "cannot fork: %s", strerror(-frame.forked.pid));
        } else if (frame.kind == FRAME_EXITED && frame.exited.slot == trial->slot) {
            (void)line_read(trial); /* what it said before */
            if (!trial->is_closed)
                slot_ended(trial, frame.exited.status);
        }
    }
}

static void died(void *context, const char *how)
{
    struct trial *trial = context;

    trial->nursery = NULL;
    if (trial->is_closed)
        uv_close((uv_handle_t *)&trial->timer, on_timer_closed);
    fail(trial, "the process that loads %s %s", trial->name, how);
    trial_let_go(trial);
}

static void on_tick(uv_timer_t *timer)
{
    struct trial *trial = timer->data;
    int64_t now_ms = dispatch_now(trial->dispatch);

    if (trial->nursery == NULL)
        return;
    (void)nursery_tick(trial->nursery, now_ms);
    if (trial->is_asking && !trial->is_late && now_ms >= trial->due_ms) {
        trial->is_late = true;
        nursery_signal(trial->nursery, trial->slot, SIGKILL);
    }
}

/* ---- the whole --------------------------------------------------------------------------- */

static bool name_is_good(struct slice name)
{
    size_t prefix = sizeof TRIAL_PREFIX - 1;

    return slice_starts(name, TRIAL_PREFIX) && name.size > prefix && name.size < 256 &&
           memchr(name.data, '/', name.size) == NULL &&
           memchr(name.data, '\0', name.size) == NULL;
}

static bool file_find(struct trial *trial, struct slice name, struct err *err)
{
    struct dispatch *dispatch = trial->dispatch;
    struct stat stat;

    if (!name_is_good(name))
        return err_set(
            err, ERR_BAD_REQUEST,
            "file must be the name of a file in the directory of plugins that begins "
            "with " TRIAL_PREFIX);
    size_t size = strlen(dispatch->config->plugins) + name.size + 2;
    trial->path = memory_get(size);
    (void)snprintf(trial->path, size, "%s/%.*s", dispatch->config->plugins, SLICE_ARG(name));
    if (lstat(trial->path, &stat) != 0 || !S_ISREG(stat.st_mode))
        return err_set(err, ERR_NOT_FOUND, "there is no such file in the directory of plugins");
    trial->is_file = true;
    trial->name = memory_get(name.size + 1);
    (void)snprintf(trial->name, name.size + 1, "%.*s", SLICE_ARG(name));
    return true;
}

static bool build_hold(struct trial *trial, struct slice digits, struct err *err)
{
    LIST_EACH(&trial->dispatch->builds, node, after)
    {
        struct build *build = container_of(node, struct build, node);
        if (digits.size != BUILD_DIGITS || strncmp(build->sha, digits.data, BUILD_DIGITS) != 0)
            continue;
        trial->build = build;
        build->users++;
        trial->path = memory_text(build->path);
        trial->name = memory_text(build->name);
        return true;
    }
    return err_set(err, ERR_NOT_FOUND,
                   "no build %.*s is known here; `bide plugins list` names "
                   "those that are",
                   SLICE_ARG(digits));
}

static bool is_busy(struct dispatch *dispatch)
{
    uint32_t count = 0;

    LIST_EACH(&dispatch->trials, node, after)
    count++;
    return count >= TRIALS_MOST;
}

static const struct nursery_events events = { heard, died };

struct trial *trial_open(struct dispatch *dispatch, const struct trial_subject *subject,
                         const struct trial_events *on, void *asker, struct err *err)
{
    if (dispatch->is_stopping || is_busy(dispatch)) {
        err_set(err, dispatch->is_stopping ? ERR_STOPPING : ERR_LIMIT,
                dispatch->is_stopping ? "the server is stopping"
                                      : "%d plans are under way already: ask again in a moment",
                TRIALS_MOST);
        return NULL;
    }
    struct trial *trial = memory_zeroed(1, sizeof *trial);
    trial->dispatch = dispatch;
    trial->on = on;
    trial->asker = asker;
    trial->handles = 1;
    dispatch->open++;
    list_push(&dispatch->trials, &trial->node);
    (void)uv_timer_init(dispatch->loop, &trial->timer); /* cannot fail */
    trial->timer.data = trial;
    bool is_found = subject->file.size > 0 ? file_find(trial, subject->file, err)
                                           : build_hold(trial, subject->build, err);
    if (is_found)
        trial->nursery = nursery_start(dispatch, trial->path, trial->name, &events, trial, err);
    if (trial->nursery == NULL) {
        trial_close(trial);
        return NULL;
    }
    trial->handles++;
    (void)uv_timer_start(&trial->timer, on_tick, TICK_MS, TICK_MS);
    return trial;
}

void trial_close(struct trial *trial)
{
    if (trial->is_closed)
        return;
    trial->is_closed = true;
    line_close(trial);
    if (trial->nursery != NULL) {
        nursery_kill(trial->nursery);
        nursery_leave(trial->nursery);
    } else {
        uv_close((uv_handle_t *)&trial->timer, on_timer_closed); /* else when that is gone */
    }
    if (trial->is_file)
        (void)unlink(trial->path); /* whoever put it there may have done so */
}

void trials_stop(struct dispatch *dispatch)
{
    LIST_EACH(&dispatch->trials, node, after)
    {
        struct trial *trial = container_of(node, struct trial, node);
        fail(trial, "the server is stopping");
    }
}
