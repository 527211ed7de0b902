#include "slot.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "dispatch/host.h"
#include "dispatch/segments/early_token.h"
#include "dispatch/segments/job.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    REPORT_MS = 250, /* time for a slot to say where it was when its limit passed */
    EXIT_MS = 500,   /* time to exit after its end of file */
};

static void on_socket(uv_poll_t *poll, int status, int events);

static void slot_watch(struct slot *slot, int events)
{
    if (slot->events == events || slot->fd < 0)
        return;
    slot->events = events;
    if (events == 0)
        (void)uv_poll_stop(&slot->poll); /* cannot fail */
    else if (uv_poll_start(&slot->poll, events, on_socket) != 0)
        slot_fail(slot, FAULT_PROTOCOL, SIGKILL, "its socket cannot be watched");
}

/* Two hold it: the process until it has exited, the handle until libuv lets go. */
static void slot_let_go(struct slot *slot)
{
    struct dispatch *dispatch = slot->dispatch;

    if (--slot->holders > 0)
        return;
    buffer_finish(&slot->in);
    buffer_finish(&slot->out);
    free(slot);
    dispatch_closed(dispatch);
}

static void on_closed(uv_handle_t *handle)
{
    slot_let_go(container_of(handle, struct slot, poll));
}

static void socket_close(struct slot *slot)
{
    list_remove(&slot->send);
    if (slot->fd < 0)
        return;
    /* In this order: libuv forgets the number, and only then may another socket get it. */
    uv_close((uv_handle_t *)&slot->poll, on_closed);
    (void)close(slot->fd); /* a socket: nothing to flush */
    slot->fd = -1;
}

/* Its process is no more. */
static void slot_remove(struct slot *slot)
{
    struct dispatch *dispatch = slot->dispatch;

    if (slot->call != NULL)
        slot->call->slot = NULL;
    slot->call = NULL;
    socket_close(slot);
    list_remove(&slot->node);
    dispatch->slot_count--;
    slot_let_go(slot);
    dispatch_stir(dispatch); /* there is room for another */
}

struct slot *slot_create(struct dispatch *dispatch, struct build *build,
                         const struct slot_events *events, struct slice plugin, int *end,
                         int *error)
{
    int ends[2], result;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        *error = errno;
        return NULL;
    }
    struct slot *slot = memory_zeroed(1, sizeof *slot);
    slot->build = build;
    slot->on = events;
    slot->plugin = plugin;
    slot->dispatch = dispatch;
    slot->id = ++dispatch->slot_next;
    slot->fd = ends[0];
    slot->holders = 2;
    slot->idle_ms = dispatch_now(dispatch);
    list_init(&slot->node);
    list_init(&slot->send);
    list_init(&slot->jobs);
    if ((result = uv_poll_init(dispatch->loop, &slot->poll, ends[0])) != 0) {
        *error = -result;
        (void)close(ends[0]);
        (void)close(ends[1]);
        free(slot);
        return NULL;
    }
    dispatch->open++;
    dispatch->forks++;
    dispatch->slot_count++;
    slot_watch(slot, UV_READABLE);
    *end = ends[1];
    return slot;
}

void slot_give(struct slot *slot, struct job *job)
{
    struct dispatch *dispatch = slot->dispatch;

    list_push(&slot->jobs, &job->node);
    buffer_slice(&slot->out, buffer_view(&job->bytes));
    if (slot->job_count++ == 0)
        job_begin(dispatch, job);
    if (list_is_empty(&slot->send))
        list_push(&dispatch->outbox, &slot->send);
}

void slot_say(struct slot *slot, const struct frame *frame)
{
    frame_write(&slot->out, frame);
    if (list_is_empty(&slot->send))
        list_push(&slot->dispatch->outbox, &slot->send);
}

void slot_send(struct slot *slot)
{
    size_t sent = 0;

    list_remove(&slot->send);
    while (slot->fd >= 0 && sent < slot->out.size) {
        ssize_t wrote = send(slot->fd, slot->out.data + sent, slot->out.size - sent,
                             MSG_DONTWAIT | MSG_NOSIGNAL);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            break; /* full, or gone: its end is read, not written */
        sent += (size_t)wrote;
    }
    bool is_full = sent < slot->out.size && errno == EAGAIN;
    buffer_consume(&slot->out, sent);
    if (slot->state == SLOT_LIVE)
        slot_watch(slot, UV_READABLE | (is_full ? UV_WRITABLE : 0));
}

static void on_socket(uv_poll_t *poll, int status, int events)
{
    struct slot *slot = container_of(poll, struct slot, poll);

    if (slot->dispatch->is_stopping) {
        slot_watch(slot, 0);
        return;
    }
    if ((events & UV_WRITABLE) != 0)
        slot_send(slot);
    if (status == 0 && (events & ~UV_WRITABLE) == 0)
        return;
    if (slot->state != SLOT_DYING && slot_read(slot))
        return;
    /* At its end. Its exit status says why, in a moment; the nursery is waiting for it as we
     * are. */
    slot_watch(slot, 0);
    if (slot->state == SLOT_LIVE) {
        slot->state = SLOT_DYING;
        slot->kill_ms = sooner(slot->kill_ms, dispatch_now(slot->dispatch) + EXIT_MS);
        dispatch_alarm(slot->dispatch, slot->kill_ms);
    }
}

