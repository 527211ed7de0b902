/*
 * The nursery looks symbols up in a moment; without an answer the bare addresses would help
 * nobody, so the run goes on without a stack then.
 */
#include "autopsy.h"

#include "base/log.h"
#include "base/memory.h"
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
    struct list node; /* of its build's, while it waits for symbols */
    struct dispatch *dispatch;
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

static void where_add(struct autopsy *autopsy, const char *where)
{
    size_t size = strlen(autopsy->text);

    (void)snprintf(autopsy->text + size, sizeof autopsy->text - size, "%s", where);
}

static void fault_say(struct autopsy *autopsy, const struct slot *slot)
{
    autopsy->loss = slot->fault == FAULT_TIME ? LOSS_TIMED_OUT : LOSS_PROTOCOL;
    (void)snprintf(autopsy->name, sizeof autopsy->name, "%s",
                   slot->fault == FAULT_TIME ? "SEGMENT_TIMED_OUT" : "PROTOCOL");
    (void)snprintf(autopsy->text, sizeof autopsy->text, "%s", slot->fault_text);
}

/* It was not sent by us: then there is a fault. */
static void cpu_say(struct autopsy *autopsy)
{
    autopsy->loss = LOSS_TIMED_OUT;
    (void)snprintf(autopsy->name, sizeof autopsy->name, "CPU_TIME");
    (void)snprintf(autopsy->text, sizeof autopsy->text,
                   "it used more processor time (CPU) than .cpu_ms of its task, or its "
                   "trigger, allows");
}

static void crash_say(struct autopsy *autopsy, const struct slot *slot, int number)
{
    autopsy->loss = LOSS_CRASHED;
    signal_name(number, autopsy->name);
    if (number == SIGSYS) /* worker/shield.c, or a filter of the plugin's own */
        (void)snprintf(autopsy->text, sizeof autopsy->text,
                       "SIGSYS: it sent a signal to a process of the server, its parent for "
                       "one, or made a system call that is not allowed");
    else if (number == SIGXCPU)
        cpu_say(autopsy);
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
}

static void autopsy_finish(struct autopsy *autopsy, struct slice stack)
{
    list_remove(&autopsy->node);
    job_lost(autopsy->dispatch, autopsy->job, autopsy->loss, slice_of(autopsy->name),
             slice_of(autopsy->text), stack);
    free(autopsy);
}

static struct autopsy *autopsy_create(const struct slot *slot, struct job *job)
{
    struct autopsy *autopsy = memory_zeroed(1, sizeof *autopsy);

    list_init(&autopsy->node);
    autopsy->dispatch = slot->dispatch;
    autopsy->slot = slot->id;
    autopsy->job = job;
    return autopsy;
}

/* It is certain who is charged. */
static void lost_say(const struct autopsy *autopsy, const struct slot *slot)
{
    char run[ID_TEXT_SIZE];

    slot->dispatch->crashes++;
    dispatch_crashed(slot->dispatch, slot->build);
    log_warn("slot.lost", "run=%s plugin=%.*s %s", id_format("run", autopsy->job->run_id, run),
             SLICE_ARG(slot->plugin), autopsy->text);
}

bool autopsy_begin(struct list *autopsies, const struct slot *slot, struct job *job, int status,
                   const char *where)
{
    struct autopsy *autopsy = autopsy_create(slot, job);

    autopsy_say(autopsy, slot, status);
    where_add(autopsy, where);
    lost_say(autopsy, slot);
    if (!slot->has_crash || slot->crash.depth == 0) {
        autopsy_finish(autopsy, (struct slice){ 0 });
        return false;
    }
    autopsy->due_ms = dispatch_now(slot->dispatch) + SYMBOLS_MS;
    dispatch_alarm(slot->dispatch, autopsy->due_ms);
    list_push(autopsies, &autopsy->node);
    return true;
}

void autopsy_blame(const struct slot *slot, struct job *job, const char *how, const char *where)
{
    struct autopsy *autopsy = autopsy_create(slot, job);

    autopsy->loss = LOSS_CRASHED;
    (void)snprintf(autopsy->name, sizeof autopsy->name, "NURSERY_DIED");
    (void)snprintf(
        autopsy->text, sizeof autopsy->text,
        "the process that its slot came from %s while this run was out, and again when it was "
        "out alone",
        how);
    where_add(autopsy, where);
    lost_say(autopsy, slot);
    autopsy_finish(autopsy, (struct slice){ 0 });
}

void autopsy_symbols(struct list *autopsies, uint32_t slot, struct slice stack)
{
    LIST_EACH(autopsies, node, after)
    {
        struct autopsy *autopsy = container_of(node, struct autopsy, node);
        if (autopsy->slot == slot)
            autopsy_finish(autopsy, stack);
    }
}

int64_t autopsies_tick(struct list *autopsies, int64_t now_ms)
{
    int64_t due_ms = 0;

    LIST_EACH(autopsies, node, after)
    {
        struct autopsy *autopsy = container_of(node, struct autopsy, node);
        if (now_ms >= autopsy->due_ms)
            autopsy_finish(autopsy, (struct slice){ 0 });
        else
            due_ms = sooner(due_ms, autopsy->due_ms);
    }
    return due_ms;
}

struct job *autopsy_job(const struct list *autopsies, int64_t run_id)
{
    LIST_EACH(autopsies, node, after)
    {
        struct job *job = container_of(node, struct autopsy, node)->job;
        if (job->run_id == run_id)
            return job;
    }
    return NULL;
}

void autopsies_drop(struct list *autopsies)
{
    LIST_EACH(autopsies, node, after)
    {
        struct autopsy *autopsy = container_of(node, struct autopsy, node);
        list_remove(&autopsy->node);
        job_destroy(autopsy->job);
        free(autopsy);
    }
}
