/*
 * How a slot ended, in words for a person, and what that costs the run it was running.
 *
 * A crash with a stack waits a moment for its symbols, which the nursery looks up; without an
 * answer the bare addresses would help nobody, so the run goes on without a stack then.
 */
#include "autopsy.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "build.h"
#include "dispatch/host.h"
#include "dispatch/segments/job.h"
#include "slot.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

enum {
    BROKEN_SOCKET_EXIT = 113, /* worker.h: it could not talk to us any more */
    SYMBOLS_MS = 3000,
};

struct autopsy {
    struct list node; /* of its build */
    uint32_t slot;
    struct job *job;
    enum loss loss;
    char name[32], text[480];
    int64_t due_ms;
};

static void signal_name(int number, char name[32])
{
    const char *known = sigabbrev_np(number);

    if (known != NULL)
        (void)snprintf(name, 32, "SIG%s", known);
    else
        (void)snprintf(name, 32, "signal %d", number);
}

/* " in approve-refund/decided (refunds 1.0.0, build 0123456789abcdef)" */
static void where_add(struct autopsy *autopsy, const struct build *build)
{
    size_t size = strlen(autopsy->text);
    const struct job *job = autopsy->job;

    (void)snprintf(autopsy->text + size, sizeof autopsy->text - size,
                   " in %.*s/%.*s (%.*s %.*s, build %.16s)", SLICE_ARG(job->task),
                   SLICE_ARG(job->segment), SLICE_ARG(build->about.plugin),
                   SLICE_ARG(build->about.version), build->sha);
}

static void fault_say(struct autopsy *autopsy, const struct slot *slot)
{
    autopsy->loss = slot->fault == FAULT_TIME ? LOSS_TIMED_OUT : LOSS_PROTOCOL;
    (void)snprintf(autopsy->name, sizeof autopsy->name, "%s",
                   slot->fault == FAULT_TIME ? "SEGMENT_TIMED_OUT" : "PROTOCOL");
    (void)snprintf(autopsy->text, sizeof autopsy->text, "%s", slot->fault_text);
}

static void crash_say(struct autopsy *autopsy, const struct slot *slot, int number)
{
    autopsy->loss = LOSS_CRASHED;
    signal_name(number, autopsy->name);
    if (number == SIGSYS) /* worker/shield.c, or a filter of the plugin's own */
        (void)snprintf(autopsy->text, sizeof autopsy->text,
                       "SIGSYS: it sent a signal to a process of the server, its parent for "
                       "one, or made a system call that is not allowed");
    else if (slot->has_crash && number != SIGABRT)
        (void)snprintf(autopsy->text, sizeof autopsy->text, "%s at address 0x%llx",
                       autopsy->name, (unsigned long long)slot->crash.address);
    else
        (void)snprintf(autopsy->text, sizeof autopsy->text, "%s", autopsy->name);
}

static void exit_say(struct autopsy *autopsy, int code)
{
    bool is_broken = code == BROKEN_SOCKET_EXIT;

    autopsy->loss = is_broken ? LOSS_PROTOCOL : LOSS_EXITED;
    (void)snprintf(autopsy->name, sizeof autopsy->name, "%s",
                   is_broken ? "PROTOCOL" : "EXITED");
    if (is_broken)
        (void)snprintf(autopsy->text, sizeof autopsy->text, "it broke its socket to the host");
    else
        (void)snprintf(autopsy->text, sizeof autopsy->text, "exited with code %d", code);
}

static void autopsy_say(struct autopsy *autopsy, const struct slot *slot, int status)
{
    if (slot->fault != FAULT_NONE)
        fault_say(autopsy, slot);
    else if (slot->has_crash)
        crash_say(autopsy, slot, (int)slot->crash.signal);
    else if (WIFSIGNALED(status))
        crash_say(autopsy, slot, WTERMSIG(status));
    else
        exit_say(autopsy, WEXITSTATUS(status));
    where_add(autopsy, slot->build);
}

static void autopsy_finish(struct dispatch *dispatch, struct autopsy *autopsy,
                           struct slice stack)
{
    list_remove(&autopsy->node);
    job_lost(dispatch, autopsy->job, autopsy->loss, slice_of(autopsy->name),
             slice_of(autopsy->text), stack);
    free(autopsy);
}

static void job_charge(struct slot *slot, struct job *job, int status)
{
    struct dispatch *dispatch = slot->dispatch;
    struct autopsy *autopsy = memory_zeroed(1, sizeof *autopsy);
    char run[ID_TEXT_SIZE];

    autopsy->job = job;
    autopsy->slot = slot->id;
    autopsy->due_ms = dispatch_now(dispatch) + SYMBOLS_MS;
    autopsy_say(autopsy, slot, status);
    list_push(&slot->build->autopsies, &autopsy->node);
    dispatch->crashes++;
    log_warn("slot.lost", "run=%s plugin=%.*s %s", id_format("run", job->run_id, run),
             SLICE_ARG(slot->build->about.plugin), autopsy->text);
    if (slot->has_crash && slot->crash.depth > 0 &&
        build_symbolize(slot->build, slot->id, &slot->crash))
        dispatch_alarm(dispatch, autopsy->due_ms);
    else
        autopsy_finish(dispatch, autopsy, (struct slice){ 0 });
}