void slot_retire(struct slot *slot)
{
    slot->state = SLOT_LEAVING;
    socket_close(slot); /* it reads the end of the file and exits */
    slot->kill_ms = dispatch_now(slot->dispatch) + EXIT_MS;
    dispatch_alarm(slot->dispatch, slot->kill_ms);
}

void slot_fail(struct slot *slot, enum slot_fault fault, int signal, const char *format, ...)
{
    struct dispatch *dispatch = slot->dispatch;
    va_list arguments;

    if (slot->fault != FAULT_NONE || slot->state == SLOT_LEAVING)
        return;
    slot->fault = fault;
    slot->state = SLOT_DYING;
    va_start(arguments, format);
    (void)vsnprintf(slot->fault_text, sizeof slot->fault_text, format, arguments);
    va_end(arguments);
    slot->on->kill(slot, signal);
    slot->kill_ms = dispatch_now(dispatch) + REPORT_MS;
    dispatch_alarm(dispatch, slot->kill_ms);
}

static void patience_begin(struct dispatch *dispatch, struct job *job)
{
    job->kill_ms = dispatch_now(dispatch) + job->grace_ms;
    dispatch_alarm(dispatch, job->kill_ms);
}

void slot_cancel(struct slot *slot, struct job *job)
{
    struct frame frame = { .kind = FRAME_CANCEL, .cancel = { .run_id = job->run_id } };

    if (job->is_canceled)
        return; /* where nodes share a store it is said until the segment has returned */
    job->is_canceled = true;
    slot_say(slot, &frame);
    if (job == slot_job(slot))
        patience_begin(slot->dispatch, job);
}

static void job_overdue(struct slot *slot, struct job *job, int64_t now_ms)
{
    if (job->kill_ms != 0 && now_ms >= job->kill_ms) {
        slot_fail(slot, FAULT_CANCELED, SIGKILL, "canceled");
    } else if (job->deadline_ms != 0 && now_ms >= job->deadline_ms) {
        slot->dispatch->timeouts++;
        slot_fail(slot, FAULT_TIME, SIGXCPU,
                  "segment %.*s took longer than its limit of %lld ms", SLICE_ARG(job->segment),
                  (long long)job->limit_ms);
    } else if (job->deadline_ms != 0 && !job->is_warned && now_ms >= job_alarm_ms(job)) {
        job_warn(slot->dispatch, job);
    }
}

int64_t slot_tick(struct slot *slot, int64_t now_ms)
{
    struct job *job = slot_job(slot);
    int64_t due_ms = 0;

    if (slot->kill_ms != 0 && now_ms >= slot->kill_ms) {
        slot->kill_ms = now_ms + REPORT_MS; /* until it is gone */
        slot->on->kill(slot, SIGKILL);
        if (slot->state != SLOT_LEAVING && slot->fault == FAULT_NONE && !slot->has_crash) {
            slot->fault = FAULT_PROTOCOL;
            (void)snprintf(slot->fault_text, sizeof slot->fault_text, "it closed its socket");
        }
    }
    if (slot->state == SLOT_LIVE && job != NULL) {
        job_overdue(slot, job, now_ms);
        due_ms = notes_tick(slot->dispatch, job, now_ms);
        if (slot->state == SLOT_LIVE)
            due_ms = sooner(due_ms, sooner(job->kill_ms, job_alarm_ms(job)));
        due_ms = sooner(due_ms, early_token_tick(job, now_ms));
    }
    return sooner(due_ms, slot->kill_ms);
}

struct job *slot_job(struct slot *slot)
{
    return list_is_empty(&slot->jobs) ? NULL : container_of(slot->jobs.next, struct job, node);
}

void slot_advance(struct slot *slot)
{
    struct dispatch *dispatch = slot->dispatch;

    if (--slot->job_count > 0) {
        struct job *next = slot_job(slot);
        job_begin(dispatch, next);
        if (next->is_canceled)
            patience_begin(dispatch, next);
        return;
    }
    slot->idle_ms = dispatch_now(dispatch);
    if (slot->is_draining && slot->state == SLOT_LIVE)
        slot_retire(slot);
    if (dispatch->is_wanting)
        dispatch_stir(dispatch);
}

/* Those behind the first go back to the front of the line, in their order. */
static void jobs_return(struct slot *slot)
{
    while (!list_is_empty(&slot->jobs)) {
        struct job *job = container_of(slot->jobs.previous, struct job, node);
        list_remove(&job->node);
        slot->on->returned(slot, job);
    }
    slot->job_count = 0;
}

void slot_worn(struct slot *slot, struct slice reason)
{
    log_info("slot.worn", "plugin=%.*s reason=\"%.*s\"", SLICE_ARG(slot->plugin),
             SLICE_ARG(reason));
    jobs_return(slot);
    if (slot->state == SLOT_LIVE)
        slot_retire(slot);
}

void slot_drain(struct slot *slot)
{
    char next;

    while (!slot->dispatch->is_stopping && slot->fd >= 0 && slot_read(slot))
        if (recv(slot->fd, &next, 1, MSG_PEEK | MSG_DONTWAIT) <= 0)
            break;
}

struct job *slot_lose(struct slot *slot)
{
    struct job *job = slot_job(slot);

    if (job != NULL) {
        list_remove(&job->node);
        slot->job_count--;
    }
    return job;
}

void slot_close(struct slot *slot)
{
    jobs_return(slot);
    slot_remove(slot);
}