static bool line_note(struct slot *slot, struct job *job, struct slice line, uint32_t left_out)
{
    uint32_t level = 1;

    if (line.size >= 2 && line.data[0] == FRAME_LEVEL_MARK) {
        level = (uint32_t)(unsigned char)line.data[1] & 3;
        line.data += 2;
        line.size -= 2;
    }
    if (line.size == 0)
        return false;
    notes_add(slot->dispatch, job,
              &(struct frame_note){ .run_id = job->run_id,
                                    .seq = job->seq,
                                    .kind = NOTE_LOG,
                                    .level = level,
                                    .at_ms = clock_now_ms(),
                                    .text = line,
                                    .left_out = left_out });
    return true;
}

void slot_last_words(struct slot *slot, struct slice prints, uint32_t left_out)
{
    struct job *job = slot_job(slot);

    while (job != NULL && prints.size > 0) {
        const char *end = memchr(prints.data, '\n', prints.size);
        size_t size = end == NULL ? prints.size : (size_t)(end - prints.data);
        if (line_note(slot, job, (struct slice){ prints.data, size }, left_out))
            left_out = 0;
        size += end != NULL;
        prints.data += size;
        prints.size -= size;
    }
}

void slot_conclude(struct slot *slot, int status)
{
    struct job *job = slot_job(slot);

    if (job == NULL) {
        if (slot->state != SLOT_LEAVING)
            log_warn("slot.ended",
                     "plugin=%.*s status=%d fault=\"%s\" while it had nothing to do",
                     SLICE_ARG(slot->build->about.plugin), status, slot->fault_text);
        return;
    }
    slot->job_count--;
    list_remove(&job->node);
    suspects_clear(slot->build, job->run_id); /* it died for itself */
    if (job->is_canceled)
        job_release(slot->dispatch, job);
    else
        job_charge(slot, job, status);
}

void autopsy_blame(struct slot *slot, struct job *job, const char *how)
{
    struct autopsy *autopsy = memory_zeroed(1, sizeof *autopsy);
    char run[ID_TEXT_SIZE];

    if (job->is_canceled) {
        free(autopsy);
        job_release(slot->dispatch, job);
        return;
    }
    autopsy->job = job;
    autopsy->loss = LOSS_CRASHED;
    (void)snprintf(autopsy->name, sizeof autopsy->name, "NURSERY_DIED");
    (void)snprintf(
        autopsy->text, sizeof autopsy->text,
        "the process that its slot came from %s while this run was out, and again when it was "
        "out alone",
        how);
    where_add(autopsy, slot->build);
    slot->dispatch->crashes++;
    log_warn("slot.lost", "run=%s plugin=%.*s %s", id_format("run", job->run_id, run),
             SLICE_ARG(slot->build->about.plugin), autopsy->text);
    list_init(&autopsy->node);
    autopsy_finish(slot->dispatch, autopsy, (struct slice){ 0 });
}

void autopsy_symbols(struct build *build, uint32_t slot, struct slice stack)
{
    LIST_EACH(&build->autopsies, node, after)
    {
        struct autopsy *autopsy = container_of(node, struct autopsy, node);
        if (autopsy->slot == slot)
            autopsy_finish(build->dispatch, autopsy, stack);
    }
}

int64_t autopsies_tick(struct build *build, int64_t now_ms)
{
    int64_t due_ms = 0;

    LIST_EACH(&build->autopsies, node, after)
    {
        struct autopsy *autopsy = container_of(node, struct autopsy, node);
        if (now_ms >= autopsy->due_ms)
            autopsy_finish(build->dispatch, autopsy, (struct slice){ 0 });
        else
            due_ms = sooner(due_ms, autopsy->due_ms);
    }
    return due_ms;
}

struct job *autopsy_job(struct build *build, int64_t run_id)
{
    LIST_EACH(&build->autopsies, node, after)
    {
        struct job *job = container_of(node, struct autopsy, node)->job;
        if (job->run_id == run_id)
            return job;
    }
    return NULL;
}

void autopsies_drop(struct build *build)
{
    LIST_EACH(&build->autopsies, node, after)
    {
        struct autopsy *autopsy = container_of(node, struct autopsy, node);
        list_remove(&autopsy->node);
        job_destroy(autopsy->job);
        free(autopsy);
    }
}
